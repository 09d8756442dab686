"""Sky joins of every kind, against brute force: who is alone, who has a partner, radii row by row, more than a distance."""

from typing import Any

import numpy as np
import pytest
from tests.services.catalogs.test_sky_joins import NEAR, Two, all_pairs, opened, two

from awe.services.catalogs.backends import _pair_blocks

__all__ = ["opened", "two"]

pytestmark = pytest.mark.slow

Pairs = list[tuple[Any, ...]]


@pytest.fixture(params=[2_000_000, 100], ids=["one block", "blocks"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pair_blocks, "_BLOCK_ROWS", request.param)


def with_lonely(apart: np.ndarray, *, left: bool, right: bool) -> Pairs:
    """Return the pairs, and the rows of either side that have none."""
    none = np.isnan(apart)
    pairs: Pairs = list(all_pairs(apart))
    pairs += [(int(i), None) for i in np.flatnonzero(none.all(axis=1))] if left else []
    pairs += [(None, int(j)) for j in np.flatnonzero(none.all(axis=0))] if right else []
    return sorted(pairs, key=str)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(("kind", "left", "right"), [("LEFT", 1, 0), ("RIGHT", 0, 1), ("FULL", 1, 1)])
@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_rows_of_either_side_or_both_are_kept(
    two: Two, kind: str, left: bool, right: bool, order: tuple[str, str]
) -> None:
    apart = two.near(*(two.rows[f"s.{name}"] for name in order))
    one, other = order
    text = f"SELECT {one}.id, {other}.id FROM s.{one} AS {one} {kind} JOIN s.{other} AS {other} ON {NEAR}"
    wanted = with_lonely(apart, left=left, right=right)
    assert two.pairs(text) == wanted
    assert sum(None in pair for pair in wanted) > 200


@pytest.mark.parametrize(("kind", "left", "right"), [("LEFT", 1, 0), ("RIGHT", 0, 1), ("FULL", 1, 1)])
def test_what_else_makes_a_pair_is_asked_before_rows_are_alone(
    two: Two, kind: str, left: bool, right: bool
) -> None:
    mags = [two.rows[name]["mag"].to_numpy() for name in ("s.a", "s.b")]
    bright = np.where(mags[1] < 20.5, mags[1], np.nan)
    alike = np.abs(mags[0][:, None] - bright[None]) < 0.5
    apart = np.where(alike, two.near(two.rows["s.a"], two.rows["s.b"]), np.nan)
    text = (
        f"SELECT a.id, b.id FROM s.a AS a {kind} JOIN s.b AS b ON {NEAR} AND ABS(a.mag - b.mag) < 0.5"
        " AND b.mag < 20.5"
    )
    assert two.pairs(text) == with_lonely(apart, left=left, right=right)
    assert len(all_pairs(apart)) > 100


def test_what_is_asked_of_all_rows_is_asked_after_they_are_kept(two: Two) -> None:
    apart = two.near(two.rows["s.a"], two.rows["s.b"])
    everything = with_lonely(apart, left=True, right=True)
    full = f"SELECT a.id, b.id FROM s.a AS a FULL JOIN s.b AS b ON {NEAR} WHERE a.id < 700"
    assert two.pairs(full) == [p for p in everything if p[0] is not None and p[0] < 700]
    right = f"SELECT a.id, b.id FROM s.a AS a RIGHT JOIN s.b AS b ON {NEAR} WHERE {{}}"
    kept = with_lonely(apart, left=False, right=True)
    assert two.pairs(right.format("b.id < 700")) == [p for p in kept if p[1] < 700]
    assert two.pairs(right.format("a.id IS NULL")) == [p for p in kept if p[0] is None]


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(("kept", "gone"), [("a", "b"), ("b", "a"), ("mine", "b"), ("b", "mine")])
@pytest.mark.parametrize("word", ["EXISTS", "NOT EXISTS"])
def test_rows_that_have_a_partner_or_none(two: Two, kept: str, gone: str, word: str) -> None:
    rows = {**two.rows, "s.mine": two.held}
    has = ~np.isnan(two.near(rows[f"s.{kept}"], rows[f"s.{gone}"])).all(axis=1)
    text = (
        f"SELECT k.id FROM s.{kept} AS k WHERE k.id < 1000 AND {word} (SELECT 1 FROM s.{gone} AS g WHERE"
        " DISTANCE(g.ra, g.dec, k.ra, k.dec) < 0.2)"
    )
    wanted = np.flatnonzero(has if word == "EXISTS" else ~has)
    assert sorted(i for (i,) in two.pairs(text)) == wanted[wanted < 1000].tolist()


def test_rows_are_counted_of_which_no_column_is_read(two: Two) -> None:
    apart = two.near(two.rows["s.a"], two.rows["s.b"])
    has = (~np.isnan(apart)).any(axis=1)
    some = f"SELECT COUNT(*) FROM s.a AS a WHERE {{}} EXISTS (SELECT 1 FROM s.b AS b WHERE {NEAR})"
    assert two.pairs(some.format("")) == [(has.sum(),)]
    assert two.pairs(some.format("NOT")) == [((~has).sum(),)]
    full = f"SELECT COUNT(*) FROM s.a AS a FULL JOIN s.b AS b ON {NEAR}"
    assert two.pairs(full) == [(len(with_lonely(apart, left=True, right=True)),)]
    nearest = (
        "select count(*) from s.a as a join lateral (select 1 as one from s.b as b where q3c_join(a.ra, a.dec, b.ra, b.dec, 0.2)"
        " order by q3c_dist(a.ra, a.dec, b.ra, b.dec) limit 1) as n on true"
    )
    assert two.pairs(nearest, "postgres") == [(has.sum(),)]


def test_a_partner_of_some_kind(two: Two) -> None:
    a, b = two.rows["s.a"], two.rows["s.b"]
    mags = a["mag"].to_numpy(), b["mag"].to_numpy()
    partner = np.where(mags[1] < 20.5, mags[1], np.nan)[None] < mags[0][:, None]
    has = np.isfinite(np.where(partner, two.near(a, b), np.nan)).any(axis=1)
    text = (
        "SELECT a.id FROM s.a AS a WHERE {} EXISTS (SELECT * FROM s.b AS b WHERE {near} AND b.mag < 20.5"
        " AND b.mag < a.mag)"
    )
    for word, wanted in (("", has), ("NOT", ~has)):
        found = two.pairs(text.format(word, near=NEAR))
        assert sorted(i for (i,) in found) == np.flatnonzero(wanted).tolist()
        assert len(found) > 100


def test_pairs_of_which_one_has_no_partner_elsewhere(two: Two) -> None:
    """A condition on the pairs of one sky join is another one."""
    a, b = two.rows["s.a"], two.rows["s.b"]
    lonely = np.isnan(two.near(b, two.held)).all(axis=1)
    apart = np.where(lonely[None], two.near(a, b), np.nan)
    text = (
        f"SELECT a.id, b.id FROM s.a AS a JOIN s.b AS b ON {NEAR} WHERE NOT EXISTS (SELECT * FROM s.mine AS m"
        " WHERE DISTANCE(m.ra, m.dec, b.ra, b.dec) < 0.2)"
    )
    assert two.pairs(text) == all_pairs(apart)
    assert len(all_pairs(apart)) > 500


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("of", ["a", "b"])
def test_each_row_may_have_a_radius_of_its_own(two: Two, of: str) -> None:
    """From nothing to a large part of the sky, whichever side has it."""
    mag = two.rows[f"s.{of}"]["mag"].to_numpy().astype(float)
    radius = 10 ** (mag - 21.5)
    assert radius.min() < 0.003
    assert radius.max() > 20
    apart = two.near(two.rows["s.a"], two.rows["s.b"], radius=181)
    reached = radius[:, None] if of == "a" else radius[None]
    wanted = all_pairs(np.where(apart > reached, np.nan, apart))
    reach = f"POWER(10.0, CAST({of}.mag AS DOUBLE PRECISION) - 21.5)"
    text = f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) <= {reach}"
    assert two.pairs(text) == wanted
    circle = "SELECT a.id, b.id FROM s.a AS a JOIN s.b AS b ON 1 = CONTAINS(POINT({}.ra, {}.dec), CIRCLE({of}.ra, {of}.dec, {}))"
    other = "b" if of == "a" else "a"
    assert two.pairs(circle.format(other, other, reach, of=of)) == wanted
    assert len(wanted) > 1000


