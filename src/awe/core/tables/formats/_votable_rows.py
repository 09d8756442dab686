"""Rows of TABLEDATA split by bytes instead of by an XML parser, several times faster.

In a table nearly everything is tags TR and TD and plain text between them. Such a piece of a document is
delimited text already, with one row a line and "<" as the delimiter: Arrow splits it, checks that every tag stands
in its place, and parses the numbers, once blanks have been written over what is left of ``<TD>`` before each cell.
Whatever is not plain (comments, CDATA, attributes, processing instructions, entities of a document's own, damage)
shows as a tag out of its place, and is left to the XML parser, whose reading is the same.
"""

import html
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_text import CellError, parse_cells, without_null

__all__ = ["RowSplitter"]

_BREAK = b"\x1f"
"""Stands for the end of a line inside a cell: XML 1.0 forbids it, so that no cell holds it."""

_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_UTF8 = re.compile(rb"<\?xml[^>]*\sencoding\s*=\s*[\"'](?:utf-?8|us-ascii)[\"']", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]*\sencoding\s*=", re.IGNORECASE)
_BLOCK = 1 << 20


class RowSplitter:
    """Make columns of the text of whole TR elements.

    Parameters
    ----------
    cells
        The columns.
    prefix
        Namespace prefix of the elements with its colon, or nothing.
    """

    def __init__(self, cells: list[Cell], prefix: bytes) -> None:
        self._cells = cells
        row, row_end = b"<%sTR>" % prefix, b"</%sTR>" % prefix
        cell, cell_end = b"<%sTD>" % prefix, b"</%sTD>" % prefix
        self._row, self._row_end = row, row_end
        self._cell, self._full_cell = cell, cell + cell_end
        self._blank = len(cell) - 1
        self._empty = re.compile(rb"<%sTD\s*/>" % re.escape(prefix))
        self._gaps = re.compile(rb"(%s|%s|%s)\s+" % (row, row_end, cell_end))
        # a line is: nothing, the row's tag, a cell and its end for each column, the row's end
        self._names = [f"c{index}" for index in range(len(cells))]
        ends = [f"e{index}" for index in range(len(cells))]
        self._fields = [
            "",
            "row",
            *(name for pair in zip(self._names, ends, strict=True) for name in pair),
            "end",
        ]
        self._tags = {
            "": "",
            "row": row[1:].decode(),
            **dict.fromkeys(ends, cell_end[1:].decode()),
            "end": row_end[1:].decode(),
        }
        self._types = {
            name: made.item if made.is_scalar and not pa.types.is_boolean(made.item) else pa.string()
            for name, made in zip(self._names, cells, strict=True)
        }

    @staticmethod
    def reads(head: bytes) -> bool:
        """Tell whether a document that begins so is in an encoding that is split here."""
        return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and (
            _DECLARED.search(head) is None or _UTF8.search(head) is not None
        )

    def end_of_rows(self, text: bytes, stop: int) -> int:
        """Return where the last whole row before `stop` ends; zero where none does."""
        found = text.rfind(self._row_end, 0, stop)
        return 0 if found < 0 else found + len(self._row_end)

    def split(self, text: bytes) -> list[pa.Array] | None:
        """Return the columns of some rows; None where an XML parser must read them, or say what is wrong."""
        lines = self._lines(text)
        if lines is None:
            return None
        found = self._parsed(lines, self._types)
        if found is None:  # a number that is written in another way, or worse
            found = self._parsed(lines, dict.fromkeys(self._names, pa.string()))
        return None if found is None else self._columns(found)

    def _lines(self, text: bytes) -> bytes | None:
        """Return one line a row, with blanks for ``TD>``; None where the text holds what XML forbids."""
        ends = text.count(b"\n")
        controls = int(np.count_nonzero(np.frombuffer(text, np.uint8) < 32))
        if controls != ends and controls != ends + text.count(b"\t") + text.count(b"\r"):
            return None
        if b"]" in text and b"]]>" in text:
            return None
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"/>" in text:
            text = self._empty.sub(self._full_cell, text)
        text = text.strip() + b"\n"
        if text.count(self._row_end + b"\n") != text.count(b"\n") or self._row_end + self._row in text:
            text = self._gaps.sub(rb"\1", text.strip()).replace(b"\n", _BREAK)
            text = text.replace(self._row_end, self._row_end + b"\n")
        return text.replace(self._cell, b"<" + b" " * self._blank)

    def _parsed(self, lines: bytes, types: dict[str, pa.DataType]) -> list[pa.Array] | None:
        tags = dict.fromkeys(self._tags, pa.string())
        try:
            table = csv.read_csv(
                pa.BufferReader(lines),
                csv.ReadOptions(column_names=self._fields, block_size=max(_BLOCK, len(lines) // 4)),
                csv.ParseOptions(
                    delimiter="<",
                    quote_char=False,
                    double_quote=False,
                    escape_char=False,
                    ignore_empty_lines=False,
                ),
                csv.ConvertOptions(
                    column_types={**tags, **types},
                    null_values=["", " " * self._blank],
                    strings_can_be_null=False,
                ),
            )
        except (
            pa.ArrowInvalid
        ):  # another number of cells, no UTF-8, no number, or a row too large for a block
            return None
        if any(not pc.all(pc.equal(table[name], tag)).as_py() for name, tag in self._tags.items()):
            return None
        return [table[name].combine_chunks() for name in self._names]

    def _columns(self, found: list[pa.Array]) -> list[pa.Array] | None:
        arrays = []
        for cell, values in zip(self._cells, found, strict=True):
            if not pa.types.is_string(values.type):
                arrays.append(without_null(values, cell.column.null))
                continue
            known = _resolved(values, self._blank)
            if known is None:
                return None
            try:
                arrays.append(parse_cells(cell, known))
            except CellError:
                return None
        return arrays


def _resolved(padded: pa.Array, blanks: int) -> pa.Array | None:
    """Return the cells behind their blanks, null where empty, line ends and references resolved.

    None where a reference is to something that XML itself does not know.
    """
    texts = pc.utf8_slice_codeunits(padded, blanks)
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if pc.any(pc.match_substring(texts, _BREAK.decode())).as_py():
        texts = pc.replace_substring(texts, _BREAK.decode(), "\n")
    marked = pc.match_substring(texts, "&").fill_null(False)
    if not pc.any(marked).as_py():
        return texts
    chosen = texts.filter(marked).to_pylist()
    if any("&" in _REFERENCE.sub("", text) for text in chosen):
        return None
    known = [_REFERENCE.sub(_character, text) for text in chosen]
    return pc.replace_with_mask(texts, marked, pa.array(known, pa.string()))


def _character(reference: re.Match[str]) -> str:
    return html.unescape(reference[0])
