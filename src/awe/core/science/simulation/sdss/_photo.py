"""Imaging as SDSS would have done it: fields, objects in them, magnitudes with errors, flags, identifiers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from awe.core.science.simulation.sdss._columns import BANDS
from awe.core.science.simulation.sdss._constants import GALAXY, PHOTO_FLAGS, STAR
from awe.core.science.simulation.sdss._objects import DEC, RA, Objects
from awe.core.sky import htm_index, rotation, unit_vector

__all__ = ["Scan", "imaging", "object_identifier", "unit_columns"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Values = dict[str, NDArray[Any]]

_SKY_VERSION, _RERUN = 2, 301
_FIELDS, _COLUMNS = 6, 6
_LIMITS = np.array(
    [22.0, 22.2, 21.7, 21.3, 20.5]
)  # AB: 0.2 mag of error (York et al. 2000; r chosen to keep the table small)
_EXTINCTION = (
    np.array([4.24, 3.30, 2.29, 1.70, 1.26]) * 0.022
)  # Schlafly & Finkbeiner 2011, E(B-V) towards M87
_SOFTENING = np.array([1.4, 0.9, 1.2, 1.8, 7.4]) * 1e-10  # York et al. 2000; in 3631 Jy
_SATURATED = 14.0  # r
_SEEING = 1.3  # arcsec


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of the sky: its number, its day, the declinations it covers, and the mode of what it sees."""

    run: int
    mjd: int
    dec: tuple[float, float]
    first_field: int
    mode: int


SCANS = (
    Scan(94, 53084, DEC, 101, 1),
    # seen again: the part of the sky where two scans overlap
    Scan(
        125,
        53437,
        (DEC[0] + 2 * (DEC[1] - DEC[0]) / _COLUMNS, DEC[0] + 3 * (DEC[1] - DEC[0]) / _COLUMNS),
        301,
        2,
    ),
)


def object_identifier(run: Ints, camcol: Ints, field: Ints, obj: Ints) -> Ints:
    """Return SDSS's 64-bit objID: sky version, rerun, run, column, field, object."""
    return np.asarray(
        (_SKY_VERSION << 59) | (_RERUN << 48) | (run << 32) | (camcol << 29) | (field << 16) | obj,
        dtype=np.int64,
    )


def imaging(objects: Objects, seed: int) -> tuple[Values, Values, Ints]:
    """Return the columns of PhotoObjAll and of Field, and which object each row of PhotoObjAll is."""
    rng = np.random.default_rng([seed, 31])
    rows: list[Values] = []
    which: list[Ints] = []
    for scan in SCANS:
        inside = np.flatnonzero((objects.dec >= scan.dec[0]) & (objects.dec < scan.dec[1]))
        measured = _measured(rng, objects.where(inside), scan)
        found = rng.uniform(size=len(inside)) < 1 / (1 + np.exp((measured["modelMag_r"] - 21.5) / 0.1))
        inside, measured = inside[found], {name: values[found] for name, values in measured.items()}
        rows.append(_numbered(measured, scan))
        which.append(inside)
    photo = {name: np.concatenate([part[name] for part in rows]) for name in rows[0]}
    return photo, _fields(photo), np.concatenate(which)


def _measured(rng: np.random.Generator, objects: Objects, scan: Scan) -> Values:
    n = len(objects)
    model, error = _magnitudes(rng, objects.magnitude + _EXTINCTION)
    extended = objects.size > 0.5
    # a point-source fit loses the light outside of the seeing disk
    lost = np.where(extended, 1.1 * np.log10(1 + objects.size / _SEEING), 0.0)[:, None]
    petro = model + rng.normal(0, 0.02, (n, 5)) * (1 + 20 * error)
    values: Values = {}
    for prefix, magnitude, its_error in (
        ("", model, error), ("modelMag_", model, error), ("psfMag_", model + lost, error), ("petroMag_", petro, 1.3 * error)
    ):  # fmt: skip
        for k, band in enumerate(BANDS):
            values[f"{prefix}{band}"] = magnitude[:, k]
            values[f"Err_{band}" if not prefix else f"{prefix[:-1]}Err_{band}"] = its_error[:, k]
    for k, band in enumerate(BANDS):
        values[f"extinction_{band}"] = np.full(n, _EXTINCTION[k])
        values[f"dered_{band}"] = model[:, k] - _EXTINCTION[k]
    half = np.hypot(objects.size, 0.6 * _SEEING)
    early = np.clip(
        objects.magnitude[:, 0] - objects.magnitude[:, 2] - 1.2, 0, 1
    )  # red galaxies are concentrated
    blurred = rng.uniform(size=n) < np.clip((model[:, 2] - 20.8) / 10, 0, 0.06)  # faint ones are mistaken
    near = 0.05 + 0.1 * error[:, 2] / 0.1
    values |= {
        "petroRad_r": 2.2 * half, "petroR50_r": half, "petroR90_r": half * (2.3 + 0.7 * early),
        "expAB_r": 1 - objects.flattening, "fracDeV_r": np.where(extended, early, 0.0),
        "type": np.where(extended ^ blurred, GALAXY, STAR), "ra": objects.ra, "dec": objects.dec,
        "raErr": near, "decErr": near, "mode": np.full(n, scan.mode), "mjd": np.full(n, scan.mjd),
        "insideMask": (rng.uniform(size=n) < 0.01).astype(np.int64), "nChild": np.zeros(n, dtype=np.int64),
        "skyVersion": np.full(n, _SKY_VERSION), "parentID": np.zeros(n, dtype=np.int64),
        "specObjID": np.zeros(n, dtype=np.uint64),
    }  # fmt: skip
    values["flags"] = _flags(rng, model[:, 2], extended)
    troubled = PHOTO_FLAGS["SATURATED"][0] | PHOTO_FLAGS["EDGE"][0]
    values["clean"] = ((values["flags"] & troubled) == 0).astype(np.int64)
    return values | unit_columns(objects.ra, objects.dec) | _galactic(objects.ra, objects.dec)


