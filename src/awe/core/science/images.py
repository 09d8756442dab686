"""Which HDUs of a file are images of the sky.

A *science image* is an image with celestial coordinates that is not an ancillary one (error, data
quality, weight) of another.
"""

from dataclasses import dataclass

from astropy.io import fits

from awe.core.science.celestial import ImageWCS, NoCelestialWCSError, image_wcs, quiet

__all__ = ["ANCILLARY", "ScienceImage", "science_images"]

ANCILLARY = frozenset(
    [
        "ERR",
        "ERROR",
        "DQ",
        "DATAQUAL",
        "WHT",
        "WEIGHT",
        "CTX",
        "CON",
        "EXP",
        "SAMP",
        "TIME",
        "VAR",
        "VARIANCE",
        "VAR_POISSON",
        "VAR_RNOISE",
        "RMS",
        "SIGMA",
        "MASK",
        "BPM",
        "FLAGS",
        "CR",
        "D2IMARR",
        "WCSDVARR",
        "AREA",
    ]
)
"""Names of extensions that describe another image."""

_BITPIX = frozenset({8, 16, 32, 64, -32, -64})


@dataclass(frozen=True, slots=True, eq=False)
class ScienceImage:
    """One science image of a file: its HDU's number, header and place on the sky."""

    hdu: int
    header: fits.Header
    shape: tuple[int, ...]
    wcs: ImageWCS


def science_images(hdus: fits.HDUList) -> list[ScienceImage]:
    """Return the science images of an open file.

    Raises
    ------
    NoCelestialWCSError
        If there is none: with the reason, and the HDU where the reason lies in one.
    """
    with quiet():
        return _science_images(hdus)


def _science_images(hdus: fits.HDUList) -> list[ScienceImage]:
    found: list[tuple[bool, ScienceImage]] = []
    reasons: list[tuple[int, str]] = []
    for number, hdu in enumerate(hdus):
        if not getattr(hdu, "is_image", False) or len(hdu.shape) < 2 or 0 in hdu.shape:
            continue
        try:
            wcs = _image_wcs(hdu, hdus)
        except NoCelestialWCSError as error:
            reasons.append((number, str(error)))
            continue
        ancillary = hdu.name.upper() in ANCILLARY
        found.append((ancillary, ScienceImage(number, hdu.header, hdu.shape, wcs)))
    if not found:
        if len(reasons) == 1:
            raise NoCelestialWCSError(reasons[0][1], reasons[0][0])
        said = "; ".join(f"HDU {number}: {reason}" for number, reason in reasons)
        raise NoCelestialWCSError(said or "no HDU holds an image")
    science = [image for ancillary, image in found if not ancillary]
    return science or [image for _, image in found]


def _image_wcs(hdu: fits.ImageHDU, hdus: fits.HDUList) -> ImageWCS:
    if hdu.header.get("BITPIX") not in _BITPIX:
        raise NoCelestialWCSError(f"BITPIX is {hdu.header.get('BITPIX')}, which no FITS image has")
    return image_wcs(hdu.header, hdu.shape, hdus)
