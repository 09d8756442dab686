"""Versions of users' tables: those that were replaced or dropped can come back for a while, then they are removed.

They are their owner's. An administrator may see and restore them too, to help, and the audit log says so.
"""

from datetime import UTC, datetime

from awe.errors import ForbiddenError, NotFoundError
from awe.services.catalogs.interface import Engine
from awe.services.catalogs.model import TableRecord
from awe.services.catalogs.own.keeping import expired
from awe.services.catalogs.own.model import TableVersion
from awe.services.catalogs.own.places import Place, Places
from awe.services.catalogs.own.room import TableRoom
from awe.services.catalogs.own.store import OwnStore
from awe.services.identity import READ, AuditLog, Identity
from awe.settings import TableSettings

__all__ = ["VersionService"]

_GRACE_S = 60.0


class VersionService:
    """What there was of users' tables.

    Every `name` is as `TableService` takes it.

    Parameters
    ----------
    store, engine
        The records and the rows.
    places
        Which table a name means, and who may change it.
    room
        What users may have.
    audit
        Where it is recorded what an administrator does with somebody's table.
    settings
        How long what was replaced or dropped is kept.
    query_s, longest_s
        The times of a query and of a job at the most: so long what they may be reading is kept.
    """

    def __init__(
        self,
        store: OwnStore,
        engine: Engine,
        places: Places,
        room: TableRoom,
        audit: AuditLog,
        settings: TableSettings,
        *,
        query_s: float,
        longest_s: float,
    ) -> None:
        self._store = store
        self._engine = engine
        self._places = places
        self._room = room
        self._audit = audit
        self._settings = settings
        self._query_s, self._longest_s = query_s + _GRACE_S, longest_s + _GRACE_S

    def kept(self, name: str, identity: Identity) -> tuple[TableVersion, ...]:
        """Return the versions of one's own table that are kept, the oldest first; also of one that was dropped.

        Raises
        ------
        NotFoundError
            If none is.
        """
        place = self._places.place(name, identity)
        found = self._kept(place, identity)
        self._places.note(identity.name, "table.seen", found[-1].record)
        return found

    def _kept(self, place: Place, identity: Identity) -> tuple[TableVersion, ...]:
        found = self._store.versions(place.schema, place.table)
        may = place.owner == identity.name or self._places.helps(identity)
        if READ not in identity.scopes or not found or not may:
            raise self._places.missing(place, identity)
        return found

    def dropped(self, identity: Identity) -> tuple[TableVersion, ...]:
        """Return the caller's tables that were dropped and can be restored, by name: the newest version of each."""
        if identity.is_anonymous or READ not in identity.scopes:
            return ()
        return self._store.dropped(self._places.schema_of(identity))

    def of_user(
        self, user: str, identity: Identity, *, dropped: bool = False, by: str = ""
    ) -> tuple[TableVersion, ...]:
        """Return the tables that somebody has, by name, for an administrator who helps; or, `dropped`, had.

        Raises
        ------
        ForbiddenError
            If the caller is no administrator.
        NotFoundError
            If the user never had a table.
        """
        if not self._places.helps(identity) or READ not in identity.scopes:
            raise ForbiddenError("only an administrator may see what somebody else keeps")
        schema = next((one for one in self._store.schemas(user) if one.owner == user), None)
        if schema is None:
            raise NotFoundError(f"{user} has no tables")
        self._audit.record("table.listed", user=by or identity.name, target=f"user:{user}", outcome="done")
        return self._store.dropped(schema) if dropped else self._store.currents(schema)

    def restore(
        self, name: str, identity: Identity, version: int | None = None, *, by: str = ""
    ) -> TableRecord:
        """Make an earlier version of a table the current one again; the one that is current now is kept likewise.

        What was granted on a table that was dropped does not come back.

        Parameters
        ----------
        version
            Its number; when None, the newest that is not current.
        by
            Who is recorded as acting on somebody else's; the caller's name when empty.

        Raises
        ------
        NotFoundError
            If there is no such version.
        QuotaError
            If its owner may not have so much.
        """
        place = self._places.place(name, identity)
        with self._places.changing(place, identity):
            kept = self._kept(place, identity)
            wanted = [one for one in kept if version in {None, one.number} and not one.is_current]
            if not wanted:
                numbers = ", ".join(str(one.number) for one in kept if not one.is_current) or "none"
                which = "another version" if version is None else f"a version {version}"
                raise NotFoundError(
                    f"{place.full_name} has not {which} that is kept", hint=f"there are {numbers}"
                )
            newest = max(wanted, key=lambda one: (one.ended or one.created, one.number))
            with self._room.allowed(place.owner) as check:
                record = self._store.revive(newest, check)
            self._places.note(by or identity.name, "table.restored", record)
            return record

    def clean(self, owner: str | None = None) -> None:
        """Remove the versions of a user, or of everybody, that are not to be restored any more."""
        ended, now = self._store.ended(owner), datetime.now(UTC)
        for version in expired(
            ended, self._settings, query_s=self._query_s, longest_s=self._longest_s, now=now
        ):
            if self._store.forget(version.stored.location):
                self._engine.drop(version.stored)
