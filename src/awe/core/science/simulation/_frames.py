"""The images of the demonstration sky: which there are, and where each one looks.

The names, centres, exposure times and exposure counts of the ACS/WFC and WFPC2 frames are those of
the data sets that the founding document lists, so that its notebook runs as it was written. Their
pixels are simulated, and their headers say so.
"""

from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from awe.core.science.simulation._bands import BANDS, Band

__all__ = ["FRAMES", "Frame", "exposure_map", "frame_wcs"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frame:
    """One drizzled image.

    Attributes
    ----------
    name
        Data set; the file is ``<name>_drz.fits``.
    centre
        Right ascension and declination of the middle of the image, deg.
    filter
        Key of `BANDS` together with `instrument`; ``detection`` is the sum over the visit's filters.
    wheels
        FILTER1 and FILTER2 as the header has them.
    exposure, exposures
        Total exposure time in s, and the number of exposures it is made of.
    started
        UTC of the first exposure, ISO 8601.
    scale, shape
        arcsec per pixel; rows and columns.
    north
        Position angle of the image's y axis, deg: 0 has north up, as the HLA delivers.
    roll
        Position angle of the detector's y axis, deg.
    detector_size, gap
        Side of the detector on the sky and the slit between its two chips (zero: one chip), arcsec.
    compress
        Whether the file holds the science array tile-compressed (quantised, RICE).
    """

    name: str
    target: str
    instrument: str
    detector: str
    aperture: str
    filter: str
    wheels: tuple[str, str]
    proposal: int
    visit: str
    investigator: str
    centre: tuple[float, float]
    exposure: float
    exposures: int
    started: str
    scale: float
    shape: tuple[int, int]
    north: float
    roll: float
    detector_size: float
    gap: float
    compress: bool

    @property
    def band(self) -> Band:
        """The passband."""
        return BANDS[self.instrument, self.filter]

    @property
    def camera(self) -> str:
        """Instrument and detector as archives call them, such as ``ACS/WFC``."""
        same = self.instrument == self.detector
        return self.instrument if same else f"{self.instrument}/{self.detector}"


def _acs(
    name: str,
    filter_: str,
    proposal: int,
    visit: str,
    investigator: str,
    centre: tuple[float, float],
    exposure: float,
    exposures: int,
    started: str,
    *,
    north: float,
    roll: float,
    compress: bool,
) -> Frame:
    wheels = {"F606W": ("F606W", "CLEAR2L"), "F814W": ("CLEAR1L", "F814W"), "detection": ("F475W", "F850LP")}
    side = 2340 if north == 0 else 2200
    return Frame(
        name,
        "M87 (simulated)",
        "ACS",
        "WFC",
        "WFC",
        filter_,
        wheels[filter_],
        proposal,
        visit,
        investigator,
        centre,
        exposure,
        exposures,
        started,
        0.1,
        (side, side),
        north,
        roll,
        202.0,
        2.5,
        compress,
    )


FRAMES: tuple[Frame, ...] = (
    _acs(
        "hst_9401_02_acs_wfc_total", "detection", 9401, "02", "Cote", (187.71219, 12.391106),
        1960.0, 5, "2003-01-19T11:20:05", north=0.0, roll=13.0, compress=False,
    ),
    _acs(
        "hst_10543_01_acs_wfc_f814w", "F814W", 10543, "01", "Baltz", (187.70935, 12.390872),
        1440.0, 4, "2005-12-24T02:51:33", north=0.0, roll=12.0, compress=False,
    ),
    _acs(
        "hst_10543_01_acs_wfc_f606w", "F606W", 10543, "01", "Baltz", (187.70935, 12.390872),
        500.0, 1, "2005-12-24T02:38:10", north=0.0, roll=12.0, compress=True,
    ),
    _acs(
        "hst_10543_02_acs_wfc_f814w", "F814W", 10543, "02", "Baltz", (187.70844, 12.391051),
        1440.0, 4, "2005-12-25T02:50:41", north=-17.0, roll=12.0, compress=True,
    ),
    Frame(
        "hst_05091_6p_wfpc2_f606w_wf", "PARALLEL-FIELD (simulated)", "WFPC2", "WFPC2", "WFALL", "F606W",
        ("F606W", ""), 5091, "6p", "Groth", (187.723, 12.318), 1200.0, 1, "1994-08-05T06:23:16",
        0.1, (1000, 1000), 0.0, -24.0, 79.0, 0.0, True,
    ),
    Frame(
        "hst_99999_01_wfc3_uvis_f814w", "M87-SW (simulated)", "WFC3", "UVIS", "UVIS2-2K2B-SUB", "F814W",
        ("F814W", ""), 99999, "01", "Demonstration", (187.688, 12.372), 900.0, 2, "2010-01-15T20:13:47",
        0.08, (1250, 1250), 0.0, 31.0, 72.0, 0.0, True,
    ),
)  # fmt: skip


def frame_wcs(frame: Frame) -> WCS:
    """Return the frame's celestial WCS: ICRS, gnomonic, with the rotation in the CD matrix."""
    wcs = WCS(naxis=2)
    rows, columns = frame.shape
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = frame.centre
    wcs.wcs.crpix = [(columns + 1) / 2, (rows + 1) / 2]
    angle, step = np.deg2rad(frame.north), frame.scale / 3600
    wcs.wcs.cd = step * np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs


def exposure_map(frame: Frame) -> NDArray[np.float32]:
    """Return the exposure time of each pixel in s; zero where no chip looked.

    The exposures are dithered by 3 arcsec across the slit between the chips, as is usual for
    ACS/WFC, so that the slit is filled where there are several of them.
    """
    rows, columns = frame.shape
    y, x = np.ogrid[:rows, :columns]
    turn = np.deg2rad(frame.roll - frame.north)
    right = (x - (columns - 1) / 2) * frame.scale
    up = (y - (rows - 1) / 2) * frame.scale
    u = (right * np.cos(turn) + up * np.sin(turn)).astype(np.float32)
    v = (up * np.cos(turn) - right * np.sin(turn)).astype(np.float32)
    along = np.abs(u) <= frame.detector_size / 2
    seconds = np.zeros(frame.shape, dtype=np.float32)
    for k in range(frame.exposures):
        shift = 3.0 * (k - (frame.exposures - 1) / 2)
        across = np.abs(v - np.float32(shift))
        seen = along & (across <= frame.detector_size / 2) & (across >= frame.gap / 2)
        seconds += seen * np.float32(frame.exposure / frame.exposures)
    return seconds
