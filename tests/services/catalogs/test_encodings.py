"""How stored columns are encoded: what is read again is what was written, in little room."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from awe.services.catalogs.hats import write_file

_ROWS = 30_000


def _table() -> pa.Table:
    random = np.random.default_rng(3)
    numbers = random.normal(0, 1, _ROWS)
    return pa.table(
        {
            "_healpix_29": np.sort(random.integers(0, 12 * 4**29, _ROWS)),
            "id": random.integers(0, 2**62, _ROWS),
            "mag": pa.array(numbers.astype(np.float32), mask=random.random(_ROWS) < 0.1),
            "flag": random.integers(0, 9, _ROWS).astype(np.int16),
            "name": [f"SDSS J{i:06}.{i % 7}" for i in random.permutation(_ROWS)],
            "class": [None if i % 5 == 0 else ("STAR", "GALAXY")[i % 2] for i in range(_ROWS)],
            "good": numbers > 0,
            "flux": pa.array(list(random.normal(0, 1, (_ROWS, 3)))),
            "pair": pa.array([None, *[[1.5, 2.5]] * (_ROWS - 1)], pa.list_(pa.float32(), 2)),
            "words": pa.array([["a", None], []] * (_ROWS // 2)),
            "taken": pa.array(random.integers(0, 2**50, _ROWS), pa.timestamp("us")),
            "price": pa.array([None, *range(_ROWS - 1)]).cast(pa.decimal128(25, 2)),
            "bytes": [bytes([i % 256]) for i in range(_ROWS)],
            "nothing": pa.nulls(_ROWS, pa.string()),
        }
    )


def _columns(footer: pq.FileMetaData) -> dict[str, pq.ColumnChunkMetaData]:
    group = footer.row_group(0)
    return {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}


def test_every_kind_of_column_comes_back(tmp_path: Path) -> None:
    table = _table()
    write_file(tmp_path, "a.parquet", table)
    assert pq.read_table(tmp_path / "a.parquet").equals(table)


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_hardly_any_rows(tmp_path: Path, rows: int) -> None:
    table = _table().slice(5, rows)
    write_file(tmp_path, "a.parquet", table)
    assert pq.read_table(tmp_path / "a.parquet").equals(table)


def test_numbers_are_split_and_only_what_repeats_has_a_dictionary(tmp_path: Path) -> None:
    found = _columns(write_file(tmp_path, "a.parquet", _table()))
    split = {path for path, column in found.items() if "BYTE_STREAM_SPLIT" in column.encodings}
    assert split == {"mag", "flux.list.element", "pair.list.element"}
    assert "DELTA_BINARY_PACKED" in found["_healpix_29"].encodings
    named = {path for path, column in found.items() if column.has_dictionary_page}
    assert named == {"flag", "class", "good", "bytes", "nothing"} - {
        "good"
    }  # Parquet packs booleans by itself
    fast = {path for path, column in found.items() if column.compression == "LZ4"}
    assert fast == {*split, "_healpix_29", "id", "flag", "taken"}
    assert {column.compression for column in found.values()} == {"LZ4", "ZSTD"}


def test_a_catalogue_takes_no_more_room_than_by_zstd(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    magnitudes = {f"mag{i}": (22 - random.exponential(2, _ROWS)).astype(np.float32) for i in range(8)}
    table = pa.table({**magnitudes, "ra": random.uniform(187, 188, _ROWS), "id": np.arange(_ROWS) * 4096})
    write_file(tmp_path, "a.parquet", table)
    pq.write_table(table, tmp_path / "b.parquet", compression="zstd", row_group_size=25_000)
    ours, plain = ((tmp_path / name).stat().st_size for name in ("a.parquet", "b.parquet"))
    assert ours < plain
