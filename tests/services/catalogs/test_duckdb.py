"""The engine of one machine: what holds for every one of its queries."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from awe.core.sql import compile_query
from awe.core.tables import Column, Schema, TableStream
from awe.services.catalogs import Limits, TableRecord, WriteSpec
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.catalogs.backends.duckdb_footers import KeptFooters
from awe.settings import LimitSettings

SCHEMA = Schema(tuple(Column(name, pa.float64()) for name in ("ra", "dec")))
SETTINGS = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "allow_extension_repositories": "forbidden",
    "python_enable_replacements": False,
    "TimeZone": "UTC",
    "allowed_configs": ["max_execution_time", "parquet_metadata_cache"],
    "enable_external_access": False,
    "lock_configuration": True,
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(tmp_path, LimitSettings())
    yield engine
    engine.close()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_querys_cursor_has_the_settings_of_the_engine(engine: DuckDBEngine, name: str) -> None:
    with engine._fork() as cursor:
        ((found,),) = cursor.sql(f"SELECT current_setting('{name}')").fetchall()
    assert (sorted(found) if isinstance(found, list) else found) == SETTINGS[name]


def written(engine: DuckDBEngine, name: str, rows_per_partition: int) -> TableRecord:
    random = np.random.default_rng(8)
    rows = pa.table({"ra": random.uniform(0, 360, 3000), "dec": random.uniform(-60, 60, 3000)})
    spec = WriteSpec(name, "ra", "dec", rows_per_partition)
    stored = engine.write(spec, TableStream(SCHEMA, rows.to_batches()))
    return TableRecord("sky", name, SCHEMA, stored, ra="ra", dec="dec")


def kept(engine: DuckDBEngine, record: TableRecord) -> int:
    """Return how much more DuckDB keeps after a query that reads all files of a table."""
    with engine._fork() as cursor:
        asked = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"
        ((before,),) = cursor.sql(asked).fetchall()
        query = compile_query(f"SELECT AVG(dec) AS m FROM sky.{record.name}", ReadableNames((record,)))
        engine.query(query, {record.full_name: record.stored}, Limits(10, 60)).to_table()
        ((after,),) = cursor.sql(asked).fetchall()
        return int(after - before)


def test_footers_are_kept_of_a_table_with_many_files_and_of_no_other(engine: DuckDBEngine) -> None:
    few, many = written(engine, "few", 1_000_000), written(engine, "many", 100)
    small, large = kept(engine, few), kept(engine, many)
    assert small < large
    assert kept(engine, many) == 0  # all of them are there


def test_the_footers_of_a_version_are_as_long_as_its_files_say(engine: DuckDBEngine, tmp_path: Path) -> None:
    written(engine, "many", 100)
    paths = list((tmp_path / "many" / "dataset").rglob("Npix=*.parquet"))
    sizes = [pq.read_metadata(path).serialized_size for path in paths]
    files, size = engine._files.footers("many")
    assert files == len(paths) > 4
    assert size == pytest.approx(sum(sizes), rel=0.1)


def test_no_more_footers_are_kept_than_there_is_room_for() -> None:
    kept = KeptFooters(most_bytes=1000)
    assert not kept.choose("few", files=4, size=10)
    assert kept.choose("one", files=5, size=600)
    assert not kept.choose("two", files=5, size=500)
    assert kept.choose("three", files=5, size=400)
    assert kept.choose("one", files=5, size=600)
    assert not kept.choose("four", files=5, size=1)
