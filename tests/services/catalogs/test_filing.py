"""Answers of queries as files of their askers: whole or not at all, also when the work was begun before."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from awe.core.progress import silent
from awe.core.tables.formats import FORMATS
from awe.errors import ConflictError, LimitError, NotFoundError
from awe.platform import Platform
from awe.services.catalogs import QUERY, QueryOrder, filed
from awe.services.identity import Identity
from awe.services.jobs import Work
from awe.services.space import NodePath
from awe.testing import TINY_TABLE, tiny_archive

PATH = NodePath("ada", ("rows.parquet",))
ALL = f"SELECT id, ra, dec FROM {TINY_TABLE} ORDER BY id"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("sky")) as platform:
        platform.accounts.add("ada", by="local:test")
        yield platform


@pytest.fixture
def ada(archive: Platform) -> Iterator[Identity]:
    known = archive.identity.known("ada")
    yield known
    if archive.space.may(PATH, known, "read"):
        archive.space.remove(PATH, known)


def work(archive: Platform, ada: Identity, folder: Path, again: datetime | None = None) -> Work:
    folder.mkdir()
    order = QueryOrder(
        ALL, format="arrow", media_type="application/vnd.apache.arrow.stream", file="rows.parquet",
        file_format="parquet",
    )  # fmt: skip
    return Work(ada, order.to_json(), folder, (), folder, silent, None, again)


def test_a_job_writes_the_file_and_says_how_many_rows(
    archive: Platform, ada: Identity, tmp_path: Path
) -> None:
    query = archive.kinds()[QUERY]
    (result,) = query(work(archive, ada, tmp_path / "one"))
    assert result.rows == 500
    with archive.space.local(PATH, ada) as path:
        assert pq.read_table(path)["id"].to_pylist() == list(range(1, 501))
    with pytest.raises(ConflictError, match="is there already"):
        query(work(archive, ada, tmp_path / "two"))
    with pytest.raises(ConflictError, match="stopped in its middle"):
        query(work(archive, ada, tmp_path / "three", datetime.now(UTC)))
    archive.space.remove(PATH, ada)
    assert query(work(archive, ada, tmp_path / "four", datetime.now(UTC)))[0].rows == 500


def test_rows_that_are_left_out_leave_no_file(archive: Platform, ada: Identity) -> None:
    cut = archive.catalogs.query(ALL, identity=ada, max_rows=10)
    with pytest.raises(LimitError, match="more rows than the operator allows"):
        filed(cut, FORMATS["parquet"], archive.space, PATH, ada)
    with pytest.raises(NotFoundError):
        archive.space.node(PATH, ada)
