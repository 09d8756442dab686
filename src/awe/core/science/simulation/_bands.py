"""Colours and passbands: from the standard V and I to the AB magnitudes of the HST filters.

Magnitudes of the simulation are AB (as in the Hubble Source Catalog), total, not corrected for
Galactic extinction. The transformations are linear and good to some hundredths of a magnitude.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from awe.core.science.simulation._published import number

__all__ = ["BANDS", "Band", "band_magnitude", "from_vi"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """A passband of a camera.

    Attributes
    ----------
    photflam
        Inverse sensitivity, erg / (cm**2 Angstrom electron) for one electron per second.
    photplam, photbw
        Pivot wavelength and rms width, Angstrom.
    mix
        The AB magnitude is ``mix[0] * F606W + mix[1] * F814W``.
    sky
        Zodiacal sky, electron/s/arcsec**2.
    fluctuation
        Surface-brightness fluctuation magnitude of M87 in this band, AB.
    """

    photflam: float
    photplam: float
    photbw: float
    mix: tuple[float, float]
    sky: float
    fluctuation: float

    @property
    def zeropoint(self) -> float:
        """AB magnitude of one electron per second (ACS Data Handbook, section 5.1)."""
        return float(-2.5 * np.log10(self.photflam) - 21.10 - 5 * np.log10(self.photplam) + 18.6921)

    def rate(self, magnitude: Floats | float) -> Floats:
        """Return electrons per second of an AB magnitude (or of one per square arcsecond)."""
        return np.asarray(10 ** (-0.4 * (np.asarray(magnitude) - self.zeropoint)), dtype=np.float64)


_PIXELS = 1 / 0.05**2  # WFC pixels in a square arcsecond

BANDS: dict[tuple[str, str], Band] = {
    ("ACS", "F606W"): Band(7.86e-20, 5921.1, 672.3, (1, 0), number("sky_f606w") * _PIXELS, 31.6),
    ("ACS", "F814W"): Band(
        7.03e-20, 8057.0, 652.0, (0, 1), number("sky_f814w") * _PIXELS, number("sbf_f814w")
    ),
    ("ACS", "detection"): Band(7.4e-20, 6900.0, 1300.0, (0.5, 0.5), 0.080 * _PIXELS, 30.8),
    ("WFPC2", "F606W"): Band(2.72e-19, 5997.0, 638.2, (1, 0), 7.5, 31.6),
    ("WFC3", "F814W"): Band(1.50e-19, 8039.1, 663.3, (0, 1), 13.0, number("sbf_f814w")),
}


def from_vi(v: Floats, colour: Floats) -> tuple[Floats, Floats]:
    """Return F606W and F814W (AB) of a standard V and V - I (Vega)."""
    f606w = v - number("f606w_term") * colour + number("f606w_ab")
    return f606w, v - colour + number("f814w_ab")


def band_magnitude(band: Band, f606w: Floats, f814w: Floats) -> Floats:
    """Return the magnitude in `band` of sources of these F606W and F814W."""
    return band.mix[0] * f606w + band.mix[1] * f814w
