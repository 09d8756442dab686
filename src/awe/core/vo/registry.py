"""Resources as VOResource 1.1 and VODataService 1.2 records, and as Dublin Core.

Registry Interfaces 1.1 (REC 2018-07-23) says which records a publishing registry has; the documents that carry them
are in `awe.core.vo.oai`.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime

from awe.core.resources import Coverage, Curation, Resource
from awe.core.vo._xml import NAMESPACES, Element, node

__all__ = ["dublin_core", "harvest_details", "record", "utc"]

_PREFIXES = ("ri", "vr", "vs", "vg", "tr", "cs", "sia", "ssap")
_OF_DATA = frozenset({"vs:CatalogService", "vs:CatalogResource", "vs:DataResource", "vs:DataService"})
_WITH_TABLES = frozenset({"vs:CatalogService", "vs:CatalogResource"})


def utc(moment: datetime) -> str:
    """Return a moment as registries write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record(
    resource: Resource,
    address: str,
    capabilities: Iterable[Element] = (),
    tables: Element | None = None,
) -> Element:
    """Return the ``ri:Resource`` of a resource.

    Parameters
    ----------
    resource
        What is told; it has the times of its record.
    address
        Of the service.
    capabilities
        Its ``capability`` elements, as its ``/capabilities`` has them.
    tables
        The ``tableset`` of its tables.
    """
    used = [*_PREFIXES, "xsi"]
    assert resource.created is not None  # noqa: S101  # whoever asks for a record has asked for its times
    assert resource.updated is not None  # noqa: S101  # as above
    attributes = {
        "xsi:type": resource.kind,
        "created": utc(resource.created),
        "updated": utc(resource.updated),
        "status": "active",
        "xsi:schemaLocation": " ".join(f"{NAMESPACES[p]} {NAMESPACES[p]}" for p in _PREFIXES),
    }
    return node(
        "ri:Resource",
        attributes,
        node("title", None, resource.title),
        node("shortName", None, resource.shortened),
        node("identifier", None, resource.ivoid),
        node("altIdentifier", None, f"doi:{resource.doi.removeprefix('doi:')}") if resource.doi else None,
        _curation(resource.curation),
        _content(resource, address),
        *_special(resource, [deepcopy(one) for one in capabilities], tables),
        prefixes={prefix: NAMESPACES[prefix] for prefix in used},
    )


def dublin_core(resource: Resource, address: str) -> Element:
    """Return a resource as unqualified Dublin Core, which every OAI-PMH repository has."""
    curation = resource.curation
    said: Sequence[tuple[str, str]] = (
        ("title", resource.title),
        *(("creator", creator) for creator in curation.creators),
        *(("subject", subject) for subject in resource.subjects),
        ("description", resource.description),
        ("publisher", curation.publisher),
        ("date", utc(curation.date) if curation.date else ""),
        *(("type", kind) for kind in resource.types),
        ("identifier", resource.ivoid),
        ("identifier", _page(resource, address)),
        ("source", resource.source),
        ("rights", curation.rights),
    )
    names = ("oai_dc", "dc", "xsi")
    location = f"{NAMESPACES['oai_dc']} http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
    return node(
        "oai_dc:dc",
        {"xsi:schemaLocation": location},
        *(node(f"dc:{name}", None, value) for name, value in said if value),
        prefixes={name: NAMESPACES[name] for name in names},
    )


def harvest_details(most: int) -> tuple[Element, ...]:
    """Return the elements of a ``vg:Harvest`` capability: records of one answer at the most."""
    return (node("maxRecords", None, str(most)),)


def _special(
    resource: Resource, capabilities: Sequence[Element], tables: Element | None
) -> Iterator[Element | None]:
    """Yield what the type of the record has beyond the common part, in the order of the schemas."""
    if resource.kind == "vg:Authority":
        yield node("managingOrg", {"ivo-id": resource.curation.publisher_id}, resource.curation.publisher)
    if resource.kind in {"vg:Authority", "vr:Organisation"}:
        return
    rights = {"rightsURI": resource.curation.rights_url or None}
    if resource.curation.rights or resource.curation.rights_url:
        yield node("rights", rights, resource.curation.rights or resource.curation.rights_url)
    yield from capabilities
    if resource.kind == "vg:Registry":
        yield node("full", None, "false")
        yield node("managedAuthority", None, resource.ivoid.removeprefix("ivo://").partition("/")[0])
    if resource.kind in _OF_DATA:
        yield from (node("facility", None, name) for name in resource.facilities)
        yield from (node("instrument", None, name) for name in resource.instruments)
        yield _coverage(resource.coverage)
    if resource.kind in _WITH_TABLES:
        yield tables


def _curation(curation: Curation) -> Element:
    contact = curation.contact
    return node(
        "curation",
        None,
        node("publisher", {"ivo-id": curation.publisher_id}, curation.publisher),
        *(node("creator", None, node("name", None, creator)) for creator in curation.creators),
        node("date", {"role": "Updated"}, utc(curation.date)) if curation.date else None,
        node("version", None, curation.version) if curation.version else None,
        node(
            "contact",
            None,
            node("name", None, contact.name),
            node("email", None, contact.email) if contact.email else None,
        ),
    )


def _content(resource: Resource, address: str) -> Element:
    related = (
        node(
            "relationship",
            None,
            node("relationshipType", None, one.how),
            node("relatedResource", {"ivo-id": one.ivoid}, one.title),
        )
        for one in resource.related
    )
    return node(
        "content",
        None,
        *(node("subject", None, subject) for subject in resource.subjects),
        node("description", None, resource.description),
        node("source", {"format": "bibcode"}, resource.source) if resource.source else None,
        node("referenceURL", None, _page(resource, address)),
        *(node("type", None, kind) for kind in resource.types),
        *(node("contentLevel", None, level) for level in resource.levels),
        *related,
    )


def _page(resource: Resource, address: str) -> str:
    return f"{address}{resource.page}" if resource.page.startswith("/") else resource.page


def _coverage(coverage: Coverage) -> Element | None:
    if coverage == Coverage():
        return None
    return node(
        "coverage",
        None,
        node("spatial", None, coverage.moc) if coverage.moc else None,
        *(node("temporal", None, f"{low!r} {high!r}") for low, high in coverage.time),
        *(node("spectral", None, f"{low!r} {high!r}") for low, high in coverage.energy),
        *(node("waveband", None, word) for word in coverage.wavebands),
    )
