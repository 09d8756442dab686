"""Which table a name means for somebody, and what he may do with it; who changes a table now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from awe.core.suggestions import did_you_mean
from awe.errors import AuthenticationError, ConflictError, ForbiddenError, NotFoundError
from awe.services.catalogs._folders import waited_for
from awe.services.catalogs.model import TABLE, TableRecord
from awe.services.catalogs.own.model import UserSchema, parse_name
from awe.services.catalogs.own.reading import OwnTables
from awe.services.catalogs.own.store import OwnStore
from awe.services.identity import READ, WRITE, AuditLog, Identity, Policy

__all__ = ["Place", "Places"]


@dataclass(frozen=True, slots=True)
class Place:
    """A table that is there or could be: the schema it is in, and its name."""

    schema: UserSchema
    table: str

    @property
    def full_name(self) -> str:
        """``user_ada.t``."""
        return f"{self.schema.name}.{self.table}"

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.schema.owner


class Places:
    """Find tables by name, for callers who may do something with them.

    Parameters
    ----------
    store
        The records.
    own
        What callers may read.
    policy
        Who was granted what.
    audit
        Where it is recorded what an administrator does with somebody's table.
    locks
        A folder that all processes see.
    wait_s
        So long somebody waits who wants to change what is being changed.
    """

    def __init__(
        self, store: OwnStore, own: OwnTables, policy: Policy, audit: AuditLog, locks: Path, wait_s: float
    ) -> None:
        self._store = store
        self._own = own
        self._policy = policy
        self._audit = audit
        self._locks = locks
        self._wait_s = wait_s

    def schema_of(self, identity: Identity) -> UserSchema:
        """Return the caller's own schema, made where there is none yet; `AuthenticationError` for nobody known."""
        if identity.is_anonymous:
            raise AuthenticationError("only who is logged in has tables of his own", hint="log in")
        found = [schema for schema in self._store.schemas(identity.name) if schema.owner == identity.name]
        return found[0] if found else self._store.make_schema(identity.name)

    def place(self, name: str, identity: Identity) -> Place:
        """Return which table a name means.

        Raises
        ------
        ParameterError
            If it is no name.
        AuthenticationError
            If it is that of one's own table, of nobody known.
        NotFoundError
            If there is no such schema.
        """
        parsed = parse_name(name)
        if not parsed.schema:
            return Place(self.schema_of(identity), parsed.table)
        for schema in self._store.schemas(identity.name, [parsed.schema]):
            if schema.name == parsed.schema:
                return Place(schema, parsed.table)
        raise self.missing(Place(UserSchema(parsed.schema, "", 0), parsed.table), identity)

    def found(self, place: Place, identity: Identity, action: str) -> TableRecord:
        """Return a table that the caller may do something with.

        Raises
        ------
        NotFoundError
            If there is none that the caller may read.
        ForbiddenError
            If the caller may read it, and not do this.
        """
        record = self._store.current(place.schema, place.table)
        if record is None or not self._may(place, identity, READ):
            raise self.missing(place, identity)
        if not self._may(place, identity, action):
            raise ForbiddenError(f"you may not {action} the table {record.full_name}")
        return record

    def owned(self, place: Place, identity: Identity, *, helping: bool = False) -> TableRecord:
        """Return a table of the caller's own; when `helping`, an administrator may do it for whoever has it.

        Raises
        ------
        NotFoundError, ForbiddenError
            As `found`.
        """
        record = self._store.current(place.schema, place.table)
        if record is not None and helping and self.helps(identity) and WRITE in identity.scopes:
            return record
        record = self.found(place, identity, WRITE)
        if record.owner != identity.name:
            raise ForbiddenError(f"{record.full_name} is somebody else's: only its owner may do that")
        return record

    def helps(self, identity: Identity) -> bool:
        """Return whether the caller may see what somebody has, and drop and restore it, to help."""
        return identity.is_administrator

    def note(self, by: str, what: str, record: TableRecord) -> None:
        """Record what somebody did with a table, if it is somebody else's."""
        if record.owner != by:
            target = f"table:{record.full_name}"
            self._audit.record(what, user=by, target=target, outcome="done", owner=record.owner)

    def missing(self, place: Place, identity: Identity) -> NotFoundError:
        """Return the error of a table that is not there, or that the caller may not know of: one and the same."""
        names = {record.full_name for record in self._own.readable(identity)}
        mine = bool(identity.name) and place.owner == identity.name
        shown = f"mydb.{place.table}" if mine else place.full_name
        hint = did_you_mean(place.full_name, names, most=1) or "yours are called mydb.name"
        return NotFoundError(f"there is no table {shown}, or none that you may see", hint=hint)

    @contextmanager
    def changing(self, place: Place, identity: Identity) -> Iterator[None]:
        """Be the only one who changes a table, in all processes.

        Raises
        ------
        NotFoundError, ForbiddenError
            If the caller may change no table of this name.
        ConflictError
            If somebody else changes it for too long.
        """
        mine = place.owner == identity.name
        if not (mine or self.helps(identity)) and not self._may(place, identity, READ):
            raise self.missing(place, identity)
        if WRITE not in identity.scopes:
            raise ForbiddenError(f"the token lacks the scope {WRITE}", scope=WRITE)
        with waited_for(self._locks / f"{place.full_name.casefold()}.lock", self._wait_s) as ours:
            if not ours:
                raise ConflictError(
                    f"{place.full_name} is being changed by somebody else", hint="try again later"
                )
            yield

    def _may(self, place: Place, identity: Identity, action: str) -> bool:
        if action not in identity.scopes:
            return False
        if identity.name and place.owner == identity.name:
            return True
        return place.full_name.casefold() in self._policy.granted(identity, TABLE, action)
