"""Many cones at once: the same rows as one after the other, in the order asked for, within the same limits."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord

from awe.client import connect
from awe.core.tables import Column, Schema, TableStream
from awe.errors import LimitError, NotFoundError, ParameterError, PositionError
from awe.platform import Platform
from awe.settings import Settings

TABLE = "many.sources"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    rng = np.random.default_rng(7)
    n = 4000
    ra = np.concatenate([rng.normal(0, 0.5, n) % 360, rng.uniform(0, 360, n)])
    dec = np.concatenate([rng.normal(10, 0.5, n), 90 - np.abs(rng.normal(0, 1, n))])
    schema = Schema(
        (
            Column("target", pa.int64()),
            Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main"),
            Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main"),
        )
    )
    rows = pa.table({"target": np.arange(2 * n), "ra": ra, "dec": dec}, schema=schema.to_arrow())
    with Platform.open(Settings(data=tmp_path_factory.mktemp("sky"), limits={"rows": 5000})) as platform:
        platform.catalogs.publish_stream(TABLE, TableStream.from_table(rows, schema), ra="ra", dec="dec")
        yield platform


def targets() -> list[tuple[float, float]]:
    rng = np.random.default_rng(8)
    near = np.stack([rng.normal(0, 0.5, 60) % 360, rng.normal(10, 0.5, 60)], axis=1)
    pole = np.stack([rng.uniform(0, 360, 40), rng.uniform(88, 90, 40)], axis=1)
    places = rng.permutation(np.concatenate([near, pole, [[200.0, -60.0], [0.0, 90.0], [360.0, 10.0]]]))
    return [(float(ra), float(dec)) for ra, dec in places]


def test_the_rows_are_those_of_single_cones_in_the_order_of_the_targets(archive: Platform) -> None:
    found = archive.catalogs.cones(TABLE, targets(), 0.1).to_table()
    assert found.column_names == ["target_", "target", "ra", "dec"]
    one_by_one = [
        (i, row["target"])
        for i, (ra, dec) in enumerate(targets())
        for row in archive.catalogs.cone(TABLE, ra, dec, 0.1).to_table().to_pylist()
    ]
    assert len(one_by_one) > 500
    pairs = list(zip(found["target_"].to_pylist(), found["target"].to_pylist(), strict=True))
    assert pairs == one_by_one


@pytest.mark.slow
def test_more_cones_than_are_put_in_order_together(archive: Platform) -> None:
    some = targets()[:25]
    found = archive.catalogs.cones(TABLE, some * 90, 0.01, max_rows=5000)
    table = found.to_table()
    once = archive.catalogs.cones(TABLE, some, 0.01).to_table()
    assert table["target_"].to_pylist() == [
        int(i) + 25 * turn for turn in range(90) for i in once["target_"].to_pylist()
    ]
    assert not found.overflow


@pytest.mark.parametrize("most", [0, 1, 7, 499, 5000])
def test_the_limit_is_one_of_all_together_and_what_is_cut_says_so(archive: Platform, most: int) -> None:
    whole = archive.catalogs.cones(TABLE, targets(), 0.1).to_table()
    stream = archive.catalogs.cones(TABLE, targets(), 0.1, max_rows=most)
    assert stream.to_table().equals(whole.slice(0, most))
    assert stream.overflow == (most < whole.num_rows)


def test_what_cannot_be_asked_is_refused(archive: Platform) -> None:
    catalogs = archive.catalogs
    with pytest.raises(PositionError, match="position 1"):
        catalogs.cones(TABLE, [(1.0, 2.0), (1.0, 91.0), (4.0, 95.0)], 0.1)
    with pytest.raises(PositionError, match="position 0"):
        catalogs.cones(TABLE, [(float("nan"), 2.0)], 0.1)
    with pytest.raises(PositionError):
        catalogs.cones(TABLE, [(1.0, 2.0)], 181.0)
    with pytest.raises(ParameterError):
        catalogs.cones(TABLE, [], 0.1)
    with pytest.raises(LimitError):
        catalogs.cones(TABLE, [(1.0, 2.0)] * 10_001, 0.1)
    with pytest.raises(NotFoundError):
        catalogs.cones("many.none", [(1.0, 2.0)], 0.1)


def test_the_client_asks_for_many_at_once(archive: Platform) -> None:
    with connect(archive.settings.folder) as client:
        some = client.cones(TABLE, [*targets(), "0 10"], "6 arcmin")
        single = client.cone(TABLE, "0 10", "6 arcmin")
        ra, dec = np.array(targets()).T
        same = client.cones(TABLE, SkyCoord(ra, dec, unit="deg"), 0.1)
    assert list(some["target"][some["target_"] == len(targets())]) == list(single["target"])
    assert len(some) > 500
    assert list(same["target"]) == list(some["target"][some["target_"] < len(targets())])
