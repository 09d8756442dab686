"""Characters of BINARY and BINARY2 to texts, a column at a time (VOTable 1.5 sections 2.1 and 5.3).

A text ends at its first NUL. The characters of a column are one string of bytes, in which numpy finds where each text begins
and ends; only arrays of several texts, characters beyond the Basic Multilingual Plane and damage are looked at one by one.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_text import CellError

__all__ = ["texts"]

_SURROGATES = (0xD800, 0xDFFF)


def texts(cell: Cell, data: np.ndarray, counts: np.ndarray | None, null: np.ndarray | None) -> pa.Array:
    """Return the texts of a column.

    Parameters
    ----------
    data
        The bytes of all characters (uint8).
    counts
        Characters of each text; None where all have the same number (then data are rows x bytes).
    null
        Which are null; None where those of no characters are.

    Raises
    ------
    CellError
        With the index of the first one that is not in UTF-8, or not in UTF-16.
    """
    size = 2 if cell.datatype == "unicodeChar" else 1
    sizes = np.full(len(data), data.size // max(1, len(data)) // size) if counts is None else counts
    made = None if cell.width else _sliced(data.reshape(-1), sizes, null, wide=size == 2)
    if made is None:
        made = pa.array(list(_strings(cell, data.tobytes(), sizes * size, null)), pa.string())
    return made


def _sliced(data: np.ndarray, sizes: np.ndarray, null: np.ndarray | None, *, wide: bool) -> pa.Array | None:
    """Return the texts; None where they have to be looked at one by one."""
    characters = data.view(">u2") if wide else data
    ends = np.cumsum(sizes)
    begins = ends - sizes
    nuls = np.flatnonzero(characters == 0)
    if len(nuls):
        first = np.append(nuls, len(characters))[np.searchsorted(nuls, begins)]
        ends = np.minimum(ends, first)
    known = ends > begins if null is None else ~null
    if wide:
        low, high = _SURROGATES
        if ((characters >= low) & (characters <= high)).any():
            return None
        widths = 1 + (characters >= 0x80).astype(np.int8) + (characters >= 0x800)
        places = np.concatenate([[0], np.cumsum(widths, dtype=np.int64)])
        begins, ends = places[begins], places[ends]
        content = pa.py_buffer(data.tobytes().decode("utf-16-be").encode())
    else:
        content = pa.py_buffer(data)
    bounds = np.empty(2 * len(sizes), np.int32)
    bounds[0::2], bounds[1::2] = begins, ends  # every second value is what stands between two texts
    shown = np.zeros(len(bounds), bool)
    shown[0::2] = known
    buffers = [pa.py_buffer(np.packbits(shown, bitorder="little")), pa.py_buffer(bounds), content]
    spread = pa.Array.from_buffers(pa.binary(), max(0, len(bounds) - 1), buffers)
    try:
        return spread.take(pa.array(np.arange(len(sizes)) * 2)).cast(pa.string())
    except pa.ArrowInvalid:
        return None


def _joined(text: str, width: int) -> str:
    """Return a text up to its first NUL; several texts of a fixed width with blanks up to that width."""
    if not width or len(text) <= width:
        return text.partition("\0")[0]
    parts = (text[start : start + width].partition("\0")[0] for start in range(0, len(text), width))
    return "".join(part.ljust(width) for part in parts)


def _strings(cell: Cell, data: bytes, sizes: np.ndarray, null: np.ndarray | None) -> Iterator[str | None]:
    """Yield the texts one by one."""
    encoding = "utf-16-be" if cell.datatype == "unicodeChar" else "utf-8"
    position = 0
    for row, size in enumerate(sizes.tolist()):
        piece = data[position : position + size]
        position += size
        try:
            text = _joined(piece.decode(encoding), cell.width)
        except UnicodeDecodeError:
            raise CellError(row, f"{piece!r} is not {encoding} text") from None
        missing = text == "" if null is None else bool(null[row])
        yield None if missing else text
