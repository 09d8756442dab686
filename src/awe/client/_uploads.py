"""Tables that a query brings along: a file as it is, a table in memory as Parquet with its units and UCDs."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import pyarrow as pa
from astropy.table import Table
from astropy.table.serialize import represent_mixins_as_columns

from awe.core.tables import Schema, TableStream
from awe.core.tables.formats import FORMATS, format_of, split_part, stream_of
from awe.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableLike", "opened", "schema_of"]

TableLike: TypeAlias = "Table | pa.Table | pd.DataFrame | str | Path"
"""An astropy Table, an Arrow table, a pandas DataFrame, or the path of a file in any format that awe reads;
``file.vot[2]`` and ``file.fits[EVENTS]`` name one table of several."""

Part: TypeAlias = tuple[str, BinaryIO]


@contextmanager
def opened(uploads: Mapping[str, TableLike]) -> Iterator[dict[str, Part]]:
    """Yield the parts of a form, file name and content by the name of the table; closed behind the block.

    Raises
    ------
    ParameterError
        If a table is none, or there is no such file.
    """
    with ExitStack() as stack:
        yield {name: _part(name, table, stack) for name, table in uploads.items()}


def schema_of(name: str, table: object) -> Schema:
    """Return a table's columns as a query sees them.

    Raises
    ------
    ParameterError
        If the table is none.
    """
    if isinstance(table, str | Path):
        path = Path(table).expanduser()
        with format_of(path).read(path) as stream:
            return stream.schema
    return _stream(name, table).schema


def _part(name: str, table: object, stack: ExitStack) -> Part:
    if isinstance(table, str | Path):
        path = Path(table).expanduser()
        if split_part(path)[1] is not None:  # one table of several: only that one is sent
            return _written(name, format_of(path).read(path), stack)
        try:
            return path.name, stack.enter_context(path.open("rb"))
        except OSError as error:
            raise ParameterError("uploads", path, error.strerror or str(error)) from None
    return _written(name, _stream(name, table), stack)


def _written(name: str, stream: TableStream, stack: ExitStack) -> Part:
    content = stack.enter_context(TemporaryFile())  # noqa: SIM115  # the stack closes it
    for chunk in FORMATS["parquet"].write(stream):
        content.write(chunk)
    content.seek(0)
    return f"{name}.parquet", content


def _stream(name: str, table: object) -> TableStream:
    if isinstance(table, Table):
        return stream_of(represent_mixins_as_columns(table))
    if isinstance(table, pa.Table):
        return TableStream.from_table(table)
    if hasattr(table, "columns") and hasattr(table, "iloc"):  # pandas is not loaded to tell
        return TableStream.from_table(pa.Table.from_pandas(table, preserve_index=False))
    hint = "an astropy Table, a pandas DataFrame, an Arrow table or the path of a file"
    raise ParameterError("uploads", f"{name}: {type(table).__name__}", "is no table", hint=hint)
