"""Reading VOTable documents in bounded memory: a pull parser for the elements, numpy for the bytes.

Rows go past the parser where they can (`_votable_source`, `_votable_rows`, `_votable_decode`), a few megabytes at a time on all
cores. Versions 1.0 to 1.5 are read, of any namespace. Entities are not resolved and no URL is opened.
"""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from lxml import etree

from awe.core.tables._schema import Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._files import open_file, split_part
from awe.core.tables.formats._parallel import ahead
from awe.core.tables.formats._votable_decode import BinaryDecoder, CutRows
from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_fits import fits_batches
from awe.core.tables.formats._votable_head import Choice, line_of, read_fields
from awe.core.tables.formats._votable_rows import RowSplitter, lines_in
from awe.core.tables.formats._votable_source import Source
from awe.core.tables.formats._votable_stream import StreamError, encoding_of, unpacked
from awe.core.tables.formats._votable_text import CellError, parse_cells
from awe.errors import InputFileError

__all__ = ["read_votable", "stated_error", "votable_schema"]

_TAGS = ("VOTABLE", "RESOURCE", "INFO", "TABLE", "DATA", "TABLEDATA", "STREAM", "TR")
_PLACE = re.compile(r", line \d+, column \d+$")
_STATED = "the service that wrote it states an error: "


def read_votable(path: Path) -> TableStream:
    """Return the rows of the table of a document, or of that which ``file.vot[stars]`` names.

    Raises
    ------
    InputFileError
        If it is no VOTable, or has several tables of which none is named, or is damaged: with the line, or the row and column; or if it states an error
        instead of results.
    """
    path, wanted = split_part(path)
    content = open_file(path)
    try:
        reader = _Reader(path, content, wanted)
        batches = reader.run()
        next(batches)  # up to the FIELDs
    except BaseException:
        content.close()
        raise
    stream = TableStream(reader.schema, batches, content.close)
    reader.stream = stream
    return stream


def stated_error(error: InputFileError) -> str:
    """Return what the service said that wrote a document without results; empty for another error."""
    return error.message.partition(_STATED)[2]


def votable_schema(document: bytes, name: str) -> Schema:
    """Return the columns of the first table of a document in memory.

    Raises
    ------
    InputFileError
        As `read_votable`; `name` stands for the file.
    """
    reader = _Reader(Path(name), BytesIO(document))
    next(reader.run())
    return reader.schema


