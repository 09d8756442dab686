"""Estimates as users meet them: `archive.estimate` and `awe query --estimate`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from awe.cli import main
from awe.client import Client
from awe.client._transport import Transport
from awe.errors import QueryError
from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

MATCH = f"SELECT m.id, s.id FROM TAP_UPLOAD.mine AS m JOIN {TINY_TABLE} AS s ON DISTANCE(m.ra, m.dec, s.ra, s.dec) < 0.001"


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("sky")) as opened:
        yield opened


@pytest.fixture(scope="module")
def archive(sky: Platform) -> Iterator[Client]:
    with Client(Transport("http://awe.local", app=build_app(sky))) as connected:
        yield connected


def test_a_query_is_told_what_it_reads(archive: Client) -> None:
    found = archive.estimate(f"SELECT id, mag FROM {TINY_TABLE}")
    assert (found.engine, found.rows, found.partitions, found.pairs) == ("duckdb", 500, 1, 0)
    assert found.bytes == found.readings[0].bytes > 1000
    assert (
        str(found)
        == f"reads 500 rows, {found.bytes / 1000:.3g} kB in 1 file, with duckdb\n  gives at most 500 rows"
    )
    assert archive.estimate(f"SELECT * FROM {TINY_TABLE}").bytes > 2 * found.bytes


def test_uploads_are_counted_and_gone_again(archive: Client, sky: Platform) -> None:
    before = set(sky.engine.tables())
    mine = pa.table({"id": [1, 2], "ra": [187.7, 187.8], "dec": [12.3, 12.4]})
    found = archive.estimate(MATCH, uploads={"mine": mine})
    assert {one.table: one.rows for one in found.readings} == {"TAP_UPLOAD.mine": 2, TINY_TABLE: 500}
    assert found.pairs >= 2
    assert f"  {TINY_TABLE}: 1 of 1 file, 500 rows" in str(found)
    assert "pairs on the sky\n  gives about" in str(found)
    assert set(sky.engine.tables()) == before


def test_tables_of_the_archive_itself_cost_nothing(archive: Client) -> None:
    found = archive.estimate("SELECT table_name FROM tap_schema.tables")
    assert (found.rows, found.bytes, found.readings) == (0, 0, ())


def test_what_is_wrong_is_told_as_by_the_query(archive: Client) -> None:
    with pytest.raises(QueryError, match="line 1, column 8"):
        archive.estimate(f"SELECT magg FROM {TINY_TABLE}")


def test_nothing_is_remembered_of_it(archive: Client, sky: Platform) -> None:
    sky.accounts.add("ada", by="local:test", password="correct horse")
    archive.login("ada", "correct horse")
    archive.estimate(f"SELECT id FROM {TINY_TABLE}")
    assert len(archive.history()) == 0


def test_the_command_line_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_archive(tmp_path).close()

    def awe(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["awe", "query", *arguments, "--at", str(tmp_path)])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        told = capsys.readouterr()
        return code, told.out + told.err

    code, told = awe("--estimate", f"SELECT id FROM {TINY_TABLE}")
    assert code == 0
    assert told.startswith("reads 500 rows, ")
    code, told = awe("--estimate", "--json", f"SELECT id FROM {TINY_TABLE}")
    assert json.loads(told)["rows"] == 500
    code, told = awe("--estimate", "--long", "SELECT 1")
    assert code == 2
    assert "does not run the query" in told
