"""Light curves and target pixel files: tables of FITS with a time a row.

Kepler, K2, TESS and those who write like them: a column TIME that counts days from BJDREFI + BJDREFF (or MJDREF),
and columns of fluxes. Where the fluxes are images the file is a cube of images over time; else it is a time series.
Only headers and the column of times are read. Bandpasses: Koch et al. 2010, ApJ 713, L79 (Kepler), Ricker et al.
2015, JATIS 1, 014003 (TESS).
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
from astropy.io import fits
from astropy.time import Time

from awe.core.science.celestial import NoCelestialWCSError, quiet
from awe.core.science.drawing import Plot, draw
from awe.core.science.footprint import footprint
from awe.core.science.images import science_images
from awe.core.science.keywords import Cards, card
from awe.core.science.observation import Observation, Rules, known_of, part_of, row_of, ruled
from awe.errors import InputFileError

__all__ = ["TARGET_PIXELS", "draw_light_curve", "observe_light_curves"]

TARGET_PIXELS = "target pixel file"
"""The subtype of a cube whose images stand in a table, a row for each moment."""

_BANDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"KEPLER": (4.2e-7, 9.0e-7), "K2": (4.2e-7, 9.0e-7), "TESS": (6.0e-7, 1.0e-6)}
)
_FLUX = re.compile(r"flux|mag$|^mag|rate|counts|raw_cnts", re.IGNORECASE)
_SECONDS = {"d": 86400.0, "day": 86400.0, "days": 86400.0, "s": 1.0, "sec": 1.0}
_SCALES = frozenset({"tdb", "tt", "utc", "tai", "tcb"})


def observe_light_curves(hdus: fits.HDUList, stem: str, rules: Rules, file: str) -> list[Observation]:
    """Return the rows of the light curves of an open file; none where it holds none.

    Parameters
    ----------
    hdus
        The file.
    stem, file
        Its name without and with its extension.
    rules
        The publisher's word, which wins over the headers.
    """
    with quiet():
        tables = list(_tables(hdus))
        return [
            _observation(
                hdus, number, part_of(stem, str(number) if len(tables) > 1 else ""), stem, rules, file
            )
            for number in tables
        ]


def draw_light_curve(hdus: fits.HDUList, number: int, name: str, title: str, size: int) -> bytes:
    """Draw a light curve of an open file as PNG: its first flux or magnitude over time, a dot each.

    Parameters
    ----------
    hdus
        The file.
    number
        Of the HDU.
    name
        What it is, for error messages.
    title
        Stands above.
    size
        Width in pixels, 160 at least; the height is five eighths of it.

    Raises
    ------
    InputFileError
        If the file no longer holds the light curve, or its data cannot be read.
    """
    if number not in _tables(hdus):
        raise InputFileError(
            name, "it holds no light curve there", where=f"HDU {number}", hint="publish it again"
        )
    columns = hdus[number].columns
    time = next(column for column in columns if column.name.upper() == "TIME")
    flux = next(column for column in columns if _FLUX.search(column.name))
    try:
        with quiet():
            x, y = (np.asarray(hdus[number].data[one.name], np.float64) for one in (time, flux))
    except Exception as error:  # noqa: BLE001  # truncated or damaged data: a dozen kinds from astropy, zlib and numpy
        raise InputFileError(
            name, f"its rows cannot be read: {error or type(error).__name__}", where=f"HDU {number}"
        ) from None
    magnitudes = str(flux.unit or "").lower().startswith("mag")
    words = [f"{one.name} [{one.unit}]" if one.unit else one.name for one in (time, flux)]
    return draw(Plot(x, y, words[0], words[1], dots=True, downward=magnitudes), title, size)


def _tables(hdus: fits.HDUList) -> Iterator[int]:
    for number, hdu in enumerate(hdus):
        if not isinstance(hdu, fits.BinTableHDU) or isinstance(hdu, fits.CompImageHDU):
            continue
        names = [name.upper() for name in hdu.columns.names]
        if "TIME" in names and hdu.header["NAXIS2"] > 1 and any(_FLUX.search(name) for name in names):
            yield number


def _observation(
    hdus: fits.HDUList, number: int, part: str | None, stem: str, rules: Rules, file: str
) -> Observation:
    hdu = hdus[number]
    cards = Cards((hdu.header, hdus[0].header))
    pixels = _pixels(hdu)
    known: dict[str, object] = {
        **known_of(cards, stem),
        "s_ra": cards.first(("RA_OBJ", "RA_TARG", "RA")),
        "s_dec": cards.first(("DEC_OBJ", "DEC_TARG", "DEC")),
        "dataproduct_type": "timeseries",
        "s_xel1": 1,
        "s_xel2": 1,
        **_times(hdu, cards),
        **_measured(hdu),
        "obs_creator_name": cards.first(("ORIGIN",)),
        **ruled(cards, rules, file),
        # what the pixels' coordinates say of the place is exact, and nobody's word wins over it
        **(_of_pixels(hdus, pixels) if pixels else {}),
    }
    low, high = _BANDS.get(str(known.get("facility_name") or "").upper(), (None, None))
    return row_of(
        {"em_min": low, "em_max": high} | {k: v for k, v in known.items() if v is not None}, (number,), part
    )


def _pixels(hdu: fits.BinTableHDU) -> tuple[int, int] | None:
    """Return the size (nx, ny) of the images in a column of fluxes, if there are images."""
    for name in hdu.columns.names:
        if _FLUX.search(name):
            shape = hdu.data.dtype[name].shape
            return (shape[1], shape[0]) if len(shape) == 2 else None
    return None


def _of_pixels(hdus: fits.HDUList, pixels: tuple[int, int]) -> dict[str, object]:
    """Return what a cube of images over time covers: the place of its aperture's image."""
    found: dict[str, object] = {
        "dataproduct_type": "cube",
        "dataproduct_subtype": TARGET_PIXELS,
        "s_xel1": pixels[0],
        "s_xel2": pixels[1],
    }
    try:
        image = next(one for one in science_images(hdus) if one.wcs.shape == pixels)
    except (NoCelestialWCSError, StopIteration):
        return found
    place = footprint([image.wcs])
    return found | {
        "s_ra": place.ra,
        "s_dec": place.dec,
        "s_fov": place.diameter,
        "s_region": place.region.to_stcs(),
        "s_pixel_scale": image.wcs.pixel_scale,
    }


