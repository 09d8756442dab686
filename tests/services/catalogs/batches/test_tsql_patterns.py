"""The patterns of CasJobs' users: each gives what numpy and pandas make of the same rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.services.catalogs.batches.conftest import Run
from tests.services.catalogs.batches.world import FLAGS, World, separation_arcmin

from awe.errors import QuerySyntaxError

One = Callable[..., pd.DataFrame]
IDS = ["objID"]


def same(found: pd.DataFrame, known: pd.DataFrame) -> None:
    """Compare rows in their order: integers exactly, floats to the last digits, texts as they are."""
    assert list(found.columns) == list(known.columns)
    assert len(found) == len(known)
    for name in known.columns:
        got, want = found[name].tolist(), known[name].tolist()
        if pd.api.types.is_float_dtype(known[name]):
            np.testing.assert_allclose(np.array(got, float), np.array(want, float), rtol=1e-9)
        else:
            assert got == want, name


def near(rows: pd.DataFrame, ra: float, dec: float, arcmin: float) -> pd.DataFrame:
    """Return the rows within a radius with their `distance`, the nearest first."""
    rows = rows.assign(distance=separation_arcmin(rows["ra"].to_numpy(), rows["dec"].to_numpy(), ra, dec))
    return rows[rows["distance"] <= arcmin].sort_values("distance")


def test_01_table_function_and_alias_before_the_value(one: One, world: World) -> None:
    found = one(
        "select MatchID, MatchRA, colour = A_F606W - A_F814W from SearchSumCatalog(10.0, 20.0, 90.0, 1)"
        " where CI > 1 and numimages > 3 order by matchid",
        context="hsc",
    )
    rows = world.sumcat
    inside = separation_arcmin(rows["MatchRA"].to_numpy(), rows["MatchDec"].to_numpy(), 10.0, 20.0) <= 1.5
    known = rows[inside & (rows["CI"] > 1) & (rows["NumImages"] > 3)].sort_values("MatchID")
    assert 5 < len(known) < 300
    same(found, known.assign(colour=known["A_F606W"] - known["A_F814W"])[["MatchID", "MatchRA", "colour"]])


def test_02_top_with_cuts(one: One, world: World) -> None:
    found = one(
        "select top 7 objID, ra, dec from PhotoPrimary where ra > 10 and ra < 10.2 and dec between 5 and 5.2"
    )
    known = world.primary.query("10 < ra < 10.2 and 5 <= dec <= 5.2").set_index("objID")
    assert len(found) == 7 < len(known)
    same(found, known.loc[found["objID"]].reset_index()[["objID", "ra", "dec"]])


def test_03_cone_by_join_with_a_table_function(one: One, world: World) -> None:
    found = one(
        "select top 5 g.objID, n.distance from Galaxy as g join dbo.fGetNearbyObjEq(10.,5.,4) as n on g.objID = n.objID order by distance"
    )
    known = near(world.galaxy, 10, 5, 4)
    assert len(known) > 5
    same(found, known[["objID", "distance"]].head(5))


def test_04_rectangle_by_comma_join(one: One, world: World) -> None:
    found = one(
        "select p.ra, p.dec from fGetObjFromRectEq(9.7,4.7,9.8,4.9) n, PhotoPrimary p where n.objID = p.objID order by p.ra"
    )
    known = world.primary.query("9.7 <= ra <= 9.8 and 4.7 <= dec <= 4.9").sort_values("ra")
    assert len(known) > 5
    same(found, known[["ra", "dec"]])


def test_05_into_mydb_from_another_context(run: Run, world: World) -> None:
    (affected,) = run("select top 100 objID, r into mydb.bright from Galaxy where r < 15")
    known = world.galaxy.query("r < 15").sort_values("objID").head(100)
    assert affected.to_dict("list") == {"Rows Affected": [len(known)]}
    (found,) = run("select * from bright order by objid", context="mydb")
    same(found.astype({"r": np.float32}), known[["objID", "r"]])


def test_06_into_without_from(run: Run) -> None:
    run("select 4 as Column1, 5 as Column2 into MyDB.demo1")
    assert run("select * from mydb.DEMO1")[0].to_dict("list") == {"Column1": [4], "Column2": [5]}


def test_07_unqualified_into_read_back_and_drop(run: Run, world: World) -> None:
    run("select count(*) as n into mycount from Star")
    assert run("select * from mycount", context="MyDB")[0]["n"].tolist() == [len(world.star)]
    run("drop table mycount")
    assert run("if object_id('mycount') is null select 'gone' as x")[0]["x"].tolist() == ["gone"]


def test_08_unnamed_aggregates(one: One, world: World) -> None:
    found = one(
        "select run, min(ra), max(ra), count(distinct field) from PhotoObj group by run having count(*) > 2 order by 2 desc"
    )
    groups = world.photo.groupby("run")
    known = groups.agg(
        Column1=("ra", "min"), Column2=("ra", "max"), Column3=("field", "nunique")
    ).reset_index()
    same(found, known[groups.size().to_numpy() > 2].sort_values("Column1", ascending=False))


def test_09_quoted_aliases(one: One, world: World) -> None:
    found = one(
        "select count(*) as 'all', sum(case when type = 3 then 1 else 0 end) as 'gal' from PhotoPrimary"
    )
    assert found.to_dict("list") == {"all": [len(world.primary)], "gal": [len(world.galaxy)]}


def test_10_bits_by_name_and_hex(one: One, world: World) -> None:
    found = one(
        "select objID from PhotoObj where (flags & dbo.fPhotoFlags('SATURATED')) = 0 and (flags & 0x10) <> 0 order by objID"
    )
    flags = world.photo["flags"]
    known = world.photo[((flags & FLAGS["SATURATED"]) == 0) & ((flags & 0x10) != 0)].sort_values("objID")
    assert 0 < len(known) < len(world.photo)
    same(found, known[IDS])


def test_11_split_64_bits(one: One, world: World) -> None:
    found = one(
        "select objID, flags & 0x00000000FFFFFFFF as lo, (flags / power(cast(2 as bigint),32)) & 0xFF as hi from PhotoObj order by objID"
    )
    rows = world.photo.sort_values("objID")
    known = rows.assign(lo=rows["flags"] & 0xFFFFFFFF, hi=(rows["flags"] // 2**32) & 0xFF)[
        ["objID", "lo", "hi"]
    ]
    assert known["hi"].max() > 0
    same(found, known)


def test_12_fixed_width(one: One, world: World) -> None:
    found = one("select str(ra,10,4) as ra, ltrim(str(mjd,12,2)) as mjd from PhotoObj order by objID")
    rows = world.photo.sort_values("objID")
    assert found["ra"].tolist() == [f"{x:10.4f}" for x in rows["ra"]]
    assert found["mjd"].tolist() == [f"{x:.2f}" for x in rows["mjd"]]


def test_13_nulls_and_outer_join(one: One, world: World) -> None:
    found = one(
        "select g.objID, isnull(s.z, 0) as z from Galaxy as g left outer join SpecObj s on s.bestObjID = g.objID order by g.objID"
    )
    known = world.galaxy.merge(
        world.spec[["bestObjID", "z"]],
        how="left",
        left_on="objID",
        right_on="bestObjID",
        suffixes=("_mag", ""),
    )
    assert known["z"].isna().any()
    same(found, known.assign(z=known["z"].fillna(0)).sort_values("objID")[["objID", "z"]])


def test_14_derived_tables_and_fluxes(one: One, world: World) -> None:
    found = one(
        "select f.run, f.flux from (select run, avg(power(cast(10. as float), -0.4*r)) as flux from PhotoObj group by run) as f where f.flux > 0 order by f.run"
    )
    flux = 10.0 ** (-0.4 * world.photo["r"].astype(float))
    known = flux.groupby(world.photo["run"]).mean().rename("flux").reset_index()
    np.testing.assert_allclose(found["flux"], known["flux"], rtol=1e-6)  # r is in single precision
    assert found["run"].tolist() == known["run"].tolist()


def test_15_nearest_around_each_row(run: Run, world: World) -> None:
    places = world.photo.sample(40, random_state=1)[["ra", "dec"]].round(3).reset_index(drop=True)
    rows = ", ".join(f"('t{i}', {ra}, {dec})" for i, (ra, dec) in enumerate(places.to_numpy().tolist()))
    run(
        f"create table mydb.targets (name varchar(5), ra float, dec float) insert into mydb.targets values {rows}"
    )
    (found,) = run(
        "select m.name, n.objID, n.distance from mydb.targets m cross apply dbo.fGetNearestObjEq(m.ra, m.dec, 0.2) n order by m.name"
    )
    known = [
        (f"t{i}", int(nearest["objID"].iloc[0]), nearest["distance"].iloc[0])
        for i, (ra, dec) in enumerate(places.to_numpy().tolist())
        if len(nearest := near(world.primary, ra, dec, 0.2))
    ]
    assert 5 < len(known) < 40
    same(found, pd.DataFrame(known, columns=["name", "objID", "distance"]).sort_values("name"))


def test_16_footprint(one: One, world: World) -> None:
    found = one(
        "select p.objID, case when q.shape is null then 'no' else 'yes' end as inside from PhotoObj p outer apply dbo.fFootprintEq(p.ra, p.dec, 0.1) as q order by p.objID"
    )
    rows, margin = world.photo.sort_values("objID"), 0.1 / 60
    inside = rows["ra"].between(9.5 - margin, 10.2 + margin) & rows["dec"].between(4.5 - margin, 5.2 + margin)
    assert inside.any()
    assert not inside.all()
    same(found, pd.DataFrame({"objID": rows["objID"], "inside": np.where(inside, "yes", "no")}))


def test_17_histogram_with_a_variable(one: One, world: World) -> None:
    found = one(
        "declare @w float = 0.5\nselect floor(r/@w)*@w as bin, count(*) as n from Galaxy group by floor(r/@w)*@w order by 1"
    )
    known = (world.galaxy["r"].astype(float) // 0.5 * 0.5).value_counts().sort_index()
    same(found, known.rename_axis("bin").rename("n").reset_index())


def test_18_several_selects(run: Run, world: World) -> None:
    first, second = run(
        "select top 1 run from PhotoObj order by objID\nselect * from Field where run = 94 order by camcol, field"
    )
    assert first["run"].tolist() == [world.photo.sort_values("objID")["run"].iloc[0]]
    same(second, world.field.query("run == 94").sort_values(["camcol", "field"]))


@pytest.mark.parametrize("between", ["\n", "\ngo\n", ";", "\nGO 1\n"])
def test_19_temporary_tables(run: Run, world: World, between: str) -> None:
    text = (
        f"select objID, ra, dec into #near from PhotoObj where r < 17{between}select count(*) as n from #near"
    )
    (found,) = run(text)
    assert found["n"].tolist() == [(world.photo["r"] < 17).sum()]


def test_20_conditional_drop(run: Run) -> None:
    for text in (
        "if object_id('old','U') is not null drop table old; create table old (a int)",
        "drop table if exists old ; create table old (b int)",
        "if exists (select * from sys.objects where object_id = OBJECT_ID(N'[dbo].[old]') AND type in (N'U')) drop table [dbo].[old]\ncreate table old (c int)",
        "if exists (select * from sys.tables where name = 'old') drop table old\ncreate table old (d int)",
    ):
        run(text)
        run(text)
    assert list(run("select * from old", context="mydb")[0].columns) == ["d"]


def test_21_cross_match(run: Run, world: World) -> None:
    shifted = world.primary.head(100)
    places = enumerate(shifted[["ra", "dec"]].to_numpy().tolist())
    rows = ", ".join(f"({i}, {ra + 0.0002}, {dec})" for i, (ra, dec) in places)
    run(f"create table mydb.mine (objid int, ra float, dec float) insert into mydb.mine values {rows}")
    (found,) = run(
        "select objID, ra, dec into #a from PhotoPrimary\n"
        "execute SQLxMatch @table1='#a', @table2='mydb.mine', @radius=30, @only_nearest=1, @include_sep_rank=1, @include_radec=1"
    )
    ra, dec = world.primary["ra"].to_numpy(), world.primary["dec"].to_numpy()
    known: list[tuple[Any, ...]] = []
    for place, one_ra, one_dec in zip(world.primary["objID"], ra, dec, strict=True):
        sep = (
            separation_arcmin(shifted["ra"].to_numpy() + 0.0002, shifted["dec"].to_numpy(), one_ra, one_dec)
            * 60
        )
        if sep.min() <= 30:
            known.append((place, int(sep.argmin()), sep.min(), 1))
    assert len(known) >= 100
    found = found.sort_values("id1").reset_index(drop=True)
    assert list(found.columns) == ["id1", "id2", "sep", "sep_rank", "ra1", "dec1", "ra2", "dec2"]
    expected = pd.DataFrame(known, columns=["id1", "id2", "sep", "sep_rank"]).sort_values("id1")
    np.testing.assert_allclose(found["sep"], expected["sep"], rtol=1e-6)
    for name in ("id1", "id2", "sep_rank"):
        assert found[name].tolist() == expected[name].tolist()


def test_22_ranking(one: One, world: World) -> None:
    found = one(
        "with q as (select objID, rank() over (partition by run order by r) as k from PhotoObj) select * from q where k <= 2 order by objID"
    )
    rank = world.photo.groupby("run")["r"].rank(method="min").astype(int)
    known = world.photo.assign(k=rank)[rank <= 2].sort_values("objID")
    same(found, known[["objID", "k"]])


def test_23_names_across_databases(run: Run, world: World) -> None:
    (found,) = run(
        "select h.id, count(*) as n from simdb..Halo h, simdb..Halo d where h.id between d.id and d.lastId group by h.id order by h.id"
    )
    first, last = world.halo["id"].to_numpy(), world.halo["lastId"].to_numpy()
    inside = (first[:, None] >= first[None, :]) & (first[:, None] <= last[None, :])
    same(found, pd.DataFrame({"id": first, "n": inside.sum(axis=1)}))
    assert len(run("select top 3 * from sdss.Star")[0]) == 3
    run("select top 3 * into [myscratch:default].t from sdss.Star")
    assert len(run("select * from mydb..t")[0]) == 3


def test_24_schema_browsing(run: Run) -> None:
    run("select 1 as mine into mydb.browse")
    names = run("select distinct TABLE_NAME from information_schema.TABLES")[0]["TABLE_NAME"].tolist()
    assert {"Star", "Galaxy"} <= set(names)
    assert "browse" not in names  # the context's database alone, as in SQL Server
    assert run("select table_name from information_schema.tables", context="MyDB")[0][
        "table_name"
    ].tolist() == ["browse"]
    columns = run("select * from Columns where table_name = 'browse'", context="MyDB")[0]
    assert columns["column_name"].tolist() == ["mine"]
    assert run("select name from sys.objects where type = 'U' and name = 'browse'")[0]["name"].tolist() == [
        "browse"
    ]


def test_25_neighbours_with_colours(one: One, world: World) -> None:
    found = one(
        "select a.objID, b.objID as other from Neighbors n join PhotoPrimary a on a.objID = n.objID"
        " join PhotoPrimary b on b.objID = n.neighborObjID"
        " where a.objID < b.objID and abs((a.g-a.r)-(b.g-b.r)) < 0.5 order by a.objID, b.objID"
    )
    rows = world.primary[["objID", "g", "r"]]
    joined = world.neighbors.merge(rows, on="objID").merge(
        rows, left_on="neighborObjID", right_on="objID", suffixes=("", "_b")
    )
    near_colour = ((joined["g"] - joined["r"]) - (joined["g_b"] - joined["r_b"])).abs() < np.float32(0.5)
    known = joined[(joined["objID"] < joined["neighborObjID"]) & near_colour].sort_values(
        ["objID", "neighborObjID"]
    )
    assert len(known) > 3
    same(found, pd.DataFrame({"objID": known["objID"], "other": known["neighborObjID"]}))


def test_26_create_and_insert_from_a_table_function(run: Run, world: World) -> None:
    run("create table mydb.t(id bigint, ra float, tag varchar(12))")
    (affected,) = run("insert into mydb.t select objID, cx, 'a' from fGetNearbyObjEq(10,5,3)")
    known = near(world.primary, 10, 5, 3).sort_values("objID")
    assert affected.iloc[0, 0] == len(known) > 0
    (changed,) = run("update mydb.t set tag = 'b', ra = -ra where ra < 0.981")
    assert changed.iloc[0, 0] == (known["cx"] < 0.981).sum()
    run("delete from mydb.t where tag = 'A'")
    left = known[known["cx"] < 0.981]
    same(
        run("select * from mydb.t order by id")[0],
        pd.DataFrame({"id": left["objID"], "ra": -left["cx"], "tag": "b"}),
    )


def test_27_logarithmic_bins(one: One, world: World) -> None:
    found = one(
        "select power(10.0, .1*floor(.5+log10(m)/.1)) as mbin, count(*) as n from simdb.Halo where m > 0 group by floor(.5+log10(m)/.1) order by 1"
    )
    bins = np.floor(0.5 + np.log10(world.halo["m"]) / 0.1)
    known = bins.value_counts().sort_index()
    np.testing.assert_allclose(found["mbin"], 10 ** (0.1 * known.index.to_numpy()))
    assert found["n"].tolist() == known.tolist()


def test_28_sampling_and_hints(run: Run, world: World) -> None:
    first, second = (
        run("select top 20 * from Galaxy order by newid()")[0]["objID"].tolist() for _ in range(2)
    )
    assert first != second
    assert set(first) <= set(world.galaxy["objID"])
    found = run("select objID from Galaxy where objID % 100 = 1 order by objID")[0]
    same(found, world.galaxy[world.galaxy["objID"] % 100 == 1].sort_values("objID")[IDS])
    assert run("select count(*) as n from PhotoObj with (nolock)")[0]["n"].tolist() == [len(world.photo)]


def test_29_into_at_the_end_is_told_where_it_belongs(run: Run) -> None:
    with pytest.raises(QuerySyntaxError, match=r"line 1, column 45: INTO .*SELECT MatchID INTO m87 FROM"):
        run("select MatchID from hsc.SumCat where CI > 1 into m87")
