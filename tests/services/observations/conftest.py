"""An archive without HTTP: the system database, the catalogues over DuckDB, and the observations."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from awe.services.catalogs import CatalogService, CatalogStore, OwnStore, OwnTables
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.identity import GrantStore, Policy
from awe.services.observations import Copies, Criteria, ObservationService, Storage
from awe.services.system import SystemDatabase
from awe.settings import LimitSettings
from awe.testing import with_schema

AUTHORITY = "example.awe"


@dataclass(frozen=True)
class Archive:
    system: SystemDatabase
    catalogs: CatalogService
    observations: ObservationService

    def rows(self, criteria: Criteria | None = None, **options: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            self.observations.find(criteria or Criteria(), **options).to_table().to_pylist()
        )
        return found

    def names(self, criteria: Criteria | None = None) -> set[object]:
        return {row["obs_id"] for row in self.rows(criteria)}


def open_archive(folder: Path, *, retile: bool = True) -> tuple[Archive, Callable[[], None]]:
    limits = LimitSettings()
    system = SystemDatabase.in_folder(with_schema(folder))
    system.migrate()
    engine = DuckDBEngine(folder / "tables", limits)
    catalogs = CatalogService(
        CatalogStore(system),
        engine,
        limits,
        folder / "publishing",
        policy=Policy(GrantStore(system)),
        own=OwnTables(OwnStore(system), Policy(GrantStore(system))),
    )
    storage = Storage()
    observations = ObservationService(
        system,
        catalogs,
        folder=folder / "observations",
        authority=AUTHORITY,
        max_pixels=limits.cutout_pixels,
        max_rows=limits.rows,
        policy=Policy(GrantStore(system)),
        copies=Copies(folder / "tiles", made=retile, storage=storage),
        storage=storage,
    )

    def close() -> None:
        engine.close()
        system.close()

    return Archive(system, catalogs, observations), close


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened, close = open_archive(tmp_path / "archive")
    yield opened
    close()


def write_image(
    folder: Path,
    name: str,
    ra: float = 187.7,
    dec: float = 12.39,
    *,
    scale_arcsec: float = 1.0,
    angle: float = 0.0,
    shape: tuple[int, int] = (20, 30),
    cards: Mapping[str, object] | None = None,
    **keywords: object,
) -> Path:
    """Write a small image around a position; further header cards by keyword, or in `cards`."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [shape[1] / 2 + 0.5, shape[0] / 2 + 0.5]
    c, s = np.cos(angle), np.sin(angle)
    wcs.wcs.cd = scale_arcsec / 3600 * np.array([[-c, s], [s, c]])
    wcs.wcs.radesys = "ICRS"
    header = wcs.to_header()
    header.update({**(cards or {}), **keywords})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    pixels = np.random.default_rng(3).normal(100, 5, shape).astype(np.float32)
    fits.PrimaryHDU(pixels, header).writeto(path, overwrite=True)
    return path
