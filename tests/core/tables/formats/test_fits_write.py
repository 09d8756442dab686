"""Many blocks of records: what only shows where a table is longer than one of them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS
from awe.core.tables.formats import _fits_write as writer

ROWS = 5_001


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {
        "id": rng.integers(-(1 << 62), 1 << 62, ROWS),
        "name": np.array([f"s{i:x}" for i in rng.integers(0, 1 << 40, ROWS)]),
        "ra": rng.random(ROWS) * 360,
        "mag": rng.normal(18, 3, ROWS).astype("f4"),
        "count": rng.integers(0, 1 << 16, ROWS).astype("u2"),
        "covariance": rng.random((ROWS, 3)),
        "n": rng.integers(0, 5, ROWS),
    }


def written(columns: dict[str, np.ndarray], path: Path) -> Path:
    """A file of these columns; with `covariance` as vectors, and as many numbers as `n` says in lists of their own."""
    ends = np.concatenate([[0], np.cumsum(columns["n"])]).astype("i4")
    arrays = {name: pa.array(values) for name, values in columns.items() if values.ndim == 1}
    flat = pa.array(columns["covariance"].reshape(-1))
    arrays["covariance"] = pa.FixedSizeListArray.from_arrays(flat, 3)
    arrays["times"] = pa.ListArray.from_arrays(pa.array(ends), pa.array(np.arange(ends[-1], dtype="i4")))
    path.write_bytes(b"".join(FORMATS["fits"].write(TableStream.from_table(pa.table(arrays)))))
    return path


def test_every_block_holds_its_own_rows(
    columns: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_PIECE_ROWS", 1_000)
    monkeypatch.setattr(writer, "_BLOCK_BYTES", 1 << 14)
    with fits.open(written(columns, tmp_path / "rows.fits")) as found:
        table = found[1].data
        assert len(table) == ROWS
        for name, values in columns.items():
            np.testing.assert_array_equal(table[name], values, err_msg=name)
        ends = np.cumsum(columns["n"])
        for row in range(1, ROWS, 97):
            np.testing.assert_array_equal(table["times"][row], np.arange(ends[row - 1], ends[row]))


def test_the_size_of_blocks_is_nothing_to_see(
    columns: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: values[:500] for name, values in columns.items()}
    files = []
    for size in (1, 1000, 1 << 20):
        monkeypatch.setattr(writer, "_BLOCK_BYTES", size)
        with fits.open(written(few, tmp_path / f"{size}.fits")) as found:
            files.append((found[1].data.tobytes(), [list(times) for times in found[1].data["times"]]))
    assert files[0] == files[1] == files[2]
