"""The simulated sky as the Hubble Source Catalog would have measured it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from awe.core.science.simulation._columns import CATALOG_SCHEMA, MAGNITUDES
from awe.core.science.simulation._founding import FOUNDING_ROWS
from awe.core.science.simulation._frames import FRAMES, Frame
from awe.core.science.simulation._galaxy import M87, elliptical_radius, surface_brightness
from awe.core.science.simulation._plane import to_plane
from awe.core.science.simulation._published import number
from awe.core.science.simulation._sources import Sky, Sources, covering_pointing

__all__ = ["CATALOG_SCHEMA", "summary_catalog"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Values = NDArray[Any]

_FIRST_ID = 2_000_001
_WFPC2_RADIUS = 250.0  # arcsec around M87 that WFPC2 has covered over the years
_ACS_LIMIT, _WFPC2_LIMIT = 26.0, 25.2  # AB magnitude at which half of the objects on blank sky are found
_DEEP_IMAGES = 74  # images of the monitoring programme that a bright object appears in
_SATURATED = 16.0  # AB magnitude above which stars are too bright to be measured
_SOFTNESS = 0.22  # mag: how fast completeness falls
_SKY_MU = 22.3  # AB mag/arcsec**2 of the zodiacal light in F814W
_DAY_MS = 86_400_000
_MJD_OF_1970 = 40587


def summary_catalog(sky: Sky) -> pa.Table:
    """Measure the sky: completeness, errors, image counts, concentration indices.

    Returns
    -------
    pa.Table
        About 100,000 rows with the columns of `CATALOG_SCHEMA`, by `MatchID`; the rows of the
        founding document come first. What was not measured is null.
    """
    seen = _seen(sky)
    rng = np.random.default_rng([sky.seed, 20])
    limit = _limits(seen.sources)
    found = _found(rng, seen.sources.f814w, limit) & (seen.pointing > -2)
    found &= seen.sources.f814w > _SATURATED
    found[: len(FOUNDING_ROWS)] = True
    kept = np.flatnonzero(found)
    seen = _Seen(seen.sources.where(kept), seen.pointing[kept])
    values: dict[str, Values] = {}
    values |= _magnitudes(rng, seen, limit[kept])
    values |= _observations(rng, seen, limit[kept], values)
    values |= _shapes(rng, seen, limit[kept])
    values |= _identity(seen)
    return pa.table(
        [_arrow(values[c.name], c.type) for c in CATALOG_SCHEMA], schema=CATALOG_SCHEMA.to_arrow()
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Sources and the pointing that covers each: -1 the mosaic around M87, -2 none."""

    sources: Sources
    pointing: Ints


def _seen(sky: Sky) -> _Seen:
    return _Seen(sky.sources, covering_pointing(sky))


def _arrow(values: Values, kind: pa.DataType) -> pa.Array:
    """Return an Arrow column; NaN becomes null."""
    return pa.array(values, kind, from_pandas=values.dtype.kind == "f")


def _limits(sources: Sources) -> Floats:
    """Return the 50 % limit of ACS at each place: brighter sky near M87 hides faint objects."""
    east, north = to_plane(sources.ra, sources.dec, M87)
    _, mu = surface_brightness(elliptical_radius(east, north))
    return np.asarray(_ACS_LIMIT - 1.25 * np.log10(1 + 10 ** (-0.4 * (mu - _SKY_MU))))


def _found(rng: np.random.Generator, magnitude: Floats, limit: Floats) -> Bools:
    return np.asarray(rng.uniform(size=len(magnitude)) < _completeness(magnitude, limit))


def _completeness(magnitude: Floats, limit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(np.clip((magnitude - limit) / _SOFTNESS, -50, 50))))


def _error(magnitude: Floats, limit: Floats) -> Floats:
    """Return the photometric error: 0.2 mag at the limit, a floor of 0.005 mag."""
    return np.hypot(0.005, 0.2 * 10 ** (0.4 * (magnitude - limit)))


def _magnitudes(rng: np.random.Generator, seen: _Seen, limit: Floats) -> dict[str, Values]:
    """Measure every magnitude where its camera looked and saw something."""
    truth = _truth(seen.sources)
    covered = _coverage(seen)
    columns: dict[str, Values] = {}
    for name, _, _ in MAGNITUDES:
        offset = _WFPC2_LIMIT - _ACS_LIMIT if name.startswith("W2_") else 0.0
        depth = limit + offset + (0.35 if name.endswith("F606W") else 0.0)
        error = _error(truth[name], depth)
        measured = np.round(truth[name] + error * rng.standard_normal(len(error)), 6)
        there = covered[name].copy()
        if name != "A_F814W":  # the band of detection: what is in the catalogue was seen in it
            there &= _found(rng, truth[name], depth)
        columns[name] = np.where(there, measured, np.nan)
        columns[f"{name}_Sigma"] = np.where(there, np.round(error, 4), np.nan)
        columns[f"{name}_N"] = np.where(there, 1 + rng.poisson(2, len(error)), 0)
    for i, row in enumerate(FOUNDING_ROWS):
        for name, value in (("W2_F606W", row.f606w), ("W2_F814W", row.f814w)):
            columns[name][i], columns[f"{name}_Sigma"][i], columns[f"{name}_N"][i] = value, 0.03, 3
    return columns


