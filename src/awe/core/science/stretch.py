"""From pixel values to brightness: the limits of IRAF's zscale, then linear or arcsinh.

The limits (astropy's ``ZScaleInterval``) are those of at most ten thousand pixels.
"""

from typing import Literal

import numpy as np

from awe.core.science.celestial import Floats

__all__ = ["Stretch", "limits", "stretched"]

Stretch = Literal["linear", "asinh"]

_SAMPLES = 10_000
_SOFTENING = 0.1


def limits(known: Floats) -> tuple[float, float]:
    """Return the limits of some values, all of them finite; the second is larger."""
    from astropy.visualization import ZScaleInterval  # noqa: PLC0415  # it imports matplotlib where that is installed

    low, high = (float(value) for value in ZScaleInterval(n_samples=_SAMPLES).get_limits(known))
    return low, high if high > low else low + (abs(low) or 1.0)


def stretched(values: Floats, stretch: Stretch) -> Floats:
    """Return values between 0 and 1; NaN stays."""
    known = values[np.isfinite(values)]
    if not known.size:
        return values
    low, high = limits(known)
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0)
    if stretch == "asinh":
        scaled = np.arcsinh(scaled / _SOFTENING) / np.arcsinh(1 / _SOFTENING)
    return np.asarray(scaled)
