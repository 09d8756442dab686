"""What is measured: a made-up sky of one seed, built once and kept.

A catalogue of twelve columns whose rows crowd as on the real sky (a plane, clusters of stars, galaxies everywhere),
in no order; a partner of a tenth of its rows, most of them the same objects 0.3 arcsec away; an archive of awe that
has published both; the same in PostgreSQL; an image, plain and in compressed forms.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.wcs import WCS

from awe.core.sky import rotation
from awe.core.tables import TableStream
from awe.core.tables.formats import format_of
from awe.platform import Platform, open_system
from awe.settings import Settings

__all__ = ["CATALOGUE", "COMPRESSIONS", "PARTNER", "Sky"]

CATALOGUE = "bench.sources"
PARTNER = "bench.partner"
COMPRESSIONS = {
    "plain": None,
    "rice256": ("RICE_1", (256, 256)),
    "rice64": ("RICE_1", (64, 64)),
    "rice_rows": ("RICE_1", None),
    "gzip256": ("GZIP_2", (256, 256)),
}
"""The forms of the image: the algorithm and the tiles (y, x); whole rows where None."""

_SEED = 20261129
_LAYOUT = 2
"""Of the files that awe writes: an archive in another one is not what awe makes now, and is made anew."""
_CHUNK = 1_000_000
_CLUSTERS = 3_000
_SAME = 0.9
_OFFSET_DEG = 0.3 / 3600

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sky:
    """The data of one size.

    Attributes
    ----------
    folder
        Where data of all sizes are kept.
    rows
        Of the catalogue.
    pixels
        The side of the image.
    rounds
        How often a case is done, in place of the number that a job chooses; None: as it chooses.
    """

    folder: Path
    rows: int = 20_000_000
    pixels: int = 10_000
    rounds: int | None = None

    @property
    def partner_rows(self) -> int:
        """Rows of the partner."""
        return self.rows // 10

    def times(self, usual: int) -> int:
        """Return how many rounds a job is to do that usually does so many."""
        return self.rounds or usual

    @property
    def catalogue(self) -> Path:
        """The catalogue as one Parquet file: source_id, ra, dec, and nine more columns."""
        return self._tables / "catalogue.parquet"

    @property
    def partner(self) -> Path:
        """The partner: id, ra, dec, mag, and the source_id of the same object, or -1."""
        return self._tables / "partner.parquet"

    @property
    def archive(self) -> Path:
        """The data folder of an archive that has published `CATALOGUE` and `PARTNER`."""
        folder = self._kept(f"{self.rows}-archive-{_LAYOUT}", self._publish)
        with closing(open_system(Settings.load(folder))) as system:
            system.migrate()  # it may be of an older awe
        return folder

    def image(self, form: str) -> Path:
        """Return the image in one of the forms of `COMPRESSIONS`."""
        return (
            self._kept(f"{self.pixels}-image-{form}", lambda folder: self._image(folder, form)) / "image.fits"
        )

    def positions(self, count: int, seed: int = 1) -> tuple[tuple[float, float], ...]:
        """Return positions that people would ask for: of objects, a little beside them."""
        random = np.random.default_rng(seed)
        file = pq.ParquetFile(self.catalogue)
        group = file.read_row_group(0, columns=["ra", "dec"])
        chosen = random.integers(0, group.num_rows, count)
        ra = group["ra"].to_numpy()[chosen]
        dec = np.clip(group["dec"].to_numpy()[chosen] + random.normal(0, 0.003, count), -90, 90)
        return tuple(zip(ra.tolist(), dec.tolist(), strict=True))

    @contextmanager
    def platform(self, **settings: object) -> Iterator[Platform]:
        """Yield awe over the archive."""
        with Platform.open(Settings.load(self.archive, **settings)) as platform:
            yield platform

    # How it is made

    @property
    def _tables(self) -> Path:
        return self._kept(f"{self.rows}-tables", self._write)

    def _kept(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a folder, which `make` fills once, whoever else wants it at the same time."""
        return kept(self.folder, name, make)

    def _write(self, folder: Path) -> None:
        print(f"making {self.rows:,} rows in {folder.parent}", flush=True)
        random = np.random.default_rng(_SEED)
        clusters = _Clusters.of(random)
        catalogue = partner = None
        for first in range(0, self.rows, _CHUNK):
            count = min(_CHUNK, self.rows - first)
            table = _catalogue(np.random.default_rng((_SEED, first)), clusters, first, count)
            other = _partner(
                np.random.default_rng((_SEED, first, 1)), clusters, table, first // 10, count // 10
            )
            catalogue = catalogue or pq.ParquetWriter(folder / "catalogue.parquet", table.schema)
            partner = partner or pq.ParquetWriter(folder / "partner.parquet", other.schema)
            catalogue.write_table(table)
            partner.write_table(other)
        for writer in (catalogue, partner):
            if writer is not None:
                writer.close()

    def _publish(self, folder: Path) -> None:
        print("publishing them", flush=True)
        limits = {"memory": "4GB"}
        with Platform.open(Settings.load(folder, limits=limits)) as platform:
            for name, path in ((CATALOGUE, self.catalogue), (PARTNER, self.partner)):
                with format_of(path).read(path) as stream:
                    platform.catalogs.publish_stream(
                        name, TableStream(stream.schema, stream), ra="ra", dec="dec"
                    )

    def _image(self, folder: Path, form: str) -> None:
        print(f"drawing the image ({form})", flush=True)
        random = np.random.default_rng(_SEED)
        side = self.pixels
        pixels = random.normal(100.0, 5.0, (side, side)).astype(np.float32)
        for y, x, flux in zip(
            *random.integers(8, side - 8, (2, side)), random.pareto(1.5, side) * 200, strict=True
        ):
            pixels[y - 8 : y + 8, x - 8 : x + 8] += flux * _STAR
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [187.7059, 12.3911]
        wcs.wcs.crpix = [side / 2, side / 2]
        wcs.wcs.cdelt = [-0.05 / 3600, 0.05 / 3600]
        header = wcs.to_header()
        algorithm = COMPRESSIONS[form]
        if algorithm is None:
            hdus = [fits.PrimaryHDU(pixels, header)]
        else:
            kind, tiles = algorithm
            hdus = [
                fits.PrimaryHDU(),
                fits.CompImageHDU(pixels, header, compression_type=kind, tile_shape=tiles),
            ]
        fits.HDUList(hdus).writeto(folder / "image.fits")


