"""Cut a region of the sky out of the images of a FITS file.

Only the pixels wanted are read: rows of a plain image, tiles of a compressed one (`awe.core.science.layout`).
What is answered is a FITS file of the same structure as its source:

- the primary header is kept;
- every science image that the region touches is cut to the region's pixel box (`awe.core.science.pixels`),
  with its ERR, DQ, WHT, ... of the same EXTVER and the distortion tables that its header names;
- CRPIX and the LTV of the physical coordinates are shifted, which moves SIP polynomials too; distortion
  tables get their own reference moved;
- integers stay integers, with their BSCALE, BZERO and BLANK; compressed images come out uncompressed;
- pixels of the box outside a circle or polygon keep their values, and NaN borders stay.

Wavelengths, times and polarisation states are cut on the axes of a cube (`awe.core.science.axes`); an image without
such an axis is either what was asked for or not.
"""

import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import starmap

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.axes import Axis, Pixels, states_within, stokes_axis
from awe.core.science.cards import Cards, Number
from awe.core.science.images import ScienceImage
from awe.core.science.layout import Image, Layout, Reader
from awe.core.science.pixels import PixelBox, pixel_box
from awe.core.sky import Region
from awe.errors import LimitError, ParameterError

__all__ = ["Cutout", "Known", "Wanted", "cut"]

_BLOCK = 2880
_CHUNK_BYTES = 1 << 20
_REFERENCE = re.compile(r"^([OS]?)CRPIX(\d)([A-Z]?)$")
_PHYSICAL = re.compile(r"^LTV(\d)$")

