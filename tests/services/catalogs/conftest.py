"""A catalogue service in a temporary folder, and rows to publish."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream
from awe.services.catalogs import CatalogService, CatalogStore, OwnStore, OwnTables
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.identity import GrantStore, Policy
from awe.services.system import SystemDatabase
from awe.settings import LimitSettings, UploadSettings
from awe.testing import with_schema

SCHEMA = Schema(
    (
        Column("MatchID", pa.int64(), ucd="meta.id;meta.main", principal=True),
        Column("MatchRA", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main", description="Right ascension"),
        Column("MatchDec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("W2_F606W", pa.float32(), unit="mag", ucd="phot.mag;em.opt.V", principal=True),
        Column("Target", pa.string()),
    ),
    description="Sources around M87 and over the sky",
    metadata={"reference": "2016AJ....151..134W"},
)


def make_rows(count: int = 2000, seed: int = 3) -> pa.Table:
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    half = count // 2
    ra[:half], dec[:half] = 187.706 + rng.normal(0, 0.05, half), 12.391 + rng.normal(0, 0.05, half)
    columns = [
        pa.array(np.arange(count)),
        pa.array(ra),
        pa.array(dec),
        pa.array(rng.normal(24, 1, count).astype(np.float32)),
        pa.array([f"M{i % 110}" for i in range(count)]),
    ]
    return pa.table(columns, names=list(SCHEMA.names))


@pytest.fixture
def rows() -> pa.Table:
    return make_rows()


@pytest.fixture
def make_stream() -> Callable[..., TableStream]:
    def make(table: pa.Table | None = None, schema: Schema = SCHEMA) -> TableStream:
        return TableStream(schema, (make_rows() if table is None else table).to_batches(max_chunksize=300))

    return make


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Callable[..., CatalogService]]:
    opened: list[tuple[SystemDatabase, DuckDBEngine]] = []

    def make(uploads: UploadSettings | None = None, **limits: object) -> CatalogService:
        system = SystemDatabase.in_folder(with_schema(tmp_path))
        system.migrate()
        settings = LimitSettings.model_validate(limits)
        engine = DuckDBEngine(tmp_path / "tables", settings)
        opened.append((system, engine))
        return CatalogService(
            CatalogStore(system),
            engine,
            settings,
            tmp_path / "publishing",
            uploads,
            policy=Policy(GrantStore(system)),
            own=OwnTables(OwnStore(system), Policy(GrantStore(system))),
        )

    yield make
    for system, engine in opened:
        engine.close()
        system.close()


@pytest.fixture
def service(make_service: Callable[..., CatalogService]) -> CatalogService:
    return make_service()


@pytest.fixture
def hsc(service: CatalogService, make_stream: Callable[..., TableStream]) -> CatalogService:
    service.publish_stream("hsc.SumCat", make_stream())
    return service
