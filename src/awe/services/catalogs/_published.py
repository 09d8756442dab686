"""What is published: the records as they are now, the views computed from them, and which of it a caller may read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from awe.core.sky import Moc
from awe.services.catalogs.memory import RowGuard
from awe.services.catalogs.model import TABLE, SchemaRecord, TableRecord, View
from awe.services.catalogs.store import CatalogStore
from awe.services.identity import Identity, Policy

__all__ = ["PublishedTables"]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """All records, of one moment."""

    revision: int
    schemas: tuple[SchemaRecord, ...]
    tables: tuple[TableRecord, ...]


class PublishedTables:
    """The published tables, kept in memory until one of them changes.

    Parameters
    ----------
    store
        The records.
    policy
        Who may read which table.
    views
        What there is besides, computed from published tables.
    """

    def __init__(self, store: CatalogStore, policy: Policy, views: Sequence[View]) -> None:
        self._store = store
        self._policy = policy
        self._views = tuple(views)
        self._snapshot: _Snapshot | None = None
        self._guards: dict[str, RowGuard] = {}

    def guard(self, full_name: str, guard: RowGuard) -> None:
        """Let `guard` say which rows of a table a caller may read."""
        self._guards[full_name] = guard

    def every(self) -> tuple[TableRecord, ...]:
        """Return all stored tables, whoever may read them."""
        return self._current().tables

    def schemas(self) -> Mapping[str, SchemaRecord]:
        """Return the schemas of the stored and the computed tables, by name."""
        published = {schema.name: schema for schema in self._current().schemas}
        computed = {view.schema.name: view.schema for view in self._views}
        return published | computed | published

    def readable(self, identity: Identity) -> tuple[TableRecord, ...]:
        """Return the tables the caller may read, by schema and name; the views behind them."""
        readable = self._policy.names(identity, TABLE)
        stored = tuple(
            self._guards[t.full_name].seen(t, identity) if t.full_name in self._guards else t
            for t in self.every()
            if t.full_name in readable
        )
        known = {record.full_name: record for record in stored}
        described = tuple(
            view
            for record in stored
            for said, view in zip(record.views, record.of_views(), strict=True)
            if known.keys() >= set(said.reads)
        )
        return (
            *stored,
            *described,
            *(view.to_record(known[view.of]) for view in self._views if view.of in known),
        )

    def seen_sky(self, full_name: str, identity: Identity) -> Moc:
        """Return the part of the sky that the caller's rows of a guarded table cover."""
        return self._guards[full_name].seen_sky(identity)

    def _current(self) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is None or snapshot.revision != self._store.revision():
            snapshot = self._snapshot = _Snapshot(*self._store.load())
        return snapshot
