"""One-dimensional spectra: from the files of many observatories to arrays with units.

`read_spectra` opens a file, FITS, VOTable or text, and returns every `Spectrum` in it. Values are the file's own:
nothing is resampled, rescaled or brought to other units. `to_vacuum` gives the wavelengths that the index
needs, `spectrum_table` the table that the service delivers, `draw_spectrum` a picture.

Words: a *layout* is how one family of files writes its spectra; a *segment* is a stretch of a spectrum from one arm,
order or detector; the *medium* of a wavelength is vacuum or air.
"""

from awe.core.science.spectra._aligned import aligned, in_flux_density
from awe.core.science.spectra._arrays import SpectrumArrays, spectrum_arrays
from awe.core.science.spectra._deliver import spectrum_table
from awe.core.science.spectra._draw import draw_spectrum
from awe.core.science.spectra._model import Axis, NoSpectrumError, Reading, Spectrum
from awe.core.science.spectra._observe import observe_spectra
from awe.core.science.spectra._read import is_spectrum_name, read_fits_spectra, read_spectra
from awe.core.science.spectra._units import astropy_unit, is_unit, to_vacuum

__all__ = [
    "Axis",
    "NoSpectrumError",
    "Reading",
    "Spectrum",
    "SpectrumArrays",
    "aligned",
    "astropy_unit",
    "draw_spectrum",
    "in_flux_density",
    "is_spectrum_name",
    "is_unit",
    "observe_spectra",
    "read_fits_spectra",
    "read_spectra",
    "spectrum_arrays",
    "spectrum_table",
    "to_vacuum",
]
