"""A picture of a spectrum: flux over wavelength."""

import numpy as np

from awe.core.science.drawing import Plot, draw
from awe.core.science.spectra._model import Spectrum

__all__ = ["draw_spectrum"]


def draw_spectrum(spectrum: Spectrum, title: str, size: int) -> bytes:
    """Draw a spectrum as PNG; each segment is a line of its own.

    Parameters
    ----------
    spectrum
        What to draw.
    title
        Stands above.
    size
        Width in pixels, 160 at least; the height is five eighths of it.
    """
    x, y = (np.asarray(axis.values, np.float64) for axis in (spectrum.spectral, spectrum.flux))
    below = f"{spectrum.spectral.name} [{spectrum.spectral.unit}]"
    return draw(Plot(x, y, below, spectrum.flux.unit, spectrum.segment, logarithmic=True), title, size)
