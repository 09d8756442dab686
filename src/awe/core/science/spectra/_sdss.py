"""What the files of the Sloan Digital Sky Survey say beside the spectrum.

``spec-<plate>-<mjd>-<fibre>.fits``: the table SPECOBJ (SPALL in some releases) of one row describes the object.
Fibres are 3 arcsec wide with the SDSS spectrographs and 2 arcsec with those of BOSS (Smee et al. 2013, AJ 146, 32).
"""

from collections.abc import Collection

import numpy as np
from astropy.io import fits
from astropy.time import Time

from awe.core.science.keywords import Cards, card

__all__ = ["SDSS_DESCRIPTIONS", "is_sdss", "sdss_facts"]

SDSS_DESCRIPTIONS = frozenset({"SPECOBJ", "SPALL", "SPZLINE"})
"""Tables that describe the object, in a hundred columns, and hold no samples: to look for a spectrum in them is slow."""

_FIBRE_ARCSEC = {"SDSS": 3.0, "BOSS": 2.0}
_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
_STEP_DEX = 1e-4
_TOLD = ("INSTRUMENT", "PLUG_RA", "PLUG_DEC", "CLASS", "Z", "SPECOBJID")


def is_sdss(hdus: fits.HDUList, names: Collection[str]) -> bool:
    """Return whether a table of columns of these names, in small letters, is a spectrum of SDSS: in vacuum."""
    return "loglam" in names and str(card(hdus[0].header, "TELESCOP") or "").upper().startswith("SDSS")


def sdss_facts(hdus: fits.HDUList, number: int) -> dict[str, object]:
    """Return columns of the index for the spectrum in an HDU, nothing where it is none of SDSS; slow: it reads a wide table."""
    header, hdu = hdus[0].header, hdus[number]
    names = {} if getattr(hdu, "is_image", True) else {name.casefold(): name for name in hdu.columns.names}
    if not is_sdss(hdus, names):
        return {}
    row = next(
        (hdu.data[0] for hdu in hdus[1:] if hdu.name in {"SPECOBJ", "SPALL"} and len(hdu.data) == 1), None
    )
    known = {name: row[name] for name in _TOLD if name in row.array.names} if row is not None else {}
    instrument = str(known.get("INSTRUMENT", "SDSS")).strip() or "SDSS"
    cards = Cards((header,))
    plate, mjd, fibre = (cards.first(keys) for keys in (("PLATEID", "PLATE"), ("MJD",), ("FIBERID",)))
    facts: dict[str, object] = {
        "s_ra": known.get("PLUG_RA", cards.first(("PLUG_RA",))),
        "s_dec": known.get("PLUG_DEC", cards.first(("PLUG_DEC",))),
        "s_fov": _FIBRE_ARCSEC.get(instrument, 3.0) / 3600.0,
        "facility_name": "SDSS 2.5m",
        "instrument_name": instrument,
        "target_name": f"SDSS {plate}-{mjd}-{fibre}",
        "t_exptime": cards.first(("EXPTIME",)),
        **_times(hdus, header),
    }
    if "CLASS" in known and "Z" in known:
        facts |= {
            "target_class": str(known["CLASS"]).strip(),
            "redshift": float(known["Z"]),
        }
    if "SPECOBJID" in known:
        facts["specid"] = str(known["SPECOBJID"]).strip() or None
    if (
        "wdisp" in names
    ):  # the dispersion of the line spread function, in pixels of a ten-thousandth of a decade
        width = np.asarray(hdu.data[names["wdisp"]], np.float64)
        good = width[np.isfinite(width) & (width > 0)]
        if good.size:
            facts["em_res_power"] = float(1 / (np.log(10.0) * _STEP_DEX * _FWHM * np.median(good)))
    found = {name: value for name, value in facts.items() if value is not None}
    return found | {"proposal_id": None}  # PROGRAM is that of the detector


def _times(hdus: fits.HDUList, header: fits.Header) -> dict[str, float]:
    """Return the first and last moment of the exposures, MJD (UTC); their times are in TAI seconds."""
    starts = [
        float(str(value)) for value in (card(header, "TAI-BEG"), card(header, "TAI")) if value is not None
    ]
    ends = [float(str(card(header, "TAI-END")))] if card(header, "TAI-END") is not None else []
    for hdu in hdus[1:]:
        begin, end = card(hdu.header, "TAI-BEG"), card(hdu.header, "TAI-END")
        if begin is not None and end is not None:
            starts.append(float(str(begin)))
            ends.append(float(str(end)))
    if not starts:
        return {}
    found = {"t_min": _utc(min(starts))}
    return found | {"t_max": _utc(max(ends))} if ends else found


def _utc(tai_s: float) -> float:
    return float(Time(tai_s / 86400, format="mjd", scale="tai").utc.mjd)
