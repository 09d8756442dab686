"""Arrow streams: pyarrow reads what is written, and what pyarrow writes is read."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import FORMATS, format_of
from awe.errors import InputFileError

ARROW = FORMATS["arrow"]
TABLE = pa.table(
    {"n": pa.array([1, None, 3], pa.int64()), "s": ["a", "\u03b2", None], "l": [[1.5], None, []]}
)


def test_pyarrow_reads_it() -> None:
    document = b"".join(ARROW.write(TableStream.from_table(TABLE)))
    assert pa.ipc.open_stream(document).read_all().to_pylist() == TABLE.to_pylist()


def test_what_is_said_of_columns_comes_back(tmp_path: Path) -> None:
    schema = Schema((Column("ra", pa.float64(), "deg", "pos.eq.ra;meta.main"),), "stars", "All of them")
    path = tmp_path / "t.arrows"
    path.write_bytes(b"".join(ARROW.write(TableStream.from_table(pa.table({"ra": [1.0]}), schema))))
    with ARROW.read(path) as stream:
        assert stream.schema == schema


def test_a_row_leaves_before_the_next_is_made() -> None:
    made = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal made
        for number in range(3):
            made += 1
            yield pa.record_batch({"n": [number]})

    chunks = ARROW.write(TableStream(Schema((Column("n", pa.int64()),)), batches()))
    next(chunks)
    assert made == 0
    assert len(next(chunks)) > 0
    assert made == 1


@pytest.mark.parametrize("rows", [0, 2])
def test_overflow_is_stated_and_others_pass_over_it(tmp_path: Path, rows: int) -> None:
    document = b"".join(ARROW.write(TableStream.from_table(TABLE).limit(rows)))
    path = tmp_path / "t.arrows"
    path.write_bytes(document)
    stream = ARROW.read(path)
    assert stream.to_table().num_rows == rows
    assert stream.overflow
    assert pa.ipc.open_stream(document).read_all().num_rows == rows


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize("maker", [pa.ipc.new_stream, pa.ipc.new_file])
def test_files_of_other_writers(tmp_path: Path, maker: type, compression: str | None) -> None:
    path = tmp_path / "t.arrow"
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with maker(str(path), TABLE.schema, options=options) as out:
        out.write_table(TABLE)
    found = format_of(path)
    assert found is ARROW
    assert found.read(path).to_table().to_pylist() == TABLE.to_pylist()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cannot be read as Arrow"),
        (b"nothing of this kind", "cannot be read"),
        (b"ARROW1 no", "cannot be read"),
    ],
)
def test_what_is_no_arrow(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "t.arrows"
    path.write_bytes(data)
    with pytest.raises(InputFileError, match=reason):
        ARROW.read(path)


def test_a_file_that_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "t.arrows"
    path.write_bytes(b"".join(ARROW.write(TableStream.from_table(TABLE)))[:-60])
    with pytest.raises(InputFileError, match="damaged Arrow data"):
        ARROW.read(path).to_table()
