"""Copies of images in small tiles, so that a cutout need not unpack whole rows, or a whole file.

Many archives compress images by rows, as the standard does where nothing else is said: a cutout of 256 rows then unpacks
256 whole rows. A copy has tiles of 128 by 128 pixels and loses nothing: integers, also those that floating-point numbers
have become, are packed by Rice's algorithm, other numbers by GZIP with their bytes shuffled. It is a FITS file (Standard
4.0 section 10) that holds the pixels alone; AWEHDU tells which HDU each image is.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io import fits
from astropy.io.fits.hdu.compressed._compression import compress_rice_1_c
from numpy.typing import NDArray

from awe.core.science.celestial import quiet
from awe.core.science.fitsfile import FitsFile, open_fits
from awe.core.science.layout import LARGE, Image, Layout
from awe.core.science.retiled import Retiled
from awe.core.science.source import Source, open_local
from awe.core.science.tile_table import tiles_of
from awe.core.science.tiles import Tiles
from awe.errors import InputFileError

__all__ = ["has_large_tiles", "retile", "with_copies"]

_SIDE = 128
_BAND_BYTES = 32 << 20
_BLOCK = 2880

Pixels = NDArray[np.generic]
_Take = Callable[[tuple[slice, ...]], Pixels]


def has_large_tiles(hdus: FitsFile, *, packed: bool) -> bool:
    """Tell whether an open file has images that a copy may serve better.

    Parameters
    ----------
    packed
        Whether the file is compressed as a whole.
    """
    return packed or any(
        isinstance(hdu, fits.CompImageHDU) and len(hdu.shape) > 1 and max(hdu.tile_shape) >= LARGE
        for hdu in hdus
    )


def retile(layout: Layout, source: Source, out: BinaryIO) -> bool:
    """Write copies of the images of a file that have large tiles; return whether there are any.

    Memory holds some rows of an image at a time, or of its tiles where those are higher.

    Parameters
    ----------
    layout
        What the file says of itself.
    source
        The open file.
    out
        A new file, written from its beginning to its end and then in its middle.

    Raises
    ------
    InputFileError
        If it is damaged.
    """
    images = [image for image in layout.images.values() if image.in_large_tiles]
    if not images:
        return False
    header = fits.PrimaryHDU().header
    header["EXTEND"] = True
    out.write(header.tostring().encode())
    with open_fits(source) as hdus, quiet():
        for image in images:
            _write(out, image, _bands(image, hdus, source))
    return True


def with_copies(layout: Layout, file: Path) -> Layout:
    """Return a layout that takes pixels from a file that `retile` wrote, as far as that has them."""
    images = dict(layout.images)
    with (
        open_local(file) as copy,
        copy.stream() as stream,
        fits.open(stream, memmap=False, disable_image_compression=True) as hdus,
    ):
        for hdu in hdus[1:]:
            image = images[hdu.header["AWEHDU"]]
            tiles = tiles_of(hdu.header, None, hdu.fileinfo()["datLoc"], copy.read)
            if tiles is not None and tiles.shape == image.shape and image.in_large_tiles:
                original = image.pixels if isinstance(image.pixels, Tiles) else None
                images[image.number] = replace(image, pixels=Retiled(file, tiles, original))
    return replace(layout, images=images, in_large_tiles=False)


def _bands(image: Image, hdus: FitsFile, source: Source) -> Iterator[Pixels]:
    """Yield the pixels of an image, tiles of the copy being whole in each piece."""
    *planes, rows, columns = image.shape
    height = image.pixels.tile[-2] if isinstance(image.pixels, Tiles) else 1
    height = max(height, _BAND_BYTES // (columns * image.stored.itemsize))
    height = -(-height // _SIDE) * _SIDE
    take: _Take
    if not isinstance(image.pixels, Tiles):
        take = hdus[image.number].section.__getitem__
    elif image.pixels.quantized:
        tiles = image.pixels
        take = lambda index: tiles.integers(index, source.read)  # noqa: E731  # one of three ways to take
    else:
        tiles = image.pixels
        take = lambda index: tiles.pixels(index, source.read)  # noqa: E731
    for plane in product(*(range(n) for n in planes)):
        for first in range(0, rows, height):
            last = min(first + height, rows)
            index = (*(slice(n, n + 1, 1) for n in plane), slice(first, last, 1), slice(0, columns, 1))
            yield _taken(take, index, source.name, image.number).reshape(last - first, columns)


def _taken(take: _Take, index: tuple[slice, ...], name: str, number: int) -> Pixels:
    try:
        return np.asarray(take(index))
    except Exception as error:  # noqa: BLE001  # damaged data: a dozen kinds from astropy, zlib and numpy
        reason = f"its pixels cannot be read: {error or type(error).__name__}"
        raise InputFileError(name, reason, where=f"HDU {number}") from None


def _write(out: BinaryIO, image: Image, bands: Iterator[Pixels]) -> None:
    quantized = isinstance(image.pixels, Tiles) and image.pixels.quantized
    kind = np.dtype(">i4") if quantized else image.stored
    pack = _gzipped if kind.kind == "f" else _riced
    *planes, rows, columns = image.shape
    count = prod(planes) * -(-rows // _SIDE) * -(-columns // _SIDE)
    begin = out.tell()
    out.write(_header(image, kind, count, 0))
    place = out.tell()
    out.write(bytes(16 * count))
    found: list[tuple[int, int]] = []
    heap = 0
    for pixels in bands:
        for first in range(0, len(pixels), _SIDE):
            for left in range(0, columns, _SIDE):
                packed = pack(pixels[first : first + _SIDE, left : left + _SIDE], kind)
                found.append((len(packed), heap))
                heap += out.write(packed)
    out.write(bytes(-(16 * count + heap) % _BLOCK))
    end = out.tell()
    out.seek(begin)
    out.write(_header(image, kind, count, heap))
    out.seek(place)
    out.write(np.array(found, ">i8").tobytes())
    out.seek(end)


def _riced(pixels: Pixels, kind: np.dtype[np.generic]) -> bytes:
    native = np.ascontiguousarray(pixels, kind.newbyteorder("="))
    return bytes(compress_rice_1_c(native.tobytes(), 32, kind.itemsize))


def _gzipped(pixels: Pixels, kind: np.dtype[np.generic]) -> bytes:
    stored = np.ascontiguousarray(pixels, kind)
    shuffled = stored.view(np.uint8).reshape(stored.size, kind.itemsize).T
    return gzip.compress(shuffled.tobytes(), compresslevel=1, mtime=0)


def _header(image: Image, kind: np.dtype[np.generic], count: int, heap: int) -> bytes:
    """Return the header of the table that holds an image (sections 10.1.1 and 10.1.2)."""
    floats = kind.kind == "f"
    said: Mapping[str, object] = {
        "XTENSION": "BINTABLE", "BITPIX": 8, "NAXIS": 2, "NAXIS1": 16, "NAXIS2": count, "PCOUNT": heap, "GCOUNT": 1,
        "TFIELDS": 1, "TTYPE1": "COMPRESSED_DATA", "TFORM1": "1QB", "ZIMAGE": True,
        "ZBITPIX": kind.itemsize * (-8 if floats else 8), "ZNAXIS": len(image.shape),
        **{f"ZNAXIS{n}": size for n, size in enumerate(reversed(image.shape), start=1)},
        **{f"ZTILE{n}": _SIDE if n < 3 else 1 for n in range(1, len(image.shape) + 1)},
        "ZCMPTYPE": "GZIP_2" if floats else "RICE_1",
        **({} if floats else {"ZNAME1": "BLOCKSIZE", "ZVAL1": 32, "ZNAME2": "BYTEPIX", "ZVAL2": kind.itemsize}),
        "AWEHDU": image.number,
    }  # fmt: skip
    header = fits.Header()
    for keyword, value in said.items():
        header[keyword] = value
    return bytes(header.tostring().encode())
