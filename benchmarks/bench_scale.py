"""Laws of scale: what each partition, file and row costs, for the plan in ``docs/explanation/scale.md``.

Catalogues of many partitions are made of one small file under many names: what is measured does not depend on what is
in them.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from frame import Case, Job, Peer
from sky import CATALOGUE, Sky, kept

from awe.core.sql import Query, compile_query
from awe.core.tables import Column, Schema
from awe.services.catalogs import Limits, StoredTable, TableRecord
from awe.services.catalogs._directory import read_listing
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs._partitions import Partition
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.catalogs.hats import PARTITION_INFO, write_file, write_info, write_summary
from awe.services.catalogs.margins import write_margin
from awe.settings import LimitSettings

__all__ = ["jobs"]

_NAMES = ("ra", "dec", *(f"c{i}" for i in range(10)))
_COLUMNS = Schema(tuple(Column(name, pa.float64()) for name in _NAMES))
_LISTED = (1_000, 10_000, 100_000)
_OPENED = (100, 1_000, 4_000)
_ROWS = 1_000
_ORDER = 7
_QUERIES = {
    "scan": "SELECT AVG(c0) AS a FROM s.t",
    "region": "SELECT * FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(45, 10, 40))",
}


def jobs(sky: Sky) -> Iterable[Job]:
    """Directories, estimates, files that are opened, margins."""
    yield Job(
        "listing",
        "Reading which partitions a table has, as each process does once.",
        (Peer("awe", lambda: nullcontext(lambda count: read_listing(_made(sky, count, files=False)))),),
        [Case(f"{count:,} partitions", (count,) * sky.times(5), count) for count in _LISTED],
        per="partitions",
        compared=0,
    )
    yield Job(
        "estimate",
        "Saying what a query would read; the directory is known.",
        (Peer("awe", lambda: _estimating(sky)),),
        [
            Case(f"{name}, {count:,} partitions", ((name, count),) * sky.times(20))
            for name in _QUERIES
            for count in _LISTED
        ],
        compared=0,
    )
    yield Job(
        "opening",
        f"Averaging a column of files of {_ROWS:,} rows: most of it is opening them.",
        (Peer("awe", lambda: _scanning(sky)), Peer("DuckDB", lambda: _duckdb(sky))),
        [Case(f"{count:,} files", (count,) * sky.times(3), count) for count in _OPENED],
        same=lambda ours, theirs: "" if abs(ours - theirs) < 1e-9 else f"{ours} and {theirs}",  # type: ignore[operator]
        per="files",
    )
    yield Job(
        "margins",
        "Writing the rows within 5 arcsec of the borders of other partitions, for LSDB.",
        (Peer("awe", lambda: _margins(sky)),),
        [Case(f"{sky.rows:,} rows", (None,))],
        unit="s",
        compared=0,
    )


def _made(sky: Sky, count: int, *, files: bool) -> Path:
    """Return the folder of a catalogue of so many partitions, with files or without them."""
    name = f"{count}-{'files' if files else 'listed'}"

    def make(folder: Path) -> None:
        table = folder / "t"
        (table / "dataset").mkdir(parents=True)
        partitions = [Partition(_ORDER, number, _ROWS) for number in range(count)]
        random = np.random.default_rng(1)
        cells = np.sort(random.integers(0, 1 << 44, _ROWS))
        rows = pa.table({"_healpix_29": cells, **{name: random.uniform(size=_ROWS) for name in _NAMES}})
        footer = write_file(table / "dataset", "one.parquet", rows)
        write_summary(table, rows.schema, [footer])
        write_info(table / PARTITION_INFO, partitions)
        for partition in partitions if files else partitions[count // 2 : count // 2 + 1]:
            to = table / "dataset" / partition.path
            to.parent.mkdir(parents=True, exist_ok=True)
            os.link(table / "dataset" / "one.parquet", to)

    return kept(sky.folder, name, make) / "t"


def _asked(name: str, count: int) -> tuple[Query, dict[str, StoredTable]]:
    record = TableRecord("s", "t", _COLUMNS, StoredTable("t", count * _ROWS, 0), ra="ra", dec="dec")
    return compile_query(_QUERIES[name], ReadableNames([record])), {"s.t": record.stored}


@contextmanager
def _engines(sky: Sky, counts: Iterable[int], *, files: bool) -> Iterator[dict[int, DuckDBEngine]]:
    made = {count: DuckDBEngine(_made(sky, count, files=files).parent, LimitSettings()) for count in counts}
    try:
        yield made
    finally:
        for engine in made.values():
            engine.close()


@contextmanager
def _estimating(sky: Sky) -> Iterator[Callable[[tuple[str, int]], object]]:
    asked = {(name, count): _asked(name, count) for name in _QUERIES for count in _LISTED}
    with _engines(sky, _LISTED, files=False) as engines:
        yield lambda case: engines[case[1]].estimate(*asked[case])


@contextmanager
def _scanning(sky: Sky) -> Iterator[Callable[[int], float]]:
    with _engines(sky, _OPENED, files=True) as engines:
        yield (
            lambda count: (
                engines[count]
                .query(*_asked("scan", count), Limits(10, 600.0))
                .to_table()
                .column(0)[0]
                .as_py()
            )
        )


@contextmanager
def _duckdb(sky: Sky) -> Iterator[Callable[[int], float]]:
    connection = duckdb.connect(":memory:")
    connection.execute("SET parquet_metadata_cache = true")
    files = {count: read_listing(_made(sky, count, files=True)).paths for count in _OPENED}

    def run(count: int) -> float:
        listed = ", ".join(f"'{path}'" for path in files[count])
        rows = f"read_parquet([{listed}], hive_partitioning = false)"
        return float(connection.sql(f"SELECT AVG(c0) FROM {rows}").fetchall()[0][0])

    try:
        yield run
    finally:
        connection.close()


@contextmanager
def _margins(sky: Sky) -> Iterator[Callable[[None], int]]:
    with sky.platform() as platform:
        record = platform.catalogs.table(CATALOGUE)
        catalogue = platform.settings.folder / "tables" / record.stored.location

    def run(_: None) -> int:
        with tempfile.TemporaryDirectory(prefix="awe-margin-") as folder:
            return write_margin(Path(folder), catalogue, str(record.ra), str(record.dec), 5.0)

    yield run
