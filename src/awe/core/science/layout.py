"""What an image file says of itself and where its pixels are: read once, kept for every request that follows.

A `Layout` holds no file open. Whoever takes pixels opens the file, which takes microseconds on this machine, and sees by
its size and times whether it is still the one that was read.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.axes import Axis, spectral_axis, time_axis
from awe.core.science.cards import Cards
from awe.core.science.celestial import NoCelestialWCSError, quiet
from awe.core.science.fitsfile import FitsFile, open_fits
from awe.core.science.images import ANCILLARY, ScienceImage, science_images
from awe.core.science.retiled import Retiled
from awe.core.science.source import Source, State
from awe.core.science.tile_table import tiles_of
from awe.core.science.tiles import Tiles
from awe.errors import InputFileError

__all__ = ["LARGE", "Image", "Layout", "Lookup", "Reader"]

_TABLES = {"CPDIS": ("DP", "WCSDVARR"), "D2IMDIS": ("D2IM", "D2IMARR")}
"""Distortion keyword: the record that names its table, and the table's EXTNAME."""

_STALE = (
    "CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM", "DATASEC", "TRIMSEC", "BIASSEC", "CCDSEC", "DETSEC",
    "AMPSEC", "XTENSION", "PCOUNT", "GCOUNT", "DATAMIN", "DATAMAX", "GOODMIN", "GOODMAX", "GOODMEAN", "NGOODPIX",
)  # fmt: skip
_OF_THE_IMAGE = re.compile(
    r"^(NAXIS\d|BSCALE|BZERO|BLANK|CTYPE\d|CRVAL\d|CRPIX\d|CDELT\d|CUNIT\d|CD\d|PC\d|WCSAXES)"
)
_STORED = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
LARGE = 1024
"""Tiles that are so long are large: a cutout needs little of them."""
_PARSED = 1500
"""Bytes that a card takes in memory where astropy has parsed it, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A distortion table of an image.

    Attributes
    ----------
    key
        The keyword of the record that names it: ``DP1.EXTVER``.
    kind, version
        Its EXTNAME and EXTVER.
    cards, data
        Its header and its values.
    """

    key: str
    kind: str
    version: int
    cards: Cards
    data: NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An HDU that holds an image, or stands for one.

    Attributes
    ----------
    number
        Of the HDU.
    shape
        In numpy's order; empty where there are no pixels.
    stored
        The type of the pixels as they are stored.
    cards
        The header of an uncompressed image with the same pixels, without what is no longer true of a part of it.
    pixels
        Where they are: the place of the first one, tiles, or a copy in smaller tiles; None where only astropy can read them.
    lookups
        Its distortion tables.
    """

    number: int
    shape: tuple[int, ...]
    stored: np.dtype[np.generic]
    cards: Cards
    pixels: int | Tiles | Retiled | None
    lookups: tuple[Lookup, ...] = ()

    @property
    def in_large_tiles(self) -> bool:
        """Whether a copy in small tiles would be read faster, and can be made."""
        if len(self.shape) < 2 or isinstance(self.pixels, int | Retiled):
            return False
        if self.pixels is None:
            return self.stored.kind != "i" or self.stored.itemsize <= 4
        tiles = self.pixels
        rows = tiles.tile[-1] >= tiles.shape[-1] and all(n == 1 for n in tiles.tile[:-2])
        return max(tiles.tile) >= LARGE and (rows or not tiles.quantized)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What is known of a file.

    Attributes
    ----------
    state
        Of the file that it is true of.
    science
        The science images.
    images
        Science images and what describes their pixels, by number.
    companions
        The numbers of what describes the pixels of a science image.
    primary
        A primary header without an image, for answers that do not begin with one.
    spectral, time
        The axes of wavelength and time of cubes, by number.
    in_large_tiles
        Whether one of the images would be read faster from a copy in small tiles.
    """

    state: State
    science: tuple[ScienceImage, ...]
    images: Mapping[int, Image]
    companions: Mapping[int, tuple[int, ...]]
    primary: Cards
    spectral: Mapping[int, Axis | None] = field(default_factory=dict)
    time: Mapping[int, Axis | None] = field(default_factory=dict)
    in_large_tiles: bool = False

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        images = self.images.values()
        axes = [*self.spectral.values(), *self.time.values()]
        return (
            sum(_PARSED * len(image.header) for image in self.science)
            + sum(2 * image.cards.size for image in images)
            + sum(image.pixels.size for image in images if isinstance(image.pixels, Tiles | Retiled))
            + sum(lookup.data.nbytes for image in images for lookup in image.lookups)
            + sum(axis.low.nbytes + axis.high.nbytes for axis in axes if axis is not None)
        )

    @classmethod
    def read(cls, source: Source) -> "Layout":
        """Read what a file says of itself.

        Raises
        ------
        InputFileError
            If it is no FITS file, cannot be read, or holds no image of the sky.
        """
        with _said_of(source.name), open_fits(source) as hdus, quiet():
            packed = source.read([(0, 6)]) != [b"SIMPLE"]
            science = tuple(science_images(hdus))
            companions = {image.hdu: _companions(hdus, image) for image in science}
            numbers = {n for one, others in companions.items() for n in (one, *others)}
            tables = {} if packed else _tables(source)
            cubes = [image for image in science if len(image.shape) > 2]
            images = {n: _image(hdus, n, tables.get(n), source, packed=packed) for n in sorted(numbers)}
            return cls(
                state=source.state,
                science=science,
                images=images,
                companions=companions,
                primary=_primary(hdus[0]),
                spectral={image.hdu: spectral_axis(image, hdus) for image in cubes},
                time={image.hdu: time_axis(image, hdus) for image in cubes},
                in_large_tiles=any(image.in_large_tiles for image in images.values()),
            )


