"""All tables of the simulated SDSS."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from awe.core.science.simulation._sources import Sky
from awe.core.science.simulation.sdss._columns import SDSS_SCHEMAS
from awe.core.science.simulation.sdss._constants import GALAXY, PHOTO_FLAGS, PHOTO_TYPES
from awe.core.science.simulation.sdss._objects import Objects, objects_of
from awe.core.science.simulation.sdss._photo import Values, imaging, unit_columns
from awe.core.sky import separation, unit_vector

__all__ = ["simulate_sdss"]

_NEIGHBOURS_ARCMIN = 0.5
_MAIN_SAMPLE = 17.77  # r: the limit of SDSS's main galaxy sample (Strauss et al. 2002, AJ 124, 1810)
_QUASAR_LIMIT = 19.1  # i
_PLATES = (("sdss", 2967, 54584, "26", 26, 640), ("eboss", 9141, 57908, "v5_13_0", 1300, 1000))
_STARS = 250


def simulate_sdss(sky: Sky) -> Mapping[str, pa.Table]:
    """Survey a sky; the same sky gives the same tables.

    Returns
    -------
    Mapping[str, pa.Table]
        By name, as `SDSS_SCHEMAS`: some 12,000 objects, 1,000 spectra and 40 fields.
    """
    objects = objects_of(sky)
    photo, field, which = imaging(objects, sky.seed)
    spectra = _spectra(objects, photo, which, sky.seed)
    found = {
        "PhotoFlags": _named(PHOTO_FLAGS),
        "PhotoType": _named(PHOTO_TYPES),
        "Field": field,
        "PhotoObjAll": photo,
        "Neighbors": _neighbours(photo),
        "SpecObjAll": spectra,
    }
    return {name: _table(found[name], name) for name in SDSS_SCHEMAS}


def _table(values: Values, name: str) -> pa.Table:
    schema = SDSS_SCHEMAS[name]
    arrays = [pa.array(values[column.name]).cast(column.type) for column in schema]
    return pa.table(arrays, names=list(schema.names))


def _named(constants: Mapping[str, tuple[int, str]]) -> Values:
    return {
        "name": np.array(list(constants)),
        "value": np.array([value for value, _ in constants.values()]),
        "description": np.array([text for _, text in constants.values()]),
    }


def _neighbours(photo: Values) -> Values:
    from scipy.spatial import cKDTree  # noqa: PLC0415  # scipy is a tenth of an idle server's memory

    primary = np.flatnonzero(photo["mode"] == 1)
    ra, dec = photo["ra"][primary], photo["dec"][primary]
    chord = 2 * np.sin(np.radians(_NEIGHBOURS_ARCMIN / 60) / 2)
    pairs = cKDTree(unit_vector(ra, dec)).query_pairs(chord, output_type="ndarray")
    one, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.lexsort((photo["objID"][primary[other]], photo["objID"][primary[one]]))
    one, other = one[order], other[order]
    left, right = primary[one], primary[other]
    return {
        "objID": photo["objID"][left], "neighborObjID": photo["objID"][right],
        "distance": 60 * np.asarray(separation(ra[one], dec[one], ra[other], dec[other])),
        "type": photo["type"][left], "neighborType": photo["type"][right],
        "mode": photo["mode"][left], "neighborMode": photo["mode"][right],
    }  # fmt: skip


def _spectra(objects: Objects, photo: Values, which: NDArray[np.int64], seed: int) -> Values:
    """Take spectra of what SDSS would have chosen, and say in PhotoObjAll which are whose."""
    rng = np.random.default_rng([seed, 32])
    rows, plates = _targets(rng, objects, photo, which)
    n = len(rows)
    truth = objects.where(which[rows])
    star = np.isnan(truth.redshift)
    error = np.where(star, 2e-5, np.where(truth.quasar, 4e-4, 3e-5)) * rng.uniform(0.5, 2, n)
    redshift = np.where(star, rng.normal(0, 1.2e-4, n), truth.redshift) + error * rng.standard_normal(n)
    signal = 8 * 10 ** (-0.2 * (truth.magnitude[:, 2] - 18.5)) * rng.uniform(0.7, 1.3, n)
    values: Values = _plate_columns(plates)
    values |= {
        "bestObjID": photo["objID"][rows], "sciencePrimary": np.ones(n, dtype=np.int64),
        "class": np.where(star, "STAR", np.where(truth.quasar, "QSO", "GALAXY")),
        "subClass": _subclass(truth, star), "z": redshift, "zErr": error,
        "zWarning": np.where(signal < 3, 4, 0), "snMedian": signal,
        "ra": photo["ra"][rows], "dec": photo["dec"][rows],
    }  # fmt: skip
    values |= unit_columns(values["ra"], values["dec"])
    photo["specObjID"][rows] = values["specObjID"]
    return _with_repeats(rng, values)


def _targets(
    rng: np.random.Generator, objects: Objects, photo: Values, which: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    primary = photo["mode"] == 1
    quasar = objects.quasar[which]
    galaxy = photo["type"] == GALAXY
    bright = galaxy & (photo["petroMag_r"] < _MAIN_SAMPLE) | quasar & (photo["i"] < _QUASAR_LIMIT)
    stars = (photo["type"] != GALAXY) & ~quasar & (photo["r"] > 15) & (photo["r"] < 19)
    faint = galaxy & ~bright & (photo["i"] < 20.2) | quasar & ~bright
    first = np.flatnonzero(primary & bright)
    chosen = [
        np.concatenate([first, _some(rng, np.flatnonzero(primary & stars), _STARS)])[: _PLATES[0][5]],
        _some(rng, np.flatnonzero(primary & faint), _PLATES[1][5]),
    ]
    return np.concatenate(chosen), np.repeat([0, 1], [len(part) for part in chosen])


def _some(rng: np.random.Generator, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return np.sort(rng.permutation(rows)[:most])


def _plate_columns(plates: NDArray[np.int64]) -> Values:
    """Return plate, day, fibre and the identifier made of them (SDSS's 64 bits, without a sign)."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("survey", "plate", "mjd", "run2d", "fiberID", "specObjID")
    }
    fibres = [0, 0]
    for which in plates:
        survey, plate, mjd, run2d, run2d_number, _ = _PLATES[which]
        fibres[which] += 1
        identifier = plate << 50 | fibres[which] << 38 | (mjd - 50000) << 24 | run2d_number << 10
        for name, value in zip(columns, (survey, plate, mjd, run2d, fibres[which], identifier), strict=True):
            columns[name].append(value)
    kinds = {"specObjID": np.uint64}
    return {name: np.array(values, dtype=kinds.get(name)) for name, values in columns.items()}


