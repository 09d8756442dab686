"""Two engines as one: what reads much goes to the large one, and everything is as if there were one."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from awe import plugins
from awe.client import Client
from awe.client._transport import Transport
from awe.core.sql import Query
from awe.core.tables import TableStream
from awe.errors import NotFoundError, NotOfferedError, UnavailableError
from awe.platform import Platform
from awe.services.catalogs import Features, Limits, StoredTable
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.settings import SparkSettings
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

SCAN = f"SELECT AVG(id) AS mean FROM {TINY_TABLE}"
CONE = f"SELECT id FROM {TINY_TABLE} WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(187.7059, 12.3911, 0.05))"


class Cluster(DuckDBEngine):
    """An engine of its own over the same files, which lacks a function and can be away."""

    away = False

    @property
    def features(self) -> Features:
        return replace(super().features, name="cluster")

    def query(
        self,
        query: Query,
        stored: Mapping[str, StoredTable],
        limits: Limits,
        memory: Mapping[str, pa.Table] = MappingProxyType({}),
    ) -> TableStream:
        if Cluster.away:
            raise UnavailableError("the cluster does not answer")
        if "SQRT" in query.text:
            raise NotOfferedError("SQRT: the cluster has no such function")
        return super().query(query, stored, limits, memory)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return an archive whose queries above 1 kB are the cluster's."""
    load = plugins.load
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            plugins, "load", lambda group, name: Cluster if name == "cluster" else load(group, name)
        )
        with tiny_archive(
            tmp_path_factory.mktemp("sky"), scale={"engine": "cluster", "bytes": 1000}
        ) as opened:
            yield opened


@pytest.fixture(scope="module")
def archive(platform: Platform) -> Iterator[Client]:
    with Client(Transport("http://awe.local", app=build_app(platform))) as connected:
        yield connected


def test_the_estimate_names_the_engine_and_says_why(archive: Client) -> None:
    scan, cone = archive.estimate(SCAN), archive.estimate(CONE)
    assert (scan.engine, scan.why) == ("cluster", "it reads more than 1e-06 GB")
    assert (cone.engine, cone.why) == ("duckdb", "rows are looked up by their position")
    assert archive.estimate("SELECT table_name FROM tap_schema.tables").engine == "duckdb"
    assert "with cluster (it reads more than" in str(scan)


def test_answers_say_which_engine_made_them_and_are_the_same(platform: Platform) -> None:
    with TestClient(build_app(platform)) as web:
        for query, engine in ((SCAN, "cluster"), (CONE, "duckdb")):
            answer = web.post("/api/query", json={"query": query, "format": "votable"})
            assert answer.headers["x-awe-engine"] == engine
            assert f'name="engine" value="{engine}"' in answer.text
        told = web.get("/tap/sync", params={"LANG": "ADQL", "QUERY": SCAN})
        assert 'name="engine" value="cluster"' in told.text
    mean = platform.catalogs.query(SCAN).to_table()["mean"][0].as_py()
    assert mean == 250.5


def test_what_the_large_one_lacks_the_first_does(platform: Platform) -> None:
    stream = platform.catalogs.query(f"SELECT SQRT(mag) AS m, name FROM {TINY_TABLE}")
    assert stream.schema.metadata["engine"] == "duckdb"
    assert stream.to_table().num_rows == 500


def test_a_cluster_that_is_away_is_said_to_be(archive: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "away", True)
    with pytest.raises(UnavailableError, match="the cluster does not answer"):
        archive.query(SCAN)
    assert len(archive.query(CONE)) > 0


def test_own_tables_come_and_go_on_both(archive: Client, platform: Platform) -> None:
    platform.accounts.add("ada", by="local:test", password="correct horse")
    archive.login("ada", "correct horse")
    assert int(archive.sql(f"SELECT * FROM {TINY_TABLE}", into="mydb.every")[0][0]) == 500
    assert archive.query("SELECT COUNT(name) AS n FROM mydb.every")["n"][0] == 500
    (past,) = archive.history.find("SELECT *")
    assert (past.into, past.engine) == ("mydb.every", "cluster")
    archive.tables.drop("mydb.every")
    assert "mydb.every" not in {one.name for one in archive.tables.list("own")}


def test_an_engine_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing") as raised:
        tiny_archive(tmp_path, scale={"engine": "nothing"})
    assert "duckdb" in str(raised.value.hint)


def test_one_engine_alone_says_nothing(tmp_path: Path) -> None:
    with tiny_archive(tmp_path) as platform:
        assert isinstance(platform.engine, DuckDBEngine)
        assert "engine" not in platform.catalogs.query(SCAN).schema.metadata


@pytest.mark.slow
def test_a_real_cluster_answers_what_reads_much(tmp_path: Path, spark_cluster: SparkSettings) -> None:
    scale = {"engine": "spark", "bytes": 1000}
    limits = {"seconds": 300}
    with tiny_archive(tmp_path, scale=scale, spark=spark_cluster.model_dump(), limits=limits) as platform:
        assert platform.catalogs.estimate(SCAN).engine == "spark"
        stream = platform.catalogs.query(SCAN)
        assert stream.schema.metadata["engine"] == "spark"
        assert stream.to_table()["mean"].to_pylist() == [250.5]
        assert platform.catalogs.query(CONE).schema.metadata["engine"] == "duckdb"
