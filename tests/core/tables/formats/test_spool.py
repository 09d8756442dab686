"""Rows that are read twice are the same in memory and in a file."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, _spool
from awe.core.tables.formats._spool import Spool

MANY = pa.table(
    {
        "n": pa.array(range(50_000), pa.int64()),
        "text": pa.array([None if i % 5 == 0 else f"star {i}" for i in range(50_000)], pa.string()),
        "list": pa.array([[i, i + 1][: 1 + i % 2] for i in range(50_000)], pa.list_(pa.int32())),
    }
)


@pytest.mark.parametrize("held", [0, 300_000, 1 << 30])
def test_twice_in_order(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(_spool, "_HELD_BYTES", held)
    spool = Spool(MANY.column_names)
    for batch in MANY.to_batches(max_chunksize=10_000):
        spool.add(batch.columns)
    for _ in range(2):
        assert pa.Table.from_batches(spool) == MANY
    spool.close()


def test_types_may_change_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spool, "_HELD_BYTES", 0)
    spool = Spool(["x"])
    arrays = [pa.array([1, None]), pa.array([0.5]), pa.array(["a"])]
    for array in arrays:
        spool.add([array])
    assert [batch.column(0) for batch in spool] == arrays
    spool.close()


def test_rows_that_are_in_memory_make_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spool, "_HELD_BYTES", 0)
    monkeypatch.delattr(_spool, "TemporaryFile")
    spool = Spool(MANY.column_names, in_memory=True)
    for batch in MANY.to_batches(max_chunksize=10_000):
        spool.add(batch.columns)
    assert pa.Table.from_batches(spool) == MANY
    assert b"".join(FORMATS["fits"].write(TableStream.from_table(MANY)))


@pytest.mark.slow
@pytest.mark.parametrize("columns", [["n", "text"], ["n", "text", "list"]])
def test_fits_from_memory_and_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: list[str]
) -> None:
    table, written = pa.Table.from_batches(MANY.select(columns).to_batches(max_chunksize=10_000)), []
    for held in (1 << 30, 300_000):
        monkeypatch.setattr(_spool, "_HELD_BYTES", held)
        in_memory = TableStream.from_table(table)
        being_made = TableStream(in_memory.schema, table.to_batches())
        written += [b"".join(FORMATS["fits"].write(stream)) for stream in (in_memory, being_made)]
    assert len({re.sub(rb"DATE    = '[^']*'", b"", made) for made in written}) == 1
    path = tmp_path / "many.fits"
    path.write_bytes(written[0])
    assert FORMATS["fits"].read(path).to_table().to_pydict() == MANY.select(columns).to_pydict()
