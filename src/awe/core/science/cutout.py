"""Cut a region of the sky out of the images of an open FITS file.

Only the pixels wanted are read: rows of a plain image, tiles of a compressed one (astropy's ``section``).
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

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import starmap

import numpy as np
from astropy.io import fits

from awe.core.science.axes import Axis, Pixels, spectral_axis, states_within, stokes_axis, time_axis
from awe.core.science.celestial import quiet
from awe.core.science.images import ANCILLARY, ScienceImage, science_images
from awe.core.science.pixels import PixelBox, pixel_box
from awe.core.sky import Region
from awe.errors import InputFileError, LimitError, ParameterError

__all__ = ["Cutout", "Known", "Wanted", "cut"]

_TABLES = {"CPDIS": ("DP", "WCSDVARR"), "D2IMDIS": ("D2IM", "D2IMARR")}
"""Distortion keyword: the record that names its table, and the table's EXTNAME."""

_STALE = (
    "CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM", "DATASEC", "TRIMSEC", "BIASSEC", "CCDSEC", "DETSEC",
    "AMPSEC", "XTENSION", "PCOUNT", "GCOUNT", "DATAMIN", "DATAMAX", "GOODMIN", "GOODMAX", "GOODMEAN", "NGOODPIX",
)  # fmt: skip
_BLOCK = 2880
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A FITS file in memory.

    Attributes
    ----------
    hdus
        The file; close it when done.
    filename
        A name for it.
    """

    hdus: fits.HDUList
    filename: str

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        lengths = (
            (len(hdu.header.tostring()), 0 if hdu.data is None else hdu.data.nbytes) for hdu in self.hdus
        )
        return sum(head + data + -data % _BLOCK for head, data in lengths)

    def write(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        for hdu in self.hdus:
            yield hdu.header.tostring().encode("ascii")
            if hdu.data is not None:
                yield from _data_bytes(hdu.data)


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
    ranges: dict[int, Pixels]

    def pixels(self) -> int:
        """Return how many pixels that is, all axes together."""
        sizes = dict(enumerate(reversed(self.image.shape)))
        return int(np.prod([self.ranges[k].count if k in self.ranges else n for k, n in sizes.items()]))


def cut(
    hdus: fits.HDUList,
    name: str,
    wanted: Wanted,
    known: Known | None = None,
    *,
    only: Collection[int] | None = None,
    max_pixels: int,
) -> Cutout | None:
    """Cut a piece out of an open file.

    Parameters
    ----------
    hdus
        The file, opened with ``do_not_scale_image_data=True``.
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
    images = [image for image in science_images(hdus) if only is None or image.hdu in only]
    cuts = [found for image in images if (found := _plan(hdus, image, wanted, known or Known()))]
    if not cuts:
        return None
    parts = [(one, [one.image.hdu, *_companions(hdus, one.image)]) for one in cuts]
    pixels = sum(one.pixels() * len(numbers) for one, numbers in parts)
    if pixels > max_pixels:
        raise LimitError(
            f"the cutout would hold {pixels:,} pixels, the limit is {max_pixels:,}",
            hint="ask for a smaller region, or fetch the whole file",
            pixels=pixels,
        )
    hdus = _assemble(hdus, parts, name, wanted.region)
    return Cutout(hdus, f"{re.sub(r'[^A-Za-z0-9._+-]+', '_', name)}_cutout.fits")


def _plan(hdus: fits.HDUList, image: ScienceImage, wanted: Wanted, known: Known) -> _Cut | None:
    box = PixelBox.whole(image.wcs) if wanted.region is None else pixel_box(image.wcs, wanted.region)
    if box is None:
        return None
    x, y = image.wcs.axes
    ranges = {x: Pixels(box.x0, box.x1), y: Pixels(box.y0, box.y1)}
    for name, interval, coverage, axis_of in (
        ("BAND", wanted.band, known.band, spectral_axis),
        ("TIME", wanted.time, known.time, time_axis),
    ):
        if interval is not None and not _narrow(ranges, name, interval, coverage, axis_of(image, hdus)):
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


