"""The demonstration sky: a simulated field around M87 that a specialist would find plausible.

`simulate_sky` draws the truth (globular clusters, stars, galaxies) from published numbers
(`PUBLISHED`); `summary_catalog` measures it as the Hubble Source Catalog would; `render` makes the
images of `FRAMES` of it, and `frame_hdus` dresses them with FITS headers; `simulated_spectra` are spectra of
its brightest objects. The same seed gives the
same bytes. Nothing here opens a file: `awe.demo` writes what this makes.
"""

from awe.core.science.simulation._bands import BANDS, Band, from_vi
from awe.core.science.simulation._catalog import CATALOG_SCHEMA, summary_catalog
from awe.core.science.simulation._founding import FOUNDING_ROWS, FoundingRow
from awe.core.science.simulation._frames import FRAMES, Frame, exposure_map, frame_wcs
from awe.core.science.simulation._galaxy import JET, M87, elliptical_radius, surface_brightness
from awe.core.science.simulation._headers import frame_hdus, primary_header, science_header
from awe.core.science.simulation._published import PUBLISHED, PublishedNumber, number
from awe.core.science.simulation._render import PSF, Picture, render
from awe.core.science.simulation._sources import CLUSTER, GALAXY, STAR, Sky, Sources, simulate_sky
from awe.core.science.simulation._spectra import SimulatedSpectrum, simulated_spectra, spectrum_hdus

__all__ = [
    "BANDS",
    "CATALOG_SCHEMA",
    "CLUSTER",
    "FOUNDING_ROWS",
    "FRAMES",
    "GALAXY",
    "JET",
    "M87",
    "PSF",
    "PUBLISHED",
    "STAR",
    "Band",
    "FoundingRow",
    "Frame",
    "Picture",
    "PublishedNumber",
    "SimulatedSpectrum",
    "Sky",
    "Sources",
    "elliptical_radius",
    "exposure_map",
    "frame_hdus",
    "frame_wcs",
    "from_vi",
    "number",
    "primary_header",
    "render",
    "science_header",
    "simulate_sky",
    "simulated_spectra",
    "spectrum_hdus",
    "summary_catalog",
    "surface_brightness",
]
