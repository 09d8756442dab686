"""Margin caches: every row that is near another partition is beside it, by brute force on the sphere."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from awe.core.sky import healpix_center, healpix_index, separation
from awe.core.tables import Column, Schema, TableStream
from awe.services.catalogs import WriteSpec
from awe.services.catalogs._directory import read_listing
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.catalogs.margins import write_margin
from awe.settings import LimitSettings

SCHEMA = Schema((Column("id", pa.int64()), Column("ra", pa.float64()), Column("dec", pa.float64())), "m.t")
FloatArray = npt.NDArray[np.float64]


def written(folder: Path, ra: FloatArray, dec: FloatArray, most: int) -> Path:
    engine = DuckDBEngine(folder, LimitSettings())
    rows = pa.table([np.arange(ra.size), ra, dec], names=list(SCHEMA.names))
    engine.write(WriteSpec("cat", "ra", "dec", most), TableStream(SCHEMA, rows.to_batches()))
    engine.close()
    return folder / "cat"


def around(centre: tuple[float, float], size: float, count: int) -> tuple[FloatArray, FloatArray]:
    random = np.random.default_rng(11)
    dec = np.clip(centre[1] + random.uniform(-size, size, count), -90, 90)
    width = np.minimum(180, size / np.maximum(1e-3, np.cos(np.radians(dec))))
    return (centre[0] + random.uniform(-1, 1, count) * width) % 360, dec


@pytest.mark.slow
@pytest.mark.parametrize(
    "centre", [(45.0, 0.0), (0.0, 0.0), (0.0, 90.0), (180.0, -90.0), (90.0, 41.8103), (123.4, -56.7)]
)
@pytest.mark.parametrize("arcsec", [1.0, 30.0])
def test_who_is_near_a_partition_is_in_its_margin(
    tmp_path: Path, centre: tuple[float, float], arcsec: float
) -> None:
    ra, dec = around(centre, 0.2, 1500)
    catalog = written(tmp_path, ra, dec, 100)
    margin = tmp_path / "margin"
    margin.mkdir()
    count = write_margin(margin, catalog, "ra", "dec", arcsec)
    main, near = read_listing(catalog), read_listing(margin)
    assert main.spans is not None
    assert near.spans is not None
    assert count == sum(near.rows)
    held = {}
    for span, path in zip(near.spans.tolist(), near.paths, strict=True):
        rows = pq.read_table(path, partitioning=None)
        index = rows["_healpix_29"].to_numpy()
        assert (np.diff(index) >= 0).all()
        assert not ((index >= span[0]) & (index < span[1])).any()  # they are of other partitions
        held[tuple(span)] = set(rows["id"].to_pylist())
        assert len(held[tuple(span)]) == rows.num_rows
    for span, path in zip(main.spans.tolist(), main.paths, strict=True):
        own = pq.read_table(path, columns=["id", "ra", "dec"], partitioning=None)
        for one_ra, one_dec in zip(own["ra"].to_pylist(), own["dec"].to_pylist(), strict=True):
            close = np.flatnonzero(separation(ra, dec, one_ra, one_dec) <= arcsec / 3600)
            assert set(close.tolist()) <= held.get(tuple(span), set()) | set(own["id"].to_pylist())


def test_where_no_rows_are_there_is_a_margin_too(tmp_path: Path) -> None:
    ra, dec = around((45.0, 0.0), 0.2, 4000)  # where four cells of order 0 meet
    one = healpix_index(ra, dec, 0) == healpix_index(45.0, 1.0, 0)
    ra, dec = ra[one], dec[one]
    catalog = written(tmp_path, ra, dec, 100)
    margin = tmp_path / "margin"
    margin.mkdir()
    write_margin(margin, catalog, "ra", "dec", 30.0)
    main, near = read_listing(catalog), read_listing(margin)
    assert main.spans is not None
    assert near.spans is not None
    ours = {tuple(span) for span in main.spans.tolist()}
    holes = [
        (span, path)
        for span, path in zip(near.spans.tolist(), near.paths, strict=True)
        if tuple(span) not in ours
    ]
    assert holes
    for (begin, end), path in holes:
        assert not ((main.spans[:, 0] < end) & (main.spans[:, 1] > begin)).any()
        centre_ra, centre_dec = healpix_center(np.array([(begin + end) // 2]))
        rows = pq.read_table(path, partitioning=None)
        assert rows.num_rows
        assert separation(rows["ra"].to_numpy(), rows["dec"].to_numpy(), centre_ra, centre_dec).max() < 90


def test_an_empty_table_has_an_empty_margin(tmp_path: Path) -> None:
    catalog = written(tmp_path, np.empty(0), np.empty(0), 100)
    margin = tmp_path / "margin"
    margin.mkdir()
    assert write_margin(margin, catalog, "ra", "dec", 5.0) == 0
    assert len(read_listing(margin).paths) == 0
