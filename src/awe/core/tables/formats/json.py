"""awe's own JSON table, for portals and scripts: `JSON`.

An object of ``metadata`` (a list of name, datatype, arraysize, unit, ucd, description), ``data`` (a list of rows),
``overflow``, and ``error`` when the rows failed on their way. Null, NaN and infinities are ``null``; integers have
all their digits, so a reader that has only doubles must take those beyond 2⁵³ with care.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import pyarrow as pa

from awe.core.tables._datatypes import DATATYPES, is_list
from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import cuts
from awe.core.tables.formats._digits import Numbers, number_runs
from awe.core.tables.formats._files import open_file, read_some
from awe.core.tables.formats._parallel import in_order
from awe.core.tables.formats._text import Cells, joined, json_cells
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.errors import AweError, InputFileError

__all__ = ["JSON", "JsonFormat", "json_rows"]

# VOTable's words, and words of our own for the numbers that it lacks
_WORDS = {
    **DATATYPES,
    pa.int8(): "byte",
    pa.uint16(): "unsignedShort",
    pa.uint32(): "unsignedInt",
    pa.uint64(): "unsignedLong",
}
_TYPES = {word: arrow for arrow, word in _WORDS.items()} | {"decimal": pa.string()}
_WORDS[pa.float16()] = "float"
_BETWEEN_ROWS = ",\n"


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """awe's JSON table."""

    name: str = "json"
    media_types: tuple[str, ...] = ("application/json",)
    extensions: tuple[str, ...] = (".json",)

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:
        """Yield the object; overflow and failure stand behind the rows."""
        with stream:
            metadata = json.dumps([_describe(column) for column in stream.schema], ensure_ascii=False)
            yield f'{{"metadata": {metadata},\n"data": ['.encode()
            behind: dict[str, object] = {}
            mark = b"\n"
            try:
                with closing(in_order(_listed, map(cuts, stream))) as made:
                    for cells in made:
                        yield mark + _rows(cells)
                        mark = b",\n"
            except AweError as error:
                if options.on_error == "raise":
                    raise
                behind = error.to_json()
            behind = {"overflow": stream.overflow, **behind}
        yield b"\n],\n" + json.dumps(behind, ensure_ascii=False)[1:].encode() + b"\n"

    def read(self, path: Path) -> TableStream:
        """Return the rows of such an object. The whole file is read into memory.

        Raises
        ------
        InputFileError
            If it is not JSON, or not such an object: with the line, or the row or column.
        """
        with open_file(path) as content:
            raw = read_some(content, path, -1)
        try:
            table = json.loads(raw)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise InputFileError(path.name, f"not JSON: {error.msg}", where=where) from None
        except UnicodeDecodeError as error:
            raise InputFileError(path.name, f"not UTF-8 text: {error.reason}") from None
        return _table(path, table)


def _describe(column: Column) -> dict[str, str]:
    item = column.type.value_type if is_list(column.type) else column.type
    word = "decimal" if pa.types.is_decimal(item) else _WORDS.get(item, "char")
    said = {"name": column.name, "datatype": word, "unit": column.unit, "ucd": column.ucd}
    said["description"] = column.description
    if is_list(column.type):
        fixed = pa.types.is_fixed_size_list(column.type)
        said["arraysize"] = str(column.type.list_size) if fixed else "*"
    return said


def json_rows(batch: pa.RecordBatch, keys: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield the rows of a batch in JSON, many at a time, with commas between them.

    Parameters
    ----------
    keys
        One for each column: each row is an object with these keys, and a list of its values when None.
    """
    return (_rows(_listed(part) if keys is None else _keyed(part, keys)) for part in cuts(batch))


def _rows(cells: Cells) -> bytes:
    return joined(cells, without=len(_BETWEEN_ROWS))


def _listed(part: pa.RecordBatch) -> Cells:
    """Return what the lists of values are joined from."""
    cells: list[pa.Array | str] = ["["]
    *runs, last = number_runs(part.columns)
    for run, end in (*((run, ",") for run in runs), (last, "]")):
        if isinstance(run, Numbers):
            cells.append(run.text(",", end, "null", "null"))
        else:
            cells += [json_cells(part.column(run)), end]
    return [*cells, _BETWEEN_ROWS]


def _keyed(part: pa.RecordBatch, keys: Sequence[str]) -> Cells:
    """Return what objects with these keys are joined from."""
    cells: list[pa.Array | str] = []
    for mark, key, column in zip(chain("{", repeat(",")), keys, part.columns, strict=False):
        cells += [f"{mark}{json.dumps(key)}:", json_cells(column)]
    return [*cells, "}", _BETWEEN_ROWS]


def _table(path: Path, table: object) -> TableStream:
    if not (
        isinstance(table, dict)
        and isinstance(table.get("metadata"), list)
        and isinstance(table.get("data"), list)
    ):
        raise InputFileError(path.name, "not a table: an object with metadata and data is needed")
    schema = Schema(tuple(_column(path, n, said) for n, said in enumerate(table["metadata"], 1)))
    rows = table["data"]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(schema):
            raise InputFileError(path.name, f"not a list of {len(schema)} values", where=f"row {number}")
    arrays = [_array(path, [row[i] for row in rows], column) for i, column in enumerate(schema)]
    stream = TableStream(schema, [pa.RecordBatch.from_arrays(arrays, schema=schema.to_arrow())])
    stream.overflow = bool(table.get("overflow"))
    return stream


def _column(path: Path, number: int, said: object) -> Column:
    if not isinstance(said, dict) or said.get("datatype") not in _TYPES or not said.get("name"):
        hint = f"datatypes: {', '.join(_TYPES)}"
        raise InputFileError(path.name, "no name or datatype", where=f"metadata, column {number}", hint=hint)
    arrow = _TYPES[said["datatype"]]
    size = said.get("arraysize")
    if size and not pa.types.is_string(arrow):
        arrow = pa.list_(arrow) if size == "*" else pa.list_(arrow, int(size))
    return Column(
        said["name"],
        arrow,
        said.get("unit", ""),
        said.get("ucd", ""),
        description=said.get("description", ""),
    )


def _array(path: Path, values: list[object], column: Column) -> pa.Array:
    if pa.types.is_string(column.type):
        values = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    item = column.type.value_type if is_list(column.type) else column.type
    if pa.types.is_floating(item):  # whole numbers are written without a point
        values = [_floats(value) for value in values]
    try:
        return pa.array(values, column.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise InputFileError(path.name, str(error), where=f"column {column.name}") from None


def _floats(value: object) -> object:
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) else value


JSON = JsonFormat()
