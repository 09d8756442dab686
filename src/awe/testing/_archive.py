"""A tiny archive: one catalogue of 500 rows and a collection of two images, around M87."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from astropy.io import fits
from astropy.wcs import WCS

from awe.core.tables import Column, Schema, TableStream
from awe.platform import Platform
from awe.settings import Settings
from awe.testing._schema import with_schema

__all__ = ["TINY_CENTRE", "TINY_IMAGES", "TINY_TABLE", "tiny_archive", "tiny_settings"]

TINY_TABLE = "tiny.sources"
"""The catalogue; its columns are id, ra, dec, mag, name, flag and page."""

TINY_CENTRE = (187.7059, 12.3911)
"""Where everything is, ICRS degrees."""

TINY_IMAGES = ("tiny_acs_f606w", "tiny_acs_f814w")
"""Names of the images; each is 64 by 48 pixels of 0.5 arcsec around `TINY_CENTRE`."""

_ROWS = 500
_SHAPE = (48, 64)
_PIXEL_DEG = 0.5 / 3600.0
_SIMULATED = "random numbers, for tests"


def tiny_settings(folder: Path, **overrides: object) -> Settings:
    """Return the settings of a tiny archive in `folder`."""
    archive = {"title": "Tiny sky", "description": "Five hundred made-up sources.", "authority": "tiny.test"}
    return Settings.load(folder, **{"archive": archive, "port": 0, **overrides})


def tiny_archive(folder: Path, **overrides: object) -> Platform:
    """Publish the tiny sky into `folder` and return its open platform; the caller closes it.

    Parameters
    ----------
    overrides
        Settings, such as ``limits={"default_rows": 10}``.
    """
    settings = tiny_settings(folder, **overrides)
    if not settings.database_url:
        with_schema(folder)
    platform = Platform.open(settings)
    describe = folder / "sources.toml"
    describe.write_text(
        f'[table]\ntitle = "Sources"\ndescription = "Made-up sources around M87."\n'
        f'[metadata]\nsimulated = "{_SIMULATED}"\n'
    )
    platform.catalogs.publish_stream(TINY_TABLE, _sources(), ra="ra", dec="dec", describe=describe)
    images = folder / "tiny-images"
    images.mkdir()
    for name, filters in zip(TINY_IMAGES, ("F606W", "F814W"), strict=True):
        _write_image(images / f"{name}_drz.fits", filters)
    platform.observations.publish("tiny", images)
    return platform


def _sources() -> TableStream:
    random = np.random.default_rng(20260711)
    ra, dec = _around(random, _ROWS, 0.2)
    bright = 18.0 + 8.0 * random.random(_ROWS)
    columns = (
        Column("id", pa.int64(), ucd="meta.id;meta.main", description="Identifier", principal=True),
        Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main", description="Right ascension"),
        Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main", description="Declination"),
        Column("mag", pa.float32(), unit="mag", ucd="phot.mag", description="Magnitude", principal=True),
        Column("name", pa.string(), ucd="meta.id", description="Name, with < & > in it"),
        Column("flag", pa.bool_(), description="True or not, or not known"),
        Column("page", pa.string(), ucd="meta.ref.url", description="Where there is more"),
    )
    schema = Schema(columns, name="sources")
    arrays = [
        pa.array(np.arange(1, _ROWS + 1)),
        pa.array(ra),
        pa.array(dec),
        pa.array(np.where(bright > 25.5, np.nan, bright).astype(np.float32)),
        pa.array([f"source <{n}> & co" for n in range(_ROWS)]),
        pa.array([None if n % 7 == 0 else n % 2 == 0 for n in range(_ROWS)]),
        pa.array([f"/pages/{n}" for n in range(_ROWS)]),
    ]
    return TableStream.from_table(pa.Table.from_arrays(arrays, schema=schema.to_arrow()), schema)


def _around(
    random: np.random.Generator, count: int, radius_deg: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    ra, dec = TINY_CENTRE
    distance, angle = radius_deg * np.sqrt(random.random(count)), 2.0 * np.pi * random.random(count)
    return (
        ra + distance * np.sin(angle) / np.cos(np.radians(dec)),
        dec + distance * np.cos(angle),
    )


def _write_image(path: Path, filters: str) -> None:
    random = np.random.default_rng(len(path.name) + ord(filters[1]))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = list(TINY_CENTRE)
    wcs.wcs.crpix = [(_SHAPE[1] + 1) / 2.0, (_SHAPE[0] + 1) / 2.0]
    wcs.wcs.cdelt = [-_PIXEL_DEG, _PIXEL_DEG]
    y, x = np.indices(_SHAPE)
    light = 100.0 * np.exp(-np.hypot(x - _SHAPE[1] / 2, y - _SHAPE[0] / 2) / 6.0)
    header = wcs.to_header()
    header.update(
        TELESCOP="HST", INSTRUME="ACS", DETECTOR="WFC", FILTER=filters, EXPTIME=1000.0, TARGNAME="M87",
        OBJECT="simulated",
    )  # fmt: skip
    header["DATE-OBS"], header["MJD-OBS"] = "2003-01-19", 52658.2
    pixels = (light + random.normal(0.0, 1.0, _SHAPE)).astype(np.float32)
    fits.PrimaryHDU(pixels, header).writeto(path)