def _companions(hdus: fits.HDUList, image: ScienceImage) -> list[int]:
    """Return the HDUs that describe the pixels of an image: ancillary, same EXTVER, same shape or empty."""
    main = hdus[image.hdu]
    return [
        number
        for number, hdu in enumerate(hdus)
        if number and number != image.hdu and getattr(hdu, "is_image", False)
        and hdu.name.upper() in ANCILLARY - {"WCSDVARR", "D2IMARR"}
        and hdu.ver == main.ver and hdu.shape in {image.shape, ()}
    ]  # fmt: skip


def _assemble(
    hdus: fits.HDUList, parts: list[tuple[_Cut, list[int]]], name: str, region: Region | None
) -> fits.HDUList:
    made: list[fits.PrimaryHDU | fits.ImageHDU] = []
    tables: dict[str, list[fits.ImageHDU]] = {kind: [] for _, kind in _TABLES.values()}
    for one, numbers in parts:
        made += [_part(hdus[number], one, name, region, primary=number == 0) for number in numbers]
        _move_tables(hdus, one, made[-len(numbers) :], tables)
    with quiet():
        if not isinstance(made[0], fits.PrimaryHDU):
            header = hdus[0].header.copy()
            if hdus[0].is_image and hdus[0].shape:  # an image that the region does not touch
                header = _bare(header)
            made.insert(0, fits.PrimaryHDU(header=_clean(header)))
        made += [table for kind in tables.values() for table in kind]
        if len(made) > 1:
            made[0].header["EXTEND"] = True
        if "NEXTEND" in made[0].header:
            made[0].header["NEXTEND"] = len(made) - 1
    return fits.HDUList(made)


def _part(
    hdu: fits.ImageHDU, one: _Cut, name: str, region: Region | None, *, primary: bool
) -> fits.PrimaryHDU | fits.ImageHDU:
    data = _read(hdu, one.ranges, name) if hdu.shape else None
    with quiet():
        header = _clean(hdu.header.copy())
        scaling = {k: header[k] for k in ("BSCALE", "BZERO", "BLANK") if k in header}
        _shift(header, one.ranges)
        if data is None:
            _resize_null(header, one.ranges)
        kind = fits.PrimaryHDU if primary else fits.ImageHDU
        made = kind(data, header, do_not_scale_image_data=True)
        # astropy takes the scaling for done when it is handed an array; the pixels are still raw.
        for keyword, value in scaling.items():
            made.header[keyword] = value
        where = ",".join(starmap(_section, sorted(one.ranges.items())))
        what = f"{region.to_dali()} " if region is not None else ""
        made.header.add_history(f"Cutout by awe: {what}of {name}, pixels [{where}] of HDU {one.image.hdu}")
    return made


def _section(_axis: int, pixels: Pixels) -> str:
    step = f":{pixels.step}" if pixels.step > 1 else ""
    return f"{pixels.first + 1}:{pixels.end}{step}"


def _read(hdu: fits.ImageHDU, ranges: dict[int, Pixels], name: str) -> np.ndarray:
    index = tuple(
        ranges[axis].to_slice() if axis in ranges else slice(0, size)
        for axis, size in reversed(list(enumerate(reversed(hdu.shape))))
    )
    try:
        with quiet():
            data = np.asarray(hdu.section[index])
    except Exception as error:  # noqa: BLE001  # truncated or damaged data: a dozen kinds from astropy, zlib and numpy
        raise InputFileError(
            name, f"its pixels cannot be read: {error or type(error).__name__}", where=f"HDU {hdu.name}"
        ) from None
    expected = tuple(len(range(i.start, i.stop, i.step or 1)) for i in index)
    if data.shape != expected:
        raise InputFileError(name, f"its data end early: {data.shape} instead of {expected} pixels")
    return data


def _clean(header: fits.Header) -> fits.Header:
    for keyword in _STALE:
        header.remove(keyword, ignore_missing=True, remove_all=True)
    return header


