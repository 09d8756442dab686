"""Publishing: new versions of tables come, old ones go, and readers never see anything in between."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from awe.core.progress import Progress, silent
from awe.core.sql import ScalarFunction, TableFunction, compile_query
from awe.core.suggestions import did_you_mean
from awe.core.tables import Schema, TableStream
from awe.errors import (
    ConflictError,
    InputFileError,
    NotFoundError,
    ParameterError,
    QueryError,
    UnknownNameError,
)
from awe.services.catalogs._locations import made, new_location
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.describe import Description, read_description
from awe.services.catalogs.interface import Engine, StoredTable, WriteSpec
from awe.services.catalogs.model import (
    TABLE,
    DescribedView,
    TableKey,
    TableRecord,
    check_columns,
    split_name,
)
from awe.services.catalogs.staging import Positions, Staging, find_positions, normalised, with_positions
from awe.services.catalogs.store import Also, CatalogStore
from awe.services.identity import Policy
from awe.services.system import Connection

__all__ = ["Publisher"]

_ORPHAN_S = 86_400.0
"""Age at which a version without a record is nobody's: its writer was killed."""
_GRACE_S = 60.0
_ID_UCD = "meta.id;meta.main"


class Publisher:
    """Write versions of tables and move the records that point to them.

    Parameters
    ----------
    store, engine
        The records and the rows.
    staging
        A folder for what is being published.
    query_s
        Longest time of a query: so long a version is kept after it was replaced.
    policy
        Where it is written who may read a table.
    others
        Where versions lie that are not published and are kept: those of users' tables.
    """

    def __init__(
        self,
        store: CatalogStore,
        engine: Engine,
        staging: Path,
        query_s: float,
        policy: Policy,
        others: Callable[[], frozenset[str]],
    ) -> None:
        self._others = others
        self._policy = policy
        self._store = store
        self._engine = engine
        self._staging = staging
        self._query_s = query_s

    def publish(
        self,
        full_name: str,
        files: Sequence[Path],
        *,
        ra: str | None = None,
        dec: str | None = None,
        describe: Path | None = None,
        replaces: bool = False,
        progress: Progress | None = None,
    ) -> TableRecord:
        """Publish files as one table.

        Nothing is visible before all of it is. After a fault or an interruption, the same call goes on
        with the files that were read already.

        Parameters
        ----------
        full_name
            ``schema.table``.
        files
            In any format of `awe.core.tables.formats`; all with the same columns.
        ra, dec
            The position columns (ICRS, decimal degrees); found by UCD or name when not given, none when
            both are empty.
        describe
            A file as `awe.services.catalogs.describe` explains.
        replaces
            Whether a table of that name may be there already.

        Raises
        ------
        InputFileError
            Naming the file, and the row, column or line.
        ConflictError
            If the table exists, or is being published at this moment.
        """
        schema, name = split_name(full_name)
        self._check_free(full_name, replaces=replaces)
        description = read_description(describe)
        told = _told(ra, dec, description)
        folder = self._staging / f"{schema}.{name}".casefold()
        with Staging.opened(folder, told.ra, told.dec, progress or silent) as staging:
            staging.add(files)
            return self._keep((schema, name), staging.stream(), told, description, replaces, progress, None)

    def publish_stream(
        self,
        full_name: str,
        stream: TableStream,
        *,
        ra: str | None = None,
        dec: str | None = None,
        describe: Path | None = None,
        replaces: bool = False,
        unplaced: bool = False,
        internal: bool = False,
        also: Also | None = None,
        progress: Progress | None = None,
    ) -> TableRecord:
        """Publish rows that come from a program; see `publish`.

        Parameters
        ----------
        unplaced
            Whether rows may have no position.
        internal
            Whether the schema may be one that is kept for awe itself (``ivoa``).
        also
            Further changes of the system database that belong into the same transaction.
        """
        with stream:
            names = split_name(full_name, internal=internal)
            self._check_free(full_name, replaces=replaces)
            description = read_description(describe)
            told = _told(ra, dec, description)
            rows = normalised(stream, full_name)
            return self._keep(names, rows, told, description, replaces, progress, also, unplaced=unplaced)

    def drop(self, full_name: str, *, also: Also | None = None) -> None:
        """Remove a table at once; its files follow when no query can be reading them any more.

        Raises
        ------
        NotFoundError
            If there is no such table.
        """
        tables = {record.full_name.casefold(): record for record in self._store.load()[2]}
        record = tables.get(full_name.casefold())
        if record is None:
            raise NotFoundError(f"there is no table {full_name}")
        self._store.forget(record, _both(self._policy.forget(TABLE, record.full_name), also))
        self.clean()

    def clean(self, grace_s: float | None = None) -> None:
        """Remove the files of versions that no query can be reading any more, and of killed writers.

        What was staged and not gone on with for a week goes too.

        Parameters
        ----------
        grace_s
            Time since a version was retired; the longest time of a query when None. Retired versions
            are kept so long because a query in any process may have begun before.
        """
        Staging.forget_abandoned(self._staging)
        grace = self._query_s + _GRACE_S if grace_s is None else grace_s
        retired = self._store.retired()
        now = time.time()
        for stored, since in retired.items():
            if now - since >= grace:
                self._engine.drop(stored)
                self._store.removed(stored)
        there = self._engine.tables()  # looked at first: what is kept meanwhile is not among them
        known = {record.stored.location for record in self._store.load()[2]} | {s.location for s in retired}
        known |= self._others()
        for location in there:
            if location not in known and now - made(location, now) > max(_ORPHAN_S, self._query_s + _GRACE_S):
                self._engine.drop(StoredTable(location, 0, 0))

    def _check_free(self, full_name: str, *, replaces: bool) -> None:
        taken = {record.full_name.casefold() for record in self._store.load()[2]}
        if full_name.casefold() in taken and not replaces:
            raise ConflictError(f"there is a table {full_name} already", hint="replace it with --replace")

    def _keep(
        self,
        names: tuple[str, str],
        stream: TableStream,
        told: Positions,
        description: Description,
        replaces: bool,
        progress: Progress | None,
        also: Also | None,
        *,
        unplaced: bool = False,
    ) -> TableRecord:
        """Write the rows as a new version and make it the current one."""
        schema, name = names
        full_name = f"{schema}.{name}"
        said = replace(description.complete(stream.schema), name=full_name)
        positions = find_positions(said, told.ra, told.dec, full_name)
        said = with_positions(said, positions)
        spec = WriteSpec(new_location(schema, name), positions.ra, positions.dec, unplaced=unplaced)
        record = TableRecord(
            schema=schema,
            name=name,
            columns=said,
            stored=StoredTable(spec.location, 0, 0),
            title=description.table.get("title", ""),
            description=said.description,
            utype=description.table.get("utype", ""),
            ra=positions.ra,
            dec=positions.dec,
            id_column=_id_column(said, description),
            metadata=dict(said.metadata),
            functions=description.described_functions(schema),
        )
        record = replace(record, keys=self._foreign_keys(record, description))
        record = replace(record, views=self._views(record, description))
        readers = description.table.get("readers")
        declared = self._policy.declare(TABLE, full_name, readers, file=description.file)
        self._try_functions(record, description)
        stored = self._engine.write(spec, stream.map(said, lambda batch: batch), progress)
        try:
            kept = self._store.keep(
                replace(record, stored=stored),
                description.schema_record(schema),
                replaces=replaces,
                also=_both(declared, also),
            )
        except BaseException:
            # An interruption may come just after the change was kept: then the version is in use.
            if stored.location not in {r.stored.location for r in self._store.load()[2]}:
                self._engine.drop(stored)
            raise
        self.clean()
        return kept

    def _foreign_keys(self, record: TableRecord, description: Description) -> tuple[TableKey, ...]:
        """Return the described keys with every name as it was published; refuse those that lead nowhere."""
        known = {table.full_name.casefold(): table for table in self._store.load()[2]}
        known[record.full_name.casefold()] = record
        found = []
        for number, key in enumerate(description.keys, 1):
            where = f"[[keys]] number {number}"
            target = known.get(key.target.casefold())
            if target is None:
                hint = did_you_mean(key.target, known, most=1) or "publish the table referred to first"
                raise InputFileError(
                    description.file, f"there is no table {key.target}", where=where, hint=hint
                )
            try:
                pairs = tuple(
                    (record.columns[own].name, target.columns[its].name) for own, its in key.columns
                )
            except UnknownNameError as error:
                raise InputFileError(description.file, error.message, where=where) from None
            found.append(replace(key, target=target.full_name, columns=pairs))
        return tuple(found)

    @staticmethod
    def _notes(function: TableFunction | ScalarFunction, columns: Schema, description: Description) -> None:
        """Refuse a note on a column that the function does not give."""
        for note in function.columns if isinstance(function, TableFunction) else ():
            if columns.find(note.name) is None:
                where = f"[[functions]] {function.name}: columns.{note.name}"
                hint = did_you_mean(note.name, columns.names, most=1)
                raise InputFileError(description.file, "there is no such column", where=where, hint=hint)

    def _beside(self, record: TableRecord) -> tuple[TableRecord, ...]:
        """Return the other tables that are published, and their views."""
        own = record.full_name.casefold()
        others = [table for table in self._store.load()[2] if table.full_name.casefold() != own]
        return (*others, *(view for table in others for view in table.of_views()))

    def _views(self, record: TableRecord, description: Description) -> tuple[DescribedView, ...]:
        """Compile the described views, each of which may read those before it; find their columns."""
        beside, found = self._beside(record), replace(record, views=())
        for said in description.views:
            where = f"[[views]] {said['name']}"
            names = ReadableNames((*beside, found, *found.of_views()), record.schema)
            try:
                split_name(f"{record.schema}.{said['name']}")
                query = compile_query(said["sql"], names, context=record.schema)
            except (QueryError, ParameterError) as error:
                raise InputFileError(description.file, error.message, where=where, hint=error.hint) from None
            columns = description.view_columns(said, query.columns)
            check_columns(columns, f"{description.file}, {where}")
            view = DescribedView(
                said["name"],
                columns,
                said["sql"],
                tuple(sorted({use.table.full_name for use in query.uses})),
                said.get("title", ""),
                said.get("description", ""),
            )
            found = replace(found, views=(*found.views, view))
        return found.views

    def _try_functions(self, record: TableRecord, description: Description) -> None:
        """Compile a call of each described function, so that a fault is found now and not in a query."""
        names = ReadableNames((*self._beside(record), record, *record.of_views()), record.schema)
        for function in record.functions:
            arguments = ", ".join("'x'" if p.kind == "text" else "0" for p in function.parameters)
            called = f"[{function.name}]({arguments})"
            call = (
                f"SELECT dbo.{called}" if isinstance(function, ScalarFunction) else f"SELECT * FROM {called}"
            )
            try:
                made = compile_query(call, names, dialect="tsql", context=record.schema).columns
                self._notes(function, made, description)
            except QueryError as error:
                where = f"[[functions]] {function.name}"
                raise InputFileError(description.file, error.message, where=where, hint=error.hint) from None


def _both(one: Also, other: Also | None) -> Also:
    def do(connection: Connection) -> None:
        one(connection)
        if other is not None:
            other(connection)

    return do


def _told(ra: str | None, dec: str | None, description: Description) -> Positions:
    if ra is None and dec is None:
        return Positions(*description.position_columns())
    return Positions(ra, dec)


def _id_column(schema: Schema, description: Description) -> str | None:
    said = description.table.get("id_column")
    if said is not None:
        found = schema.find(said)
        if found is None:
            raise InputFileError(description.file, f"there is no column {said}", where="[table] id_column")
        return found.name
    return next((column.name for column in schema if column.ucd.casefold() == _ID_UCD), None)
