"""Rows of TABLEDATA cut by bytes instead of by an XML parser, many times faster.

In a table nearly everything is tags TR and TD and plain text between them, and what stands between two cells, and
between two rows, is the same everywhere: it is learned from the first row. So the places of all "<" are found at
once, and if they come in fours, as many as there are columns, and the same bytes stand at each, then all between them
are cells, which Arrow gathers and parses a column at a time. Whatever is not plain (comments, CDATA, attributes,
processing instructions, damage) does not fit; blanks that differ from row to row are taken out first; and what
remains is left to the XML parser, whose reading is the same.
"""

import html
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_text import CellError, parse_cells

__all__ = ["RowSplitter", "lines_in"]

_PIECE = 1 << 20
_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_UTF8 = re.compile(rb"<\?xml[^>]*\sencoding\s*=\s*[\"'](?:utf-?8|us-ascii)[\"']", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]*\sencoding\s*=", re.IGNORECASE)


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
        self._row_end, self._full_cell = row_end, cell + cell_end
        self._tag = len(cell)
        self._empty = re.compile(rb"<%sTD\s*/>" % re.escape(prefix))
        self._gaps = re.compile(rb"(%s|%s|%s)\s+" % (row, row_end, cell_end))
        self._begin = re.compile(rb"\s*%s\s*%s" % (row, cell))
        self._end = re.compile(rb"%s\s*%s\s*" % (cell_end, row_end))
        self._between_cells = re.compile(rb"%s\s*%s" % (cell_end, cell))
        self._between_rows = re.compile(rb"%s\s*%s\s*%s\s*%s" % (cell_end, row_end, row, cell))

    @staticmethod
    def reads(head: bytes) -> bool:
        """Tell whether a document that begins so is in an encoding that is cut here."""
        return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and (
            _DECLARED.search(head) is None or _UTF8.search(head) is not None
        )

    def end_of_rows(self, text: bytes, stop: int) -> int:
        """Return where the last whole row before `stop` ends; zero where none does."""
        found = text.rfind(self._row_end, 0, stop)
        return 0 if found < 0 else found + len(self._row_end)

    def pieces(self, text: bytes) -> list[bytes]:
        """Return the whole rows in pieces, what is made of which stays in the caches of a processor."""
        found, begin, stop = [], 0, self.end_of_rows(text, len(text))
        while begin < stop:
            end = text.rfind(self._row_end, begin, begin + _PIECE)
            end = text.index(self._row_end, begin) if end < 0 else end
            found.append(text[begin : end + len(self._row_end)])
            begin = end + len(self._row_end)
        return found

    def split(self, text: bytes) -> list[pa.Array] | None:
        """Return the columns of some rows; None where an XML parser must read them, or say what is wrong."""
        if _is_illegal(text):
            return None
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        places = self._places(text)
        if places is None:
            text = self._gaps.sub(rb"\1", self._empty.sub(self._full_cell, text))
            places = self._places(text)
        return None if places is None else self._columns(text, places)

    def _places(self, text: bytes) -> np.ndarray | None:
        """Return where each cell begins and ends (rows x 2 columns); None where there is more than rows and cells."""
        columns = len(self._cells)
        found = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("<"))
        if not len(found) or len(found) % (2 * columns + 2):
            return None
        marks = found.reshape(-1, 2 * columns + 2)
        starts, ends = marks[:, 1:-1:2] + self._tag, marks[:, 2:-1:2]
        if not (
            self._begin.fullmatch(text, 0, int(starts[0, 0]))
            and self._end.fullmatch(text, int(ends[-1, -1]))
            and _all_alike(text, ends[:, :-1].reshape(-1), starts[:, 1:].reshape(-1), self._between_cells)
            and _all_alike(text, ends[:-1, -1], starts[1:, 0], self._between_rows)
        ):
            return None
        places = np.empty((len(marks), 2 * columns), np.int32)
        places[:, 0::2], places[:, 1::2] = starts, ends
        return places

    def _columns(self, text: bytes, places: np.ndarray) -> list[pa.Array] | None:
        rows, width = places.shape
        buffers = [None, pa.py_buffer(places), pa.py_buffer(text)]
        pieces = pa.Array.from_buffers(pa.binary(), rows * width - 1, buffers)
        marked, ascii_only = b"&" in text, text.isascii()
        arrays = []
        for index, cell in enumerate(self._cells):
            begin, end = places[:, 2 * index], places[:, 2 * index + 1]
            try:
                taken = pieces.take(pa.array(np.arange(rows) * width + 2 * index))
                values = _texts(taken if ascii_only else taken.cast(pa.string()), begin == end)
                known = _resolved(values) if marked else values
                if known is None:
                    return None
                arrays.append(parse_cells(cell, known))
            except (pa.ArrowInvalid, CellError):  # no UTF-8, or no number: the XML parser says where
                return None
        return arrays


def lines_in(text: bytes) -> int:
    """Return the number of line ends: where they are many, much faster than `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


def _is_illegal(text: bytes) -> bool:
    """Tell whether there are control characters that XML 1.0 section 2.2 forbids, or the end of a CDATA section."""
    raw = np.frombuffer(text, np.uint8)
    controls = int(np.count_nonzero(raw < 32)) - lines_in(text)
    legal = controls == 0 or controls == text.count(b"\t") + text.count(b"\r")
    return not legal or (b"]" in text and b"]]>" in text)


def _all_alike(text: bytes, begins: np.ndarray, ends: np.ndarray, pattern: re.Pattern[bytes]) -> bool:
    """Tell whether the same bytes stand in all of these places, and whether they are such as should stand there."""
    if not len(begins):
        return True
    first = text[begins[0] : ends[0]]
    if pattern.fullmatch(first) is None or not (ends - begins == len(first)).all():
        return False
    windows = np.ndarray((len(text) - len(first) + 1,), f"V{len(first)}", text, 0, (1,))
    return bool(windows[begins].tobytes() == first * len(begins))


def _texts(texts: pa.Array, empty: np.ndarray) -> pa.Array:
    """Return cells of no nulls as text, null where they are empty."""
    known = pa.py_buffer(np.packbits(~empty, bitorder="little")) if empty.any() else None
    return pa.Array.from_buffers(pa.string(), len(texts), [known, *texts.buffers()[1:]])


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
