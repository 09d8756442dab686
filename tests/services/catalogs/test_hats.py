from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awe.core.sky import healpix_index, separation
from awe.core.tables import Column, Schema, TableStream
from awe.services.catalogs import WriteSpec
from awe.services.catalogs._partitions import FINEST, Histogram
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.settings import LimitSettings

SCHEMA = Schema(
    (
        Column("id", pa.int64()),
        Column("alpha", pa.float64(), unit="deg"),
        Column("delta", pa.float64(), unit="deg"),
        Column("name", pa.string()),
    ),
    "hsc.Cat",
)


def make_rows(count: int = 20_000) -> pa.Table:
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    ra[: count // 2], dec[: count // 2] = (
        rng.normal(187.7, 0.5, count // 2),
        rng.normal(12.4, 0.5, count // 2),
    )
    names = [f"N{i % 50}" for i in range(count)]
    return pa.table([np.arange(count), ra, dec, names], names=list(SCHEMA.names))


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pa.Table]:
    """The folder of a catalogue written in partitions of at most 1500 rows, and its rows."""
    root = tmp_path_factory.mktemp("hats")
    rows = make_rows()
    engine = DuckDBEngine(root, LimitSettings())
    engine.write(
        WriteSpec("cat", "alpha", "delta", 1500), TableStream(SCHEMA, rows.to_batches(max_chunksize=999))
    )
    engine.close()
    return root / "cat", rows


def test_every_partition_is_its_cell_sorted(catalog: tuple[Path, pa.Table]) -> None:
    folder, rows = catalog
    seen = 0
    for path in (folder / "dataset").rglob("*.parquet"):
        order, pixel = int(path.parts[-3].split("=")[1]), int(path.stem.split("=")[1])
        assert path.parts[-2] == f"Dir={pixel // 10_000 * 10_000}"
        table = pq.ParquetFile(path).read()
        index = table["_healpix_29"].to_numpy()
        assert (np.diff(index) >= 0).all()
        assert set(index >> (2 * (29 - order))) == {pixel}
        assert (index == healpix_index(table["alpha"].to_numpy(), table["delta"].to_numpy())).all()
        assert table.num_rows <= 1500
        seen += table.num_rows
    assert seen == rows.num_rows


@pytest.mark.slow
def test_the_index_is_that_of_hats(catalog: tuple[Path, pa.Table]) -> None:
    from hats.pixel_math.spatial_index import compute_spatial_index

    _, rows = catalog
    ra, dec = rows["alpha"].to_numpy(), rows["delta"].to_numpy()
    assert (healpix_index(ra, dec) == compute_spatial_index(ra, dec)).all()


@pytest.mark.slow
def test_partitions_are_as_large_as_they_may_be(catalog: tuple[Path, pa.Table]) -> None:
    from hats.catalog.partition_info import PartitionInfo
    from hats.pixel_math.partition_stats import generate_alignment

    folder, rows = catalog
    index = healpix_index(rows["alpha"].to_numpy(), rows["delta"].to_numpy())
    counts = np.bincount(index >> (2 * (29 - FINEST)), minlength=12 * 4**FINEST)
    aligned = generate_alignment(counts, FINEST, 0, 1500)  # type: ignore[no-untyped-call]
    expected = {(int(cell[0]), int(cell[1])) for cell in aligned if cell is not None and cell[2]}
    found = PartitionInfo.read_from_dir(folder).get_healpix_pixels()
    assert {(p.order, p.pixel) for p in found} == expected


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the peer's own dependencies deprecate is not our matter
def test_lsdb_opens_it_and_finds_the_same(catalog: tuple[Path, pa.Table]) -> None:
    import lsdb

    folder, rows = catalog
    opened = lsdb.open_catalog(str(folder))  # type: ignore[attr-defined]
    assert len(opened) == rows.num_rows
    assert set(SCHEMA.names) <= set(opened.columns)
    cone = (187.7, 12.4, 0.4)
    found = opened.cone_search(ra=cone[0], dec=cone[1], radius_arcsec=cone[2] * 3600).compute()
    inside = separation(rows["alpha"].to_numpy(), rows["delta"].to_numpy(), cone[0], cone[1]) <= cone[2]
    assert sorted(found["id"]) == rows["id"].to_numpy()[inside].tolist()
    assert sorted(opened.compute()["id"]) == rows["id"].to_pylist()


def test_other_readers_see_one_dataset(catalog: tuple[Path, pa.Table]) -> None:
    folder, rows = catalog
    footer = pq.read_metadata(folder / "dataset" / "_metadata")
    assert footer.num_rows == rows.num_rows
    assert pq.read_schema(folder / "dataset" / "_common_metadata").names == ["_healpix_29", *SCHEMA.names]
    assert (folder / "properties").read_text() == (folder / "hats.properties").read_text()


def test_writing_again_gives_the_same_files(catalog: tuple[Path, pa.Table], tmp_path: Path) -> None:
    folder, rows = catalog
    engine = DuckDBEngine(tmp_path, LimitSettings())
    engine.write(
        WriteSpec("cat", "alpha", "delta", 1500), TableStream(SCHEMA, rows.to_batches(max_chunksize=4000))
    )
    engine.close()
    for path in (folder / "dataset").rglob("*.parquet"):
        assert path.read_bytes() == (tmp_path / "cat" / path.relative_to(folder)).read_bytes()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.integers(0, 12 * 4**29 - 1), max_size=40), max_size=5),
    st.integers(1, 20),
)
def test_partitions_cover_every_row_once(chunks: list[list[int]], most_rows: int) -> None:
    histogram = Histogram()
    for chunk in chunks:
        histogram.add(np.array(chunk, np.int64))
    every = np.array([i for chunk in chunks for i in chunk], np.int64)
    partitions = histogram.partitions(most_rows)
    spans = [p.span for p in partitions]
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    for partition, (first, last) in zip(partitions, spans, strict=True):
        assert partition.rows == ((every >= first) & (every < last)).sum() > 0
        assert partition.rows <= most_rows or partition.order == FINEST
    assert sum(p.rows for p in partitions) == every.size