def _subclass(truth: Objects, star: NDArray[np.bool_]) -> NDArray[Any]:
    gr = truth.magnitude[:, 1] - truth.magnitude[:, 2]
    stellar = np.select([gr < 0.3, gr < 0.6, gr < 0.95, gr < 1.3], ["F5", "G2", "K3", "K7"], "M3")
    other = np.where(truth.quasar, "BROADLINE", np.where(gr < 0.6, "STARFORMING", ""))
    return np.where(star, stellar, other)


def _with_repeats(rng: np.random.Generator, values: Values) -> Values:
    """Add second spectra of some objects, on fibres that are left: they are not the best of their place."""
    first = np.flatnonzero(values["survey"] == _PLATES[0][0])
    again = np.sort(rng.permutation(first)[: min(20, _PLATES[0][5] - len(first))])
    repeated = {name: column[again] for name, column in values.items()}
    fibre = np.arange(1, len(again) + 1) + len(first)
    repeated["specObjID"] = (
        repeated["specObjID"] - (repeated["fiberID"].astype(np.uint64) << np.uint64(38))
        + (fibre.astype(np.uint64) << np.uint64(38))
    )  # fmt: skip
    repeated["fiberID"] = fibre
    repeated["sciencePrimary"] = np.zeros(len(again), dtype=np.int64)
    repeated["z"] = repeated["z"] + 2 * repeated["zErr"] * rng.standard_normal(len(again))
    return {name: np.concatenate([column, repeated[name]]) for name, column in values.items()}
