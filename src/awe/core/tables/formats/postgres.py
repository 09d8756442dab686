"""Text in PostgreSQL's words, as the Data Lab's client takes it apart; it is written only.

The header is never quoted: the client cuts it at its commas. Floating-point numbers that are none are ``NaN``,
``Infinity`` and ``-Infinity``; truths are ``True`` and ``False``, which pandas reads as such.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._stream import TableStream
from awe.core.tables.formats._format import Format
from awe.core.tables.formats._votable_options import VOTableOptions
from awe.core.tables.formats.csv import delimited_rows
from awe.errors import ParameterError

__all__ = ["POSTGRES_CSV", "POSTGRES_TEXTS", "POSTGRES_TSV", "PostgresText"]


@dataclass(frozen=True, slots=True)
class PostgresText:
    """A `Format` that writes."""

    name: str
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    delimiter: str

    def write(self, stream: TableStream, options: VOTableOptions | None = None) -> Iterator[bytes]:  # noqa: ARG002  # the protocol's
        """Yield a header line, then the rows."""
        with stream:
            yield (self.delimiter.join(stream.schema.names) + "\n").encode()
            for batch in stream:
                cells = [_spelt(column) for column in batch.columns]
                names = [str(number) for number in range(len(cells))]
                yield from delimited_rows(pa.RecordBatch.from_arrays(cells, names), self.delimiter)

    def read(self, path: Path) -> TableStream:
        """Refuse: what is sent is read by its own format."""
        raise ParameterError("format", path.name, "is not a format for uploads")


def _spelt(column: pa.Array) -> pa.Array:
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if not pa.types.is_floating(column.type) or pc.all(pc.is_finite(column)).as_py() is not False:
        return column
    infinite = pc.if_else(pc.greater(column, 0.0), "Infinity", "-Infinity")
    other = pc.if_else(pc.is_nan(column), "NaN", infinite)
    return pc.if_else(pc.is_finite(column), column.cast(pa.string()), other)


POSTGRES_CSV = PostgresText("csv", ("text/csv",), (".csv",), ",")
POSTGRES_TSV = PostgresText("tsv", ("text/tab-separated-values",), (".txt",), "\t")
POSTGRES_TEXTS: Mapping[str, Format] = {"postgres-csv": POSTGRES_CSV, "postgres-tsv": POSTGRES_TSV}
"""Both by names that no other format has."""
