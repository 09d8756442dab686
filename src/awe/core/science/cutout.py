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

BAND is cut on the spectral axis of a cube; an image without one is either in the band or not.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.wcs import WCS

from awe.core.science.celestial import quiet
from awe.core.science.images import ANCILLARY, ScienceImage, science_images
from awe.core.science.pixels import PixelBox, pixel_box
from awe.core.sky import Region
from awe.errors import InputFileError, LimitError, ParameterError

__all__ = ["Cutout", "cut"]

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

    def write(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        for hdu in self.hdus:
            yield hdu.header.tostring().encode("ascii")
            if hdu.data is not None:
                yield from _data_bytes(hdu.data)


@dataclass(frozen=True, slots=True)
class _Cut:
    """What to take of one science image: a box of its plane, a range of its spectral axis."""

    image: ScienceImage
    box: PixelBox
    channels: tuple[int, int, int] | None = None

    def ranges(self) -> dict[int, tuple[int, int]]:
        """Return first and end pixel by axis, axes counted from zero in FITS order."""
        x, y = self.image.wcs.axes
        found = {x: (self.box.x0, self.box.x1), y: (self.box.y0, self.box.y1)}
        if self.channels:
            found[self.channels[0]] = self.channels[1:]
        return found

    def pixels(self) -> int:
        """Return how many pixels that is, all axes together."""
        sizes = dict(enumerate(reversed(self.image.shape)))
        return int(
            np.prod([b - a for a, b in ({k: (0, n) for k, n in sizes.items()} | self.ranges()).values()])
        )


def cut(
    hdus: fits.HDUList,
    name: str,
    *,
    region: Region | None = None,
    band: tuple[float, float] | None = None,
    coverage: tuple[float | None, float | None] = (None, None),
    only: Collection[int] | None = None,
    max_pixels: int,
) -> Cutout | None:
    """Cut a region out of an open file.

    Parameters
    ----------
    hdus
        The file, opened with ``do_not_scale_image_data=True``.
    name
        What it is, for the history of the cutout and its file name.
    region
        The part of the sky; all of it when None.
    band
        Wavelengths (metres, vacuum), both ends included; all when None.
    coverage
        Wavelengths of the images that have no spectral axis, as far as they are known.
    only
        The numbers of the science HDUs to cut; all of them when None.
    max_pixels
        The largest cutout that is made.

    Returns
    -------
    Cutout or None
        None where no pixel of the file lies in the region and the band.

    Raises
    ------
    LimitError
        If the cutout would hold more pixels than `max_pixels`.
    ParameterError
        If a band is asked of a file whose wavelengths are not known.
    InputFileError
        If the file's data cannot be read.
    """
    images = [image for image in science_images(hdus) if only is None or image.hdu in only]
    cuts = [found for image in images if (found := _plan(image, region, band, coverage))]
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
    return Cutout(
        _assemble(hdus, parts, name, region), f"{re.sub(r'[^A-Za-z0-9._+-]+', '_', name)}_cutout.fits"
    )


def _plan(
    image: ScienceImage,
    region: Region | None,
    band: tuple[float, float] | None,
    coverage: tuple[float | None, float | None],
) -> _Cut | None:
    box = PixelBox.whole(image.wcs) if region is None else pixel_box(image.wcs, region)
    if box is None or band is None:
        return None if box is None else _Cut(image, box)
    waves = _wavelengths(image)
    if waves is not None:
        axis, low, high = waves
        # A single value is in one pixel (SODA 1.0 section 3.3.4); an interval leaves out pixels it only touches.
        single = band[0] == band[1]
        within = (low <= band[1]) & (high >= band[0]) if single else (low < band[1]) & (high > band[0])
        inside = np.nonzero(within)[0][: 1 if single else None]
        return _Cut(image, box, (axis, int(inside[0]), int(inside[-1]) + 1)) if len(inside) else None
    shortest, longest = coverage
    if shortest is None or longest is None:
        raise ParameterError(
            "BAND", f"{band[0]:g} {band[1]:g}", "the wavelengths of this image are not known"
        )
    return _Cut(image, box) if shortest <= band[1] and band[0] <= longest else None


def _wavelengths(image: ScienceImage) -> tuple[int, np.ndarray, np.ndarray] | None:
    """Return the spectral axis, and the shortest and longest wavelength (m) of each of its pixels.

    Wavelengths in air (AWAV) are taken for those in vacuum, which are longer by 0.03 per cent.
    """
    if len(image.shape) < 3:
        return None
    with quiet():
        wcs = WCS(image.header)
        axis = wcs.wcs.spec
        if axis < 0 or axis >= len(image.shape):
            return None
        spectral = wcs.spectral
        edges = spectral.all_pix2world(np.arange(image.shape[-1 - axis] + 1) - 0.5, 0)[0]
        try:
            waves = (edges * units.Unit(str(spectral.wcs.cunit[0]))).to_value(units.m, units.spectral())
        except (units.UnitConversionError, ValueError):  # a velocity without a rest frequency, no unit
            return None
    return axis, np.minimum(waves[:-1], waves[1:]), np.maximum(waves[:-1], waves[1:])


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
    ranges = one.ranges()
    data = _read(hdu, ranges, name) if hdu.shape else None
    with quiet():
        header = _clean(hdu.header.copy())
        scaling = {k: header[k] for k in ("BSCALE", "BZERO", "BLANK") if k in header}
        _shift(header, {axis: first for axis, (first, _) in ranges.items()})
        if data is None:
            _resize_null(header, ranges)
        kind = fits.PrimaryHDU if primary else fits.ImageHDU
        made = kind(data, header, do_not_scale_image_data=True)
        # astropy takes the scaling for done when it is handed an array; the pixels are still raw.
        for keyword, value in scaling.items():
            made.header[keyword] = value
        where = ",".join(f"{a + 1}:{b}" for _, (a, b) in sorted(ranges.items()))
        what = f"{region.to_dali()} " if region is not None else ""
        made.header.add_history(f"Cutout by awe: {what}of {name}, pixels [{where}] of HDU {one.image.hdu}")
    return made


def _read(hdu: fits.ImageHDU, ranges: dict[int, tuple[int, int]], name: str) -> np.ndarray:
    sizes = dict(enumerate(reversed(hdu.shape)))
    index = tuple(slice(*ranges.get(axis, (0, sizes[axis]))) for axis in reversed(range(len(sizes))))
    try:
        with quiet():
            data = np.asarray(hdu.section[index])
    except Exception as error:  # noqa: BLE001  # truncated or damaged data: a dozen kinds from astropy, zlib and numpy
        raise InputFileError(
            name, f"its pixels cannot be read: {error or type(error).__name__}", where=f"HDU {hdu.name}"
        ) from None
    expected = tuple(i.stop - i.start for i in index)
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


def _shift(header: fits.Header, firsts: dict[int, int]) -> None:
    """Move the reference pixels: of every WCS (alternate ones bear a letter) and of IRAF's physical one."""
    for axis, first in firsts.items():
        pattern = re.compile(rf"^(O|S)?(CRPIX{axis + 1}[A-Z]?|LTV{axis + 1})$")
        for keyword in [k for k in header if pattern.match(k)]:
            header[keyword] = header[keyword] - first
        if f"LTM{axis + 1}_{axis + 1}" in header and f"LTV{axis + 1}" not in header:
            header[f"LTV{axis + 1}"] = float(-first)


def _resize_null(header: fits.Header, ranges: dict[int, tuple[int, int]]) -> None:
    """Resize an array that HST writes as one value, PIXVALUE, for NPIX1 by NPIX2 pixels."""
    for axis, (first, end) in ranges.items():
        if f"NPIX{axis + 1}" in header:
            header[f"NPIX{axis + 1}"] = end - first


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
