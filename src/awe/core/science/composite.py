"""Three bands as one picture in colours, after Lupton et al. 2004 (PASP 116, 133).

Not each band is stretched but their mean, and all of them by the same factor: a bright star keeps its colour instead of
burning out to white. What would be brighter than the screen is dimmed in all three, for the same reason.
"""

import numpy as np

from awe.core.science.celestial import Floats
from awe.core.science.stretch import limits

__all__ = ["composite", "lupton"]

_SOFTENING = 8.0
_BRIGHT, _LEAST, _MOST = 99.9, 5.0, 1000.0
"""So many per cent of the pixels are not at full brightness, which is between these multiples of the skies' range."""


def composite(red: Floats, green: Floats, blue: Floats) -> Floats:
    """Return the picture of three bands in units of their own.

    Zero is the lower limit of zscale of each band and one the upper, so that their skies are grey together. Where a band
    has no data it adds nothing.

    Returns
    -------
    numpy.ndarray
        Between 0 and 1, with red, green and blue as the last axis.
    """
    scaled = [_scaled(band) for band in (red, green, blue)]
    full = float(np.clip(np.percentile(np.mean(scaled, axis=0), _BRIGHT), _LEAST, _MOST))
    return lupton(*scaled, softening=_SOFTENING, full=full)


def lupton(red: Floats, green: Floats, blue: Floats, *, softening: float, full: float) -> Floats:
    """Return the picture of three bands in the same units, dark at zero.

    Parameters
    ----------
    softening
        Values far below the inverse of it are shown in proportion, those above in magnitudes: Q/stretch of the paper.
    full
        The mean of the three that has full brightness.
    """
    bands = np.stack([red, green, blue], axis=-1)
    intensity = bands.mean(axis=-1)
    level = np.arcsinh(softening * intensity) / np.arcsinh(softening * full)
    factor = np.divide(level, intensity, out=np.zeros_like(level), where=intensity > 0)
    colours = np.maximum(bands * factor[..., None], 0.0)
    return np.asarray(colours / np.maximum(colours.max(axis=-1, keepdims=True), 1.0))


def _scaled(band: Floats) -> Floats:
    known = np.isfinite(band)
    if not known.any():
        return np.zeros(band.shape)
    low, high = limits(band[known])
    return np.where(known, (band - low) / (high - low), 0.0)
