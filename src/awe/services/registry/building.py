"""The resources of an archive, made of its settings and of what everybody may read in it.

Identifiers: ``ivo://AUTHORITY`` is the authority, ``.../services/...`` are services and the publisher,
``.../tables/SCHEMA`` is a schema, ``.../tables/SCHEMA/TABLE`` the cone search of a table, and ``.../COLLECTION`` a
collection, so that the identifiers of its datasets (``ivo://AUTHORITY/COLLECTION?...``) begin with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from awe.core.resources import Contact, Coverage, Curation, Related, Resource
from awe.core.sky import Moc
from awe.services.catalogs import SchemaRecord, TableRecord
from awe.services.registry import offers
from awe.settings import ArchiveSettings

__all__ = ["Held", "Holdings", "resources"]

_COVERAGE_ORDER = 6
"""Cells of about a degree, as VODataService 1.2 section 3.2.1 recommends for a registry."""


@dataclass(frozen=True, slots=True)
class Held:
    """A collection of datasets: what its publisher said, and what its datasets span.

    Attributes
    ----------
    about
        ``title``, ``description`` and other statements.
    time
        MJD.
    wavelength
        Metres.
    product_types, facilities, instruments
        Words of its datasets.
    """

    name: str
    about: Mapping[str, str]
    datasets: int
    moc: Moc | None = None
    time: tuple[float, float] | None = None
    wavelength: tuple[float, float] | None = None
    product_types: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holdings:
    """What everybody may read; `mocs` by full name of the table."""

    schemas: Sequence[SchemaRecord]
    tables: Sequence[TableRecord]
    mocs: Mapping[str, Moc]
    collections: Sequence[Held]


def resources(archive: ArchiveSettings, held: Holdings) -> list[Resource]:
    """Return the resources, by identifier."""
    return sorted(_Builder(archive, held).all(), key=lambda resource: resource.ivoid)


class _Builder:
    def __init__(self, archive: ArchiveSettings, held: Holdings) -> None:
        self._archive = archive
        self._held = held
        self._root = f"ivo://{archive.authority}"
        self._page = archive.homepage or "/"
        organisation = archive.organisation or archive.title
        self._curation = Curation(
            publisher=organisation,
            publisher_id=f"{self._root}/services/publisher",
            creators=_split(archive.creator) or (organisation,),
            contact=Contact(archive.contact_name or organisation, archive.contact),
            rights=archive.rights,
            rights_url=archive.rights_url,
        )

    def all(self) -> Iterator[Resource]:
        """Yield every resource."""
        yield self._authority()
        yield self._publisher()
        yield self._registry()
        yield self._tap()
        yield self._groups()
        if self._held.collections:
            yield self._images()
        yield from (self._schema(schema) for schema in self._held.schemas)
        yield from (self._cone(table) for table in self._held.tables if table.ra and table.dec)
        yield from (self._collection(collection) for collection in self._held.collections)

    # The archive itself

    def _authority(self) -> Resource:
        title = f"Authority {self._archive.authority}"
        return replace(self._service("vg:Authority", "", title, title, "authority"), short_name="authority")

    def _publisher(self) -> Resource:
        name = self._curation.publisher
        about = f"{name}, the publisher of {self._archive.title}"
        return self._service("vr:Organisation", "/services/publisher", name, about, "astronomical archives")

    def _registry(self) -> Resource:
        title = f"{self._archive.title}: publishing registry"
        about = f"The records of what {self._archive.title} publishes, for registries to harvest."
        made = self._service("vg:Registry", "/services/registry", title, about, "virtual observatory")
        return replace(made, types=("Registry",), offers=offers.REGISTRY)

    def _tap(self) -> Resource:
        title = f"{self._archive.title}: query service"
        about = f"{self._archive.description} All its tables can be queried in ADQL."
        made = self._service("vs:CatalogService", "/services/tap", title, about, "astronomical archives")
        names = tuple(table.full_name for table in self._held.tables)
        mocs = [*self._held.mocs.values(), *(c.moc for c in self._held.collections if c.moc is not None)]
        return replace(
            made, types=("Archive",), offers=offers.TAP, tables=names, coverage=Coverage(moc=_ascii(mocs))
        )

    def _groups(self) -> Resource:
        title = f"{self._archive.title}: group membership service"
        about = f"Which groups of {self._archive.title} somebody who is logged in belongs to."
        made = self._service("vr:Service", "/services/groups", title, about, "virtual observatory")
        return replace(made, types=("Other",), offers=offers.GROUPS)

    def _images(self) -> Resource:
        title = f"{self._archive.title}: search for images and spectra"
        about = f"{self._archive.description} Its images and spectra are found by place, time and band."
        made = self._service("vs:CatalogService", "/services/images", title, about, "astronomical archives")
        spans = [_spans(collection) for collection in self._held.collections]
        coverage = Coverage(
            moc=_ascii(c.moc for c in self._held.collections if c.moc is not None),
            time=tuple(sorted({interval for span in spans for interval in span.time})),
            energy=tuple(sorted({interval for span in spans for interval in span.energy})),
            wavebands=_distinct(word for span in spans for word in span.wavebands),
        )
        return replace(made, types=("Archive",), offers=offers.DATASETS, coverage=coverage)

    def _service(self, kind: str, path: str, title: str, about: str, subject: str) -> Resource:
        return Resource(
            kind=kind,
            ivoid=f"{self._root}{path}".lower(),
            title=title,
            description=about,
            page=self._page,
            curation=self._curation,
            subjects=(subject.replace(" ", "-"),),
        )

    # What it holds

    def _schema(self, schema: SchemaRecord) -> Resource:
        tables = [table for table in self._held.tables if table.schema == schema.name]
        said = _common(table.metadata for table in tables)
        made = self._described(
            "vs:CatalogResource",
            f"/tables/{schema.name}",
            schema.title or f"{schema.name}: tables of {self._archive.title}",
            schema.description or _listed(tables),
            said,
            _latest(tables),
        )
        return replace(
            made,
            short_name=schema.name,
            types=("Catalog",),
            offers=(offers.TAP_AUX,),
            tables=tuple(table.full_name for table in tables),
            coverage=replace(made.coverage, moc=_ascii(self._mocs(tables))),
            related=(self._served_by("/services/tap", "query service"),),
        )

    def _cone(self, table: TableRecord) -> Resource:
        title = table.title or table.full_name
        made = self._described(
            "vs:CatalogService",
            f"/tables/{table.schema}/{table.name}",
            f"{title}: cone search",
            table.description or f"The rows of {table.full_name} around a position.",
            table.metadata,
            table.created,
        )
        return replace(
            made,
            short_name=table.name,
            types=("Catalog",),
            offers=offers.cone(table.full_name),
            tables=(table.full_name,),
            coverage=replace(made.coverage, moc=_ascii(self._mocs([table]))),
            related=(
                Related("IsPartOf", f"{self._root}/tables/{table.schema}".lower(), table.schema),
                self._served_by("/services/tap", "query service"),
            ),
        )

    def _collection(self, collection: Held) -> Resource:
        about = collection.about
        made = self._described(
            "vs:DataResource",
            f"/{collection.name}",
            about.get("title") or f"{collection.name}: datasets of {self._archive.title}",
            about.get("description") or f"{collection.datasets} datasets published as {collection.name}.",
            about,
            None,
        )
        spans = _spans(collection)
        return replace(
            made,
            short_name=collection.name,
            types=("Archive",),
            offers=offers.COLLECTION,
            coverage=replace(spans, wavebands=made.coverage.wavebands or spans.wavebands),
            facilities=collection.facilities,
            instruments=collection.instruments,
            related=(
                self._served_by("/services/images", "search for images and spectra"),
                self._served_by("/services/tap", "query service"),
            ),
        )

    def _described(
        self, kind: str, path: str, title: str, about: str, said: Mapping[str, str], date: datetime | None
    ) -> Resource:
        """Return the resource of something published, with the statements that its publisher made."""
        curation = replace(
            self._curation,
            creators=_split(said.get("creator", "")) or self._curation.creators,
            rights=said.get("rights", self._curation.rights),
            rights_url=said.get("rights_url", "" if "rights" in said else self._curation.rights_url),
            version=said.get("version", ""),
            date=date,
        )
        return Resource(
            kind=kind,
            ivoid=f"{self._root}{path}".lower(),
            title=title,
            description=about,
            page=said.get("homepage", self._page),
            curation=curation,
            subjects=_split(said.get("subject", "")) or ("astronomical-archives",),
            source=said.get("reference", ""),
            doi=said.get("doi", ""),
            coverage=Coverage(wavebands=_split(said.get("waveband", ""))),
            facilities=_split(said.get("facility", "")),
            instruments=_split(said.get("instrument", "")),
        )

    def _served_by(self, path: str, what: str) -> Related:
        return Related("IsServedBy", f"{self._root}{path}".lower(), f"{self._archive.title}: {what}")

    def _mocs(self, tables: Iterable[TableRecord]) -> list[Moc]:
        return [self._held.mocs[t.full_name] for t in tables if t.full_name in self._held.mocs]


def _ascii(mocs: Iterable[Moc]) -> str:
    """Return the union of MOCs in ASCII, coarse as registries want it; empty for none."""
    given = [moc.degraded(min(moc.order, _COVERAGE_ORDER)) for moc in mocs]
    return Moc.union(given).to_ascii() if given else ""


def _common(said: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the statements in which all tables agree."""
    every = [set(statements.items()) for statements in said]
    return dict(sorted(set.intersection(*every))) if every else {}


