"""From an archive's files to one stream of checked rows that an engine can write.

Words: a *staged* file is an input file read once, its columns and positions checked, kept as an Arrow
file. It is named by the input's path, size and time of change, so that publishing the same files again
after a fault goes on where it stopped, and a file that was corrected meanwhile is read again.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.tables import Column, Schema, TableStream, position_names
from awe.core.tables.formats import format_of, split_part
from awe.errors import ConflictError, InputFileError, ParameterError
from awe.services.catalogs._folders import locked
from awe.services.catalogs._positions import PositionCheck
from awe.services.catalogs._types import storable
from awe.services.catalogs.model import check_columns

__all__ = ["Positions", "Staging", "find_positions", "normalised", "with_positions"]

_UCDS = ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main")
_ABANDONED_S = 7 * 86_400.0
_DEGREES = frozenset({"", "deg", "degree", "degrees"})


@dataclass(frozen=True, slots=True)
class Positions:
    """The names of the position columns; both None where the table has none."""

    ra: str | None = None
    dec: str | None = None


def find_positions(schema: Schema, ra: str | None, dec: str | None, source: object) -> Positions:
    """Return the position columns: as told (empty: none), else by UCD, else by well-known names.

    Raises
    ------
    ParameterError
        If only one of `ra` and `dec` is given.
    InputFileError
        If a named column is not there, or does not hold degrees as numbers.
    """
    if (ra is None) != (dec is None):
        raise ParameterError("ra" if dec else "dec", None, "give both position columns or neither")
    if ra == dec == "":
        return Positions()
    if ra is not None and dec is not None:
        for name in (ra, dec):
            if schema.find(name) is None:
                hint = f"there are {', '.join(schema.names)}"
                raise InputFileError(source, f"there is no column {name}", hint=hint)
        return _numeric(schema[ra], schema[dec], source)
    by_ucd = [[c for c in schema if c.ucd.casefold() == ucd] for ucd in _UCDS]
    if all(len(found) == 1 for found in by_ucd):
        return _numeric(by_ucd[0][0], by_ucd[1][0], source)
    known = position_names(schema.names)
    return _numeric(schema[known[0]], schema[known[1]], source) if known else Positions()


def _numeric(ra: Column, dec: Column, source: object) -> Positions:
    for column in (ra, dec):
        kind = column.type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
            hint = "convert hours or sexagesimal text to decimal degrees first, or name other columns"
            reason = f"positions must be degrees as numbers, this is {kind}"
            raise InputFileError(source, reason, where=f"column {column.name}", hint=hint)
        if column.unit.casefold() not in _DEGREES:
            reason = f"positions must be in degrees, the file says {column.unit!r}"
            raise InputFileError(
                source, reason, where=f"column {column.name}", hint="convert it to degrees first"
            )
    return Positions(ra.name, dec.name)


def with_positions(schema: Schema, positions: Positions) -> Schema:
    """Return the columns with units and UCDs of the positions, so that every answer says which they are.

    What is said of a column stays, and no second column is called the main position.
    """
    taken = {column.ucd.casefold() for column in schema}
    said = {
        name: ucd for name, ucd in zip((positions.ra, positions.dec), _UCDS, strict=True) if ucd not in taken
    }
    columns = tuple(
        replace(c, unit=c.unit or "deg", ucd=c.ucd or said.get(c.name, ""))
        if c.name in (positions.ra, positions.dec)
        else c
        for c in schema
    )
    return schema.with_columns(columns)


def normalised(stream: TableStream, source: object, *, index: bool = False) -> TableStream:
    """Return the stream in the types that tables are stored in; `index` as for `check_columns`.

    Raises
    ------
    InputFileError
        If a column's name or type cannot be stored.
    """
    check_columns(stream.schema, source, index=index)
    columns = []
    for column in stream.schema:
        kind = storable(column.type)
        if kind is None:
            reason = f"values of type {column.type} cannot be stored"
            raise InputFileError(source, reason, where=f"column {column.name!r}")
        columns.append(replace(column, type=kind))
    schema = stream.schema.with_columns(tuple(columns))
    return stream.map(schema, lambda batch: _cast(batch, schema, source))


def _cast(batch: pa.RecordBatch, schema: Schema, source: object) -> pa.RecordBatch:
    arrays = []
    for array, column in zip(batch.columns, schema, strict=True):
        try:
            arrays.append(array if array.type == column.type else array.cast(column.type))
        except pa.ArrowInvalid as error:
            raise InputFileError(source, str(error), where=f"column {column.name!r}") from None
    return pa.RecordBatch.from_arrays(arrays, names=list(schema.names))


class Staging:
    """The staged files of one table that is being published.

    Parameters
    ----------
    folder
        Its own folder; what an earlier try left there is used.
    ra, dec
        The position columns, where they are told.
    progress
        Told of each batch read.
    """

    def __init__(self, folder: Path, ra: str | None, dec: str | None, progress: Progress) -> None:
        self._folder = folder
        self._told = (ra, dec)
        self._progress = progress
        self._schema: Schema | None = None
        self._first: Path | None = None
        self._done: list[Path] = []

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, ra: str | None, dec: str | None, progress: Progress) -> Iterator["Staging"]:
        """Yield the staging of a table; it is removed when the block ends well.

        Raises
        ------
        ConflictError
            If the same table is being published by somebody else at this moment.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with locked(_lock_of(folder)) as ours:
            if not ours:
                raise ConflictError(f"{folder.name} is being published by another process")
            yield cls(folder, ra, dec, progress)
            shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def forget_abandoned(root: Path) -> None:
        """Remove the stagings that nobody went on with for a week."""
        for folder in (path for path in root.glob("*.*") if path.is_dir()):
            with locked(_lock_of(folder)) as ours:
                if ours and time.time() - folder.stat().st_mtime > _ABANDONED_S:
                    shutil.rmtree(folder, ignore_errors=True)

    def add(self, files: Sequence[Path]) -> None:
        """Read and check the files that are not staged yet.

        Raises
        ------
        InputFileError
            Naming the file, and the row or column.
        """
        for path in files:
            if not split_part(path)[0].is_file():
                raise InputFileError(path, "there is no such file")
        keys = [self._key(path) for path in files]
        self._forget_all_but(set(keys))
        for path, key in zip(files, keys, strict=True):
            staged = self._folder / f"{key}.arrow"
            if staged.exists():
                self._check_schema(path, _schema_of(staged))
            else:
                self._stage(path, staged)
            self._done.append(staged)

    def stream(self) -> TableStream:
        """Return the rows of all files, in their order."""
        if self._schema is None:
            raise ParameterError("files", "", "there is nothing to publish")
        return TableStream(self._schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for path in self._done:
            with pa.memory_map(str(path)) as source:
                reader = pa.ipc.open_file(source)
                for i in range(reader.num_record_batches):
                    yield reader.get_batch(i)

    def _key(self, path: Path) -> str:
        """Return a name for this state of a file, and these position columns."""
        state = split_part(path)[0].stat()
        said = [str(path.absolute()), state.st_size, state.st_mtime_ns, *self._told]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]

    def _forget_all_but(self, keys: set[str]) -> None:
        for path in self._folder.iterdir():
            if path.suffix != ".arrow" or path.stem not in keys:
                path.unlink()

    def _stage(self, path: Path, staged: Path) -> None:
        with format_of(path).read(path) as source:
            stream = normalised(source, path)
            self._check_schema(path, stream.schema)
            positions = find_positions(stream.schema, *self._told, path)
            check = (
                PositionCheck(path, positions.ra, positions.dec) if positions.ra and positions.dec else None
            )
            part = staged.with_suffix(".part")
            self._copy(stream, part, check, path)
        with part.open("rb") as handle:
            os.fsync(handle.fileno())
        part.rename(staged)

    def _copy(self, stream: TableStream, part: Path, check: PositionCheck | None, path: Path) -> None:
        arrow = stream.schema.to_arrow()
        rows = 0
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with stream, pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, arrow, options=options) as out:
            for batch in stream:
                if check is not None:
                    check.index(batch)
                out.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=arrow))
                rows += batch.num_rows
                self._progress(f"reading {path.name}", rows, None)

    def _check_schema(self, path: Path, schema: Schema) -> None:
        """Compare with the first file: the same columns of the same types, in the same order."""
        if self._schema is None:
            self._schema, self._first = schema, path
            return
        for column in schema:
            known = self._schema.find(column.name)
            if known is None:
                raise InputFileError(path, f"{self._first} has no such column", where=f"column {column.name}")
            if known.type != column.type:
                reason = f"{column.type} here, {known.type} in {self._first}"
                raise InputFileError(path, reason, where=f"column {column.name}")
        for column in self._schema:
            if column.name not in schema.names:
                raise InputFileError(path, f"missing; {self._first} has it", where=f"column {column.name}")
        if schema.names != self._schema.names:
            raise InputFileError(path, f"its columns are in another order than those of {self._first}")


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _schema_of(staged: Path) -> Schema:
    with pa.memory_map(str(staged)) as source:
        return Schema.from_arrow(pa.ipc.open_file(source).schema)
