"""Pieces of a batch are worked on at once, and leave in their order."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event

import numpy as np
import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, _parallel, _votable_source
from awe.core.tables.formats._parallel import ahead, in_order
from awe.errors import InputFileError


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parallel, "_THREADS", 2)


def test_the_first_alone_and_then_the_next_ones_while_the_reader_has_it() -> None:
    begun = [Event() for _ in range(4)]

    def work(item: int) -> int:
        begun[item].set()
        if item == 1:
            assert not begun[2].wait(0.1), "two are worked on at once"
        return item * item

    results = in_order(work, [[0, 1, 2, 3]])
    assert next(results) == 0
    assert not begun[1].is_set()
    assert next(results) == 1
    assert begun[2].wait(60)
    assert list(results) == [4, 9]


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


def test_what_follows_is_made_and_worked_on_ahead() -> None:
    told: list[str] = []
    together = Barrier(2)

    def items() -> Iterator[int]:
        for item in range(5):
            told.append(f"made {item}")
            yield item

    def work(item: int) -> int:
        if item:
            together.wait(60)  # breaks unless another one is worked on
        return item * item

    results = ahead(work, items())
    for expected in range(5):
        told.append(f"got {next(results)}")
        assert told[-1] == f"got {expected * expected}"
        if expected == 0:
            assert told == ["made 0", "got 0"]
        if expected == 1:
            assert told == ["made 0", "got 0", "made 1", "made 2", "made 3", "got 1"]


def test_results_come_before_the_failure_of_what_follows() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3, 4)
        raise KeyError

    results = ahead(lambda x: 12 // x, items())
    assert [next(results) for _ in range(4)] == [12, 6, 4, 3]
    with pytest.raises(KeyError):
        next(results)


def test_work_that_fails_does_so_in_its_place() -> None:
    results = ahead(lambda x: 12 // x, [1, 2, 0, 4])
    assert [next(results), next(results)] == [12, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(ahead(abs, [])) == []


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


@pytest.mark.parametrize("name", ["votable", "votable/b2"])
def test_damage_behind_many_pieces_is_named_and_the_rows_before_are_read(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_votable_source, "_CHUNK", 20_000)
    rows = 6000
    table = pa.table(
        {"n": pa.array(np.arange(rows), pa.int64()), "t": [f"a rather long text {i}" for i in range(rows)]}
    )
    data = b"".join(FORMATS[name].write(TableStream.from_table(table)))
    path = tmp_path / "t.vot"
    if name == "votable":
        data = data.replace(b"<TR><TD>5990<", b"<TR><TD>x<")
        line = data[: data.index(b"<TD>x<")].count(b"\n") + 1
        says = f"line {line}, row 5991, column n: 'x' is not"
    else:
        data = re.sub(rb"[^\s]{4}(\s*</STREAM>)", rb"\1", data)
        says = "row 6000: the stream ends inside a row"
    path.write_bytes(data)
    read: list[int] = []
    with pytest.raises(InputFileError, match=says), FORMATS[name].read(path) as stream:
        read += (batch.num_rows for batch in stream)
    assert len(read) > 2
    assert sum(read) > rows - 1000
