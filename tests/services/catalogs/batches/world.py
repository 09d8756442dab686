"""A small sky with what SDSS, HSC and a simulation publish, as numpy arrays: the independent answers come from these."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["FLAGS", "World", "make_world", "separation_arcmin"]

FLAGS = {"BRIGHT": 0x2, "EDGE": 0x4, "BLENDED": 0x8, "CHILD": 0x10, "SATURATED": 0x40000}
_RELEASE = 1237 << 50  # SDSS's objIDs begin like this: far beyond what a double holds


@dataclass(frozen=True)
class World:
    """The tables."""

    photo: pd.DataFrame
    spec: pd.DataFrame
    field: pd.DataFrame
    neighbors: pd.DataFrame
    sumcat: pd.DataFrame
    halo: pd.DataFrame

    @property
    def primary(self) -> pd.DataFrame:
        return self.photo[self.photo["mode"] == 1]

    @property
    def galaxy(self) -> pd.DataFrame:
        return self.primary[self.primary["type"] == 3]

    @property
    def star(self) -> pd.DataFrame:
        return self.primary[self.primary["type"] == 6]


def separation_arcmin(ra: Any, dec: Any, ra0: Any, dec0: Any) -> Any:
    """Return separations (arcmin) by the vectors' chord, another way than the compiler's."""

    def vector(lon: Any, lat: Any) -> Any:
        lon, lat = np.radians(lon), np.radians(lat)
        return np.stack(
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat) + 0 * lon], axis=-1
        )

    chord = np.linalg.norm(vector(ra, dec) - vector(ra0, dec0), axis=-1)
    return np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1))) * 60


def make_world(count: int = 1500, seed: int = 5) -> World:
    """Make it: the same one for the same seed."""
    rng = np.random.default_rng(seed)
    ra, dec = 9.5 + rng.uniform(0, 1.0, count), 4.5 + rng.uniform(0, 1.0, count)
    run = rng.choice([94, 125, 756], count)
    photo = pd.DataFrame(
        {
            "objID": _RELEASE + (rng.permutation(count).astype(np.int64) << 7) + 3,
            "run": run.astype(np.int32),
            "camcol": rng.integers(1, 7, count).astype(np.uint8),
            "field": rng.integers(11, 60, count).astype(np.int16),
            "rerun": np.full(count, 301, np.int16),
            "type": rng.choice([3, 6], count).astype(np.int16),
            "mode": rng.choice([1, 1, 1, 2], count).astype(np.uint8),
            "flags": np.bitwise_or.reduce(
                [np.where(rng.uniform(size=count) < 0.3, bit, 0).astype(np.int64) for bit in FLAGS.values()]
                + [rng.integers(0, 2, count) << 40, rng.integers(0, 2, count) << 33]
            ),
            "ra": ra,
            "dec": dec,
            **{band: rng.uniform(14, 22, count).astype(np.float32) for band in "ugriz"},
            "mjd": rng.integers(51_000, 54_000, count).astype(np.int32),
            "cx": np.cos(np.radians(dec)) * np.cos(np.radians(ra)),
            "cy": np.cos(np.radians(dec)) * np.sin(np.radians(ra)),
            "cz": np.sin(np.radians(dec)),
        }
    )
    with_spectrum = photo.sample(400, random_state=seed).reset_index(drop=True)
    spec = pd.DataFrame(
        {
            "specObjID": (np.uint64(9_300_000_000_000_000_000) + np.arange(400).astype(np.uint64) * 1024),
            "bestObjID": with_spectrum["objID"],
            "class": rng.choice(["GALAXY", "QSO", "STAR"], 400),
            "z": rng.uniform(0, 3, 400),
            "zWarning": rng.integers(0, 3, 400).astype(np.int32) * 2,
            "plate": rng.integers(266, 300, 400).astype(np.int16),
        }
    )
    spec.loc[rng.choice(400, 60, replace=False), "z"] = np.nan  # becomes NULL
    field = photo.groupby(["run", "camcol", "field"], as_index=False).agg(nObjects=("objID", "size"))
    far = separation_arcmin(ra[:, None], dec[:, None], ra[None, :], dec[None, :])
    one, other = np.nonzero((far < 0.5) & (np.arange(count)[:, None] != np.arange(count)[None, :]))
    ids = photo["objID"].to_numpy()
    neighbors = pd.DataFrame({"objID": ids[one], "neighborObjID": ids[other], "distance": far[one, other]})
    sumcat = pd.DataFrame(
        {
            "MatchID": np.arange(1, 801, dtype=np.int64),
            "MatchRA": 10 + rng.uniform(-0.05, 0.05, 800),
            "MatchDec": 20 + rng.uniform(-0.05, 0.05, 800),
            "CI": rng.uniform(0.5, 1.8, 800),
            "NumImages": rng.integers(1, 9, 800).astype(np.int32),
            "A_F606W": rng.uniform(20, 26, 800),
            "A_F814W": rng.uniform(19, 25, 800),
        }
    )
    ids = np.arange(1, 301, dtype=np.int64)
    halo = pd.DataFrame(
        {
            "id": ids,
            "lastId": ids + rng.integers(0, 4, 300),
            "m": 10 ** rng.uniform(-1, 3, 300),
            "snapnum": rng.integers(60, 64, 300).astype(np.int32),
        }
    )
    return World(photo, spec, field.astype({"nObjects": np.int64}), neighbors, sumcat, halo)
