"""The rows of a query on a cluster, of files that a stand-in for it writes when a test says so."""

import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from awe.core.progress import heard_by
from awe.core.tables import Column, Schema
from awe.errors import CancelledError, QueryError, TimeLimitError
from awe.services.catalogs import Limits
from awe.services.catalogs.backends.spark_results import SparkRows

COLUMNS = Schema((Column("id", pa.int64()),))
PATIENCE_S = 60.0


class Cluster:
    """Writes files one by one, whole; stops when it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stopped = threading.Event()
        self.forgotten: list[SparkRows] = []
        self.done: tuple[int, int] | None = None

    def put(self, number: int, ids: list[int]) -> None:
        out = self.folder / "rows"
        out.mkdir(parents=True, exist_ok=True)
        written = self.folder / f"being-written-{number}"
        pq.write_table(pa.table({"id": ids}), written)
        written.rename(out / f"part-{number:05d}-0f-c000.snappy.parquet")

    def wait(self, event: threading.Event) -> None:
        assert event.wait(PATIENCE_S)

    def rows(
        self,
        write: Callable[[], None],
        *,
        most: int = 1000,
        seconds: float = PATIENCE_S,
        in_order: bool = False,
    ) -> SparkRows:
        return SparkRows(
            COLUMNS, self.folder, lambda _: write(), self.stopped.set, Limits(most, seconds), self.forgotten.append,
            in_order=in_order, done=lambda: self.done,
        )  # fmt: skip


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def ids(batch: pa.RecordBatch) -> list[int]:
    found: list[int] = batch.column(0).to_pylist()
    return found


def test_the_first_rows_come_before_the_last_are_computed(cluster: Cluster) -> None:
    taken = threading.Event()

    def write() -> None:
        cluster.put(3, [7, 8])
        cluster.wait(taken)
        cluster.put(1, [1])

    rows = cluster.rows(write)
    assert ids(next(rows)) == [7, 8]
    taken.set()
    assert [ids(batch) for batch in rows] == [[1]]
    assert not rows.overflow
    assert cluster.forgotten == [rows]


def test_rows_in_an_order_wait_for_those_before_them(cluster: Cluster) -> None:
    def write() -> None:
        for number in (10, 2, 0):
            cluster.put(number, [number])

    assert [ids(batch) for batch in cluster.rows(write, in_order=True)] == [[0], [2], [10]]


def test_it_is_stopped_when_enough_is_written_though_nobody_reads(cluster: Cluster) -> None:
    def write() -> None:
        cluster.put(0, [1, 2])
        cluster.put(1, [3, 4])
        cluster.wait(cluster.stopped)
        raise RuntimeError("[OPERATION_CANCELED] stopped")

    rows = cluster.rows(write, most=3)
    first = ids(next(rows))
    cluster.wait(cluster.stopped)
    found = first + [i for batch in rows for i in ids(batch)]
    assert len(found) == 3
    assert set(found) < {1, 2, 3, 4}
    assert rows.overflow


def test_rows_in_an_order_are_all_computed(cluster: Cluster) -> None:
    def write() -> None:
        cluster.put(1, [3, 4])
        cluster.put(0, [1, 2])

    rows = cluster.rows(write, most=3, in_order=True)
    assert [ids(batch) for batch in rows] == [[1, 2], [3]]
    assert rows.overflow


def test_an_error_comes_after_the_rows_before_it(cluster: Cluster) -> None:
    taken = threading.Event()

    def write() -> None:
        cluster.put(0, [1])
        cluster.wait(taken)
        raise RuntimeError("[DIVIDE_BY_ZERO] Division by zero. Use `try_divide`")

    rows = cluster.rows(write)
    next(rows)
    taken.set()
    with pytest.raises(QueryError, match="Division by zero"):
        next(rows)


def test_whoever_listens_hears_how_many_tasks_are_done(cluster: Cluster) -> None:
    heard: list[tuple[str, int, int | None]] = []
    told = threading.Event()

    def write() -> None:
        cluster.done = (1, 4)
        cluster.wait(told)
        cluster.put(0, [1])

    def hear(what: str, done: int, total: int | None) -> None:
        heard.append((what, done, total))
        told.set()

    with heard_by(hear):
        rows = cluster.rows(write)
    assert rows.to_table().num_rows == 1
    assert set(heard) == {("tasks", 1, 4)}


def test_closing_it_stops_the_query_and_then_lets_go(cluster: Cluster) -> None:
    def write() -> None:
        cluster.put(0, [1])
        cluster.wait(cluster.stopped)
        raise RuntimeError("cancelled")

    rows = cluster.rows(write)
    next(rows)
    threading.Timer(0.1, rows.close).start()
    with pytest.raises((CancelledError, StopIteration)):
        next(rows)
    for thread in threading.enumerate():
        if thread.name.startswith("spark-"):
            thread.join(PATIENCE_S)
    assert cluster.forgotten == [rows]


def test_the_time_is_limited_while_it_waits(cluster: Cluster) -> None:
    rows = cluster.rows(lambda: cluster.wait(cluster.stopped), seconds=0.3)
    with pytest.raises(TimeLimitError):
        next(rows)
    cluster.wait(cluster.stopped)
