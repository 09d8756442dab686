from collections.abc import Iterator

import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream

SCHEMA = Schema((Column("n", pa.int64()),))


def batch(*values: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, pa.int64())], schema=SCHEMA.to_arrow())


class Source:
    """Batches that say when they are stopped."""

    def __init__(self, *, fail: bool = False) -> None:
        self.fail = fail
        self.stopped = 0
        self.closed = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield batch(1, 2)
            if self.fail:
                raise ValueError("broken")
            yield batch(3, 4)
        finally:
            self.stopped += 1

    def close(self) -> None:
        self.closed += 1

    def stream(self) -> TableStream:
        return TableStream(SCHEMA, self.batches(), self.close)


def test_the_end_closes_once() -> None:
    source = Source()
    stream = source.stream()
    assert stream.to_table()["n"].to_pylist() == [1, 2, 3, 4]
    stream.close()
    assert (source.stopped, source.closed) == (1, 1)


def test_a_failure_closes() -> None:
    source = Source(fail=True)
    with pytest.raises(ValueError, match="broken"):
        source.stream().to_table()
    assert (source.stopped, source.closed) == (1, 1)


def test_closing_stops_the_maker_of_the_batches() -> None:
    source = Source()
    with source.stream() as stream:
        next(stream)
    assert (source.stopped, source.closed) == (1, 1)
    assert list(stream) == []


def test_closing_stops_it_without_a_callback_too() -> None:
    source = Source()
    with TableStream(SCHEMA, source.batches()) as stream:
        next(stream)
    assert source.stopped == 1


def test_a_primed_stream_loses_nothing_and_stops_its_source() -> None:
    assert Source().stream().primed().to_table().num_rows == 4
    source = Source()
    source.stream().primed().close()
    assert (source.stopped, source.closed) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "kept", "overflow"), [(0, 0, True), (3, 3, True), (4, 4, False), (9, 4, False)]
)
def test_a_limit_says_what_it_cuts(rows: int, kept: int, overflow: bool) -> None:
    source = Source()
    stream = source.stream().limit(rows)
    assert stream.to_table().num_rows == kept
    assert stream.overflow is overflow
    assert source.closed == 1


def test_overflow_carries_over() -> None:
    stream = Source().stream().limit(1).map(SCHEMA, lambda b: b)
    stream.to_table()
    assert stream.overflow


def test_a_stream_primed_to_its_end_says_so() -> None:
    primed = Source().stream().limit(3).primed(100)
    assert (primed.complete, primed.overflow) == (True, True)
    assert primed.to_table()["n"].to_pylist() == [1, 2, 3]
    assert primed.overflow
    begun = Source().stream().primed(2)
    assert not begun.complete
    assert begun.to_table().num_rows == 4