def _magnitudes(rng: np.random.Generator, truth: Floats) -> tuple[Floats, Floats]:
    """Return measured magnitudes and their errors: inverse hyperbolic sines (Lupton et al. 1999, AJ 118, 1406)."""
    flux = 10 ** (-0.4 * truth)
    sigma = np.hypot(0.01 * flux, 0.2 * np.log(10) / 2.5 * 10 ** (-0.4 * _LIMITS))
    seen = (flux + sigma * rng.standard_normal(flux.shape)) / (2 * _SOFTENING)
    magnitude = -2.5 / np.log(10) * (np.arcsinh(seen) + np.log(_SOFTENING))
    return magnitude, 2.5 / np.log(10) * sigma / (2 * _SOFTENING) / np.sqrt(1 + seen**2)


def _flags(rng: np.random.Generator, r: Floats, extended: NDArray[np.bool_]) -> Ints:
    n = len(r)
    flags = np.full(n, PHOTO_FLAGS["BINNED1"][0] | PHOTO_FLAGS["STATIONARY"][0], dtype=np.int64)
    saturated = r < _SATURATED
    for name, which in (
        ("SATURATED", saturated), ("SATUR_CENTER", saturated & (r < _SATURATED - 0.5)), ("HAS_SATUR_DN", saturated),
        ("INTERP", rng.uniform(size=n) < 0.12), ("CR", rng.uniform(size=n) < 0.02),
        ("EDGE", rng.uniform(size=n) < 0.01), ("CHILD", rng.uniform(size=n) < 0.18),
        ("NOPETRO", ~extended & (rng.uniform(size=n) < 0.05)), ("MANYPETRO", extended & (rng.uniform(size=n) < 0.03)),
        ("DEBLENDED_AS_PSF", ~extended & (rng.uniform(size=n) < 0.10)), ("MOVED", rng.uniform(size=n) < 0.02),
    ):  # fmt: skip
        flags |= np.where(which, PHOTO_FLAGS[name][0], 0)
    return flags


def _numbered(values: Values, scan: Scan) -> Values:
    """Give each row its field, its number there and the identifiers made of them."""
    ra, dec = values["ra"], values["dec"]
    n = len(ra)
    height = (DEC[1] - DEC[0]) / _COLUMNS
    camcol = 1 + ((dec - DEC[0]) / height).astype(np.int64)
    field = scan.first_field + ((ra - RA[0]) / (RA[1] - RA[0]) * _FIELDS).astype(np.int64)
    order = np.lexsort((ra, field, camcol))
    group = camcol[order] * 10_000 + field[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    counts = np.diff(np.append(starts, n))
    obj = np.empty(n, dtype=np.int64)
    obj[order] = np.arange(n) - np.repeat(starts, counts) + 1
    run = np.full(n, scan.run)
    return values | {
        "run": run, "rerun": np.full(n, _RERUN), "camcol": camcol, "field": field, "obj": obj,
        "objID": object_identifier(run, camcol, field, obj),
        "fieldID": object_identifier(run, camcol, field, np.zeros(n, dtype=np.int64)),
    }  # fmt: skip


def _fields(photo: Values) -> Values:
    identifiers, first, place = np.unique(photo["fieldID"], return_index=True, return_inverse=True)
    kinds = photo["type"]
    columns: Values = {
        name: photo[name][first] for name in ("run", "rerun", "camcol", "field", "skyVersion", "mjd")
    }
    starts = {scan.run: scan.first_field for scan in SCANS}
    step = np.array([(RA[1] - RA[0]) / _FIELDS, (DEC[1] - DEC[0]) / _COLUMNS])
    ra_min = RA[0] + step[0] * (columns["field"] - np.array([starts[int(run)] for run in columns["run"]]))
    dec_min = DEC[0] + step[1] * (columns["camcol"] - 1)
    return columns | {
        "fieldID": identifiers,
        "nObjects": np.bincount(place), "nStars": np.bincount(place, kinds == STAR).astype(np.int64),
        "nGalaxy": np.bincount(place, kinds == GALAXY).astype(np.int64),
        "quality": np.full(len(identifiers), 3), "psfWidth_r": np.full(len(identifiers), _SEEING),
        "ra": ra_min + step[0] / 2, "dec": dec_min + step[1] / 2,
        "raMin": ra_min, "raMax": ra_min + step[0], "decMin": dec_min, "decMax": dec_min + step[1],
    }  # fmt: skip


def unit_columns(ra: Floats, dec: Floats) -> Values:
    """Return the columns cx, cy, cz and htmID of positions."""
    vector = unit_vector(ra, dec)
    return {"cx": vector[:, 0], "cy": vector[:, 1], "cz": vector[:, 2], "htmID": htm_index(ra, dec, 20)}


def _galactic(ra: Floats, dec: Floats) -> Values:
    x, y, z = rotation("ICRS", "GALACTIC") @ unit_vector(ra, dec).T
    return {"l": np.degrees(np.arctan2(y, x)) % 360, "b": np.degrees(np.arcsin(np.clip(z, -1, 1)))}
