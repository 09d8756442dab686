"""Rows of TABLEDATA cut by bytes instead of by an XML parser, many times faster.

In a table nearly everything is tags TR and TD and plain text between them, and what stands between two cells, and
between two rows, is the same everywhere: it is learned from the first row. So the places of all "<" are found at
once, and if they come in fours, as many as there are columns, and the same bytes stand at each, then all between them
are cells. Arrow reads the numbers of a column where they stand, with what is between two of them as a null. Whatever is
not plain (comments, CDATA, attributes, processing instructions, damage) does not fit; blanks that differ from row to row
are taken out first; and what remains is left to the XML parser, whose reading is the same.
"""

import html
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables.formats._arrow import cast_text, text_bytes
from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_text import CellError, parse_cells, without_null

__all__ = ["RowSplitter", "lines_in"]

_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_UTF8 = re.compile(rb"<\?xml[^>]*\sencoding\s*=\s*[\"'](?:utf-?8|us-ascii)[\"']", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]*\sencoding\s*=", re.IGNORECASE)
_WORD = 8
_EVERY_SECOND = 0b01010101


class RowSplitter:
    """Make columns of the text of whole TR elements.

    Parameters
    ----------
    cells
        The columns.
    prefix
        Namespace prefix of the elements with its colon, or nothing.

    Attributes
    ----------
    row_end, end_tag
        The tag that ends a row; how the tag begins that ends the table.
    """

    def __init__(self, cells: list[Cell], prefix: bytes) -> None:
        self._cells = cells
        row, row_end = b"<%sTR>" % prefix, b"</%sTR>" % prefix
        cell, cell_end = b"<%sTD>" % prefix, b"</%sTD>" % prefix
        self.row_end, self.end_tag = row_end, b"</%sTABLEDATA" % prefix
        self._full_cell = cell + cell_end
        self._empty_cells = (b"<%sTD/>" % prefix, b"<%sTD />" % prefix)
        self._tag = len(cell)
        blanks = rb"[ \t\n]"
        self._empty = re.compile(rb"<%sTD%s*/>" % (re.escape(prefix), blanks))
        self._gaps = re.compile(rb"(%s|%s|%s)%s+" % (row, row_end, cell_end, blanks))
        self._begin = re.compile(rb"%s*%s%s*%s" % (blanks, row, blanks, cell))
        self._end = re.compile(rb"%s%s*%s%s*" % (cell_end, blanks, row_end, blanks))
        self._between_cells = re.compile(rb"%s%s*%s" % (cell_end, blanks, cell))
        self._between_rows = re.compile(
            rb"%s%s*%s%s*%s%s*%s" % (cell_end, blanks, row_end, blanks, row, blanks, cell)
        )

    @staticmethod
    def reads(head: bytes) -> bool:
        """Tell whether a document that begins so is in an encoding that is cut here."""
        return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and (
            _DECLARED.search(head) is None or _UTF8.search(head) is not None
        )

    def up_to_end(self, text: bytes) -> bytes:
        """Return the whole rows before the end of the table, where that is in the text."""
        end = text.rfind(self.row_end, 0, max(0, text.find(self.end_tag)))
        return b"" if end < 0 else text[: end + len(self.row_end)]

    def split(self, text: bytes) -> list[pa.Array] | None:
        """Return the columns of some rows; None where an XML parser must read them, or say what is wrong."""
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        marks = self._marks(text)
        for change in (self._with_full_cells, self._without_gaps):
            if marks is None:
                text = change(text)
                marks = self._marks(text)
        return None if marks is None else self._columns(text, marks)

    def _with_full_cells(self, text: bytes) -> bytes:
        """Return the text with both tags of empty cells, where they are spelled as most spell them."""
        for empty in self._empty_cells:
            text = text.replace(empty, self._full_cell)
        return text

    def _without_gaps(self, text: bytes) -> bytes:
        """Return the text with both tags of empty cells, and without blanks between tags."""
        return self._gaps.sub(rb"\1", self._empty.sub(self._full_cell, text))

    def _marks(self, text: bytes) -> np.ndarray | None:
        """Return where tags begin (tags of a row x rows); None where there is more than rows and cells."""
        columns = len(self._cells)
        found = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("<"))
        if not len(found) or len(found) % (2 * columns + 2):
            return None
        marks = found.reshape(-1, 2 * columns + 2).T.astype(np.int32, order="C")
        rows_alike = (
            self._begin.fullmatch(text, 0, int(marks[1, 0]) + self._tag)
            and self._end.fullmatch(text, int(marks[-2, -1]))
            and _all_alike(text, marks[2:-2:2], marks[3:-1:2] + self._tag, self._between_cells)
            and _all_alike(text, marks[-2, :-1], marks[1, 1:] + self._tag, self._between_rows)
        )
        return marks if rows_alike else None

    def _columns(self, text: bytes, marks: np.ndarray) -> list[pa.Array] | None:
        buffer, marked = pa.py_buffer(text), b"&" in text
        arrays = []
        for cell, begins, ends in zip(self._cells, marks[1:-1:2] + self._tag, marks[2:-1:2], strict=True):
            try:
                array = _column(cell, _Spans(buffer, begins, ends), marked=marked)
            except (pa.ArrowInvalid, CellError):  # no UTF-8, or no number: the XML parser says where
                return None
            if array is None:
                return None
            arrays.append(array)
        return arrays


