"""Write the demonstration sky as the files an archive would publish.

`awe.core.science.simulation` makes the sky; this package gives it the form of any archive's delivery:
Parquet catalogues, folders of FITS images and spectra, and a describe file (TOML) for each. They are published
with the same commands as other data::

    awe publish table hsc.SumCat demo/sumcat.parquet --describe demo/sumcat.toml
    awe publish table sdss.PhotoObjAll demo/sdss.PhotoObjAll.parquet --describe demo/sdss.PhotoObjAll.toml
    awe publish observations hla demo/images --describe demo/hla.toml
    awe publish observations m87spectra demo/spectra --describe demo/m87spectra.toml

What users of SDSS call by name, its views and functions, stands in ``sdss/*.toml`` (GALEX: ``galex/*.toml``), as any archive would write it.
The package imports core only, and knows nothing of what publishes the files.
"""

from awe.demo._hst import (
    DemoSky,
    catalog_description,
    images_description,
    spectra_description,
    write_demo_sky,
)
from awe.demo._surveys import SURVEYS, DemoTable

__all__ = [
    "SURVEYS",
    "DemoSky",
    "DemoTable",
    "catalog_description",
    "images_description",
    "spectra_description",
    "write_demo_sky",
]
