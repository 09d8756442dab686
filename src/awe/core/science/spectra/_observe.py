"""From a spectrum to its row of the observation index."""

import math
import re
from collections.abc import Mapping

import numpy as np
from astropy.coordinates import ICRS, SkyCoord

from awe.core.science.celestial import quiet
from awe.core.science.keywords import Cards
from awe.core.science.observation import Observation, Rules, known_of, part_of, row_of, ruled
from awe.core.science.spectra._model import Floats, Spectrum
from awe.core.science.spectra._units import to_vacuum
from awe.core.sky import Circle, parse_position
from awe.errors import PositionError

__all__ = ["observe_spectra"]

_POSITIONS = (
    ("PLUG_RA", "PLUG_DEC"), ("RA_TARG", "DEC_TARG"), ("TARG_RA", "TARG_DEC"), ("RA_OBJ", "DEC_OBJ"),
    ("OBJRA", "OBJDEC"), ("RA_APER", "DEC_APER"), ("RA", "DEC"), ("OBSRA", "OBSDEC"), ("RA_DEG", "DEC_DEG"),
    ("CRVAL_RA", "CRVAL_DE"),
)  # fmt: skip
"""Keywords of a target's right ascension and declination; those of the pointing come last."""
_COS_APERTURES = {"PSA": 2.5, "BOA": 2.5}
"""Diameters in arcsec (COS Instrument Handbook, section 3.2)."""
_SLIT = re.compile(r"^(\d+(?:\.\d+)?)[xX](\d+(?:\.\d+)?)")


def observe_spectra(spectra: list[Spectrum], stem: str, rules: Rules, file: str) -> list[Observation]:
    """Return the rows of the spectra of a file.

    Parameters
    ----------
    spectra
        All of a file.
    stem
        The file's name without its extension.
    rules
        The publisher's word, which wins over the file's.
    file
        The file's name, for what the publisher says of single files.
    """
    return [_observation(one, stem, rules, file) for one in spectra]


def _observation(spectrum: Spectrum, stem: str, rules: Rules, file: str) -> Observation:
    cards = Cards(spectrum.headers)
    known: dict[str, object] = {
        **known_of(cards, stem),
        **_position(cards),
        **_aperture(cards),
        **_spectral(spectrum),
        **_observable(spectrum),
        **spectrum.facts,
        **ruled(cards, rules, file),
    }
    known |= _place(known) | _end(known) | {"dataproduct_type": "spectrum"}
    return row_of(known, spectrum.hdus, part_of(stem, spectrum.key))


def _position(cards: Cards) -> dict[str, object]:
    for ra, dec in _POSITIONS:
        values = cards.first((ra,)), cards.first((dec,))
        place = _degrees(*values)
        if place is not None:
            return dict(zip(("s_ra", "s_dec"), _icrs(place, cards), strict=True))
    return {}


def _degrees(ra: object, dec: object) -> tuple[float, float] | None:
    if isinstance(ra, int | float) and isinstance(dec, int | float) and not isinstance(ra, bool):
        return (float(ra), float(dec)) if 0 <= ra <= 360 and -90 <= dec <= 90 else None
    if isinstance(ra, str) and isinstance(dec, str):
        try:
            return parse_position(f"{ra} {dec}")
        except PositionError:
            return None
    return None


def _icrs(place: tuple[float, float], cards: Cards) -> tuple[float, float]:
    """Return a position of 1950 in the frame of today; those of 2000 are taken for ICRS."""
    system, equinox = cards.first(("RADESYS", "RADECSYS")), cards.first(("EQUINOX", "EPOCH"))
    if str(system or "").upper().startswith("FK4") or equinox in {1950, "1950", "B1950"}:
        with quiet():
            found = SkyCoord(*place, unit="deg", frame="fk4").transform_to(ICRS())
        return float(found.ra.deg), float(found.dec.deg)
    return place


def _aperture(cards: Cards) -> dict[str, object]:
    said = str(cards.first(("APERTURE", "PROPAPER")) or "").strip()
    slit = _SLIT.match(said)
    arcsec = max(float(slit[1]), float(slit[2])) if slit else _COS_APERTURES.get(said.upper())
    return {"s_fov": arcsec / 3600.0} if arcsec else {}


def _spectral(spectrum: Spectrum) -> dict[str, object]:
    waves = to_vacuum(spectrum.spectral.values, spectrum.spectral.unit, spectrum.medium)
    good = waves[np.isfinite(waves) & (waves > 0)]
    found: dict[str, object] = {
        "em_min": float(good.min()),
        "em_max": float(good.max()),
        "em_xel": len(waves),
        "em_ucd": spectrum.spectral.ucd,
        "em_unit": spectrum.spectral.unit,
        "em_calib_status": "absolute",
        "spectral_medium": spectrum.medium or None,
        "s_xel1": 1,
        "s_xel2": 1,
    }
    return found


def _observable(spectrum: Spectrum) -> dict[str, object]:
    ucd, unit = spectrum.flux.ucd, spectrum.flux.unit
    return {
        "o_ucd": ucd or None,
        "o_unit": unit or None,
        "o_calib_status": _calibration(ucd, unit),
        "snr": _signal_to_noise(spectrum),
    }


def _calibration(ucd: str, unit: str) -> str | None:
    """Return the kind of flux calibration (SSA 1.1 section 4.1.2.10): what the unit shows of it."""
    if ucd.startswith("phot.flux"):
        return "absolute"
    return None if unit else "relative"


def _signal_to_noise(spectrum: Spectrum) -> float | None:
    """Return the median of flux over error, of the samples that have both."""
    if spectrum.error is None:
        return None
    flux, error = (np.asarray(axis.values, np.float64) for axis in (spectrum.flux, spectrum.error))
    good: Floats = (
        flux[np.isfinite(flux) & np.isfinite(error) & (error > 0)]
        / error[np.isfinite(flux) & np.isfinite(error) & (error > 0)]
    )
    median = float(np.median(good)) if good.size else math.nan
    return median if math.isfinite(median) else None


def _place(known: Mapping[str, object]) -> dict[str, object]:
    """Return the region that a spectrum covers: the circle of its aperture, where that is known."""
    try:
        ra, dec = float(str(known["s_ra"])), float(str(known["s_dec"]))
    except (KeyError, ValueError):
        return {"s_ra": None, "s_dec": None}
    fov = known.get("s_fov")
    return {} if fov is None else {"s_region": Circle(ra % 360.0, dec, float(str(fov)) / 2).to_stcs()}


def _end(known: Mapping[str, object]) -> dict[str, object]:
    """Return the end of the observation, where a layout gave its beginning and how long it took."""
    start, length, end = (known.get(name) for name in ("t_min", "t_exptime", "t_max"))
    if start is None or length is None or end is not None:
        return {}
    return {"t_max": float(str(start)) + float(str(length)) / 86400}