def _truth(sources: Sources) -> Mapping[str, Floats]:
    """Return the true magnitude behind each column.

    F475W and F850LP follow from the F606W - F814W colour so that the clusters' two peaks lie near
    F475W - F850LP = 0.9 and 1.3, where Peng et al. 2006 (ApJ 639, 95) find them.
    """
    v, i = sources.f606w, sources.f814w
    c = v - i
    blue, far = v + 0.9 * c + 0.05, i - 0.35 * c - 0.05
    return {
        "A_F475W": blue, "A_F606W": v, "A_F814W": i, "A_F850LP": far,
        "W2_F606W": v, "W2_F814W": i, "W3_F814W": i,
    }  # fmt: skip


def _coverage(seen: _Seen) -> Mapping[str, Bools]:
    east, north = to_plane(seen.sources.ra, seen.sources.dec, M87)
    survey = _on_detector(seen.sources, _frame("hst_9401_02_acs_wfc_total"))
    uvis = _on_detector(seen.sources, _frame("hst_99999_01_wfc3_uvis_f814w"))
    wfpc2 = np.hypot(east, north) < _WFPC2_RADIUS
    everywhere = np.ones(len(seen.sources), dtype=bool)
    # a third of the pointings has one filter only, as in the archive
    two_filters = (seen.pointing < 0) | (seen.pointing % 3 != 0)
    return {
        "A_F475W": survey, "A_F606W": two_filters, "A_F814W": everywhere, "A_F850LP": survey,
        "W2_F606W": wfpc2, "W2_F814W": wfpc2, "W3_F814W": uvis,
    }  # fmt: skip


def _frame(name: str) -> Frame:
    return next(frame for frame in FRAMES if frame.name == name)


def _on_detector(sources: Sources, frame: Frame) -> Bools:
    """Tell which sources fall on the detector of a frame."""
    east, north = to_plane(sources.ra, sources.dec, frame.centre)
    turn, half = np.deg2rad(frame.roll), frame.detector_size / 2
    u = -east * np.cos(turn) + north * np.sin(turn)
    v = north * np.cos(turn) + east * np.sin(turn)
    return np.asarray((np.abs(u) < half) & (np.abs(v) < half))


def _observations(
    rng: np.random.Generator, seen: _Seen, limit: Floats, magnitudes: dict[str, Values]
) -> dict[str, Values]:
    """Return how often, when and under which target name the objects were observed."""
    n = len(seen.sources)
    filters = np.sum([~np.isnan(magnitudes[name]) for name, _, _ in MAGNITUDES], axis=0)
    deep = _on_detector(seen.sources, _frame("hst_10543_01_acs_wfc_f814w"))
    once = np.where(seen.pointing == -1, 5, 2)
    # the single images of the monitoring are shallower than their sum
    often = rng.binomial(_DEEP_IMAGES, _completeness(seen.sources.f814w, limit - 1.6))
    images = filters + rng.poisson(once) + np.where(deep, often, 0)
    images[: len(FOUNDING_ROWS)] = np.arange(len(FOUNDING_ROWS)) * 2 + 53
    visits = np.maximum(1, images // 4)
    start = np.where(
        seen.pointing >= 0, 50000.0 + (seen.pointing * 37.731) % 6500, np.where(deep, 52658.472, 49568.266)
    )
    stop = start + np.where(seen.pointing >= 0, 0.06, np.where(deep, 1070.13, 4120.4))
    target = np.where(
        seen.pointing == -1, "M87 (SIMULATED)", np.char.add("PARALLEL-", seen.pointing.astype(str))
    )
    scatter = np.round(_error(seen.sources.f814w, limit) * 40 * rng.uniform(0.5, 1.5, n), 3)
    return {
        "DSigma": scatter, "AbsCorr": np.where(seen.pointing % 7 == 3, "N", "Y"), "NumFilters": filters,
        "NumVisits": visits, "NumImages": images, "StartMJD": start, "StopMJD": stop,
        "StartTime": _milliseconds(start), "StopTime": _milliseconds(stop), "TargetName": target,
    }  # fmt: skip


def _milliseconds(mjd: Floats) -> Ints:
    return np.rint((mjd - _MJD_OF_1970) * _DAY_MS).astype(np.int64)


def _shapes(rng: np.random.Generator, seen: _Seen, limit: Floats) -> dict[str, Values]:
    """Return sizes: 0.95 mag is a point's concentration index, a resolved cluster's is near 1.25."""
    n, size = len(seen.sources), seen.sources.size
    grown = (size / 0.1) ** 1.2
    error = np.hypot(0.02, 0.6 * _error(seen.sources.f814w, limit))
    index = 0.95 + 1.6 * grown / (1 + grown) + error * rng.standard_normal(n)
    index[: len(FOUNDING_ROWS)] = [row.ci for row in FOUNDING_ROWS]
    kron = np.hypot(0.16, 1.1 * size) * (1 + 0.05 * rng.standard_normal(n))
    return {
        "CI": np.round(index, 6), "CI_Sigma": np.round(error, 4), "KronRadius": np.round(kron, 4),
        "KronRadius_Sigma": np.round(0.05 * kron, 4), "Extinction": np.full(n, number("reddening")),
        "SpectrumFlag": np.full(n, "N"),
    }  # fmt: skip


def _identity(seen: _Seen) -> dict[str, Values]:
    n, printed = len(seen.sources), len(FOUNDING_ROWS)
    ids = np.arange(n) - printed + _FIRST_ID
    ids[:printed] = [row.match_id for row in FOUNDING_ROWS]
    origin = np.full(n, "simulation", dtype=object)
    origin[:printed] = "founding document"
    return {
        "MatchID": ids, "Origin": origin,
        "MatchRA": np.round(seen.sources.ra, 9), "MatchDec": np.round(seen.sources.dec, 9),
    }  # fmt: skip
