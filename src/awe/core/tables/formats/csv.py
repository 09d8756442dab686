"""Comma- and tab-separated text (RFC 4180 with a header line): `CSV` and `TSV`.

An empty cell is null, ``""`` is a text of no characters. A first line of values is refused: taken for the header,
a row would be lost without a word. CSV has no place for units, limits or errors: a failure
of the rows ends the answer early by its exception. Comment lines (``#``) before the header are skipped when
read; types are found by reading all of the file (see `_csv_types`), so that no late value is a surprise, and what was
read is kept for those who asked; where a late word made numbers text, the file is read again. The stream's notes say where
that word stands.
"""

import csv
import re
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as arrow_csv

from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import cuts
from awe.core.tables.formats._csv_lines import line_of_row, undecodable_line
from awe.core.tables.formats._csv_types import DecimalCommaError, Evidence, as_type
from awe.core.tables.formats._digits import Numbers, number_runs
from awe.core.tables.formats._files import open_file
from awe.core.tables.formats._parallel import ahead, in_order
from awe.core.tables.formats._spool import Spool
from awe.core.tables.formats._text import Cells, joined, quoted_cells
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions
from awe.errors import InputFileError

__all__ = ["CSV", "TSV", "DelimitedFormat", "delimited_rows"]

_TOO_LONG = "a line of more than 4 MiB"
_BOM = b"\xef\xbb\xbf"
_VALUE = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][+-]?[0-9]+)?|[+-][0-9]+")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_SHOWN = 40
_BLOCK_BYTES = 1 << 22
"""Read at once; no line is longer."""


@dataclass(frozen=True, slots=True)
class DelimitedFormat:
    """Text with one delimiter."""

    name: str
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    delimiter: str

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:  # noqa: ARG002
        """Yield a header line, then the rows."""
        with stream:
            names = pa.array(stream.schema.names, pa.string())
            header = quoted_cells(names, self.delimiter).to_pylist()
            yield (self.delimiter.join(header) + "\n").encode()
            cells = partial(_cells, delimiter=self.delimiter)
            with closing(in_order(cells, map(cuts, stream))) as made:
                yield from map(joined, made)

    def read(self, path: Path) -> TableStream:
        """Return the rows; the types are those that hold every value of the file.

        Raises
        ------
        InputFileError
            From here or from the stream: with the line.
        """
        names, line = _header(path, self.delimiter)
        evidence = [Evidence() for _ in names]

        def seen(block: pa.RecordBatch) -> list[pa.Array]:
            columns = []
            for name, found, column in zip(names, evidence, block.columns, strict=True):
                try:
                    columns.append(found.see(column))
                except DecimalCommaError as error:
                    raise _comma(path, name, self.delimiter, line, *error.args) from None
            return columns

        blocks = partial(_blocks, path, names, line, self.delimiter)
        kept = Spool(names)
        with ExitStack() as failed:
            failed.callback(kept.close)
            has_all = _keep(kept, ahead(seen, blocks(), together=False))
            schema = Schema(tuple(Column(n, found.type) for n, found in zip(names, evidence, strict=True)))
            rows = kept if has_all and all(found.stands for found in evidence) else blocks()
            stream = TableStream(schema, _typed(rows, schema, path), kept.close)
            stream.notes = tuple(_notes(path, names, evidence, self.delimiter, line))
            failed.pop_all()
        return stream

    def read_as(self, path: Path, columns: Schema) -> TableStream:
        """Return the rows in the types of columns that are known, by name, ignoring case; of others as `read`.

        Raises
        ------
        InputFileError
            From here or from the stream: with the line, or the column and a value that is not of its type.
        """
        names, line = _header(path, self.delimiter)
        if all(name in columns for name in names):
            schema = Schema(tuple(replace(columns[name], name=name) for name in names))
            return TableStream(schema, _typed(_blocks(path, names, line, self.delimiter), schema, path))
        return self.read(path)


def _keep(kept: Spool, rows: Generator[list[pa.Array], None, None]) -> bool:
    """Keep all rows; where there is no room for them, go over them and say so."""
    with closing(rows):
        for columns in rows:
            try:
                kept.add(columns)
            except OSError:
                deque(rows, maxlen=0)
                return False
    return True


def delimited_rows(batch: pa.RecordBatch, delimiter: str) -> Iterator[bytes]:
    """Yield the lines of a batch."""
    return (joined(_cells(part, delimiter)) for part in cuts(batch))


def _cells(part: pa.RecordBatch, delimiter: str) -> Cells:
    # a row of one empty cell would be a blank line, which readers skip
    null = '""' if part.num_columns == 1 else ""
    cells: list[pa.Array | str] = []
    *runs, last = number_runs(part.columns)
    for run, end in (*((run, delimiter) for run in runs), (last, "\n")):
        if isinstance(run, Numbers):
            cells.append(run.text(delimiter, end, null, "NaN"))
        else:
            cells += [quoted_cells(part.column(run), delimiter, null), end]
    return cells


def _start(content: BinaryIO, path: Path) -> tuple[bytes, int]:
    """Return the header line and its number; the content stands behind it."""
    number = 0
    try:
        while line := content.readline(_BLOCK_BYTES):
            number += 1
            if len(line) == _BLOCK_BYTES:
                raise InputFileError(path.name, _TOO_LONG, where=f"line {number}")
            line = line.removeprefix(_BOM) if number == 1 else line
            if line.strip() and not line.startswith(b"#"):
                return line, number
    except (OSError, EOFError) as error:
        raise InputFileError(path.name, f"the compressed data cannot be read: {error}") from None
    raise InputFileError(path.name, "the file is empty: there is no header line")