class _Spans:
    """The cells of a column where they stand; empty ones are null."""

    def __init__(self, text: pa.Buffer, begins: np.ndarray, ends: np.ndarray) -> None:
        self._rows = len(begins)
        known = begins != ends
        bounds = np.empty(2 * self._rows, np.int32)
        bounds[0::2], bounds[1::2] = begins, ends
        # every second value is what stands between two cells
        if known.all():
            self._known, shown = None, np.full(self._rows // 4 + 1, _EVERY_SECOND, np.uint8)
        else:
            self._known, shown = _bits(known), _bits(np.stack((known, np.zeros_like(known)), axis=1))
        self._buffers = [pa.py_buffer(shown), pa.py_buffer(bounds), text]

    def numbers(self, item: pa.DataType) -> pa.Array:
        """Return the cells as numbers.

        Raises
        ------
        pyarrow.ArrowInvalid
            If one is no number of the plainest spelling.
        """
        made = cast_text(self._all(pa.string()), item)
        values = np.frombuffer(made.buffers()[1], item.to_pandas_dtype(), len(made))[::2]
        known = None if self._known is None else pa.py_buffer(self._known)
        return pa.Array.from_buffers(item, self._rows, [known, pa.py_buffer(np.ascontiguousarray(values))])

    def texts(self) -> pa.Array:
        """Return the cells as texts.

        Raises
        ------
        pyarrow.ArrowInvalid
            If they are not in UTF-8.
        """
        return self._all(pa.binary()).take(pa.array(np.arange(self._rows) * 2)).cast(pa.string())

    def _all(self, kind: pa.DataType) -> pa.Array:
        return pa.Array.from_buffers(kind, 2 * self._rows - 1, self._buffers)


def _bits(flags: np.ndarray) -> np.ndarray:
    return np.packbits(flags, bitorder="little")


def _column(cell: Cell, spans: _Spans, *, marked: bool) -> pa.Array | None:
    """Return the values of a column; None where they hold what XML forbids or does not know."""
    if cell.is_scalar and not pa.types.is_boolean(cell.item):
        try:
            return without_null(spans.numbers(cell.item), cell.column.null)
        except pa.ArrowInvalid:
            pass  # blanks around it, a sign, hexadecimal digits, or damage
    texts = spans.texts()
    if _is_illegal(text_bytes(texts)):
        return None
    known = _resolved(texts) if marked else texts
    return None if known is None else parse_cells(cell, known)


def lines_in(text: bytes) -> int:
    """Return the number of line ends: where they are many, much faster than `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


def _is_illegal(raw: np.ndarray) -> bool:
    """Tell whether there are control characters that XML 1.0 section 2.2 forbids, or the end of a CDATA section."""
    controls = raw[raw < ord(" ")]
    legal = not len(controls) or bool(np.isin(controls, np.frombuffer(b"\t\n", np.uint8)).all())
    return not legal or (bool((raw == ord("]")).any()) and b"]]>" in raw.tobytes())


def _all_alike(text: bytes, begins: np.ndarray, ends: np.ndarray, pattern: re.Pattern[bytes]) -> bool:
    """Tell whether the same bytes stand in all of these places, and whether they are such as should stand there.

    A "<" is known to stand at the begin of each. The others are compared eight at a time: there are so many.
    """
    if not begins.size:
        return True
    begin = int(begins.flat[0])
    size = int(ends.flat[0]) - begin
    if pattern.fullmatch(text, begin, begin + size) is None or not (ends - begins == size).all():
        return False
    words = np.ndarray((len(text) - _WORD + 1,), np.uint64, text, 0, (1,))
    places = {min(place, size - _WORD) for place in range(1, size, _WORD)}
    return all(bool((words[begins + place] == words[begin + place]).all()) for place in places)


def _resolved(texts: pa.Array) -> pa.Array | None:
    """Return the cells with references resolved; None where one is to something that XML itself does not know."""
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
