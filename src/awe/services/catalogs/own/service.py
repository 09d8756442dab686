"""Use cases of users' own tables: made, written, changed and dropped by their owners, or whom they let.

A change is one new version, and a change of a version that meanwhile is another one is refused: changes of one table
wait for each other (a lock that all processes see), readers for nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from awe.core.progress import Progress
from awe.core.sql import compile_query
from awe.core.tables import ColumnStatistics, Schema, TableStream
from awe.errors import AuthenticationError, ForbiddenError, NotFoundError, ParameterError
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.interface import Engine, Limits
from awe.services.catalogs.model import TABLE, TableRecord
from awe.services.catalogs.own.describing import ColumnChange, described, renamed
from awe.services.catalogs.own.extending import CONVENIENCE, extended
from awe.services.catalogs.own.figures import Figures
from awe.services.catalogs.own.model import parse_name
from awe.services.catalogs.own.places import Place, Places
from awe.services.catalogs.own.reading import OwnTables
from awe.services.catalogs.own.room import TableRoom
from awe.services.catalogs.own.store import OwnStore, taken
from awe.services.catalogs.own.versions import VersionService
from awe.services.catalogs.own.writing import Draft, TableWriter, aligned, chained, recognised
from awe.services.catalogs.service import CatalogService
from awe.services.catalogs.staging import Positions
from awe.services.identity import READ, WRITE, Identity, Policy

__all__ = ["TableService"]

_LONG_S = 86_400.0
_ALL_ROWS = 2**62


class TableService:
    """Users' own tables.

    Every `name` is ``mydb.t``, ``mydb://t``, ``t``, or with the schema ``user_ada.t``, in any case.

    Parameters
    ----------
    store, engine
        The records and the rows.
    catalogs
        Who answers queries.
    own
        What callers may read.
    places
        Which table a name means, and who may change it.
    room
        What users may have.
    policy
        Who was granted what.
    versions
        Who removes what is kept no longer.
    """

    def __init__(
        self,
        store: OwnStore,
        engine: Engine,
        catalogs: CatalogService,
        own: OwnTables,
        places: Places,
        room: TableRoom,
        policy: Policy,
        versions: VersionService,
    ) -> None:
        self._store = store
        self._engine = engine
        self._catalogs = catalogs
        self._own = own
        self._places = places
        self._room = room
        self._policy = policy
        self._versions = versions
        self._writer = TableWriter(store, engine, room)
        self._figures = Figures(store, catalogs)

    # What is there

    def schema_of(self, identity: Identity) -> str:
        """Return the schema of the caller's own tables, such as ``user_ada``.

        Raises
        ------
        AuthenticationError
            For a caller nobody knows.
        """
        return self._places.schema_of(identity).name

    def tables(self, identity: Identity, *, shared: bool = False) -> tuple[TableRecord, ...]:
        """Return the caller's own tables, by name; or, `shared`, those of others that were granted to the caller."""
        return tuple(
            record for record in self._own.readable(identity) if (record.owner != identity.name) is shared
        )

    def table(self, name: str, identity: Identity, *, action: str = READ) -> TableRecord:
        """Return a table that the caller may do something with.

        Raises
        ------
        NotFoundError
            If there is none that the caller may read.
        ForbiddenError
            If the caller may read it, and not do this.
        """
        return self._places.found(self._places.place(name, identity), identity, action)

    def statistics(self, name: str, identity: Identity) -> tuple[ColumnStatistics, ...]:
        """Return what the values are like in the columns of any table that the caller may read, also a published one.

        Raises
        ------
        NotFoundError
            If there is none.
        TimeLimitError
            If reading it takes longer than a query may.
        """
        return self._figures.of(self._any(name, identity), identity)

    # Making and changing

    def create(
        self,
        name: str,
        columns: Schema,
        identity: Identity,
        *,
        exists: Literal["error", "replace", "keep"] = "error",
    ) -> TableRecord:
        """Make a table without rows.

        Parameters
        ----------
        exists
            What is done where there is a table of that name.

        Raises
        ------
        ConflictError
            If there is one, and it is to be an error.
        UsageError, QuotaError, ForbiddenError
            As `write`.
        """
        place = self._places.place(name, identity)
        old = self._store.current(place.schema, place.table)
        if old is not None and exists == "keep":
            return self.table(name, identity)
        mode: Literal["create", "replace"] = "replace" if exists == "replace" else "create"
        return self.write(name, TableStream(columns, ()), identity, mode=mode)

    def write(
        self,
        name: str,
        stream: TableStream,
        identity: Identity,
        *,
        mode: Literal["create", "replace", "append"] = "create",
        ra: str | None = None,
        dec: str | None = None,
        origin: str = "",
        progress: Progress | None = None,
    ) -> TableRecord:
        """Write rows into a table: all of them, or none.

        Parameters
        ----------
        stream
            Read to its end and closed, whatever happens.
        mode
            ``create`` a table that is not there yet; ``replace`` one, or create it; ``append`` to one that is there,
            by the names of the columns.
        ra, dec
            The position columns (ICRS, degrees), by which the table is then searched fast; recognised by UCD or name
            when None, none when both are empty.
        origin
            The SQL or the name of the file that the rows come from, kept with the version.

        Raises
        ------
        AuthenticationError
            For a caller nobody knows.
        NotFoundError
            If there is no table to append to.
        ForbiddenError
            If the table is somebody else's who does not let the caller write.
        ConflictError
            If there is a table of that name, or it is being changed for too long.
        UsageError, InputFileError, LimitError, QuotaError
            As `TableWriter.write`; then nothing has changed.
        """
        with stream:
            place = self._places.place(name, identity)
            told = None if ra is None and dec is None else Positions(ra, dec)
            if mode == "create":
                self._check_new(place, identity)
                return self._write(place, stream, told=told, strict=True, origin=origin, progress=progress)
            with self._places.changing(place, identity):
                old = self._store.current(place.schema, place.table)
                if old is None and mode == "append":
                    raise self._places.missing(place, identity)
                if old is None:
                    self._check_new(place, identity)
                else:
                    self._places.found(place, identity, WRITE)
                if old is not None and mode == "append":
                    rows = chained((self._rows(old), aligned(stream, old.columns)), old.columns)
                    return self._write(
                        place, rows, old, told=_told(old, rows.schema), origin=origin, progress=progress
                    )
                return self._write(
                    place, stream, old, told=told, strict=True, origin=origin, progress=progress
                )

    def check_new(self, name: str, identity: Identity) -> None:
        """Refuse what `write` would refuse of a new table of this name, before its rows are there."""
        self._check_new(self._places.place(name, identity), identity)

    def rewrite(
        self,
        name: str,
        identity: Identity,
        make: Callable[[TableRecord], TableStream],
        *,
        origin: str = "",
    ) -> TableRecord:
        """Change a table: read it, and write what is made of it (UPDATE, DELETE, INSERT, ALTER).

        Nobody else changes the table in between.

        Parameters
        ----------
        make
            Given the table as it is, returns all rows that it is to have; their columns may be others.

        Raises
        ------
        NotFoundError, ForbiddenError, ConflictError, UsageError, LimitError, QuotaError
            As `write`; then nothing has changed.
        """
        place = self._places.place(name, identity)
        with self._places.changing(place, identity):
            old = self._places.found(place, identity, WRITE)
            stream = make(old)
            return self._write(place, stream, old, told=_told(old, stream.schema), origin=origin)

    def rename_columns(self, name: str, identity: Identity, names: Mapping[str, str]) -> TableRecord:
        """Give columns of a table other names.

        Parameters
        ----------
        names
            From the names that they have, in any case, to those that they get.

        Raises
        ------
        NotFoundError
            If there is no such table or column.
        ForbiddenError, ConflictError, UsageError, QuotaError
            As `rewrite`.
        """
        place = self._places.place(name, identity)
        with self._places.changing(place, identity):
            old = self._places.found(place, identity, WRITE)
            new = renamed(old, names)
            rows = self._rows(old).map(
                new.columns, lambda batch: batch.rename_columns(list(new.columns.names))
            )
            told = Positions(new.ra or "", new.dec or "")
            return self._write(place, rows, old, told=told, origin=f"RENAME {', '.join(names)}")

    def truncate(self, name: str, identity: Identity) -> TableRecord:
        """Remove all rows of a table; as `rewrite`."""
        return self.rewrite(name, identity, lambda old: TableStream(old.columns, ()), origin="TRUNCATE")

    def copy(self, source: str, target: str, identity: Identity) -> TableRecord:
        """Copy a table that the caller may read, of whomever or published, into the caller's own.

        Raises
        ------
        NotFoundError
            If there is no such table.
        ConflictError
            If there is a table of the new name.
        QuotaError
            If the caller may not have so much.
        """
        record = self._any(source, identity)
        text = f'SELECT * FROM "{record.schema}"."{record.name}"'
        return self.write(
            target,
            self._catalogs.query(text, identity=identity, whole=True, asked=False),
            identity,
            origin=text,
        )

    def rename(self, name: str, new: str, identity: Identity) -> TableRecord:
        """Give a table another name; who may read it may read it under that one.

        Raises
        ------
        NotFoundError, ForbiddenError
            As `table`.
        ConflictError
            If there is a table of the new name.
        """
        place = self._places.place(name, identity)
        target = Place(place.schema, parse_name(new).table)
        with self._places.changing(place, identity):
            record = self._places.owned(place, identity)
            grants = self._policy.rename(TABLE, record.full_name, target.full_name)
            return self._store.rename(record, target.table, grants)

    def drop(self, name: str, identity: Identity, *, missing_ok: bool = False, by: str = "") -> None:
        """Drop a table; it can be restored for a while. What was granted on it is taken back.

        Parameters
        ----------
        missing_ok
            Whether it is no matter that there is none.
        by
            Who is recorded as acting on somebody else's; the caller's name when empty.

        Raises
        ------
        NotFoundError, ForbiddenError
            As `table`; not where there is none and that is no matter.
        """
        place = self._places.place(name, identity)
        with self._places.changing(place, identity):
            try:
                record = self._places.owned(place, identity, helping=True)
            except NotFoundError:
                if missing_ok:
                    return
                raise
            self._store.end(record, self._policy.forget(TABLE, record.full_name))
            self._places.note(by or identity.name, "table.dropped", record)

    def describe(
        self,
        name: str,
        identity: Identity,
        *,
        title: str | None = None,
        description: str | None = None,
        columns: Mapping[str, ColumnChange] = MappingProxyType({}),
    ) -> TableRecord:
        """Change what is said of a table and its columns (units, UCDs, descriptions); None leaves it as it is.

        That makes no new version.

        Raises
        ------
        NotFoundError
            If there is no such table or column.
        ForbiddenError
            If the caller may not write it.
        ParameterError
            If a text is too long.
        """
        place = self._places.place(name, identity)
        with self._places.changing(place, identity):
            changed = described(self._places.found(place, identity, WRITE), title, description, columns)
            self._store.describe(changed)
            return changed

    def index(self, name: str, identity: Identity, ra: str | None, dec: str | None) -> TableRecord:
        """Say which columns are the positions (ICRS, degrees): cones and cross-matches are fast from then on.

        The rows are written anew, in the order of the sky; None and None take the index away.

        Raises
        ------
        InputFileError
            If a column is not there or holds no degrees, or a position is not on the sky: with the row.
        NotFoundError, ForbiddenError, ConflictError, QuotaError
            As `rewrite`.
        """
        place = self._places.place(name, identity)
        told = Positions(ra or "", dec or "")
        with self._places.changing(place, identity):
            old = self._places.found(place, identity, WRITE)
            origin = f"INDEX ({ra}, {dec})" if ra and dec else "INDEX ()"
            return self._write(place, self._rows(old), old, told=told, strict=True, origin=origin)

    def extend(
        self, name: str, identity: Identity, columns: Iterable[str] = tuple(CONVENIENCE)
    ) -> TableRecord:
        """Add the convenience columns that Data Lab's tables have, computed from the positions.

        Parameters
        ----------
        columns
            Some of ``htm9 ring256 nest4096 random_id glon glat elon elat``.

        Raises
        ------
        ParameterError
            If the table has no positions, or there is no such column.
        ConflictError
            If the table has a column of that name.
        NotFoundError, ForbiddenError, QuotaError
            As `rewrite`.
        """
        names = tuple(columns)

        def make(old: TableRecord) -> TableStream:
            if old.ra is None or old.dec is None:
                hint = "say which columns are the positions: index the table"
                raise ParameterError("table", old.full_name, "has no position columns", hint=hint)
            return extended(self._rows(old), old.ra, old.dec, names)

        return self.rewrite(name, identity, make, origin=f"EXTEND ({', '.join(names)})")

    # Inside

    def _check_new(self, place: Place, identity: Identity) -> None:
        if place.owner != identity.name:
            raise self._places.missing(place, identity)
        if WRITE not in identity.scopes:
            raise ForbiddenError(f"the token lacks the scope {WRITE}", scope=WRITE)
        if self._store.current(place.schema, place.table) is not None:
            raise taken(place.table)
        self._room.check_one_more(identity)

    def _write(
        self,
        place: Place,
        stream: TableStream,
        old: TableRecord | None = None,
        *,
        told: Positions | None,
        strict: bool = False,
        origin: str,
        progress: Progress | None = None,
    ) -> TableRecord:
        name, owner = old.name if old else place.table, place.owner
        asked = strict and told is not None
        draft = Draft(place.schema.name, name, owner, old, told, asked, origin)
        kept = self._writer.write(draft, stream, progress)
        self._versions.clean(owner)
        return kept

    def _rows(self, record: TableRecord) -> TableStream:
        """Return all rows of a version, in their order."""
        text = f'SELECT * FROM "{record.schema}"."{record.name}"'
        query = compile_query(text, ReadableNames((record,)))
        return self._engine.query(query, {record.full_name: record.stored}, Limits(_ALL_ROWS, _LONG_S))

    def _any(self, name: str, identity: Identity) -> TableRecord:
        try:
            return self.table(name, identity)
        except (NotFoundError, ParameterError, AuthenticationError):
            return self._catalogs.table(name, identity)


def _told(record: TableRecord, columns: Schema) -> Positions | None:
    """Return the position columns of a table that is changed: those it has; none where it could have some and has not."""
    if record.ra in columns and record.dec in columns:
        return Positions(record.ra, record.dec)
    could = recognised(record.columns) != Positions()
    return Positions("", "") if could and record.ra is None else None
