"""The table that holds a compressed image (FITS Standard 4.0 section 10.1): where its tiles lie, read once.

What is not understood here is left to astropy.
"""

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.tiles import ALGORITHMS, DITHER, Column, Read, Tiles

__all__ = ["tiles_of"]

_BITPIX = frozenset({8, 16, 32, -32, -64})
_SIZES = {"B": 1, "I": 2, "J": 4, "E": 4, "D": 8}


def tiles_of(header: fits.Header, blank: int | None, offset: int, read: Read) -> Tiles | None:
    """Read where the tiles of an image lie; None where astropy has to read it.

    Parameters
    ----------
    header
        Of the table that holds the image.
    blank
        BLANK of the image, where there is one.
    offset
        Where the table's rows begin in the file.
    read
        Of the file.
    """
    try:
        return _tiles_of(header, blank, offset, read)
    except (KeyError, IndexError, ValueError, TypeError, EOFError):
        return None


def _tiles_of(header: fits.Header, blank: int | None, offset: int, read: Read) -> Tiles:
    algorithm, bitpix = str(header["ZCMPTYPE"]), int(header["ZBITPIX"])
    names = ALGORITHMS[algorithm]
    if bitpix not in _BITPIX:
        raise ValueError(bitpix)
    length, rows = int(header["NAXIS1"]), int(header["NAXIS2"])
    kind = _row_type(header)
    if kind.itemsize != length:
        raise ValueError(length)
    table = np.frombuffer(read([(offset, length * rows)])[0], kind)
    columns = {name.upper(): name for name in table.dtype.names or ()}

    def arrays(name: str) -> Column | None:
        if name not in columns:
            return None
        number = next(
            k for k in range(1, header["TFIELDS"] + 1) if header.get(f"TTYPE{k}", "").upper() == name
        )
        letter = str(header[f"TFORM{number}"]).lstrip("01")[1]
        return Column(table[columns[name]].astype(np.int64), _SIZES[letter])

    def floats(name: str) -> NDArray[np.float64] | None:
        return table[columns[name]].astype(np.float64).reshape(rows) if name in columns else None

    packed = arrays("COMPRESSED_DATA")
    if packed is None:
        raise KeyError("COMPRESSED_DATA")
    dimensions = range(int(header["ZNAXIS"]), 0, -1)
    said = {
        str(header[f"ZNAME{k}"]).upper(): header[f"ZVAL{k}"] for k in range(1, 100) if f"ZNAME{k}" in header
    }
    return Tiles(
        shape=tuple(int(header[f"ZNAXIS{n}"]) for n in dimensions),
        tile=tuple(int(header.get(f"ZTILE{n}", header["ZNAXIS1"] if n == 1 else 1)) for n in dimensions),
        bitpix=bitpix,
        algorithm=algorithm,
        settings=(int(said.get(names[0], names[1])), int(said.get(names[2], names[3]))),
        heap=offset + int(header.get("THEAP", length * rows)),
        packed=packed,
        gzipped=arrays("GZIP_COMPRESSED_DATA"),
        plain=arrays("UNCOMPRESSED_DATA"),
        scale=floats("ZSCALE"),
        zero=floats("ZZERO"),
        dither=DITHER[str(header.get("ZQUANTIZ", "NO_DITHER"))],
        seed=int(header.get("ZDITHER0", 0)),
        blank=header.get("ZBLANK", blank),
        blanks=table[columns["ZBLANK"]].astype(np.int64).reshape(rows) if "ZBLANK" in columns else None,
    )


def _row_type(header: fits.Header) -> np.dtype[np.void]:
    """Return the type of a row of the table: numbers, and descriptors of two of them."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = []
    for number in range(1, int(header["TFIELDS"]) + 1):
        name, form = str(header.get(f"TTYPE{number}", f"_{number}")), str(header[f"TFORM{number}"]).strip()
        repeat = form[: len(form) - len(form.lstrip("0123456789"))]
        letter = form[len(repeat)]
        if letter in "PQ":
            fields.append((name, ">i4" if letter == "P" else ">i8", (2,)))
        else:
            fields.append(
                (name, {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}[letter])
            )
    return np.dtype(fields)
