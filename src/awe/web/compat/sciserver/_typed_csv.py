"""CSV as CasJobs' quick queue answers it: the header says the type of each column, and text always has quotes.

``[objID]:bigint,[name]:varchar``. Whole numbers that no type of SQL Server holds are ``numeric``: clients take them as
text, so that no digit is lost.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, VOTableOptions

__all__ = ["TypedCsv"]

_TYPES = {
    pa.bool_(): "bit", pa.int8(): "smallint", pa.uint8(): "tinyint", pa.int16(): "smallint", pa.uint16(): "int",
    pa.int32(): "int", pa.uint32(): "bigint", pa.int64(): "bigint", pa.uint64(): "numeric", pa.float32(): "real",
    pa.float64(): "float",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TypedCsv:
    """The shape; a `Format` that writes.

    Attributes
    ----------
    delimiter
        Between the cells.
    """

    delimiter: str = ","
    name: str = "typed-csv"
    media_types: tuple[str, ...] = ("text/plain",)
    extensions: tuple[str, ...] = (".csv",)

    def write(self, stream: TableStream, options: VOTableOptions | None = None) -> Iterator[bytes]:  # noqa: ARG002  # the protocol's
        """Yield the header and the rows."""
        heads = (f"[{column.name}]:{_type(column.type)}" for column in stream.schema)
        yield (self.delimiter.join(heads) + "\n").encode()
        options_ = arrow_csv.WriteOptions(
            include_header=False, delimiter=self.delimiter, quoting_style="needed"
        )
        with stream:
            for batch in stream:
                if batch.num_rows:
                    plain = pa.table(
                        [_plain(column) for column in batch.columns],
                        names=list(map(str, range(batch.num_columns))),
                    )
                    out = pa.BufferOutputStream()
                    arrow_csv.write_csv(plain, out, options_)
                    yield out.getvalue().to_pybytes()

    def read(self, path: Path) -> TableStream:
        """Read it as any CSV."""
        return FORMATS["csv"].read(path)


def _type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return "numeric"
    return "datetime" if pa.types.is_timestamp(kind) else _TYPES.get(kind, "varchar")


def _plain(column: pa.Array) -> pa.Array:
    """Return values as CSV can have them: no truth values, no arrays, no numbers that are none."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.uint8())
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(column), column, None)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array(
            [None if value is None else _text(value) for value in column.to_pylist()], pa.string()
        )
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    return column


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else json.dumps(value, default=str)