def kept(root: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder ``root/name``, which `make` fills once, whoever else wants it at the same time."""
    root.mkdir(parents=True, exist_ok=True)
    folder = root / name
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            part = root / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(folder)
    return folder


_AXIS = np.arange(-8, 8)
_STAR = np.exp(-(_AXIS[:, None] ** 2 + _AXIS[None, :] ** 2) / (2 * 1.7**2)).astype(np.float32) / 18.2


@dataclass(frozen=True)
class _Clusters:
    """Where stars crowd: their centres (degrees), radii (degrees), and how many rows of a million each has."""

    ra: FloatArray
    dec: FloatArray
    radius: FloatArray
    share: FloatArray

    @classmethod
    def of(cls, random: np.random.Generator) -> "_Clusters":
        ra, dec = _isotropic(random, _CLUSTERS)
        share = random.pareto(1.2, _CLUSTERS) + 0.05
        return cls(ra, dec, 10 ** random.uniform(-1.7, 0.0, _CLUSTERS), share / share.sum())


def _isotropic(random: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
    return random.uniform(0, 360, count), np.degrees(np.arcsin(random.uniform(-1, 1, count)))


def _plane(random: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
    """Return positions along the plane of the Galaxy, denser towards its centre."""
    lon = np.where(random.random(count) < 0.4, random.normal(0, 40, count), random.uniform(0, 360, count))
    lat = np.clip(random.laplace(0, 9, count), -89.9, 89.9)
    lon, lat = np.radians(lon), np.radians(lat)
    vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    x, y, z = rotation("GALACTIC", "ICRS") @ vectors
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(np.clip(z, -1, 1)))


def _positions(random: np.random.Generator, clusters: _Clusters, count: int) -> tuple[FloatArray, FloatArray]:
    kind = random.random(count)
    ra, dec = _isotropic(random, count)
    plane = kind < 0.45
    ra[plane], dec[plane] = _plane(random, int(plane.sum()))
    crowd = np.flatnonzero(kind > 0.8)
    where = random.choice(clusters.ra.size, crowd.size, p=clusters.share)
    ra[crowd], dec[crowd] = _beside(random, clusters.ra[where], clusters.dec[where], clusters.radius[where])
    return ra, dec


def _beside(
    random: np.random.Generator, ra: FloatArray, dec: FloatArray, sigma_deg: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    """Return positions that are normally distributed around others."""
    north = dec + random.normal(0, 1, ra.size) * sigma_deg
    over = np.abs(north) > 90
    north = np.where(over, np.sign(north) * 180 - north, north)
    east = random.normal(0, 1, ra.size) * sigma_deg / np.maximum(np.cos(np.radians(dec)), 1e-3)
    return (ra + east + np.where(over, 180, 0)) % 360, north


def _catalogue(random: np.random.Generator, clusters: _Clusters, first: int, count: int) -> pa.Table:
    ra, dec = _positions(random, clusters, count)
    bright = 22 - random.exponential(2.0, count)
    columns = {
        "source_id": np.arange(first, first + count) * 4096 + random.integers(0, 4096, count),
        "ra": ra,
        "dec": dec,
        "ra_error": random.gamma(2.0, 0.05, count).astype("f4"),
        "dec_error": random.gamma(2.0, 0.05, count).astype("f4"),
        "parallax": random.exponential(0.8, count).astype("f4"),
        "pmra": random.normal(0, 6, count).astype("f4"),
        "pmdec": random.normal(-2, 6, count).astype("f4"),
        "mag_g": bright.astype("f4"),
        "mag_bp": (bright + random.normal(0.5, 0.4, count)).astype("f4"),
        "mag_rp": (bright - random.normal(0.6, 0.4, count)).astype("f4"),
        "n_obs": random.poisson(180, count).astype("i4"),
    }
    return pa.table(columns)


def _partner(
    random: np.random.Generator, clusters: _Clusters, table: pa.Table, first: int, count: int
) -> pa.Table:
    same = int(count * _SAME)
    chosen = random.choice(table.num_rows, same, replace=False)
    ra, dec = (table[name].to_numpy()[chosen] for name in ("ra", "dec"))
    ra, dec = _beside(random, ra, dec, _OFFSET_DEG)
    others = _positions(random, clusters, count - same)
    columns = {
        "id": np.arange(first, first + count),
        "ra": np.concatenate([ra, others[0]]),
        "dec": np.concatenate([dec, others[1]]),
        "mag": (22 - random.exponential(2.0, count)).astype("f4"),
        "of": np.concatenate([table["source_id"].to_numpy()[chosen], np.full(count - same, -1)]),
    }
    return pa.table(columns).take(random.permutation(count))
