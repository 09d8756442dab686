"""HDF5 tables: `HDF5`. One dataset of records, called as the table is (``table`` without a name), is written.

Beside it stands what astropy says of a table's columns (``NAME.__table_column_meta__``), so that ``Table.read`` gives
back units, descriptions, UCDs and what is missing; to others it is a plain dataset of compound type. What is missing
is NaN among floating-point numbers; other columns get a second one, ``COLUMN.mask``. The longest text is known behind
the last row only, so the rows are spooled as Arrow first.

Nothing is read: HDF5 files can refer to other files of the machine that reads them, and the library that would follow
or refuse is not made for files of strangers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.table import Column as AstropyColumn
from astropy.table import MaskedColumn, Table
from astropy.table.meta import get_yaml_from_table
from astropy.table.serialize import SerializedColumn

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import basic_schema, elements, pieces, to_numpy
from awe.core.tables.formats._astropy import META
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.errors import InputFileError

__all__ = ["HDF5", "Hdf5Format"]

_NUMBERS = {pa.float16(): pa.float32()}
_PIECE_BYTES = 1 << 20
_CHUNK_ROWS = 4096
_MASK = ".mask"


@dataclass(slots=True)
class _Plan:
    """A column as it is written: under which name, how long its texts are, whether a value is missing."""

    column: Column
    name: str
    longest: int = 1
    masked: bool = False

    def see(self, array: pa.Array) -> None:
        """Take note of some rows."""
        if pa.types.is_string(array.type):
            self.longest = max(self.longest, pc.max(pc.binary_length(array)).as_py() or 0)
        if array.null_count and not _has_nan(array.type):
            self.masked = True

    @property
    def dtype(self) -> np.dtype:
        """The type of its cells."""
        arrow = self.column.type
        if pa.types.is_string(arrow):
            made = h5py.string_dtype("utf-8", self.longest)
        elif pa.types.is_fixed_size_list(arrow):
            made = (arrow.value_type.to_pandas_dtype(), (arrow.list_size,))
        elif is_list(arrow):
            made = h5py.vlen_dtype(np.dtype(arrow.value_type.to_pandas_dtype()))
        else:
            made = arrow.to_pandas_dtype()
        dtype: np.dtype = np.dtype(made)
        return dtype

    def fill(self, records: np.ndarray, array: pa.Array) -> None:
        """Write some rows into records."""
        if self.masked:
            records[self.name + _MASK] = array.is_null().to_numpy(zero_copy_only=False)
        records[self.name] = _cells(array, self.column.name)


@dataclass(frozen=True, slots=True)
class Hdf5Format:
    """HDF5 files with one table."""

    name: str = "hdf5"
    media_types: tuple[str, ...] = ("application/x-hdf5", "application/x-hdf")
    extensions: tuple[str, ...] = (".h5", ".hdf5")

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the file once the last row is known; overflow is stated by the attribute ``OVERFLOW``."""
        with stream, TemporaryFile() as spool, TemporaryFile() as made:
            schema = basic_schema(stream.schema, _NUMBERS)
            plans = [_Plan(column, name) for column, name in zip(schema, _unique(schema.names), strict=True)]
            _spool(stream, schema, plans, spool)
            with h5py.File(made, "w") as file:
                _write(file, schema, plans, spool, overflow=stream.overflow)
            made.seek(0)
            while piece := made.read(_PIECE_BYTES):
                yield piece

    def read(self, path: Path) -> TableStream:
        """Refuse.

        Raises
        ------
        InputFileError
            Always.
        """
        raise InputFileError(
            path.name,
            "HDF5 files cannot be read here",
            hint="send Parquet or FITS: astropy.table.Table.read(...).write(...)",
        )


def _spool(stream: TableStream, schema: Schema, plans: list[_Plan], spool: IO[bytes]) -> None:
    arrow = pa.schema([(plan.name, plan.column.type) for plan in plans])
    with pa.ipc.new_file(spool, arrow) as sink:
        for columns in pieces(stream, schema):
            for plan, array in zip(plans, columns, strict=True):
                plan.see(array)
            sink.write_batch(pa.RecordBatch.from_arrays(columns, schema=arrow))
    spool.seek(0)


def _write(file: h5py.File, schema: Schema, plans: list[_Plan], spool: IO[bytes], *, overflow: bool) -> None:
    fields = [field for plan in plans for field in _fields(plan)]
    name = re.sub(r"[^\w-]+", "_", schema.name) or "table"
    table = file.create_dataset(name, (0,), np.dtype(fields), maxshape=(None,), chunks=(_CHUNK_ROWS,))
    source = pa.ipc.open_file(spool)
    for index in range(source.num_record_batches):
        batch = source.get_batch(index)
        records = np.empty(batch.num_rows, np.dtype(fields))
        for plan, array in zip(plans, batch.columns, strict=True):
            plan.fill(records, array)
        table.resize((len(table) + len(records),))
        table[len(table) - len(records) :] = records
    if overflow:
        table.attrs["OVERFLOW"] = "rows were left out because of a limit"
    said = [line.encode() for line in get_yaml_from_table(_described(schema, plans))]
    file.create_dataset(f"{name}.__table_column_meta__", data=said)


def _fields(plan: _Plan) -> Iterator[tuple[str, np.dtype]]:
    yield plan.name, plan.dtype
    if plan.masked:
        yield plan.name + _MASK, np.dtype(bool)


def _described(schema: Schema, plans: list[_Plan]) -> Table:
    """Return a table without rows that is described as the dataset shall be."""
    meta: dict[str, object] = {"name": schema.name, "description": schema.description, **schema.metadata}
    table = Table(meta={key: value for key, value in meta.items() if value})
    kind = f"{MaskedColumn.__module__}.{MaskedColumn.__qualname__}"
    for plan in plans:
        said, items = plan.column, np.zeros(0, "S1" if pa.types.is_string(plan.column.type) else plan.dtype)
        more = {key: getattr(said, key) for key in META if getattr(said, key)}
        made = AstropyColumn(items, plan.name, description=said.description or None, meta=more)
        made.info.unit = said.unit or None
        table.add_column(made)
        if plan.masked:
            table[plan.name + _MASK] = np.zeros(0, bool)
            parts = {
                "data": SerializedColumn({"name": plan.name}),
                "mask": SerializedColumn({"name": plan.name + _MASK}),
            }
            table.meta.setdefault("__serialized_columns__", {})[plan.name] = {"__class__": kind, **parts}
    return table


def _cells(array: pa.Array, name: str) -> np.ndarray:
    arrow = array.type
    if pa.types.is_string(arrow):
        return np.array(array.fill_null("").cast(pa.binary()).to_pylist() or [], dtype=bytes)
    if pa.types.is_fixed_size_list(arrow):
        values: np.ndarray = elements(array, name)[0].to_numpy(zero_copy_only=False)
        return values.reshape(len(array), arrow.list_size)
    if is_list(arrow):
        flat, offsets = elements(array, name)
        parts = np.empty(len(array), object)
        parts[:] = np.split(flat.to_numpy(zero_copy_only=False), offsets[1:-1])
        return parts
    return to_numpy(array, float("nan") if _has_nan(arrow) else 0)


def _has_nan(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_floating(arrow))


def _unique(names: tuple[str, ...]) -> list[str]:
    """Return the names, each once: a query may call two columns the same, a record cannot."""
    taken: dict[str, None] = {}
    for name in names:
        free = name.replace("/", "_")
        number = 0
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken[free] = None
    return list(taken)


HDF5 = Hdf5Format()