@pytest.mark.parametrize("of", ["a", "b"])
def test_radii_row_by_row_and_who_is_alone(two: Two, of: str) -> None:
    mag = two.rows[f"s.{of}"]["mag"].to_numpy().astype(float)
    radius = (mag - 19.5) / 5  # of many rows negative: nothing is near them
    apart = two.near(two.rows["s.a"], two.rows["s.b"], radius=2)
    apart = np.where(apart < (radius[:, None] if of == "a" else radius[None]), apart, np.nan)
    near = f"DISTANCE(a.ra, a.dec, b.ra, b.dec) < (CAST({of}.mag AS DOUBLE PRECISION) - 19.5) / 5"
    text = f"SELECT a.id, b.id FROM s.a AS a FULL JOIN s.b AS b ON {near}"
    assert two.pairs(text) == with_lonely(apart, left=True, right=True)
    nearest = (
        f"select a.id, n.id from s.a as a join lateral (select b.id from s.b as b where {near.replace('DISTANCE', 'q3c_dist')}"
        " order by q3c_dist(a.ra, a.dec, b.ra, b.dec) limit 1) as n on true"
    ).replace("DOUBLE PRECISION", "double precision")
    has = ~np.isnan(apart).all(axis=1)
    found = two.pairs(nearest, "postgres")
    assert sorted(i for i, _ in found) == np.flatnonzero(has).tolist()
    assert all(apart[i, j] == np.nanmin(apart[i]) for i, j in found)


def test_the_nearest_of_those_that_make_a_pair(two: Two) -> None:
    """A condition on both rows is asked before the nearest is chosen."""
    a, b = two.rows["s.a"], two.rows["s.b"]
    alike = np.abs(a["mag"].to_numpy()[:, None] - b["mag"].to_numpy()[None]) < 0.3
    apart = np.where(alike, two.near(a, b), np.nan)
    text = (
        "select a.id, n.id from s.a as a left join lateral (select b.id from s.b as b where q3c_join(a.ra, a.dec, b.ra, b.dec, 0.2)"
        " and abs(a.mag - b.mag) < 0.3 order by q3c_dist(a.ra, a.dec, b.ra, b.dec) limit 1) as n on true"
    )
    none = np.atleast_1d(np.isnan(apart).all(axis=1))
    found = two.pairs(text, "postgres")
    assert len(found) == 1500
    assert all(j is None if none[i] else apart[i, j] == np.nanmin(apart[i]) for i, j in found)
    assert (~none).sum() > 100
