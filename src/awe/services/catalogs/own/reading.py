"""Which users' tables a caller may read, for every query and every list.

They are read per schema, and again only when the schema has changed: a caller sees his own and those that were
granted to him, so what thousands of others have costs nothing. An administrator is nobody special here: what
people keep is theirs. `awe admin tables` is how an operator helps somebody.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from awe.services.catalogs.model import MYDB, TABLE, TableRecord
from awe.services.catalogs.own.model import UserSchema
from awe.services.catalogs.own.store import OwnStore
from awe.services.identity import READ, Identity, Policy

__all__ = ["OwnTables"]

_KEPT_SCHEMAS = 500


@dataclass(frozen=True, slots=True)
class _Snapshot:
    revision: int
    records: dict[int, TableRecord]


class OwnTables:
    """What callers may read of users' tables.

    Parameters
    ----------
    store
        The records.
    policy
        Who was granted what.
    """

    def __init__(self, store: OwnStore, policy: Policy) -> None:
        self._store = store
        self._policy = policy
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()
        self._lock = threading.Lock()

    def schema(self, identity: Identity) -> str | None:
        """Return the name of the caller's own schema; None where there is none yet."""
        found = self._store.schemas(identity.name) if identity.name else ()
        return next((schema.name for schema in found), None)

    def readable(self, identity: Identity) -> tuple[TableRecord, ...]:
        """Return the caller's own tables and those granted to the caller, by schema and name."""
        if READ not in identity.scopes:
            return ()
        granted = self._policy.granted(identity, TABLE)
        schemas = self._store.schemas(identity.name, {name.partition(".")[0] for name in granted})
        return tuple(
            record
            for schema in schemas
            for record in self._of(schema)
            if schema.owner == identity.name or record.full_name.casefold() in granted
        )

    def spelled(self, full_name: str, identity: Identity) -> str:
        """Return the full name of a table of one's own that is written ``mydb.t`` or ``mydb://t``; others as they are."""
        schema, _, table = full_name.replace("://", ".").rpartition(".")
        if schema.rstrip(".").casefold() != MYDB:
            return full_name
        return f"{self.schema(identity) or MYDB}.{table}"

    def locations(self) -> frozenset[str]:
        """Return where all versions lie, of everybody."""
        return self._store.locations()

    def of(self, schema: UserSchema) -> tuple[TableRecord, ...]:
        """Return all tables of a schema, by name."""
        return self._of(schema)

    def _of(self, schema: UserSchema) -> tuple[TableRecord, ...]:
        with self._lock:
            known = self._snapshots.get(schema.name, _Snapshot(-1, {}))
        if known.revision < schema.revision:
            revision, current, changed = self._store.changed(schema, known.revision)
            records = {key: changed.get(key) or known.records[key] for key in current}
            ordered = dict(sorted(records.items(), key=lambda item: item[1].name.casefold()))
            known = _Snapshot(revision, ordered)
        with self._lock:
            self._snapshots[schema.name] = known
            self._snapshots.move_to_end(schema.name)
            if len(self._snapshots) > _KEPT_SCHEMAS:
                self._snapshots.popitem(last=False)
        return tuple(known.records.values())
