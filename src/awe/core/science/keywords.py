"""Under which keywords observatories write what, and how to read them.

`KEYWORDS` is the one table of spellings. A card that breaks the FITS standard says nothing.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from astropy.io import fits
from astropy.time import Time

from awe.core.science.celestial import quiet

__all__ = ["FILTER_KEYWORDS", "KEYWORDS", "Cards", "card", "mjd"]

KEYWORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "target_name": ("TARGNAME", "TARGET", "TARGETID", "OBJECT"),
        "facility_name": ("TELESCOP", "OBSERVAT"),
        "instrument": ("INSTRUME", "CAMERA"),
        "detector": ("DETECTOR",),
        "aperture": ("APERTURE", "PROPAPER"),
        # combined images in counts per second have EXPTIME 1, and the sum of their exposures in TEXPTIME
        "exposure": ("TEXPTIME", "EXPTIME", "EXPOSURE", "XPOSURE"),
        "start_mjd": ("EXPSTART", "MJD-BEG", "MJD-OBS", "MJD_OBS", "OBSMJD"),
        "end_mjd": ("EXPEND", "MJD-END"),
        "start_date": ("DATE-BEG", "DATE-OBS", "DATE_OBS"),
        "start_time": ("TIME-OBS", "UT", "UTSTART"),
        "end_date": ("DATE-END",),
        "pivot_angstrom": ("PHOTPLAM",),
        "rms_width_angstrom": ("PHOTBW",),
        "n_exposures": ("NCOMBINE", "NEXP", "NDRIZIM", "NUM_IMGS"),
        "proposal_id": ("PROPOSID", "PROPID", "PROGRAM"),
        "pi_name": ("PI_NAME", "PR_INV_L"),
        "visit": ("VISIT", "VISITNUM"),
        "level": ("LEVEL", "HLALEVEL"),
        "obs_title": ("TITLE", "OBSTITLE"),
        "obs_creator_name": ("CREATOR", "AUTHOR"),
        "bib_reference": ("REFERENC", "BIBCODE"),
        "obs_release_date": ("RELEASE", "PUBDATE"),
        "obs_creation_date": ("DATE",),
        "s_resolution": ("PSF_FWHM", "SEEING"),
        "o_unit": ("BUNIT",),
    }
)
"""The keywords that may hold a thing, the best first."""

FILTER_KEYWORDS = ("FILTER", "FILTER1", "FILTER2", "FILTNAM1", "FILTNAM2", "FILTERS", "BAND")
"""The keywords that may each name a filter of the light path."""


class Cards:
    """Look-up of a thing under its spellings: in the image's header, then in the primary one."""

    def __init__(self, headers: Sequence[fits.Header]) -> None:
        self._headers = headers

    def first(self, keywords: Sequence[str]) -> object:
        """Return the first value there is under one of the keywords, or None."""
        for keyword in keywords:
            for header in self._headers:
                value = card(header, keyword)
                if value is not None:
                    return value
        return None

    def text(self, thing: str) -> str | None:
        """Return a thing of `KEYWORDS` as text without blanks at its ends."""
        value = self.first(KEYWORDS.get(thing, (thing,)))
        return None if value is None else str(value).strip()

    def number(self, thing: str) -> float | None:
        """Return a thing of `KEYWORDS` as a finite number; None also for what is none."""
        try:
            value = float(str(self.first(KEYWORDS.get(thing, (thing,)))))
        except ValueError:
            return None
        return value if math.isfinite(value) else None


def card(header: fits.Header, keyword: str) -> object:
    """Return the value of a card; None where it is missing, empty or unreadable."""
    try:
        value = header.get(keyword)
    except (fits.VerifyError, ValueError):  # a card that breaks the standard says nothing
        return None
    if isinstance(value, fits.card.Undefined) or (isinstance(value, str) and not value.strip()):
        return None
    return value


def mjd(date: str | None, time: str | None) -> float | None:
    """Return the MJD of a FITS date (Standard 4.0 section 9.1.1; also the DD/MM/YY before 1999)."""
    if not date:
        return None
    old = re.fullmatch(r"(\d\d)/(\d\d)/(\d\d)", date)
    if old:
        date = f"19{old[3]}-{old[2]}-{old[1]}"
    if "T" not in date and time and re.fullmatch(r"\d\d?:\d\d(:\d\d(\.\d*)?)?", time):
        date = f"{date}T{time}"
    try:
        datetime.fromisoformat(date[:10])
        with quiet():
            return float(Time(date, format="isot" if "T" in date else "iso", scale="utc").mjd)
    except ValueError:
        return None