@contextmanager
def _said_of(name: str) -> Iterator[None]:
    """Say in words what is wrong with a file whose headers cannot be used."""
    try:
        yield
    except InputFileError:
        raise
    except NoCelestialWCSError as error:
        where = None if error.hdu is None else f"HDU {error.hdu}"
        raise InputFileError(name, str(error), where=where) from None
    except Exception as error:  # noqa: BLE001  # damaged cards: a dozen kinds from astropy
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputFileError(name, f"its headers cannot be read: {said}") from None


class Reader:
    """Takes pixels of an open file; as many threads as like may do so."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def state(self) -> State:
        """What changes with the file."""
        return self._source.state

    def pixels(self, image: Image, index: tuple[slice, ...]) -> NDArray[np.generic]:
        """Return pixels as they are stored, for each axis in numpy's order.

        Raises
        ------
        InputFileError
            If they cannot be read.
        """
        try:
            where = image.pixels
            if isinstance(where, Retiled):
                try:
                    return where.pixels(index, self._source.read)
                except (InputFileError, EOFError):  # the copy is gone, or was cut short
                    where = where.original
            if isinstance(where, Tiles):
                return where.pixels(index, self._source.read)
            if where is not None:
                return _plain(image, where, index, self._source)
            with open_fits(self._source) as hdus, quiet():
                return np.asarray(hdus[image.number].section[index])
        except InputFileError:
            raise
        except Exception as error:  # noqa: BLE001  # truncated or damaged data: a dozen kinds from astropy, zlib and numpy
            reason = f"its pixels cannot be read: {error or type(error).__name__}"
            raise InputFileError(self._source.name, reason, where=f"HDU {image.number}") from None


def _plain(image: Image, first: int, index: tuple[slice, ...], source: Source) -> NDArray[np.generic]:
    """Read the rows of a box: apart, or together with what is between them where that is little."""
    *outer, along = index
    width = image.stored.itemsize
    row, wanted = image.shape[-1] * width, (along.stop - along.start) * width
    starts = np.zeros(1, np.int64)
    for axis, part in enumerate(outer):
        starts = starts[..., None] * image.shape[axis] + np.arange(part.start, part.stop, part.step or 1)
    places = first + starts.reshape(-1) * row + along.start * width
    shape = [len(range(s.start, s.stop, s.step or 1)) for s in outer]
    if row - wanted <= source.near and (len(places) == 1 or np.all(np.diff(places) == row)):
        (data,) = source.read([(int(places[0]), (len(places) - 1) * row + wanted)])
        rows = np.lib.stride_tricks.as_strided(
            np.frombuffer(data, image.stored), (len(places), wanted // width), (row, width), writeable=False
        )
    else:
        data = b"".join(source.read([(place, wanted) for place in places.tolist()]))
        rows = np.frombuffer(data, image.stored).reshape(len(places), wanted // width)
    return rows[:, :: along.step or 1].reshape(*shape, -1)


def _companions(hdus: FitsFile, image: ScienceImage) -> tuple[int, ...]:
    """Return the HDUs that describe the pixels of an image: ancillary, same EXTVER, same shape or empty."""
    main = hdus[image.hdu]
    return tuple(
        number
        for number, hdu in enumerate(hdus)
        if number and number != image.hdu and getattr(hdu, "is_image", False)
        and hdu.name.upper() in ANCILLARY - {"WCSDVARR", "D2IMARR"}
        and hdu.ver == main.ver and hdu.shape in {image.shape, ()}
    )  # fmt: skip


def _tables(source: Source) -> dict[int, tuple[int, fits.Header]]:
    """Return where the tables are that hold compressed images, and their headers."""
    with source.stream() as stream, fits.open(stream, memmap=False, disable_image_compression=True) as hdus:
        return {
            number: (hdu.fileinfo()["datLoc"], hdu.header.copy())
            for number, hdu in enumerate(hdus)
            if "ZIMAGE" in hdu.header
        }


def _image(
    hdus: FitsFile, number: int, table: tuple[int, fits.Header] | None, source: Source, *, packed: bool
) -> Image:
    hdu = hdus[number]
    stored = np.dtype(_STORED[int(hdu.header["BITPIX"])])
    place: int | Tiles | None = None
    if isinstance(hdu, fits.CompImageHDU):
        if table is not None:
            place = tiles_of(table[1], hdu.header.get("BLANK"), table[0], source.read)
    elif hdu.shape and not packed:
        place = int(hdu.fileinfo()["datLoc"])
    cards = _cards(hdu, stored, primary=number == 0)
    return Image(number, tuple(hdu.shape), stored, cards, place, tuple(_lookups(hdus, hdu.header)))


def _cards(hdu: fits.ImageHDU, stored: np.dtype[np.generic], *, primary: bool) -> Cards:
    header = _clean(hdu.header.copy())
    scaling = {k: header[k] for k in ("BSCALE", "BZERO", "BLANK") if k in header}
    kind = fits.PrimaryHDU if primary else fits.ImageHDU
    pixels = np.zeros((1,) * len(hdu.shape), stored) if hdu.shape else None
    made = kind(pixels, header, do_not_scale_image_data=True).header
    # astropy takes the scaling for done when it is handed an array; the pixels are still raw.
    for keyword, value in scaling.items():
        made[keyword] = value
    for n in range(1, len(hdu.shape) + 1):
        _default(made, n)
    if primary:
        made.setdefault("EXTEND", True)
    return Cards.of(made)


def _default(header: fits.Header, n: int) -> None:
    """State what the standard says of an axis where its header says nothing (section 8.2)."""
    if f"CTYPE{n}" in header:
        header.setdefault(f"CRPIX{n}", 0.0)
    if f"LTM{n}_{n}" in header:
        header.setdefault(f"LTV{n}", 0.0)
    for alternate in [m[1] for key in list(header) if (m := re.match(rf"^CRPIX{n}([A-Z]?)$", key))]:
        if not any(re.match(rf"^CD\d+_{n}{alternate}$", key) for key in header):
            header.setdefault(f"CDELT{n}{alternate}", 1.0)


def _primary(hdu: fits.PrimaryHDU) -> Cards:
    header = _clean(hdu.header.copy())
    if hdu.is_image and hdu.shape:  # an image that is not part of the answer
        for keyword in [key for key in header if _OF_THE_IMAGE.match(key)]:
            header.remove(keyword, ignore_missing=True, remove_all=True)
        header["NAXIS"] = 0
    made = fits.PrimaryHDU(header=header).header
    made.setdefault("EXTEND", True)
    return Cards.of(made)


def _clean(header: fits.Header) -> fits.Header:
    for keyword in _STALE:
        header.remove(keyword, ignore_missing=True, remove_all=True)
    return header


def _lookups(hdus: FitsFile, header: fits.Header) -> Iterator[Lookup]:
    for keyword, (record, kind) in _TABLES.items():
        for axis in (1, 2):
            if str(header.get(f"{keyword}{axis}", "")).strip().upper() != "LOOKUP":
                continue
            key = f"{record}{axis}.EXTVER"
            version = int(header.get(key, 1))
            table = hdus[kind, version].copy()
            for direction in (1, 2):
                table.header.setdefault(f"CRVAL{direction}", 0.0)
            table.header["EXTVER"] = version
            yield Lookup(key, kind, version, Cards.of(table.header), np.asarray(table.data))