def _times(hdu: fits.BinTableHDU, cards: Cards) -> dict[str, object]:
    header = hdu.header
    unit_s = _SECONDS.get(str(card(header, "TIMEUNIT") or "d").strip().lower(), 86400.0)
    times = np.asarray(hdu.data[next(n for n in hdu.columns.names if n.upper() == "TIME")], np.float64)
    times = times[np.isfinite(times)]
    steps = np.diff(np.sort(times))
    step = cards.number("TIMEDEL") or (float(np.median(steps)) if steps.size else None)
    exposure = card(header, "EXPOSURE")
    found: dict[str, object] = {
        "t_xel": header["NAXIS2"],
        "t_exptime": float(str(exposure)) * unit_s if exposure is not None else None,
        "t_resolution": None if step is None else step * unit_s,
        "t_min": None,
        "t_max": None,
    }
    zero = _zero_mjd(cards)
    if zero is not None and times.size:
        scale = str(cards.first(("TIMESYS",)) or "tdb").strip().lower()
        first, last = (zero + float(edge) * unit_s / 86400 for edge in (times.min(), times.max()))
        moments = Time([first, last], format="mjd", scale=scale if scale in _SCALES else "tdb").utc.mjd
        found |= {"t_min": float(moments[0]), "t_max": float(moments[1])}
    return found


def _zero_mjd(cards: Cards) -> float | None:
    """Return the moment from which times count, MJD."""
    for whole, part, offset in (
        ("BJDREFI", "BJDREFF", 2400000.5),
        ("MJDREFI", "MJDREFF", 0.0),
        ("MJDREF", "", 0.0),
    ):
        days = cards.number(whole)
        if days is not None:
            return days + ((cards.number(part) or 0.0) if part else 0.0) - offset
    return None


def _measured(hdu: fits.BinTableHDU) -> dict[str, object]:
    name = next(name for name in hdu.columns.names if _FLUX.search(name))
    unit = (hdu.columns[name].unit or "").strip()
    counts = re.match(r"(e-|electron|count|adu|ct)", unit, re.IGNORECASE)
    return {
        "o_unit": unit or None,
        "o_ucd": "phot.count" if counts else "phot.mag" if unit.lower().startswith("mag") else "phot.flux",
        "o_calib_status": None if counts else "relative",
    }
