"""A small GALEX of the demonstration sky: the tables that its users at MAST know, simulated.

It sees the objects of the simulated SDSS in the far and near ultraviolet: young galaxies, quasars and hot stars are
bright there, old galaxies and cool stars are not. Nothing of it was seen by a telescope.
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from awe.core.science.simulation._sources import Sky
from awe.core.science.simulation.sdss import Objects, objects_of
from awe.core.sky import rotation, separation, unit_vector
from awe.core.tables import Column, Schema

__all__ = ["GALEX_SCHEMAS", "simulate_galex"]

Floats = NDArray[np.float64]
Values = dict[str, NDArray[Any]]

_RADIUS = 0.6  # deg: the field of view (Morrissey et al. 2007, ApJS 173, 682)


@dataclass(frozen=True, slots=True)
class _Tile:
    """An image: identifier, survey (all-sky or medium), centre (deg), exposure in the NUV and FUV (s)."""

    identifier: int
    survey: str
    ra: float
    dec: float
    near_s: float
    far_s: float


_TILES = (
    _Tile(6370915789136248832, "MIS", 187.70, 12.40, 1700.0, 1700.0),
    _Tile(6376756434910806016, "AIS", 187.05, 12.40, 205.0, 110.0),
    _Tile(6376756435984547840, "AIS", 188.35, 12.40, 190.0, 100.0),
)
_LIMITS = {"AIS": (20.8, 19.9), "MIS": (22.7, 22.6)}  # NUV, FUV at five sigma, AB (Morrissey et al. 2007)
_ZERO_POINTS = (20.08, 18.82)  # NUV, FUV: AB magnitude of one photon per second (Morrissey et al. 2007)
_REDDENING = 0.022
_ABSORPTION = (8.2 * _REDDENING, 8.24 * _REDDENING)  # NUV, FUV (Wyder et al. 2007, ApJS 173, 293)
_REFERENCES = (
    "fields, limits and zero points: Morrissey et al. 2007, ApJS 173, 682; colours of galaxies: Wyder et al. 2007, "
    "ApJS 173, 293; columns: Bianchi et al. 2017, ApJS 230, 24"
)


def _photo() -> Iterator[Column]:
    real, double, whole, long = pa.float32(), pa.float64(), pa.int32(), pa.int64()
    yield Column("objid", long, "", "meta.id;meta.main", description="identifier", principal=True)
    yield Column("photoextractid", long, "", "meta.id", description="the tile that it was found in")
    yield Column(
        "mpstype", pa.string(), "", "meta.id;obs", description="survey: AIS all-sky, MIS medium imaging"
    )
    yield Column(
        "ra", double, "deg", "pos.eq.ra;meta.main", description="right ascension (ICRS)", principal=True
    )
    yield Column(
        "dec", double, "deg", "pos.eq.dec;meta.main", description="declination (ICRS)", principal=True
    )
    yield Column("glon", double, "deg", "pos.galactic.lon", description="galactic longitude")
    yield Column("glat", double, "deg", "pos.galactic.lat", description="galactic latitude")
    yield Column(
        "fov_radius", real, "deg", "pos.angDistance", description="distance from the centre of the field"
    )
    yield Column("band", whole, "", "meta.code", description="1 NUV only, 2 FUV only, 3 both")
    yield Column("e_bv", real, "mag", "phot.color.excess", description="E(B-V) of the Galaxy")
    for name, word in (("nuv", "em.UV.200-300nm"), ("fuv", "em.UV.100-200nm")):
        said = "near" if name == "nuv" else "far"
        yield Column(
            f"{name}_mag", real, "mag", f"phot.mag;{word}", principal=True,
            description=f"AB magnitude in the {said} ultraviolet; null where it was not detected",
        )  # fmt: skip
        yield Column(
            f"{name}_magerr", real, "mag", f"stat.error;phot.mag;{word}", description=f"error of {name}_mag"
        )
        yield Column(
            f"{name}_flux", real, "uJy", f"phot.flux.density;{word}", description=f"flux of {name}_mag"
        )
        yield Column(
            f"{name}_fluxerr",
            real,
            "uJy",
            f"stat.error;phot.flux.density;{word}",
            description=f"error of {name}_flux",
        )
        yield Column(
            f"{name}_artifact", whole, "", "meta.code.qual", description="1: at the edge of the detector"
        )


def _tiles() -> Iterator[Column]:
    double = pa.float64()
    yield Column(
        "photoextractid",
        pa.int64(),
        "",
        "meta.id;meta.main",
        description="identifier of a tile",
        principal=True,
    )
    yield Column("mpstype", pa.string(), "", "meta.id;obs", description="survey", principal=True)
    yield Column(
        "avaspra",
        double,
        "deg",
        "pos.eq.ra;meta.main",
        description="right ascension of its centre (ICRS)",
        principal=True,
    )
    yield Column(
        "avaspdec",
        double,
        "deg",
        "pos.eq.dec;meta.main",
        description="declination of its centre (ICRS)",
        principal=True,
    )
    yield Column(
        "nexptime", double, "s", "time.duration;obs.exposure", description="exposure, near ultraviolet"
    )
    yield Column(
        "fexptime", double, "s", "time.duration;obs.exposure", description="exposure, far ultraviolet"
    )


_METADATA = {"simulated": "yes: every row", "reference": _REFERENCES}
GALEX_SCHEMAS = {
    "photoextract": Schema(
        tuple(_tiles()),
        name="photoextract",
        description="SIMULATED. Tiles of the imaging.",
        metadata=_METADATA,
    ),
    "photoobjall": Schema(
        tuple(_photo()),
        name="photoobjall",
        description="SIMULATED. Sources in the near and far ultraviolet around M87; what two tiles saw is there twice.",
        metadata=_METADATA,
    ),
}
"""Columns with units, UCDs and descriptions, by table, in the order in which they refer to each other."""


def simulate_galex(sky: Sky) -> Mapping[str, pa.Table]:
    """Look at a sky in the ultraviolet; the same sky gives the same tables.

    Returns
    -------
    Mapping[str, pa.Table]
        By name, as `GALEX_SCHEMAS`: some thousand sources in three tiles.
    """
    rng = np.random.default_rng([sky.seed, 40])
    objects = objects_of(sky)
    nuv = _near_ultraviolet(rng, objects)
    fuv = _far_ultraviolet(rng, objects, nuv)
    parts = [_seen(rng, objects, (nuv, fuv), tile) for tile in _TILES]
    photo = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    photo["objid"] = np.int64(6370915000000000000) + np.arange(len(photo["ra"]))
    names = ("photoextractid", "mpstype", "avaspra", "avaspdec", "nexptime", "fexptime")
    tiles: Values = dict(zip(names, map(np.array, zip(*map(astuple, _TILES), strict=True)), strict=True))
    found = {"photoextract": tiles, "photoobjall": photo}
    return {name: _table(found[name], schema) for name, schema in GALEX_SCHEMAS.items()}


def _table(values: Values, schema: Schema) -> pa.Table:
    """Return an Arrow table; NaN becomes null."""
    arrays = [
        pa.array(values[c.name], from_pandas=values[c.name].dtype.kind == "f").cast(c.type) for c in schema
    ]
    return pa.table(arrays, names=list(schema.names))


def _near_ultraviolet(rng: np.random.Generator, objects: Objects) -> Floats:
    """Return NUV magnitudes: by u - r of galaxies, by g - r of stars; quasars are blue."""
    u, g, r = objects.magnitude[:, :3].T
    galaxy = r + np.clip(1.3 * (u - r) + 0.6, 1.2, 6.5)
    star = g + np.clip(1.0 + 7.5 * (g - r), 0.5, 9.0)
    point = np.where(objects.quasar, g + 0.4 + np.maximum(objects.redshift - 1.4, 0) * 2.5, star)
    return np.asarray(np.where(objects.size > 0, galaxy, point) + rng.normal(0, 0.15, len(objects)))


def _far_ultraviolet(rng: np.random.Generator, objects: Objects, nuv: Floats) -> Floats:
    """Return FUV magnitudes; hydrogen takes the light of quasars beyond a redshift of one half."""
    colour = objects.magnitude[:, 0] - objects.magnitude[:, 2]
    galaxy = np.clip(0.3 + 0.45 * (colour - 1.0), 0.1, 1.8)
    point = np.where(objects.quasar, 0.4 + np.maximum(objects.redshift - 0.5, 0) * 4, 2.5)
    return np.asarray(nuv + np.where(objects.size > 0, galaxy, point) + rng.normal(0, 0.1, len(objects)))


def _seen(rng: np.random.Generator, objects: Objects, truth: tuple[Floats, Floats], tile: _Tile) -> Values:
    """Return what one tile found."""
    away = np.asarray(separation(objects.ra, objects.dec, tile.ra, tile.dec))
    columns: Values = {}
    detected = []
    for k, name in enumerate(("nuv", "fuv")):
        magnitude, error = _measured(rng, truth[k] + _ABSORPTION[k], _LIMITS[tile.survey][k], _ZERO_POINTS[k])
        seen = (error < 0.36) & (away < _RADIUS)
        flux = 10 ** (-0.4 * (magnitude - 23.9))
        detected.append(seen)
        for column, values in (
            ("mag", magnitude), ("magerr", error), ("flux", flux), ("fluxerr", flux * error * np.log(10) / 2.5)
        ):  # fmt: skip
            columns[f"{name}_{column}"] = np.where(seen, values, np.nan)
        columns[f"{name}_artifact"] = (away > 0.55).astype(np.int64)
    rows = np.flatnonzero(detected[0] | detected[1])
    shift = rng.normal(0, 0.6 / 3600, (2, len(objects)))
    ra, dec = objects.ra + shift[0] / np.cos(np.radians(objects.dec)), objects.dec + shift[1]
    x, y, z = rotation("ICRS", "GALACTIC") @ unit_vector(ra, dec).T
    columns |= {
        "ra": ra, "dec": dec, "fov_radius": away, "e_bv": np.full(len(objects), _REDDENING),
        "glon": np.degrees(np.arctan2(y, x)) % 360, "glat": np.degrees(np.arcsin(np.clip(z, -1, 1))),
        "band": detected[0] + 2 * detected[1].astype(np.int64),
        "photoextractid": np.full(len(objects), tile.identifier), "mpstype": np.full(len(objects), tile.survey),
    }  # fmt: skip
    return {name: values[rows] for name, values in columns.items()}


def _measured(
    rng: np.random.Generator, truth: Floats, limit: float, zero_point: float
) -> tuple[Floats, Floats]:
    """Return magnitudes and errors of a detector that counts photons: 0.22 mag at five sigma."""
    rate, faint = 10 ** (-0.4 * (truth - zero_point)), 10 ** (-0.4 * (limit - zero_point))
    # the background is what makes five sigma at the limit
    error = 1.0857 * np.hypot(np.sqrt(0.02 * (rate + 2 * faint) * faint) / rate, 0.02)
    magnitude = truth + np.minimum(error, 2) * rng.standard_normal(len(truth))
    return magnitude, np.asarray(error)
