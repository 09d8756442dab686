"""The axes of a cube beside the spatial ones: wavelengths, times and polarisation states of its pixels.

A spectral axis may count anything that wcslib turns into wavelengths (FITS Standard 4.0 section 8.4): frequency,
wavelength in vacuum or air, energy, wave number, redshift, and the velocities with a rest frequency or wavelength.
Wavelengths are those of the header's own reference frame (SPECSYS). Times (section 9.2) become MJD, UTC.
"""

from dataclasses import dataclass

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS

from awe.core.science.celestial import Floats, quiet
from awe.core.science.images import ScienceImage

__all__ = ["Axis", "Pixels", "spectral_axis", "states_within", "stokes_axis", "stokes_states", "time_axis"]

_STOKES = {
    1: "I",
    2: "Q",
    3: "U",
    4: "V",
    -1: "RR",
    -2: "LL",
    -3: "RL",
    -4: "LR",
    -5: "XX",
    -6: "YY",
    -7: "XY",
    -8: "YX",
}
"""FITS Standard 4.0 table 29."""
_SCALES = {"TT", "TAI", "UTC", "TDB", "TCB", "TCG"}


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels of one axis: `first`, ``first + step``, ... before `end`, counted from zero."""

    first: int
    end: int
    step: int = 1

    @property
    def count(self) -> int:
        """How many there are."""
        return len(range(self.first, self.end, self.step))

    def to_slice(self) -> slice:
        """Return them as an index."""
        return slice(self.first, self.end, self.step)


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """An axis with the lowest and the highest value of each of its pixels.

    Attributes
    ----------
    number
        Which axis of the image it is, counted from zero in FITS order.
    low, high
        Wavelengths (m) or times (MJD, UTC).
    """

    number: int
    low: Floats
    high: Floats

    def within(self, interval: tuple[float, float]) -> Pixels | None:
        """Return the pixels that an interval meets; None where it meets none.

        A single value is in one pixel (SODA 1.0 section 3.3.4); an interval leaves out pixels it only touches.
        """
        first, last = interval
        single = first == last
        met = (self.low <= last) & (self.high >= first) if single else (self.low < last) & (self.high > first)
        found = np.nonzero(met)[0][: 1 if single else None]
        return Pixels(int(found[0]), int(found[-1]) + 1) if len(found) else None


def spectral_axis(image: ScienceImage, hdus: fits.HDUList | None = None) -> Axis | None:
    """Return the spectral axis in wavelengths (m, vacuum); None where there is none that can be understood.

    wcslib turns no logarithmic and no tabulated axis into another: wavelengths in air (AWAV-LOG, AWAV-TAB) are
    then taken for those in vacuum, which are longer by 0.03 per cent.
    """
    found = _edges(image, hdus, "spec")
    if found is None:
        return None
    number, wcs, count = found
    with quiet():
        translated = wcs.deepcopy()
        try:
            translated.wcs.sptr("WAVE-???")
            wcs = translated
        except Exception:  # noqa: BLE001, S110  # a rest frequency is missing, or it is logarithmic or tabulated
            pass
        try:
            edges = wcs.all_pix2world(count, 0)[0]
            waves = (edges * units.Unit(str(wcs.wcs.cunit[0]))).to_value(units.m, units.spectral())
        except Exception:  # noqa: BLE001  # a velocity without a rest frequency, no unit, a table that is not there
            return None
    return _axis(number, waves)


def time_axis(image: ScienceImage, hdus: fits.HDUList | None = None) -> Axis | None:
    """Return the time axis (MJD, UTC); None where there is none that can be understood."""
    found = _edges(image, hdus, "time")
    if found is None:
        return None
    number, wcs, count = found
    with quiet():
        try:
            edges = wcs.all_pix2world(count, 0)[0]
            days = (edges * units.Unit(str(wcs.wcs.cunit[0]) or "s")).to_value(units.day)
            zero, fraction = (float(part) if np.isfinite(part) else 0.0 for part in wcs.wcs.mjdref)
            kind = str(wcs.wcs.ctype[0]).strip().upper()
            scale = kind if kind in _SCALES else str(wcs.wcs.timesys).strip().upper() or "UTC"
            # UT1 and local times differ from UTC by less than tables, which would have to be fetched, are worth
            scale = scale.lower() if scale in _SCALES else "utc"
            moments = Time(zero, fraction + days, format="mjd", scale=scale).utc.mjd
        except Exception:  # noqa: BLE001  # a unit that is none, a date beyond all tables
            return None
    return _axis(number, np.asarray(moments))


def stokes_axis(image: ScienceImage) -> tuple[int, tuple[str, ...]] | None:
    """Return the number of the STOKES axis and the state of each of its pixels; None where there is none."""
    header = image.header
    for number, size in enumerate(reversed(image.shape)):
        if str(header.get(f"CTYPE{number + 1}", "")).strip().upper() == "STOKES":
            return number, stokes_states(header, number + 1, size)
    return None


def stokes_states(header: fits.Header, n: int, size: int) -> tuple[str, ...]:
    """Return the state of each pixel of a STOKES axis; an empty one where its number means nothing.

    Parameters
    ----------
    n, size
        Number of the axis, counted from one, and how many pixels it has.
    """
    value, pixel = (float(header.get(f"{keyword}{n}", 0)) for keyword in ("CRVAL", "CRPIX"))
    step = float(header.get(f"CD{n}_{n}", header.get(f"CDELT{n}", 1)))
    return tuple(_STOKES.get(round(value + (i + 1 - pixel) * step), "") for i in range(size))


def states_within(states: tuple[str, ...], wanted: tuple[str, ...]) -> Pixels | None:
    """Return the pixels of the wanted states; None where there is none of them.

    Coordinates stay a line: states that do not stand in equal steps come with those between them.
    """
    found = [index for index, state in enumerate(states) if state in wanted]
    if not found:
        return None
    steps = set(np.diff(found).tolist()) or {1}
    return Pixels(found[0], found[-1] + 1, steps.pop() if len(steps) == 1 else 1)


def _edges(image: ScienceImage, hdus: fits.HDUList | None, kind: str) -> tuple[int, WCS, Floats] | None:
    """Return the number of an axis, its own coordinates, and the edges of its pixels."""
    if len(image.shape) < 3:
        return None
    with quiet():
        try:
            wcs = WCS(image.header, fobj=hdus)
            number = int(wcs.wcs.spec) if kind == "spec" else _time_number(wcs)
            own = wcs.sub([number + 1]) if 0 <= number < len(image.shape) else None
        except Exception:  # noqa: BLE001  # wcslib and astropy raise a dozen kinds for a bad header
            return None
    return (
        None
        if own is None
        else (number, own, np.arange(image.shape[-1 - number] + 1, dtype=np.float64) - 0.5)
    )


def _time_number(wcs: WCS) -> int:
    # wcslib: the thousands of an axis type tell its kind, 4 is time
    return next((number for number, kind in enumerate(wcs.wcs.axis_types) if kind // 1000 == 4), -1)


def _axis(number: int, edges: Floats) -> Axis:
    return Axis(number, np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:]))
