"""Reading VOTable documents in bounded memory: a pull parser for the elements, numpy for the bytes.

The document is fed to the parser in pieces that end where a STREAM or TABLEDATA begins, so that base64 text and plain
rows (`_votable_rows`) go past the parser. Versions 1.0 to 1.5 are read, of any namespace. Entities are not resolved and no URL is opened.
"""

import binascii
import re
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from lxml import etree
from pybase64 import b64decode

from awe.core.tables._schema import Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._files import open_file, read_some, split_part
from awe.core.tables.formats._parallel import in_order
from awe.core.tables.formats._votable_decode import BinaryDecoder
from awe.core.tables.formats._votable_fields import Cell, cell_of
from awe.core.tables.formats._votable_fits import fits_batches
from awe.core.tables.formats._votable_rows import RowSplitter, lines_in
from awe.core.tables.formats._votable_stream import StreamError, encoding_of, unpacked
from awe.core.tables.formats._votable_text import CellError, parse_cells
from awe.errors import InputFileError

__all__ = ["read_votable", "stated_error", "votable_schema"]

_CHUNK = 1 << 22
_DATA = re.compile(rb"<(?:[\w.-]+:)?(?:STREAM|TABLEDATA)\b[^>]*>")
_TAGS = ("VOTABLE", "RESOURCE", "INFO", "TABLE", "DATA", "TABLEDATA", "STREAM", "TR")
_BLANKS = bytes(range(33))
_STATED = "the service that wrote it states an error: "
_MOST_BYTES = 1 << 26
"""Bytes without the end of a tag at the most: no cell is as large, but what is no document may be."""


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
        self._wanted = wanted
        self._tables: list[str] = []
        self._looked_at = self._found = self._reading = False
        self._content = content
        self._parser: Any = etree.XMLPullParser(
            ("start", "end"),
            tag=[f"{{*}}{tag}" for tag in _TAGS],
            resolve_entities=False,
            no_network=True,
            huge_tree=True,
        )
        self._buffer = b""
        self._cells: list[Cell] = []
        self._rows: list[list[str | None]] = []
        self._piece = b""
        self._lines = 0
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
                yield from self._binary(element) if self._reading else self._skipped()
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
        if not self._found:
            missing = "there is no TABLE in it" if self._wanted is None else f"no table {self._wanted} in it"
            raise self._error(missing, hint=self._known() if self._tables else None)

    def _error(self, reason: str, line: int | None = None, hint: str | None = None) -> InputFileError:
        where = f"line {line}" if line else None
        return InputFileError(self._path.name, reason, where=where, hint=hint)

    def _check_root(self, tag: str) -> None:
        if tag != "VOTABLE":
            raise self._error("it is not a VOTable: its first element is not VOTABLE")

    def _check_entities(self, root: etree._Element) -> None:
        subset: Any = root.getroottree().docinfo.internalDTD
        self._has_doctype = subset is not None
        if subset is not None and any(True for _ in subset.iterentities()):
            raise self._error("it declares XML entities, which are not read")

    # -- the document in pieces

    def _events(self) -> Iterator[tuple[str, etree._Element | None]]:
        """Yield the parser's events, and one without an element behind each piece of the document."""
        try:
            self._splits = self._fill() and RowSplitter.reads(self._buffer)
            while self._fill():
                match = _DATA.search(self._buffer)
                cut = match.end() if match else self._buffer.rfind(b">") + 1 or len(self._buffer)
                piece = self._piece = self._buffer[:cut]
                self._buffer = self._buffer[cut:]
                self._parser.feed(piece)
                yield from self._parser.read_events()
                yield "piece", None
                self._lines += piece.count(b"\n")
                self._forget()
            self._parser.close()
        except etree.XMLSyntaxError as error:
            line = error.lineno or 1
            raise self._error(f"not well-formed XML: {error.msg}", line) from None

    def _fill(self) -> bool:
        """Have a closed tag in the buffer where possible; tell whether there are bytes at all."""
        while b">" not in self._buffer:
            more = read_some(self._content, self._path, _CHUNK)
            if not more:
                break
            self._buffer += more
            if len(self._buffer) > _MOST_BYTES:
                raise self._error(f"{_MOST_BYTES >> 20} MiB without the end of a tag", self._lines + 1)
        return bool(self._buffer)

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
        names = [str(len(self._tables) + 1), table.get("name") or "", table.get("ID") or ""]
        self._tables.append(names[1] or names[2])
        if not self._is_wanted(table, names):
            return False
        if self._found:
            reason = (
                "there are several tables in it" if self._wanted is None else f"two tables {self._wanted}"
            )
            raise self._error(reason, _line(table), f"name one, as in file.vot[2]; {self._known()}")
        self._found = self._reading = True
        self._read_fields(table)
        return True

    def _is_wanted(self, table: etree._Element, names: list[str]) -> bool:
        if self._wanted is not None:
            return self._wanted in names
        around = table.getparent()
        if around is not None and around.get("type") == "meta":  # about the data, and no data
            return False
        return not self._found or table.find("{*}FIELD") is not None

    def _known(self) -> str:
        listed = (f"{n} ({name})" if name else str(n) for n, name in enumerate(self._tables, 1))
        return f"its tables: {', '.join(listed)}"

    def _read_fields(self, table: etree._Element) -> None:
        self._cells = [self._cell(field) for field in table.iterchildren("{*}FIELD")]
        if not self._cells:
            raise self._error("the TABLE has no FIELD", _line(table))
        self.schema = Schema(
            tuple(cell.column for cell in self._cells),
            table.get("name", ""),
            _child_text(table, "DESCRIPTION"),
        )

    def _cell(self, field: etree._Element) -> Cell:
        values = next(field.iterchildren("{*}VALUES"), None)
        if values is not None and values.get("ref"):  # those of another FIELD (VOTable 1.5 section 4.2)
            said = field.getroottree().iterfind("//{*}VALUES")
            values = next((other for other in said if other.get("ID") == values.get("ref")), None)
        null = None if values is None else values.get("null")
        attributes = {str(name): str(value) for name, value in field.attrib.items()}
        line = _line(field)
        return cell_of(attributes, _child_text(field, "DESCRIPTION"), null, self._path.name, line)

    def _take_info(self, info: etree._Element) -> None:
        if info.get("name") != "QUERY_STATUS":
            return
        if info.get("value") == "ERROR":
            reason = " ".join("".join(map(str, info.itertext())).split())
            raise self._error(f"{_STATED}{reason}", _line(info))
        if info.get("value") == "OVERFLOW" and self.stream is not None:
            self.stream.overflow = True

    # -- rows as text

    def _plain_rows(self, element: etree._Element) -> Iterator[pa.RecordBatch]:
        """Read rows past the parser while they are plain; what is not stays in the buffer for it."""
        if self._has_doctype or not self._splits:
            return
        prefix = f"{element.prefix}:".encode() if element.prefix else b""
        splitter, end_tag = RowSplitter(self._cells, prefix), b"</%sTABLEDATA" % prefix
        groups = self._row_groups(splitter, end_tag)
        with closing(in_order(lambda text: (text, splitter.split(text)), groups)) as results:
            for text, split in results:
                rows, columns, end = text, split, -1
                if split is None:  # what follows the table may be among it
                    end = text.find(end_tag)
                    rows = text[: splitter.end_of_rows(text, end)] if end >= 0 else b""
                    columns = splitter.split(rows) if rows else None
                if columns is None:
                    return
                self._lines += lines_in(rows)
                self._buffer = self._buffer[len(rows) :]
                self._done += len(columns[0])
                yield pa.RecordBatch.from_arrays(columns, schema=self.schema.to_arrow())
                if end >= 0:
                    return

    def _row_groups(self, splitter: RowSplitter, end_tag: bytes) -> Iterator[list[bytes]]:
        """Yield the whole rows in the buffer, in pieces, until the end of the table is in it."""
        ended = False
        while not ended and len(self._buffer) <= _MOST_BYTES:
            held = len(self._buffer)
            more = read_some(self._content, self._path, min(max(_CHUNK, held), _MOST_BYTES + 1 - held))
            self._buffer += more
            yield splitter.pieces(self._buffer)
            ended = not more or end_tag in self._buffer

    # -- rows as elements

    def _take_row(self, row: etree._Element) -> None:
        self._rows_parent = row.getparent()
        if not self._reading:
            return
        if self._has_doctype and any(len(cell) for cell in row):  # what an entity stands for is not known
            raise self._error("a cell with an XML entity, which are not read", self._line_of(len(self._rows)))
        cells = [cell.text for cell in row]
        if len(cells) != len(self._cells):
            reason = f"row {self._done + len(self._rows) + 1} has {len(cells)} cells, the table has "
            raise self._error(f"{reason}{len(self._cells)} columns", self._line_of(len(self._rows)))
        self._rows.append(cells)

    def _flush(self) -> Iterator[pa.RecordBatch]:
        columns = []
        for cell, values in zip(self._cells, zip(*self._rows, strict=True), strict=True):
            try:
                columns.append(parse_cells(cell, values))
            except CellError as error:
                row = self._done + error.index + 1
                where = f"line {self._line_of(error.index)}, row {row}, column {cell.column.name}"
                raise InputFileError(self._path.name, error.reason, where=where) from None
        self._done += len(self._rows)
        self._rows = []
        yield pa.RecordBatch.from_arrays(columns, schema=self.schema.to_arrow())

    def _line_of(self, index: int) -> int:
        """Return the line where a row of this piece ends (the parser's own count is slow and has an end)."""
        ends = re.finditer(rb"</(?:[\w.-]+:)?TR\s*>", self._piece)
        end = next(islice(ends, index, None), None)
        return self._lines + self._piece.count(b"\n", 0, end.start() if end else None) + 1

    # -- rows as bytes

    def _binary(self, stream: etree._Element) -> Iterator[pa.RecordBatch]:
        parent = stream.getparent()
        kind = "" if parent is None else etree.QName(parent).localname
        try:
            encoding = encoding_of(stream.get("href"), stream.get("encoding"))
            chunks = self._base64(_line(stream)) if encoding.held is None else iter([encoding.held])
            if encoding.packed:
                chunks = unpacked(chunks)
            if kind == "FITS" and parent is not None:
                for batch in fits_batches(self._path.name, chunks, self._cells, parent.get("extnum")):
                    self._done += batch.num_rows
                    yield batch
            else:
                yield from self._records(chunks, masked=kind == "BINARY2")
        except StreamError as error:
            raise self._error(error.reason, _line(stream), error.hint) from None

    def _records(self, chunks: Iterator[bytes], *, masked: bool) -> Iterator[pa.RecordBatch]:
        decoder = BinaryDecoder(self._cells, masked=masked)
        rest = b""
        for data in chunks:
            rest += data
            arrays, used = self._decode(decoder, rest)
            rest = rest[used:]
            if len(arrays[0]):
                self._done += len(arrays[0])
                yield pa.RecordBatch.from_arrays(arrays, schema=self.schema.to_arrow())
        if rest:
            where = f"row {self._done + 1}"
            raise InputFileError(
                self._path.name, f"the stream ends inside a row ({len(rest)} bytes)", where=where
            )

    def _skipped(self) -> Iterator[pa.RecordBatch]:
        """Pass over the content of a STREAM of another table."""
        while b"<" not in self._buffer:
            self._buffer = read_some(self._content, self._path, _CHUNK)
            if not self._buffer:
                return
        self._buffer = self._buffer[self._buffer.index(b"<") :]
        yield from ()

    def _decode(self, decoder: BinaryDecoder, data: bytes) -> tuple[list[pa.Array], int]:
        try:
            return decoder.decode(data)
        except CellError as error:
            where = f"row {self._done + error.index + 1}"
            raise InputFileError(self._path.name, error.reason, where=where) from None

    def _base64(self, line: int) -> Iterator[bytes]:
        """Yield the decoded content of the STREAM that has just begun; its end tag stays in the buffer."""
        waiting, ended = b"", False
        while not ended:
            if not self._buffer:
                self._buffer = read_some(self._content, self._path, _CHUNK)
            text, mark, rest = self._buffer.partition(b"<")
            ended = bool(mark) or not self._buffer
            self._buffer = mark + rest
            waiting += _without_blanks(text)
            whole = len(waiting) if ended else len(waiting) // 4 * 4
            try:
                yield b64decode(waiting[:whole], validate=True)
            except binascii.Error as error:
                raise self._error(f"the base64 text of the STREAM is damaged: {error}", line) from None
            waiting = waiting[whole:]


def _without_blanks(text: bytes) -> bytes:
    plain = text.replace(b"\n", b"")
    return plain.translate(None, _BLANKS) if np.frombuffer(plain, np.uint8).min(initial=255) <= 32 else plain


def _line(element: etree._Element) -> int:
    line = element.sourceline
    return line if isinstance(line, int) else 0


def _child_text(element: etree._Element, tag: str) -> str:
    child = next(element.iterchildren(f"{{*}}{tag}"), None)
    return "" if child is None else " ".join("".join(map(str, child.itertext())).split())
