"""The SDSS of the demonstration sky: its views and functions, asked in T-SQL, against answers computed apart."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from awe.core.science.simulation import simulate_sky
from awe.core.science.simulation.sdss import PHOTO_FLAGS
from awe.core.sky import separation
from awe.demo import SURVEYS
from awe.demo._surveys import write_surveys
from awe.errors import QueryError
from awe.platform import Platform
from awe.settings import Settings

pytestmark = pytest.mark.slow

M87 = (187.70593, 12.39112)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("sdss")
    with Platform.open(Settings(data=folder)) as opened:
        for table in write_surveys(simulate_sky(87), folder):
            opened.catalogs.publish(table.name, [table.file], describe=table.describe)
        yield opened


@pytest.fixture(scope="module")
def tables(platform: Platform) -> dict[str, pd.DataFrame]:
    """The files that were delivered, read by pandas."""
    folder = Path(platform.settings.folder)
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in SURVEYS}


@pytest.fixture(scope="module")
def photo(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return tables["sdss.PhotoObjAll"]


@pytest.fixture(scope="module")
def primary(photo: pd.DataFrame) -> pd.DataFrame:
    return photo[photo["mode"] == 1].reset_index(drop=True)


Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def ask(platform: Platform) -> Ask:
    def run(text: str, *, dialect: str = "tsql", context: str | None = "sdss") -> list[tuple[Any, ...]]:
        table = platform.catalogs.query(text, dialect=dialect, context=context, max_rows=100_000).to_table()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    return run


def near(rows: pd.DataFrame, ra: float, dec: float, r: float) -> pd.DataFrame:
    """Return the rows within r arcmin, nearest first."""
    distance = 60 * np.asarray(separation(rows["ra"].to_numpy(), rows["dec"].to_numpy(), ra, dec))
    found = rows.assign(distance=distance)[distance <= r]
    return found.sort_values("distance")


@pytest.mark.parametrize(
    "call", ["dbo.fGetNearbyObjEq", "fGetNearbyObjEq", "fgetnearbyobjeq", "sdss.dbo.fGetNearbyObjEq"]
)
def test_objects_near_a_position(ask: Ask, primary: pd.DataFrame, call: str) -> None:
    expected = near(primary, *M87, 3)
    found = ask(
        f"select objID, distance, run, type, htmID from {call}(187.70593, 12.39112, 3) order by distance"
    )
    assert [row[0] for row in found] == expected["objID"].tolist()
    assert [row[1] for row in found] == pytest.approx(expected["distance"].tolist(), rel=1e-9, abs=1e-12)
    assert [row[4] for row in found] == expected["htmID"].tolist()
    assert len(found) > 20


def test_arcminutes_given_as_whole_numbers_and_negative_ones(ask: Ask, primary: pd.DataFrame) -> None:
    assert len(ask("select objID from fGetNearbyObjEq(188, 12, 1)")) == len(near(primary, 188, 12, 1)) > 0
    assert ask("select objID from fGetNearbyObjEq(188, 12, -1)") == []


def test_secondary_objects_only_where_all_are_asked_for(ask: Ask, photo: pd.DataFrame) -> None:
    expected = near(photo, 187.7, 12.3, 2)
    found = ask("select objID, mode from fGetNearbyObjAllEq(187.7, 12.3, 2) order by distance, objID")
    assert sorted(found) == sorted(zip(expected["objID"], expected["mode"], strict=True))
    assert {mode for _, mode in found} == {1, 2}
    nearest = ask("select objID, distance from dbo.fGetNearestObjAllEq(187.7, 12.3, 2)")
    assert nearest == [(expected["objID"].iloc[0], pytest.approx(expected["distance"].iloc[0]))]


def test_the_nearest_object_of_each_row(
    ask: Ask, primary: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> None:
    fields = tables["sdss.Field"]
    text = (
        "select f.fieldID, n.objID, n.distance from Field f outer apply dbo.fGetNearestObjEq(f.ra, f.dec, 0.3) n"
        " order by f.fieldID"
    )
    found = ask(text)
    assert len(found) == len(fields)
    for row, (_, field) in zip(found, fields.sort_values("fieldID").iterrows(), strict=True):
        expected = near(primary, field["ra"], field["dec"], 0.3)
        assert row[0] == field["fieldID"]
        assert row[1] == (None if expected.empty else expected["objID"].iloc[0])
    assert len({row[1] is None for row in found}) == 2
    crossed = ask(text.replace("outer apply", "cross apply"))
    assert crossed == [row for row in found if row[1] is not None]


def test_the_nearest_identifier_as_a_value(ask: Ask, primary: pd.DataFrame) -> None:
    stars = primary[primary["type"] == 6]
    (found,) = ask("select fGetNearestObjIdEq(187.9, 12.1, 1), dbo.fGetNearestObjIdEqType(187.9, 12.1, 2, 6)")
    assert found == (
        near(primary, 187.9, 12.1, 1)["objID"].iloc[0],
        near(stars, 187.9, 12.1, 2)["objID"].iloc[0],
    )
    assert ask("select fGetNearestObjIdEq(10, 10, 1)") == [(None,)]


def test_rectangles_take_their_corners_in_two_orders(ask: Ask, primary: pd.DataFrame) -> None:
    inside = primary["ra"].between(187.5, 187.6) & primary["dec"].between(12, 12.1)
    expected = sorted(primary[inside]["objID"])
    for call in ("fGetObjFromRectEq(187.5, 12, 187.6, 12.1)", "dbo.fGetObjFromRect(187.5, 187.6, 12, 12.1)"):
        text = f"select p.objID from {call} n, PhotoPrimary p where n.objID = p.objID order by p.objID"
        assert [row[0] for row in ask(text)] == expected
    assert expected
    around = ask("select count(*) from fGetObjFromRectEq(188, 12, 187.5, 12.1)")
    outside = ((primary["ra"] >= 188) | (primary["ra"] <= 187.5)) & primary["dec"].between(12, 12.1)
    assert around == [(int(outside.sum()),)]


def test_flags_by_name(ask: Ask, photo: pd.DataFrame) -> None:
    saturated, cosmic = PHOTO_FLAGS["SATURATED"][0], PHOTO_FLAGS["CR"][0]
    expected = ((photo["flags"] & saturated) != 0).sum(), ((photo["flags"] & cosmic) == 0).sum()
    (found,) = ask(
        "select sum(case when (flags & dbo.fPhotoFlags('SATURATED')) <> 0 then 1 else 0 end),"
        " sum(case when flags & fPhotoFlags('cr') = 0 then 1 else 0 end) from PhotoObj"
    )
    assert found == expected
    assert min(expected) > 0
    assert ask("select fPhotoFlags('nothing')") == [(None,)]
    ((names, flags),) = ask("select top 1 fPhotoFlagsN(flags), flags from PhotoObj where r < 14")
    assert set(names.split()) == {name for name, (value, _) in PHOTO_FLAGS.items() if value & flags}
    assert ask("select count(*) from PhotoObj where type = dbo.fPhotoType('Star')") == [
        (int((photo["type"] == 6).sum()),)
    ]
    assert ask("select dbo.fPhotoTypeN(3)") == [("GALAXY",)]


def test_the_parts_of_an_identifier(ask: Ask, photo: pd.DataFrame) -> None:
    parts = ("skyVersion", "rerun", "run", "camcol", "field", "obj")
    identifier = int(photo["objID"].iloc[100])
    calls = ", ".join(f"f{name[0].upper()}{name[1:]}({identifier})" for name in parts)
    given = tuple(int(photo[name].iloc[100]) for name in parts)
    assert ask(f"select {calls}") == [given]
    assert ask(f"select fSDSS({identifier}), fObjidFromSDSS{given}") == [
        ("-".join(map(str, given)), identifier)
    ]


def test_the_footprint(ask: Ask, primary: pd.DataFrame) -> None:
    for (ra, dec, r), inside in {
        (187.5, 12.4, 0.1): 1, (187.0 - 0.5 / 60, 12.4, 0.1): 0, (187.0 - 0.5 / 60, 12.4, 0.6): 1,
        (10, 10, 5): 0, (188.34, 12.889, 0): 1,
    }.items():  # fmt: skip
        assert ask(f"select dbo.fInFootprintEq({ra}, {dec}, {r})") == [(inside,)]
        assert len(ask(f"select * from fFootprintEq({ra}, {dec}, {r})")) == inside
    found = ask(
        "select case when q.type is null then 'no' else 'yes' end as inside, count(*) from PhotoPrimary p"
        " outer apply dbo.fFootprintEq(p.ra, p.dec, 0.1) as q group by case when q.type is null then 'no' else 'yes' end"
    )
    assert found == [("yes", len(primary))]


def test_neighbours_are_all_pairs(ask: Ask, primary: pd.DataFrame) -> None:
    some = primary[primary["dec"] > 12.8]
    total = sum(len(near(primary, ra, dec, 0.5)) - 1 for ra, dec in zip(some["ra"], some["dec"], strict=True))
    found = ask(
        "select count(*), max(n.distance) from Neighbors n join PhotoPrimary p on p.objID = n.objID where p.dec > 12.8"
    )
    assert found[0][0] == total > 1000
    assert 0.45 < found[0][1] <= 0.5


def test_spectra_and_their_identifiers_beyond_63_bits(
    ask: Ask, primary: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> None:
    spectra = tables["sdss.SpecObjAll"]
    best = spectra[spectra["sciencePrimary"] == 1]
    largest = int(best["specObjID"].max())
    assert largest > 2**63
    assert ask(f"select specObjID from SpecObj where specObjID = {largest}") == [(largest,)]
    joined = best.merge(primary[primary["type"] == 3], left_on="bestObjID", right_on="objID")
    found = ask(
        "select count(*), count(distinct s.specObjID) from Galaxy g join SpecObj s on s.bestObjID = g.objID"
    )
    assert found == [(len(joined), joined["specObjID_x"].nunique())]
    assert len(spectra) > len(best)
    counts: dict[str, int] = dict(ask("select class, count(*) from SpecObj group by class"))
    assert counts == best["class"].value_counts().to_dict()
    assert ask("select count(*) from SpecObj where class = 'qso'") == [(counts["QSO"],)]
    expected = near(best, 188, 12.3, 4)
    rows = ask("select specObjID, distance from fGetNearbySpecObjEq(188, 12.3, 4) order by distance")
    assert [row[0] for row in rows] == expected["specObjID"].tolist()
    assert ask("select fGetNearestSpecObjIdEq(188, 12.3, 4)") == [(rows[0][0],)]
    assert len(ask("select objID, z, modelMag_r from SpecPhoto")) == len(best)


def test_a_cone_on_a_view_in_adql_without_a_context(ask: Ask, primary: pd.DataFrame) -> None:
    galaxies = primary[primary["type"] == 3]
    text = "SELECT objID FROM sdss.Galaxy WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(187.8, 12.3, 0.05)) ORDER BY objID"
    found = [row[0] for row in ask(text, dialect="adql", context=None)]
    assert found == sorted(near(galaxies, 187.8, 12.3, 3)["objID"]) != []
    assert ask("SELECT fPhotoType('galaxy') AS t FROM sdss.PhotoType WHERE name = 'SKY'", dialect="adql") == [
        (3,)
    ]


def test_objects_are_those_of_the_other_catalogue(photo: pd.DataFrame) -> None:
    """What HST saw and SDSS could see is in both, at the same place."""
    sky = simulate_sky(87).sources
    bright = (sky.f606w < 20) & (sky.f606w > 16) & (np.hypot(sky.ra - M87[0], sky.dec - M87[1]) < 0.1)
    rows = photo[photo["mode"] == 1]
    found = [len(near(rows, ra, dec, 0.001)) for ra, dec in zip(sky.ra[bright], sky.dec[bright], strict=True)]
    assert len(found) > 30
    assert np.mean(found) > 0.97


def test_a_wrong_name_is_told_of(ask: Ask) -> None:
    with pytest.raises(QueryError) as caught:
        ask("select * from fGetNearbyObjE(1, 2, 3)")
    assert "fGetNearbyObjEq" in str(caught.value.hint)


def test_it_says_that_it_is_simulated(platform: Platform) -> None:
    for record in platform.catalogs.tables():
        if record.schema == "sdss" and record.name not in {"PhotoFlags", "PhotoType"}:
            assert record.description.startswith("SIMULATED")
            assert record.metadata["simulated"]
            assert "simulated" in record.title
            assert all(column.description for column in record.columns)