def _listed(tables: Sequence[TableRecord]) -> str:
    return " ".join(f"{t.full_name}: {t.title or t.description or 'a table'}." for t in tables)


def _latest(tables: Iterable[TableRecord]) -> datetime | None:
    return max((table.created for table in tables if table.created), default=None)


def _split(text: str) -> tuple[str, ...]:
    """Return the parts between semicolons; names have commas in them."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _spans(collection: Held) -> Coverage:
    """Return what a collection covers of time and spectrum."""
    low, high = collection.wavelength or (0.0, 0.0)
    energy = ((_PLANCK_LIGHT / high, _PLANCK_LIGHT / low),) if 0.0 < low <= high else ()
    return Coverage(
        moc=_ascii([collection.moc] if collection.moc is not None else []),
        time=(collection.time,) if collection.time else (),
        energy=energy,
        wavebands=tuple(word for word, (a, b) in _WAVEBANDS.items() if 0.0 < low < b and high > a),
    )


_PLANCK_LIGHT = 1.98644586e-25
"""Planck's constant times the velocity of light, J m."""

_WAVEBANDS = {
    "Radio": (1e-2, float("inf")),
    "Millimeter": (1e-4, 1e-2),
    "Infrared": (1e-6, 1e-4),
    "Optical": (3e-7, 1e-6),
    "UV": (1e-7, 3e-7),
    "EUV": (1e-8, 1e-7),
    "X-ray": (1e-11, 1e-8),
    "Gamma-ray": (0.0, 1e-11),
}
"""Wavelengths in metres of the terms of http://www.ivoa.net/rdf/messenger."""
