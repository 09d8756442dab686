"""Write a version of a user's table: columns and positions checked, quotas kept, whole or not at all."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.suggestions import did_you_mean
from awe.core.tables import Schema, TableStream
from awe.errors import InputFileError, LimitError, UsageError
from awe.services.catalogs._locations import new_location
from awe.services.catalogs._positions import PositionCheck
from awe.services.catalogs.interface import Engine, StoredTable, WriteSpec
from awe.services.catalogs.model import TableRecord
from awe.services.catalogs.own.describing import main_id
from awe.services.catalogs.own.room import TableRoom
from awe.services.catalogs.own.store import OwnStore
from awe.services.catalogs.staging import Positions, find_positions, normalised, with_positions

__all__ = ["Draft", "TableWriter", "aligned", "chained", "recognised"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to become the current version of a table.

    Attributes
    ----------
    schema, name, owner
        Which table.
    old
        The version that it replaces; None where there is none.
    positions
        The position columns as told (empty: none); None to recognise them.
    strict
        Whether a position that is not on the sky is an error; else the table is not searched by position then.
    origin
        The SQL or the file that it comes from.
    """

    schema: str
    name: str
    owner: str
    old: TableRecord | None = None
    positions: Positions | None = None
    strict: bool = False
    origin: str = ""


class TableWriter:
    """Write versions of users' tables.

    Parameters
    ----------
    store, engine
        The records and the rows.
    room
        What a user may have.
    """

    def __init__(self, store: OwnStore, engine: Engine, room: TableRoom) -> None:
        self._store = store
        self._engine = engine
        self._room = room

    def write(self, draft: Draft, stream: TableStream, progress: Progress | None = None) -> TableRecord:
        """Write the rows and make them the current version; nothing of it is visible before all of it is.

        Raises
        ------
        UsageError
            If two columns have one name, or a column has a name or a type that cannot be kept.
        InputFileError
            If a position column that was told is not there, or a position is not on the sky.
        LimitError
            If the stream was cut: a table that lacks rows would look whole.
        QuotaError
            If its owner may not have so many tables, rows or bytes.
        ConflictError
            If somebody changed the table meanwhile.
        """
        full_name = f"{draft.schema}.{draft.name}"
        with stream:
            _check_names(stream.schema, draft.name)
            rows = normalised(stream, full_name, index=True)
            positions = _positions(rows.schema, draft.positions, full_name)
            said = with_positions(replace(rows.schema, name=full_name), positions)
            check = _check_of(draft, positions)
            spec = WriteSpec(
                new_location(draft.schema, draft.name),
                positions.ra,
                positions.dec,
                unplaced=True,
                anywhere=not draft.strict,
            )
            counted = rows.map(said, self._counted(draft, check))
            stored = self._engine.write(spec, counted, progress)
        try:
            _check_whole(rows, stored)
            found = Positions() if check is not None and check.astray else positions
            record = _record(draft, said, stored, found)
            expects = draft.old.stored.location if draft.old else None
            with self._room.allowed(draft.owner) as check_room:
                return self._store.keep(record, expects=expects, origin=draft.origin, check=check_room)
        except BaseException:
            # An interruption may come just after the change was kept: then the version is in use.
            if stored.location not in self._store.locations():
                self._engine.drop(stored)
            raise

    def _counted(
        self, draft: Draft, check: PositionCheck | None
    ) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
        """Return what counts the rows that pass, and refuses those that are too many."""
        count = self._room.row_counter(draft.owner, draft.old.rows if draft.old else 0)

        def counted(batch: pa.RecordBatch) -> pa.RecordBatch:
            count(batch.num_rows)
            if check is not None:
                check.index(batch)
            return batch

        return counted


def aligned(stream: TableStream, columns: Schema) -> TableStream:
    """Return rows in the columns of a table that they are added to: by name, ignoring case; NULL where they have none.

    Raises
    ------
    UsageError
        If the table has no such column.
    InputFileError
        From the stream, if a value does not fit.
    """
    places: dict[str, int] = {}
    for place, column in enumerate(stream.schema):
        if column.name not in columns:
            hint = did_you_mean(column.name, columns.names) or f"there are {', '.join(columns.names)}"
            raise UsageError(f"{columns.name} has no column {column.name}", hint=hint)
        places[column.name.casefold()] = place

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = []
        for column in columns:
            place = places.get(column.name.casefold())
            if place is None:
                arrays.append(pa.nulls(batch.num_rows, column.type))
                continue
            try:
                arrays.append(batch.column(place).cast(column.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise InputFileError(columns.name, str(error), where=f"column {column.name}") from None
        return pa.RecordBatch.from_arrays(arrays, names=list(columns.names))

    return stream.map(columns, change)


def chained(streams: Iterable[TableStream], columns: Schema) -> TableStream:
    """Return the rows of several streams, one after the other."""
    every = tuple(streams)

    def batches() -> Iterator[pa.RecordBatch]:
        for stream in every:
            with stream:
                yield from stream
            made.overflow |= stream.overflow

    def close() -> None:
        for stream in every:
            stream.close()

    made = TableStream(columns, batches(), close)
    return made


def _check_whole(rows: TableStream, stored: StoredTable) -> None:
    if rows.overflow:
        hint = "ask for fewer rows"
        raise LimitError(f"there are more than {stored.rows:,} rows: the table was not made", hint=hint)


def _check_names(schema: Schema, table: str) -> None:
    """Refuse a name that two columns have, in the words of SQL Server (its error 2705)."""
    seen: set[str] = set()
    for column in schema:
        if column.name.casefold() in seen:
            raise UsageError(
                f"Column names in each table must be unique. Column name '{column.name}' in table '{table}' is "
                "specified more than once.",
                hint=f"name one of them otherwise: {column.name} AS {column.name}_2",
            )
        seen.add(column.name.casefold())


def recognised(schema: Schema) -> Positions:
    """Return the position columns by UCD or name; none where they are not in degrees."""
    try:
        return find_positions(schema, None, None, schema.name)
    except InputFileError:
        return Positions()


def _positions(schema: Schema, told: Positions | None, full_name: str) -> Positions:
    if told is not None:
        return find_positions(schema, told.ra or "", told.dec or "", full_name)
    return recognised(schema)


def _check_of(draft: Draft, positions: Positions) -> PositionCheck | None:
    """Return what counts the positions that are not on the sky, where that is no error."""
    if draft.strict or positions.ra is None or positions.dec is None:
        return None
    return PositionCheck(draft.name, positions.ra, positions.dec, unplaced=True, anywhere=True)


def _record(draft: Draft, said: Schema, stored: StoredTable, positions: Positions) -> TableRecord:
    old = draft.old
    return TableRecord(
        schema=draft.schema,
        name=draft.name,
        columns=said,
        stored=stored,
        title=old.title if old else "",
        description=said.description or (old.description if old else ""),
        ra=positions.ra,
        dec=positions.dec,
        id_column=main_id(said),
        metadata=dict(said.metadata),
        owner=draft.owner,
    )