def _header(path: Path, delimiter: str) -> tuple[list[str], int]:
    with open_file(path) as content:
        line, number = _start(content, path)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error.reason, number) from None
    if "\0" in text:
        raise InputFileError(path.name, "not a text file", where=f"line {number}")
    try:
        names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter))]
    except csv.Error as error:
        raise InputFileError(path.name, f"not a header: {error}", where=f"line {number}") from None
    value = next((word for name in names if (word := _value_in(name))), None)
    if value is not None or all(name.isdecimal() for name in names):
        raise InputFileError(
            path.name,
            f"a header is expected and {value or names[0]!r} is a value, not the name of a column",
            where=f"line {number}",
            hint="write the names of the columns into the first line, without # before them",
        )
    if len(names) == 1 and delimiter == "," and (other := next((c for c in ";\t|" if c in text), None)):
        raise InputFileError(
            path.name,
            f"its columns are separated by {_SEPARATORS[other]}, not by commas",
            where=f"line {number}",
            hint="call it .tsv" if other == "\t" else "save it with commas, and decimal points in numbers",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputFileError(
            path.name, f"the column {twice[0]!r} stands twice in the header", where=f"line {number}"
        )
    if "" in names:
        place = names.index("") + 1
        raise InputFileError(path.name, f"column {place} has no name in the header", where=f"line {number}")
    return names, number


def _notes(
    path: Path, names: list[str], evidence: list[Evidence], delimiter: str, header_line: int
) -> Iterator[str]:
    for name, found in zip(names, evidence, strict=True):
        if found.odd is not None:
            row, value = found.odd
            line = line_of_row(path, delimiter, header_line, row)
            yield (
                f"column {name} is text, because {value[:_SHOWN]!r} in line {line} is no number; leave a cell empty "
                "where there is no value"
            )


def _comma(path: Path, name: str, delimiter: str, header_line: int, row: int, value: str) -> InputFileError:
    line = line_of_row(path, delimiter, header_line, row)
    return InputFileError(
        path.name,
        f"{value} is a number with a decimal comma",
        where=f"line {line}, column {name}",
        hint=f"write {value.replace(',', '.')}; a list of numbers stands in brackets: [{value}]",
    )


def _value_in(name: str) -> str | None:
    """Return a number among the words of what should be a name, when all of its words are numbers."""
    words = name.split()
    if not all(word.isdecimal() or _VALUE.fullmatch(word) for word in words):
        return None
    return next((word for word in words if not word.isdecimal()), None)


def _blocks(path: Path, names: list[str], header_line: int, delimiter: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows as text."""
    wrong: list[arrow_csv.InvalidRow] = []

    def remember(row: arrow_csv.InvalidRow) -> str:
        wrong.append(row)
        return "error"

    with open_file(path) as content:
        _start(content, path)
        try:
            reader = arrow_csv.open_csv(
                content,
                arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK_BYTES),
                arrow_csv.ParseOptions(
                    delimiter=delimiter, newlines_in_values=True, invalid_row_handler=remember
                ),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=["", "null", "NULL"],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
            yield from reader
        except (pa.ArrowInvalid, OSError, EOFError) as error:
            if str(error) == "Empty CSV file":
                return
            raise _reason(path, wrong, error, header_line) from None


def _reason(
    path: Path, wrong: list[arrow_csv.InvalidRow], error: Exception, header_line: int
) -> InputFileError:
    if not wrong and "straddl" in str(error):
        return InputFileError(path.name, _TOO_LONG, hint="is a quotation mark never closed?")
    if not wrong and "UTF8" in str(error):
        return _not_utf8(path, "a byte that is no part of it", undecodable_line(path))
    if not wrong:
        return InputFileError(path.name, str(error).removeprefix("CSV parse error: "))
    row = wrong[0]
    where = None if row.number is None else f"line {row.number + header_line}"
    reason = f"{row.actual_columns} cells, the header has {row.expected_columns}"
    return InputFileError(path.name, reason, where=where)


def _not_utf8(path: Path, reason: str, line: int) -> InputFileError:
    return InputFileError(
        path.name, f"not UTF-8 text: {reason}", where=f"line {line}", hint="save it in UTF-8"
    )


def _typed(blocks: Iterable[pa.RecordBatch], schema: Schema, path: Path) -> Iterator[pa.RecordBatch]:
    arrow = schema.to_arrow()

    def told(block: pa.RecordBatch) -> pa.RecordBatch:
        columns = [
            _as_told(values, column, path) for values, column in zip(block.columns, schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=arrow)

    with closing(ahead(told, blocks)) as batches:
        yield from batches


def _as_told(values: pa.Array, column: Column, path: Path) -> pa.Array:
    try:
        return as_type(values, column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputFileError(path.name, str(error), where=f"column {column.name}") from None


CSV = DelimitedFormat("csv", ("text/csv;header=present", "text/csv", "text/plain"), (".csv",), ",")
TSV = DelimitedFormat("tsv", ("text/tab-separated-values", "ascii"), (".tsv", ".tab"), "\t")
