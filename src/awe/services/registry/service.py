"""Use cases of the registry: what there is to announce, and since when."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from awe.core.resources import Resource
from awe.core.sky import Moc
from awe.services.catalogs import CatalogService
from awe.services.observations import INDEX_TABLE, ObservationService
from awe.services.registry.building import Held, Holdings, resources
from awe.services.registry.store import RegistryStore
from awe.settings import Settings

__all__ = ["Announced", "RegistryService"]

_SPANS = (
    "SELECT obs_collection, MIN(t_min) AS t0, MAX(t_max) AS t1, MIN(em_min) AS w0, MAX(em_max) AS w1 "
    f"FROM {INDEX_TABLE} GROUP BY obs_collection"
)
_WORDS = (
    f"SELECT DISTINCT obs_collection, dataproduct_type, facility_name, instrument_name FROM {INDEX_TABLE}"
)
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Announced:
    """A record as registries see it: `resource` is None for one that is gone.

    Attributes
    ----------
    ivoid
        Its identifier.
    changed
        When it was written, changed or went, in whole seconds of UTC.
    """

    ivoid: str
    changed: datetime
    resource: Resource | None


class RegistryService:
    """Tell what an archive publishes.

    Parameters
    ----------
    store
        What was told before.
    catalogs, observations
        What is published.
    settings
        Who publishes, and under which address.
    """

    def __init__(
        self,
        store: RegistryStore,
        catalogs: CatalogService,
        observations: ObservationService,
        settings: Settings,
    ) -> None:
        self._store = store
        self._catalogs = catalogs
        self._observations = observations
        self._settings = settings
        self._made: tuple[object, tuple[Resource, ...]] | None = None

    def resources(self) -> tuple[Resource, ...]:
        """Return all resources, by identifier, with the times of their records."""
        return tuple(one.resource for one in self.announced() if one.resource is not None)

    def announced(self) -> tuple[Announced, ...]:
        """Return all records, those that are gone too, the one that changed longest ago first.

        What is new, other or gone since anybody asked last is stamped with this moment.
        """
        found = {resource.ivoid: resource for resource in self._resources()}
        stamps = self._store.stamps({ivoid: self._digest(one) for ivoid, one in found.items()})
        made = (
            Announced(
                ivoid,
                stamp.changed,
                None
                if stamp.deleted
                else replace(found[ivoid], created=stamp.created, updated=stamp.changed),
            )
            for ivoid, stamp in stamps.items()
        )
        return tuple(sorted(made, key=lambda one: (one.changed, one.ivoid)))

    def _digest(self, resource: Resource) -> str:
        """Return a digest of all that its record says."""
        versions = {table.full_name: table.version for table in self._catalogs.published()}
        tables = {name: versions.get(name) for name in resource.tables}
        said = [asdict(resource), tables, self._settings.base_url]
        return hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()

    def _resources(self) -> tuple[Resource, ...]:
        """Return the resources, made anew when anything was published or removed."""
        tables = self._catalogs.published()
        collections = self._observations.collections()
        key = (
            tuple((table.full_name, table.version) for table in tables),
            tuple(
                (one.name, one.datasets, one.bytes, tuple(sorted(one.about.items()))) for one in collections
            ),
        )
        if self._made is None or self._made[0] != key:
            used = {table.schema for table in tables}
            held = Holdings(
                tuple(schema for schema in self._catalogs.schemas() if schema.name in used),
                tables,
                {
                    table.full_name: self._catalogs.coverage(table.full_name)
                    for table in tables
                    if table.ra and not table.sql
                },
                self._held(),
            )
            self._made = (key, tuple(resources(self._settings.archive, held)))
        return self._made[1]

    def _held(self) -> Sequence[Held]:
        found = self._observations.collections()
        if not found:
            return ()
        spans = {row["obs_collection"]: row for row in self._rows(_SPANS)}
        words = self._rows(_WORDS)

        def distinct(name: str, column: str) -> tuple[str, ...]:
            values = {str(w[column]) for w in words if w["obs_collection"] == name and w[column]}
            return tuple(sorted(values))

        return [
            Held(
                one.name,
                one.about,
                one.datasets,
                self._moc(one.name),
                _span(spans.get(one.name, {}), "t0", "t1"),
                _span(spans.get(one.name, {}), "w0", "w1"),
                distinct(one.name, "dataproduct_type"),
                distinct(one.name, "facility_name"),
                distinct(one.name, "instrument_name"),
            )
            for one in found
        ]

    def _moc(self, collection: str) -> Moc | None:
        moc = self._observations.coverage(collection)
        return moc if len(moc.ranges) else None

    def _rows(self, query: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = self._catalogs.query(query, max_rows=_MOST).to_table().to_pylist()
        return rows


def _span(row: dict[str, object], low: str, high: str) -> tuple[float, float] | None:
    first, last = row.get(low), row.get(high)
    return (float(str(first)), float(str(last))) if first is not None and last is not None else None
