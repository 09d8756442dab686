"""Pieces of a batch are worked on at once, and leave in their order."""

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier

import numpy as np
import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, _parallel
from awe.core.tables.formats._parallel import in_order


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parallel, "_THREADS", 2)


def test_the_first_alone_and_the_others_together() -> None:
    together = Barrier(2)

    def work(item: int) -> int:
        if item:
            together.wait(60)  # breaks unless another one is worked on
        return item * item

    assert list(in_order(work, [[0, 1, 2, 3, 4]])) == [0, 1, 4, 9, 16]


def test_a_batch_is_given_out_before_the_next_is_asked_for() -> None:
    told: list[str] = []

    def batches() -> Iterator[list[str]]:
        for name in "ab":
            told.append(f"made {name}")
            yield [f"{name}{i}" for i in range(4)]

    results = in_order(str.upper, batches())
    while (done := next(results, None)) is not None:
        told.append(f"done {done}")
    assert told == ["made a", *(f"done A{i}" for i in range(4)), "made b", *(f"done B{i}" for i in range(4))]


def test_an_error_comes_in_its_place() -> None:
    results = in_order(lambda x: 10 // x, [[5, 2, 0, 1]])
    assert [next(results), next(results)] == [2, 5]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "hdf5"])
def test_many_pieces_make_one_table(name: str, tmp_path: Path) -> None:
    rows = 40_003
    table = pa.table(
        {
            "n": pa.array(np.arange(rows), pa.int64()),
            "text": pa.array([None if i % 7 == 0 else f"star {i}" for i in range(rows)], pa.string()),
            "x": pa.array(np.arange(rows) / 3, pa.float64()),
        }
    )
    path = tmp_path / f"table{FORMATS[name].extensions[0]}"
    path.write_bytes(b"".join(FORMATS[name].write(TableStream.from_table(table))))
    with FORMATS[name].read(path) as stream:
        assert stream.to_table().to_pydict() == table.to_pydict()
