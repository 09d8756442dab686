"""A tiny data release of a survey like SDSS, for what searches its tables by their customary names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from awe.core.tables import Column, Schema, TableStream
from awe.platform import Platform
from awe.testing import TINY_CENTRE

__all__ = ["RELEASE", "TinyRelease", "publish_release"]

RELEASE = "dr1"
_ROWS = 400
_FIRST = 1_237_650_000_000_000_000
_FIRST_SPECTRUM = 2**63 + 17


@dataclass(frozen=True)
class TinyRelease:
    """What was published, by column, for tests to compute with."""

    photo: dict[str, npt.NDArray[Any]]
    spectra: dict[str, npt.NDArray[Any]]


def publish_release(platform: Platform, folder: Path, name: str = RELEASE) -> TinyRelease:
    """Publish ``PhotoObj`` and ``SpecObj`` of a release around the centre of the tiny sky."""
    random = np.random.default_rng(20261129)
    ra, dec = TINY_CENTRE
    distance, angle = 0.1 * np.sqrt(random.random(_ROWS)), 2 * np.pi * random.random(_ROWS)
    photo: dict[str, npt.NDArray[Any]] = {
        "objID": np.arange(_FIRST, _FIRST + _ROWS),
        "run": np.full(_ROWS, 94, np.int16),
        "rerun": np.full(_ROWS, 301, np.int16),
        "camcol": np.full(_ROWS, 3, np.uint8),
        "field": np.arange(_ROWS, dtype=np.int16) // 50,
        "obj": np.arange(_ROWS, dtype=np.int16) % 50,
        "type": np.where(random.random(_ROWS) < 0.5, 3, 6).astype(np.int16),
        "ra": ra + distance * np.sin(angle) / np.cos(np.radians(dec)),
        "dec": dec + distance * np.cos(angle),
        **{band: (15 + 8 * random.random(_ROWS)).astype(np.float32) for band in "ugriz"},
        **{f"Err_{band}": (0.2 * random.random(_ROWS)).astype(np.float32) for band in "ugriz"},
    }
    every = slice(0, _ROWS, 10)
    count = len(range(_ROWS)[every])
    spectra: dict[str, npt.NDArray[Any]] = {
        "specObjID": np.arange(count, dtype=np.uint64) + np.uint64(_FIRST_SPECTRUM),
        "bestObjID": photo["objID"][every],
        "plate": np.full(count, 266, np.int16),
        "mjd": np.full(count, 51630, np.int32),
        "fiberID": np.arange(1, count + 1, dtype=np.int16),
        "ra": photo["ra"][every],
        "dec": photo["dec"][every],
        "z": random.random(count).astype(np.float32),
    }
    for table_name, columns in (("PhotoObj", photo), ("SpecObj", spectra)):
        units = {"ra": "deg", "dec": "deg", **dict.fromkeys("ugr", "mag")}
        schema = Schema(
            tuple(
                Column(key, pa.array(values).type, unit=units.get(key, "")) for key, values in columns.items()
            )
        )
        table = pa.Table.from_arrays(
            [pa.array(values) for values in columns.values()], schema=schema.to_arrow()
        )
        describe = folder / f"{table_name}.toml"
        describe.write_text('[table]\ntitle = "Made-up objects"\n[metadata]\nsimulated = "random numbers"\n')
        platform.catalogs.publish_stream(
            f"{name}.{table_name}",
            TableStream.from_table(table, schema),
            ra="ra",
            dec="dec",
            describe=describe,
        )
    return TinyRelease(photo, spectra)
