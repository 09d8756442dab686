"""A server's memory does not grow with what it answers."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream
from awe.platform import Platform
from awe.settings import Settings

pytestmark = pytest.mark.slow

ROWS = 4_000_000
SCHEMA = Schema(
    (
        Column("id", pa.int64(), ucd="meta.id;meta.main"),
        Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("name", pa.string(), ucd="meta.id"),
    ),
    name="sources",
    description="Simulated sources",
)


def batches() -> Iterator[pa.RecordBatch]:
    random = np.random.default_rng(1)
    size = 250_000
    for first in range(0, ROWS, size):
        numbers = np.arange(first, first + size)
        columns = [
            pa.array(numbers),
            pa.array(360 * random.random(size)),
            pa.array(np.degrees(np.arcsin(2 * random.random(size) - 1))),
            pa.array([f"simulated source {n}" for n in numbers]),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA.to_arrow())


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, up: Callable[..., AbstractContextManager[Any]]
) -> Iterator[Any]:
    """Return a service of four million rows."""
    folder = tmp_path_factory.mktemp("large") / "sky"
    with Platform.open(Settings.load(folder)) as platform:
        platform.catalogs.publish_stream("large.sources", TableStream(SCHEMA, batches()), ra="ra", dec="dec")
    with up(folder) as running:
        yield running


def peak_mb(pid: int) -> float:
    """Return the most memory that the process has had since `forget`."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def forget(pid: int) -> None:
    """Let the peak begin anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def fetch(server: Any, form: str, rows: int) -> int:
    query: dict[str, str | int] = {
        "LANG": "ADQL",
        "QUERY": "SELECT * FROM large.sources",
        "MAXREC": rows,
        "RESPONSEFORMAT": form,
    }
    with httpx.stream("GET", f"{server.url}/tap/sync", params=query, timeout=120) as answer:
        assert answer.status_code == 200
        return sum(len(chunk) for chunk in answer.iter_raw())


@pytest.mark.parametrize("form", ["votable", "votable/b2", "fits", "csv", "parquet"])
def test_ten_times_the_rows_take_no_more_memory(server: Any, form: str) -> None:
    few = fetch(server, form, ROWS // 10)  # the engine's threads and buffers are there from now on
    forget(server.pid)
    before = peak_mb(server.pid)
    many = fetch(server, form, ROWS)
    grown = peak_mb(server.pid) - before
    assert many > 8 * few
    assert grown < 120, f"{many / 1e6:.0f} MB of {form} took {grown:.0f} MB more memory"