class _Reader:
    """The state of one reading: the parser, the bytes that it has not got yet, the table."""

    def __init__(self, path: Path, content: BinaryIO, wanted: str | None = None) -> None:
        self._path = path
        self._choice = Choice(wanted, self._error)
        self._looked_at = self._reading = False
        self._source = Source(path, content)
        self._parser: Any = etree.XMLPullParser(
            ("start", "end"),
            tag=[f"{{*}}{tag}" for tag in _TAGS],
            resolve_entities=False,
            no_network=True,
            huge_tree=True,
        )
        self._cells: list[Cell] = []
        self._rows: list[list[str | None]] = []
        self._has_doctype = False
        self._splits = False
        self._rows_parent: etree._Element | None = None
        self._done = 0
        self.schema = Schema(())
        self.stream: TableStream | None = None

    def run(self) -> Iterator[pa.RecordBatch | None]:
        """Yield None when the schema is known, then the batches; what follows the table is read too."""
        begun = False
        for event, element in self._events():
            if element is None:  # a piece of the document is read
                if self._rows:
                    yield from self._flush()
                continue
            tag = etree.QName(element).localname
            if not begun:
                self._check_root(tag)
                self._check_entities(element)
                begun = True
            if tag == "TR":
                if event == "end":
                    self._take_row(element)
            elif event == "start" and tag == "TABLE":
                self._looked_at = False
            elif event == "start" and tag == "DATA":
                if self._take_head(element.getparent()):
                    yield None
            elif event == "start" and tag == "STREAM":
                if self._reading:
                    yield from self._binary(element)
                else:
                    self._source.skip_stream()
            elif event == "start" and tag == "TABLEDATA" and self._reading:
                yield from self._plain_rows(element)
            elif event == "end" and tag == "TABLE":
                if self._take_head(element):
                    yield None
                self._reading = False
                if self._rows:
                    yield from self._flush()
            elif event == "end" and tag == "INFO":
                self._take_info(element)
        if not begun:
            self._check_root("")
        self._choice.check()

    def _error(
        self, reason: str, element: etree._Element | None = None, hint: str | None = None
    ) -> InputFileError:
        line = 0 if element is None else line_of(element) + self._source.passed_lines
        return InputFileError(self._path.name, reason, where=f"line {line}" if line else None, hint=hint)

    def _check_root(self, tag: str) -> None:
        if tag != "VOTABLE":
            raise self._error("it is not a VOTable: its first element is not VOTABLE")

    def _check_entities(self, root: etree._Element) -> None:
        subset: Any = root.getroottree().docinfo.internalDTD
        self._has_doctype = subset is not None
        if subset is not None and any(True for _ in subset.iterentities()):
            raise self._error("it declares XML entities, which are not read")

    def _events(self) -> Iterator[tuple[str, etree._Element | None]]:
        """Yield the parser's events, and one without an element behind each piece of the document."""
        source = self._source
        try:
            self._splits = source.fill() and RowSplitter.reads(source.held)
            while source.fill():
                self._parser.feed(source.piece())
                yield from self._parser.read_events()
                yield "piece", None
                source.end_piece()
                self._forget()
            self._parser.close()
        except etree.XMLSyntaxError as error:
            reason = f"not well-formed XML: {_PLACE.sub('', error.msg or '')}"
            line, column = error.position
            where = f"line {(line or 1) + source.passed_lines}, column {column}"
            raise InputFileError(self._path.name, reason, where=where) from None

    def _forget(self) -> None:
        """Drop the rows that were read from the tree, all but the last, to which the parser may still add."""
        if self._rows_parent is not None:
            del self._rows_parent[:-2]

    # -- the head

    def _take_head(self, table: etree._Element | None) -> bool:
        """Take the columns of a table when its FIELDs are known; tell whether it is the one to read."""
        if table is None:
            raise self._error("DATA stands outside a TABLE")
        if self._looked_at:
            return False
        self._looked_at = True
        if not self._choice.takes(table):
            return False
        self._reading = True
        self.schema, self._cells = read_fields(table, self._path.name, self._source.passed_lines)
        if not self._cells:
            raise self._error("the TABLE has no FIELD", table)
        return True

    def _take_info(self, info: etree._Element) -> None:
        if info.get("name") != "QUERY_STATUS":
            return
        if info.get("value") == "ERROR":
            reason = " ".join("".join(map(str, info.itertext())).split())
            raise self._error(f"{_STATED}{reason}", info)
        if info.get("value") == "OVERFLOW" and self.stream is not None:
            self.stream.overflow = True

    # -- rows as text

    def _plain_rows(self, element: etree._Element) -> Iterator[pa.RecordBatch]:
        """Read rows past the parser while they are plain; what is not goes back to it."""
        if self._has_doctype or not self._splits:
            return
        splitter = RowSplitter(self._cells, f"{element.prefix}:".encode() if element.prefix else b"")
        given: deque[bytes] = deque()

        def pieces() -> Iterator[bytes]:
            for rows in self._source.rows(splitter.row_end, splitter.end_tag):
                given.append(rows)
                yield rows

        with closing(ahead(lambda rows: (splitter.split(rows), lines_in(rows)), pieces())) as results:
            for columns, lines in results:
                if columns is None:
                    break
                given.popleft()
                self._source.pass_lines(lines)
                yield self._batch(columns)
        if given:
            rows = splitter.up_to_end(given[0])  # what follows the table may be among it
            last = splitter.split(rows) if rows else None
            self._source.give_back(*given)
            if last is not None:
                self._source.pass_over(rows)
                yield self._batch(last)

    def _batch(self, columns: list[pa.Array]) -> pa.RecordBatch:
        self._done += len(columns[0])
        return pa.RecordBatch.from_arrays(columns, schema=self.schema.to_arrow())

    # -- rows as elements

    def _take_row(self, row: etree._Element) -> None:
        self._rows_parent = row.getparent()
        if not self._reading:
            return
        if self._has_doctype and any(len(cell) for cell in row):  # what an entity stands for is not known
            raise self._row_error("a cell with an XML entity, which are not read", len(self._rows))
        cells = [cell.text for cell in row]
        if len(cells) != len(self._cells):
            reason = f"row {self._done + len(self._rows) + 1} has {len(cells)} cells, the table has "
            raise self._row_error(f"{reason}{len(self._cells)} columns", len(self._rows))
        self._rows.append(cells)

    def _row_error(self, reason: str, index: int, where: str = "") -> InputFileError:
        line = self._source.line_of_row(index)
        return InputFileError(self._path.name, reason, where=f"line {line}{where}")

    def _flush(self) -> Iterator[pa.RecordBatch]:
        columns = []
        for cell, values in zip(self._cells, zip(*self._rows, strict=True), strict=True):
            try:
                columns.append(parse_cells(cell, values))
            except CellError as error:
                where = f", row {self._done + error.index + 1}, column {cell.column.name}"
                raise self._row_error(error.reason, error.index, where) from None
        self._rows = []
        yield self._batch(columns)

    # -- rows as bytes

    def _binary(self, stream: etree._Element) -> Iterator[pa.RecordBatch]:
        parent = stream.getparent()
        kind = "" if parent is None else etree.QName(parent).localname
        begun = line_of(stream) + self._source.passed_lines
        try:
            encoding = encoding_of(stream.get("href"), stream.get("encoding"))
            chunks = self._source.base64() if encoding.held is None else iter([encoding.held])
            if encoding.packed:
                chunks = unpacked(chunks)
            if kind == "FITS" and parent is not None:
                for batch in fits_batches(self._path.name, chunks, self._cells, parent.get("extnum")):
                    self._done += batch.num_rows
                    yield batch
            else:
                yield from self._records(chunks, masked=kind == "BINARY2")
        except StreamError as error:
            raise InputFileError(
                self._path.name, error.reason, where=f"line {begun}", hint=error.hint
            ) from None

    def _records(self, chunks: Iterator[bytes], *, masked: bool) -> Iterator[pa.RecordBatch]:
        decoder = BinaryDecoder(self._cells, masked=masked)
        try:
            with closing(ahead(decoder.columns, self._cut(decoder, chunks))) as results:
                for columns in results:
                    yield self._batch(columns)
        except CellError as error:
            raise self._record_error(error.reason, self._done + error.index) from None

    def _cut(self, decoder: BinaryDecoder, chunks: Iterator[bytes]) -> Iterator[CutRows]:
        """Yield whole rows; those before damage come before it is told."""
        rest, done = b"", self._done
        for data in chunks:
            try:
                cut = decoder.cut(rest + data)
            except CellError as error:
                raise self._record_error(error.reason, done + error.index) from None
            rest = cut.rest
            done += cut.rows
            if cut.rows:
                yield cut
        if rest:
            raise self._record_error(f"the stream ends inside a row ({len(rest)} bytes)", done)

    def _record_error(self, reason: str, index: int) -> InputFileError:
        return InputFileError(self._path.name, reason, where=f"row {index + 1}")
