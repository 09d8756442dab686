"""Several who change one table at once, and a disk that is full."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from tests.services.catalogs.own.conftest import ADA, numbers, stream

from awe.core.tables import TableStream
from awe.errors import ConflictError
from awe.platform import Platform
from awe.services.catalogs.model import TableRecord
from awe.settings import Settings

ROOT = Path(__file__).resolve().parents[4]
Read = Callable[..., dict[str, list[object]]]
WRITER = """
import sys
from pathlib import Path
import pyarrow as pa
import awe.platform
from awe.core.tables import TableStream
from awe.services.identity import Identity
from awe.settings import Settings
folder, url, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
ADA = Identity("ada")
with awe.platform.Platform.open(Settings.load(folder, database_url=url)) as platform:
    for n in range(first, first + 10):
        row = pa.table({"n": pa.array([n], pa.int64())})
        platform.tables.write("t", TableStream.from_table(row), ADA, mode="append")
        more = lambda old: platform.catalogs.query("SELECT n + 1000 AS n FROM mydb.u", identity=ADA)
        platform.tables.rewrite("u", ADA, more)
"""


@pytest.mark.slow
def test_changes_of_several_processes_come_one_after_the_other(tmp_path: Path, database_url: str) -> None:
    settings = Settings.load(tmp_path / "sky", database_url=database_url)
    with Platform.open(settings) as platform:
        platform.tables.write("t", numbers(), ADA)
        platform.tables.write("u", numbers(1, 2), ADA)
        command = [sys.executable, "-c", WRITER, str(settings.folder), database_url]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        writers = [subprocess.Popen([*command, first], env=environment) for first in ("100", "200")]
        assert [writer.wait() for writer in writers] == [0, 0]
        found = platform.catalogs.query("SELECT n FROM mydb.t", identity=ADA).to_table()["n"].to_pylist()
        assert sorted(found) == [*range(100, 110), *range(200, 210)]
        found = platform.catalogs.query("SELECT n FROM mydb.u", identity=ADA).to_table()["n"].to_pylist()
        assert sorted(found) == [20_001, 20_002]


def test_changes_of_several_threads_come_one_after_the_other(platform: Platform, read: Read) -> None:
    platform.tables.write("t", numbers(), ADA)

    def add(number: int) -> None:
        platform.tables.write("t", numbers(number), ADA, mode="append")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(add, range(12)))
    assert set(read("mydb.t")["n"]) == set(range(12))
    assert len(read("mydb.t")["n"]) == 12


def test_of_two_who_make_one_table_one_succeeds(platform: Platform, read: Read) -> None:
    def second() -> pa.RecordBatch:
        platform.tables.write("t", numbers(2), ADA)
        yield from numbers(1)

    with pytest.raises(ConflictError, match="already an object named 't'"):
        platform.tables.write("t", TableStream(numbers(1).schema, second()), ADA)
    assert read("mydb.t") == {"n": [2]}
    assert len(platform.engine.tables()) == 1


def test_who_waits_too_long_is_told(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(tables={"wait_seconds": 0.05})
    platform.tables.write("t", numbers(1), ADA)

    def meanwhile(record: TableRecord) -> TableStream:
        with pytest.raises(ConflictError, match="being changed by somebody else"):
            platform.tables.drop("t", ADA)
        return numbers(record.rows)

    platform.tables.rewrite("t", ADA, meanwhile)
    assert platform.tables.table("t", ADA).rows == 1


def test_who_reads_sees_one_version_to_its_end(platform: Platform, read: Read) -> None:
    platform.tables.write("t", stream(n=list(range(200_000))), ADA)
    reading = platform.catalogs.query("SELECT n FROM mydb.t", identity=ADA, whole=True)
    first = next(reading)
    platform.tables.write("t", numbers(1), ADA, mode="replace")
    platform.tables.drop("t", ADA)
    platform.versions.clean()
    assert first.num_rows + sum(batch.num_rows for batch in reading) == 200_000


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np, pyarrow as pa
import awe.platform
from awe.core.tables import TableStream
from awe.errors import UnavailableError
from awe.services.identity import Identity
from awe.settings import Settings
ADA = Identity("ada")
with awe.platform.Platform.open(Settings.load(Path(sys.argv[1]))) as platform:
    platform.tables.write("t", TableStream.from_table(pa.table({"n": [1]})), ADA)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    rng = np.random.default_rng(1)
    big = pa.table({"ra": rng.uniform(0, 360, 200_000), "dec": rng.uniform(-90, 90, 200_000)})
    for options in ({}, {"ra": "", "dec": ""}):
        try:
            platform.tables.write("t", TableStream.from_table(big), ADA, mode="replace", **options)
        except UnavailableError as error:
            print(error)
    print(platform.tables.table("t", ADA).rows, len(platform.engine.tables()), len(platform.versions.kept("t", ADA)))
"""


@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_the_last_version(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "sky")],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    *said, state = done.stdout.splitlines()
    assert len(said) == 2
    assert all("no room left on the disk: nothing was written" in line for line in said)
    assert state == "1 1 1"