_Hdu = tuple[bytes, NDArray[np.generic] | None]
"""The bytes of a header, and pixels as FITS stores them."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A FITS file in memory.

    Attributes
    ----------
    parts
        The headers with their padding, and the pixels in the order of bytes of FITS.
    filename
        A name for it.
    """

    parts: tuple[_Hdu, ...]
    filename: str

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        lengths = ((len(head), 0 if data is None else data.nbytes) for head, data in self.parts)
        return sum(head + data + -data % _BLOCK for head, data in lengths)

    def write(self) -> Iterator[bytes]:
        """Yield the bytes of the file, small files at once."""
        waiting: list[bytes | memoryview] = []
        for piece in self._pieces():
            waiting.append(piece)
            if sum(map(len, waiting)) >= _CHUNK_BYTES:
                yield b"".join(waiting)
                waiting.clear()
        if waiting:
            yield b"".join(waiting)

    def open(self) -> fits.HDUList:
        """Return the file as astropy has it; close it when done."""
        return fits.open(io.BytesIO(b"".join(self.write())))

    def _pieces(self) -> Iterator[bytes | memoryview]:
        for head, data in self.parts:
            yield head
            if data is not None:
                stored = data.reshape(-1).view(np.uint8).data
                for start in range(0, len(stored), _CHUNK_BYTES):
                    yield stored[start : start + _CHUNK_BYTES]
                yield bytes(-data.nbytes % _BLOCK)


Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to cut; all of it where nothing is said.

    Attributes
    ----------
    region
        The part of the sky.
    band
        Wavelengths (metres, vacuum), both ends included.
    time
        Times (MJD, UTC), both ends included.
    pol
        Polarisation states.
    """

    region: Region | None = None
    band: Interval | None = None
    time: Interval | None = None
    pol: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of images that have no axis for it: wavelengths (m), times (MJD, UTC), polarisation states."""

    band: Interval | None = None
    time: Interval | None = None
    pol: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cut:
    """What to take of one science image: pixels by axis, axes counted from zero in FITS order."""

    image: ScienceImage
    box: PixelBox
    ranges: Mapping[int, Pixels]

    @property
    def index(self) -> tuple[slice, ...]:
        """The pixels by axis, in numpy's order."""
        sizes = reversed(list(enumerate(reversed(self.image.shape))))
        return tuple(self.ranges[k].to_slice() if k in self.ranges else slice(0, n, 1) for k, n in sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many pixels that is by axis, in numpy's order."""
        return tuple(len(range(s.start, s.stop, s.step)) for s in self.index)


def cut(
    layout: Layout,
    reader: Reader,
    name: str,
    wanted: Wanted,
    known: Known | None = None,
    *,
    only: Collection[int] | None = None,
    max_pixels: int,
) -> Cutout | None:
    """Cut a piece out of a file.

    Parameters
    ----------
    layout
        What the file says of itself.
    reader
        The open file.
    name
        What it is, for the history of the cutout and its file name.
    wanted
        What to cut.
    known
        What the index knows of the images beside their headers.
    only
        The numbers of the science HDUs to cut; all of them when None.
    max_pixels
        The largest cutout that is made.

    Returns
    -------
    Cutout or None
        None where the file has no pixel of what is wanted.

    Raises
    ------
    LimitError
        If the cutout would hold more pixels than `max_pixels`.
    ParameterError
        If wavelengths, times or states are wanted of a file for which they are not known.
    InputFileError
        If the file's data cannot be read.
    """
    images = [image for image in layout.science if only is None or image.hdu in only]
    cuts = [found for image in images if (found := _plan(layout, image, wanted, known or Known()))]
    if not cuts:
        return None
    parts = [(one, [one.image.hdu, *layout.companions[one.image.hdu]]) for one in cuts]
    pixels = sum(int(np.prod(one.shape)) * len(numbers) for one, numbers in parts)
    if pixels > max_pixels:
        raise LimitError(
            f"the cutout would hold {pixels:,} pixels, the limit is {max_pixels:,}",
            hint="ask for a smaller region, or fetch the whole file",
            pixels=pixels,
        )
    made = tuple(_assembled(layout, reader, parts, name, wanted.region))
    return Cutout(made, f"{re.sub(r'[^A-Za-z0-9._+-]+', '_', name)}_cutout.fits")


def _plan(layout: Layout, image: ScienceImage, wanted: Wanted, known: Known) -> _Cut | None:
    box = PixelBox.whole(image.wcs) if wanted.region is None else pixel_box(image.wcs, wanted.region)
    if box is None:
        return None
    x, y = image.wcs.axes
    ranges = {x: Pixels(box.x0, box.x1), y: Pixels(box.y0, box.y1)}
    for name, interval, coverage, axis in (
        ("BAND", wanted.band, known.band, layout.spectral.get(image.hdu)),
        ("TIME", wanted.time, known.time, layout.time.get(image.hdu)),
    ):
        if interval is not None and not _narrow(ranges, name, interval, coverage, axis):
            return None
    return _Cut(image, box, ranges) if _polarised(ranges, image, wanted.pol, known.pol) else None


def _narrow(
    ranges: dict[int, Pixels], name: str, interval: Interval, coverage: Interval | None, axis: Axis | None
) -> bool:
    """Narrow the pixels of an axis to an interval; return whether anything is left."""
    if axis is None:
        if coverage is None:
            what = {"BAND": "wavelengths", "TIME": "times"}[name]
            raise ParameterError(
                name, f"{interval[0]:g} {interval[1]:g}", f"the {what} of this image are not known"
            )
        return coverage[0] <= interval[1] and interval[0] <= coverage[1]
    found = axis.within(interval)
    if found is not None:
        ranges[axis.number] = found
    return found is not None


def _polarised(
    ranges: dict[int, Pixels], image: ScienceImage, wanted: tuple[str, ...], known: tuple[str, ...]
) -> bool:
    """Narrow the pixels of the STOKES axis to some states; return whether anything is left."""
    if not wanted:
        return True
    axis = stokes_axis(image)
    if axis is None:
        if not known:
            raise ParameterError(
                "POL", " ".join(wanted), "the polarisation states of this image are not known"
            )
        return any(state in known for state in wanted)
    number, states = axis
    found = states_within(states, wanted)
    if found is not None:
        ranges[number] = found
    return found is not None


def _assembled(
    layout: Layout, reader: Reader, parts: list[tuple[_Cut, list[int]]], name: str, region: Region | None
) -> Iterator[_Hdu]:
    """Yield the HDUs of a cutout; numbers of distortion tables are counted anew."""
    numbers = [number for _, some in parts for number in some]
    tables: dict[str, list[_Hdu]] = {}
    hdus: list[tuple[Cards, dict[str, Number], str, NDArray[np.generic] | None, dict[str, int]]] = []
    for one, some in parts:
        versions = _move_tables(layout.images[one.image.hdu], one, tables)
        for number in some:
            image = layout.images[number]
            data = _read(reader, image, one) if image.shape else None
            hdus.append(
                (image.cards, _moved(image.cards, one, data), _history(one, name, region), data, versions)
            )
    if numbers[0] != 0:
        hdus.insert(0, (layout.primary, {}, "", None, {}))
    more = len(hdus) - 1 + sum(map(len, tables.values()))
    first = hdus[0][1]
    first |= {k: v for k, v in (("EXTEND", more > 0), ("NEXTEND", more)) if k in hdus[0][0].places}
    for cards, changed, history, data, versions in hdus:
        yield _named(cards.write(changed, history), versions), data
    for kind in tables.values():
        yield from kind


def _read(reader: Reader, image: Image, one: _Cut) -> NDArray[np.generic]:
    data = reader.pixels(image, one.index)
    return np.ascontiguousarray(data.astype(image.stored, copy=False))


def _history(one: _Cut, name: str, region: Region | None) -> str:
    where = ",".join(starmap(_section, sorted(one.ranges.items())))
    what = f"{region.to_dali()} " if region is not None else ""
    return f"Cutout by awe: {what}of {name}, pixels [{where}] of HDU {one.image.hdu}"


def _section(_axis: int, pixels: Pixels) -> str:
    step = f":{pixels.step}" if pixels.step > 1 else ""
    return f"{pixels.first + 1}:{pixels.end}{step}"


def _moved(cards: Cards, one: _Cut, data: NDArray[np.generic] | None) -> dict[str, Number]:
    """Return what a part's header says otherwise: sizes, and the reference pixels of every WCS.

    Alternate ones bear a letter; the physical one is IRAF's. Reference pixels that instruments keep beside (OCRPIX,
    SCRPIX) move too.
    """
    changed: dict[str, Number] = {}
    if data is not None:
        changed |= {f"NAXIS{n}": size for n, size in enumerate(reversed(data.shape), start=1)}
    for keyword, value in cards.numbers.items():
        if found := _REFERENCE.match(keyword):
            kept, axis, alternate = found[1], int(found[2]), found[3]
            pixels = one.ranges.get(axis - 1)
            if pixels is None:
                continue
            changed[keyword] = value - pixels.first
            if pixels.step > 1 and not kept:
                changed[keyword] = (value - pixels.first - 1.0) / pixels.step + 1.0
                changed |= _stretched(cards, axis, alternate, pixels.step)
        elif (found := _PHYSICAL.match(keyword)) and int(found[1]) - 1 in one.ranges:
            changed[keyword] = value - one.ranges[int(found[1]) - 1].first
        elif data is None and keyword[:4] == "NPIX" and keyword[4:].isdigit():
            # an array that HST writes as one value, PIXVALUE, for NPIX1 by NPIX2 pixels
            pixels = one.ranges.get(int(keyword[4:]) - 1)
            changed |= {} if pixels is None else {keyword: pixels.count}
    return changed


def _stretched(cards: Cards, axis: int, alternate: str, step: int) -> dict[str, Number]:
    """Make the pixels of an axis `step` times as long; the first one stays where it is."""
    entries = [k for k in cards.numbers if re.match(rf"^CD\d+_{axis}{alternate}$", k)]
    return {entry: cards.numbers[entry] * step for entry in entries or [f"CDELT{axis}{alternate}"]}


def _move_tables(image: Image, one: _Cut, tables: dict[str, list[_Hdu]]) -> dict[str, int]:
    """Copy the distortion tables of an image, moved as its pixels are; return their new numbers by keyword."""
    versions = {}
    for lookup in image.lookups:
        some = tables.setdefault(lookup.kind, [])
        numbers = lookup.cards.numbers
        firsts = {"CRVAL1": one.box.x0, "CRVAL2": one.box.y0}
        changed = {k: numbers[k] - first for k, first in firsts.items()} | {"EXTVER": len(some) + 1}
        some.append((lookup.cards.write(changed), lookup.data))
        if len(some) != lookup.version:
            versions[lookup.key] = len(some)
    return versions


def _named(head: bytes, versions: Mapping[str, int]) -> bytes:
    """Name the copies of distortion tables in a header, where they have other numbers than in the source."""
    if not versions:
        return head
    header = fits.Header.fromstring(head.decode("ascii"))
    for key, version in versions.items():
        if key in header:
            header[key] = float(version)
    return bytes(header.tostring().encode("ascii"))