def _bare(header: fits.Header) -> fits.Header:
    """Return a primary header without its image and the coordinates of it."""
    bare = header.copy()
    for keyword in list(bare):
        if re.match(
            r"^(NAXIS\d|BSCALE|BZERO|BLANK|CTYPE\d|CRVAL\d|CRPIX\d|CDELT\d|CUNIT\d|CD\d|PC\d|WCSAXES)",
            keyword,
        ):
            bare.remove(keyword, ignore_missing=True, remove_all=True)
    bare["NAXIS"] = 0
    return bare


def _shift(header: fits.Header, ranges: dict[int, Pixels]) -> None:
    """Move the reference pixels: of every WCS (alternate ones bear a letter) and of IRAF's physical one."""
    for axis, pixels in ranges.items():
        n = axis + 1
        if f"CTYPE{n}" in header:
            header.setdefault(f"CRPIX{n}", 0.0)  # the standard's default (section 8.2)
        pattern = re.compile(rf"^(O|S)?(CRPIX{n}[A-Z]?|LTV{n})$")
        for keyword in [k for k in header if pattern.match(k)]:
            header[keyword] = header[keyword] - pixels.first
        if f"LTM{n}_{n}" in header and f"LTV{n}" not in header:
            header[f"LTV{n}"] = float(-pixels.first)
        if pixels.step > 1:
            _stretch(header, n, pixels.step)


def _stretch(header: fits.Header, n: int, step: int) -> None:
    """Make the pixels of an axis `step` times as long; the first one stays where it is."""
    for keyword in [k for k in header if re.match(rf"^CRPIX{n}[A-Z]?$", k)]:
        alternate = keyword.removeprefix(f"CRPIX{n}")
        header[keyword] = (header[keyword] - 1.0) / step + 1.0
        matrix = [k for k in header if re.match(rf"^CD\d+_{n}{alternate}$", k)]
        for entry in matrix or [f"CDELT{n}{alternate}"]:
            header[entry] = header.get(entry, 1.0) * step


def _resize_null(header: fits.Header, ranges: dict[int, Pixels]) -> None:
    """Resize an array that HST writes as one value, PIXVALUE, for NPIX1 by NPIX2 pixels."""
    for axis, pixels in ranges.items():
        if f"NPIX{axis + 1}" in header:
            header[f"NPIX{axis + 1}"] = pixels.count


def _move_tables(
    hdus: fits.HDUList,
    one: _Cut,
    made: list[fits.PrimaryHDU | fits.ImageHDU],
    tables: dict[str, list[fits.ImageHDU]],
) -> None:
    """Copy the distortion tables of an image, moved as its pixels are, and name the copies in its headers."""
    header = hdus[one.image.hdu].header
    firsts = dict(enumerate((one.box.x0, one.box.y0), start=1))
    for keyword, (record, kind) in _TABLES.items():
        for axis in (1, 2):
            if str(header.get(f"{keyword}{axis}", "")).strip().upper() != "LOOKUP":
                continue
            version = int(header.get(f"{record}{axis}.EXTVER", 1))
            table = hdus[kind, version].copy()
            for direction, first in firsts.items():
                table.header[f"CRVAL{direction}"] = table.header.get(f"CRVAL{direction}", 0.0) - first
            table.header["EXTVER"] = table.ver = len(tables[kind]) + 1
            tables[kind].append(table)
            for hdu in made:
                if f"{record}{axis}.EXTVER" in hdu.header:
                    hdu.header[f"{record}{axis}.EXTVER"] = float(table.ver)


def _data_bytes(data: np.ndarray) -> Iterator[bytes]:
    big = data.dtype.newbyteorder(">")
    flat = np.ascontiguousarray(data).reshape(-1)
    step = max(1, _CHUNK_BYTES // data.dtype.itemsize)
    for start in range(0, len(flat), step):
        yield flat[start : start + step].astype(big, copy=False).tobytes()
    size = flat.size * data.dtype.itemsize
    yield bytes(-size % _BLOCK)
