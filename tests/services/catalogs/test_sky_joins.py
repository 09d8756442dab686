"""Sky joins through an engine with its files: piece by piece, filtered, cancelled, in bounded memory."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from erfa import ErfaWarning

from awe.core.progress import heard_by
from awe.core.science.crossmatch import Match, Pairs
from awe.core.sky import separation
from awe.core.sql import compile_query
from awe.core.tables import Column, Schema, TableStream
from awe.errors import AweError, CancelledError, TimeLimitError
from awe.services.catalogs import Engine, Limits, RowFilter, StoredTable, TableRecord, WriteSpec
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.backends import _pair_blocks, duckdb_relations
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.settings import LimitSettings

pytestmark = pytest.mark.slow

LIMITS = Limits(rows=10_000_000, seconds=60)
COLUMNS = (
    Column("id", pa.int64()), Column("ra", pa.float64(), unit="deg"), Column("dec", pa.float64(), unit="deg"),
    Column("mag", pa.float32()), Column("kind", pa.string()),
)  # fmt: skip
NEAR = "DISTANCE(a.ra, a.dec, b.ra, b.dec) < 0.2"
LATERAL = (
    "select a.id, n.id, n.d from s.a as a {} join lateral (select b.id, q3c_dist(a.ra, a.dec, b.ra, b.dec) as d"
    " from s.b as b where q3c_join(a.ra, a.dec, b.ra, b.dec, 0.2){} order by d limit {}) as n on true"
)


def sky(count: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    ra, dec = random.uniform(0, 360, count), np.degrees(np.arcsin(random.uniform(-1, 1, count)))
    part = count // 3
    ra[:part], dec[:part] = 187.7 + random.normal(0, 1, part), 12.4 + random.normal(0, 1, part)
    dec[part : part + 40] = 90 - 10 ** random.uniform(-5, 0, 40)
    ra[part + 40 : part + 80] = random.normal(0, 0.05, 40) % 360
    kind = [None if i % 11 == 0 else "abc"[i % 3] for i in range(count)]
    return pa.table(
        [np.arange(count), ra, dec, random.normal(20, 1, count).astype("f4"), pa.array(kind)],
        names=[c.name for c in COLUMNS],
    )


class Two:
    """An engine with two tables, many small files each, and a table in memory."""

    def __init__(self, folder: Path) -> None:
        self.engine = DuckDBEngine(folder, LimitSettings(threads=2))
        self.rows = {"s.a": sky(1500, 1), "s.b": sky(2500, 2)}
        self.held = sky(300, 3)
        self.stored = {
            name: self.engine.write(
                WriteSpec(name, "ra", "dec", rows_per_partition=300),
                TableStream(Schema(COLUMNS), rows.to_batches(max_chunksize=500)),
            )
            for name, rows in self.rows.items()
        }
        self.only: RowFilter | None = None

    def stream(
        self, text: str, dialect: str = "adql", limits: Limits = LIMITS, engine: Engine | None = None
    ) -> TableStream:
        stored = dict(self.stored)
        if self.only is not None:
            old = stored["s.b"]
            stored["s.b"] = StoredTable(old.location, old.rows, old.bytes, self.only)
        records = [
            TableRecord("s", name[2:], Schema(COLUMNS), table, ra="ra", dec="dec")
            for name, table in stored.items()
        ]
        records.append(TableRecord("s", "mine", Schema(COLUMNS), StoredTable("", 300, 0)))
        query = compile_query(text, ReadableNames(records), dialect=dialect)
        memory = {"s.mine": self.held} if any(use.table.name == "mine" for use in query.uses) else {}
        return (engine or self.engine).query(query, stored, limits, memory)

    def pairs(self, text: str, dialect: str = "adql") -> list[tuple[Any, ...]]:
        columns = self.stream(text, dialect).to_table().columns
        return sorted(zip(*(c.to_pylist() for c in columns), strict=True), key=str)

    def near(self, one: pa.Table, other: pa.Table, radius: float = 0.2) -> np.ndarray:
        """Independent of joins: the separation of each from each, NaN where it is more."""
        a, b = ([t[n].to_numpy() for n in ("ra", "dec")] for t in (one, other))
        found = np.full((len(one), len(other)), np.nan)
        i, j = np.nonzero(np.abs(a[1][:, None] - b[1][None]) <= radius)
        apart = separation(a[0][i], a[1][i], b[0][j], b[1][j])
        found[i, j] = np.where(apart < radius, apart, np.nan)
        return found


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    made = Two(tmp_path_factory.mktemp("sky") / "tables")
    yield made
    made.engine.close()


@pytest.fixture
def two(opened: Two, monkeypatch: pytest.MonkeyPatch) -> Two:
    monkeypatch.setattr(duckdb_relations, "_PIECE_ROWS", 400)  # several files a piece, several pieces
    monkeypatch.setattr(opened, "only", None)
    return opened


def all_pairs(apart: np.ndarray) -> list[tuple[int, int]]:
    return sorted(((int(i), int(j)) for i, j in np.argwhere(~np.isnan(apart))), key=str)


@pytest.mark.parametrize("block", [2_000_000, 100])
def test_all_pairs_however_large_the_blocks(two: Two, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(_pair_blocks, "_BLOCK_ROWS", block)
    wanted = all_pairs(two.near(two.rows["s.a"], two.rows["s.b"]))
    assert two.pairs(f"SELECT a.id, b.id FROM s.a AS a JOIN s.b AS b ON {NEAR}") == wanted
    assert two.pairs(f"SELECT a.id, b.id FROM s.b AS b, s.a AS a WHERE {NEAR}") == wanted
    assert len(wanted) > 1000


@pytest.mark.parametrize("block", [2_000_000, 100])
def test_rows_without_a_partner_stay_once(two: Two, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(_pair_blocks, "_BLOCK_ROWS", block)
    apart = two.near(two.rows["s.a"], two.rows["s.b"])
    lonely = np.flatnonzero(np.isnan(apart).all(axis=1))
    found = two.pairs(f"SELECT a.id, b.id FROM s.a AS a LEFT JOIN s.b AS b ON {NEAR}")
    assert [p for p in found if p[1] is not None] == all_pairs(apart)
    assert sorted(p[0] for p in found if p[1] is None) == lonely.tolist()
    bright = two.rows["s.b"]["mag"].to_numpy() < 20
    found = two.pairs(
        f"SELECT a.id, b.id FROM s.a AS a LEFT JOIN s.b AS b ON {NEAR} AND b.mag < 20 WHERE a.id < 900"
    )
    apart = np.where(bright[None], apart, np.nan)[:900]
    assert [p for p in found if p[1] is not None] == all_pairs(apart)
    assert sum(p[1] is None for p in found) == np.isnan(apart).all(axis=1).sum()


@pytest.mark.parametrize(("side", "count", "block"), [("left", 1, 2_000_000), ("left", 2, 100), ("", 3, 100)])
def test_the_nearest_of_each(
    two: Two, monkeypatch: pytest.MonkeyPatch, side: str, count: int, block: int
) -> None:
    monkeypatch.setattr(_pair_blocks, "_BLOCK_ROWS", block)
    apart = np.sort(two.near(two.rows["s.a"], two.rows["s.b"]), axis=1)[:, :count]
    found = two.pairs(LATERAL.format(side, "", count), "postgres")
    wanted = [(i, d) for i, row in enumerate(apart) for d in row[~np.isnan(row)]]
    if side:
        wanted += [(i, None) for i, row in enumerate(apart) if np.isnan(row).all()]
    assert sorted(p[0] for p in found) == sorted(p[0] for p in wanted)
    np.testing.assert_allclose(
        sorted(p[2] for p in found if p[2] is not None),
        sorted(p[1] for p in wanted if p[1] is not None),
        atol=1e-12,
    )


def test_the_nearest_of_those_that_are_asked_for(two: Two) -> None:
    """What the subquery asks is asked before the nearest is chosen, what stands outside after it."""
    faint = two.rows["s.b"]["mag"].to_numpy() > 20.5
    apart = np.where(faint[None], two.near(two.rows["s.a"], two.rows["s.b"]), np.nan)
    found = two.pairs(LATERAL.format("", " and b.mag > 20.5", 1), "postgres")
    assert len(found) == (~np.isnan(apart).all(axis=1)).sum()
    outside = two.pairs(LATERAL.format("", "", 1) + " where n.id < 1000", "postgres")
    nearest = [p for p in two.pairs(LATERAL.format("", "", 1), "postgres") if p[1] < 1000]
    assert outside == nearest
    assert outside


def test_only_the_rows_that_may_be_read_are_matched(two: Two) -> None:
    two.only = RowFilter("kind", frozenset({"a", "b"}))
    mine = np.isin(np.array(two.rows["s.b"]["kind"].to_pylist(), object), ["a", "b"])
    apart = np.where(mine[None], two.near(two.rows["s.a"], two.rows["s.b"]), np.nan)
    assert two.pairs(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {NEAR}") == all_pairs(apart)


def test_a_table_in_memory_and_a_region(two: Two) -> None:
    apart = two.near(two.held, two.rows["s.b"])
    text = f"SELECT a.id, b.id FROM s.mine AS a, s.b AS b WHERE {NEAR}"
    assert two.pairs(text) == all_pairs(apart)
    b = two.rows["s.b"]
    inside = separation(b["ra"].to_numpy(), b["dec"].to_numpy(), 187.7, 12.4) <= 0.5
    found = two.pairs(f"{text} AND DISTANCE(b.ra, b.dec, 187.7, 12.4) <= 0.5")
    assert found == all_pairs(np.where(inside[None], apart, np.nan))


def test_subqueries_groups_and_three_tables(two: Two) -> None:
    near = two.near(two.rows["s.a"], two.rows["s.b"])
    counts = (~np.isnan(near)).sum(axis=1)
    text = f"SELECT a.id, COUNT(*) AS n FROM s.a AS a JOIN s.b AS b ON {NEAR} GROUP BY a.id"
    assert two.pairs(text) == sorted(((int(i), int(counts[i])) for i in np.flatnonzero(counts)), key=str)
    sub = (
        f"SELECT a.i, b.id FROM (SELECT id AS i, ra, dec FROM s.a WHERE id < 700) AS a, s.b AS b WHERE {NEAR}"
    )
    assert two.pairs(sub) == all_pairs(near[:700])
    third = two.near(two.rows["s.b"], two.held)
    three = f"SELECT a.id, b.id, c.id FROM s.a AS a, s.b AS b, s.mine AS c WHERE {NEAR} AND DISTANCE(b.ra, b.dec, c.ra, c.dec) < 0.2"
    wanted = [(i, j, k) for i, j in all_pairs(near) for k in np.flatnonzero(~np.isnan(third[j])).tolist()]
    assert two.pairs(three) == sorted(wanted, key=str)
    assert len(wanted) > 500


def test_a_common_table_expression_on_either_side(two: Two) -> None:
    text = (
        f"WITH c AS (SELECT * FROM s.b WHERE mag < 20) SELECT a.id, b.id FROM s.a AS a, c AS b WHERE {NEAR}"
    )
    bright = two.rows["s.b"]["mag"].to_numpy() < 20
    assert two.pairs(text) == all_pairs(
        np.where(bright[None], two.near(two.rows["s.a"], two.rows["s.b"]), np.nan)
    )


def test_rows_are_cut_and_it_is_said(two: Two) -> None:
    text = f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {NEAR}"
    with two.stream(text, limits=Limits(rows=10, seconds=60)) as stream:
        assert sum(batch.num_rows for batch in stream) == 10
        assert stream.overflow
    assert len(two.pairs(f"SELECT TOP 5 a.id, b.id FROM s.a AS a, s.b AS b WHERE {NEAR}")) == 5


def test_it_tells_how_far_it_is(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, int, int | None]] = []
    with heard_by(lambda *step: heard.append(step)):
        stream = two.stream(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {NEAR}")
    stream.to_table()
    parts = len(heard)
    assert heard == [("matching", n + 1, parts) for n in range(parts)]
    assert parts > 3
    heard.clear()
    two.pairs(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {NEAR}")
    assert not heard
    monkeypatch.setattr(_pair_blocks, "_BLOCK_ROWS", 100)
    with heard_by(lambda *step: heard.append(step)):
        two.pairs(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {NEAR}")
    assert [done for _, done, _ in heard] == [n + 1 for n in range(len(heard))]
    assert {total for _, _, total in heard} == {None}


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sky-join")]


def slow(
    two: Two, monkeypatch: pytest.MonkeyPatch, seconds: float, begun: Callable[[], object] = lambda: None
) -> TableStream:
    """Return a join whose other side never ends; it calls when it has begun."""
    find = Match.pairs

    def forever(match: Any, *given: Any) -> Any:
        begun()
        while True:
            time.sleep(0.01)
            yield from find(match, *given)
            yield Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    monkeypatch.setattr(Match, "pairs", forever)
    text = f"SELECT COUNT(*) AS n FROM s.a AS a, s.b AS b WHERE {NEAR}"
    return two.stream(text, limits=Limits(rows=10, seconds=seconds))


def ended() -> bool:
    until = time.monotonic() + 20
    while workers() and time.monotonic() < until:
        time.sleep(0.02)
    return not workers()


def test_it_can_be_stopped(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    stream = slow(two, monkeypatch, 600, begun.set)

    def stop() -> None:
        begun.wait()
        stream.close()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(CancelledError):
        next(stream)
    stopping.join()
    assert ended()


def test_it_takes_no_longer_than_it_may(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TimeLimitError):
        next(slow(two, monkeypatch, 0.5))
    assert ended()


def test_what_goes_wrong_in_a_side_is_told(two: Two) -> None:
    text = (
        "SELECT a.id FROM s.a AS a, (SELECT id, ra, dec FROM s.b WHERE CAST(kind AS INTEGER) > 0) AS b WHERE "
    )
    with pytest.raises(AweError) as caught:
        two.stream(text + NEAR).to_table()
    assert "onvert" in str(caught.value)
    assert ended()


def test_positions_at_another_epoch_and_their_errors(two: Two) -> None:
    """Proper motion and normalised distance are what the query makes of them; astropy moves the stars, too."""
    b = two.rows["s.b"]
    stars = SkyCoord(
        b["ra"].to_numpy() * u.deg, b["dec"].to_numpy() * u.deg, pm_ra_cosdec=np.full(2500, 300_000.0) * u.mas / u.yr,
        pm_dec=np.full(2500, -200_000.0) * u.mas / u.yr, distance=np.full(2500, 10.0) * u.kpc, radial_velocity=np.zeros(2500) * u.km / u.s,
        obstime=Time("J2000"),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)
        moved = stars.apply_space_motion(new_obstime=Time("J2010"))
    then = pa.table({"ra": moved.ra.deg, "dec": moved.dec.deg})
    apart = two.near(two.rows["s.a"], then)
    a = two.rows["s.a"]["mag"].to_numpy().astype(float)
    wanted = all_pairs(np.where(apart / (a / 200)[:, None] < 1.5, apart, np.nan))
    moving = "ivo_epoch_prop_pos(b.ra, b.dec, 0.1, 300000, -200000, 0, 2000, 2010)"
    found = two.pairs(
        f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE DISTANCE(POINT(a.ra, a.dec), {moving}) < 0.2"
        f" AND DISTANCE(POINT(a.ra, a.dec), {moving}) / (a.mag / 200) < 1.5"
    )
    assert found == wanted
    assert len(wanted) > 100
