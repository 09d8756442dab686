"""The patterns of Data Lab's users, as SQL: each gives what numpy and pandas make of the same rows.

The numbers are those of the patterns. What is the client's (formats, jobs, profiles, storage, images, spectra) is
shown by the tests of its face.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.services.catalogs.batches.conftest import ADA, frame_of, publish
from tests.services.catalogs.batches.test_tsql_patterns import same
from tests.services.catalogs.batches.world import separation_arcmin

from awe.core.sky import healpix_index
from awe.core.tables import TableStream
from awe.errors import ConflictError
from awe.platform import Platform
from awe.settings import Settings

Ask = Callable[..., pd.DataFrame]
ROWS = 3000


def separation(one: pd.DataFrame, ra: Any, dec: Any) -> Any:
    return separation_arcmin(one["ra"].to_numpy(), one["dec"].to_numpy(), ra, dec) / 60


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    ra, dec = rng.uniform(229, 231, ROWS), rng.uniform(-1, 1, ROWS)
    mag = {band: np.where(rng.uniform(size=ROWS) < 0.05, np.nan, rng.uniform(15, 24, ROWS)) for band in "grz"}
    return pd.DataFrame(
        {
            "ls_id": np.arange(ROWS, dtype=np.int64) + (1 << 60),
            "ra": ra,
            "dec": dec,
            **mag,
            "type": rng.choice(["PSF", "REX", "DEV"], ROWS),
            "nest4096": healpix_index(ra, dec, 12),
            "random_id": rng.uniform(0, 100, ROWS).astype(np.float32),
            "ebv": rng.uniform(0.01, 0.2, ROWS),
        }
    )


@pytest.fixture(scope="module")
def gaia(survey: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    known = survey.sample(900, random_state=2)
    moved = known["ra"] + rng.normal(0, 0.3, 900) / 3600
    return pd.DataFrame(
        {
            "source_id": np.arange(900, dtype=np.int64) + (7 << 58),
            "ra": moved,
            "dec": known["dec"] + rng.normal(0, 0.3, 900) / 3600,
            "parallax": np.where(rng.uniform(size=900) < 0.2, np.nan, rng.normal(1, 0.5, 900)),
            "pmra": rng.normal(-2.7, 1, 900),
            "pmdec": rng.normal(-2.6, 1, 900),
            "g": rng.uniform(14, 20, 900),
        }
    ).reset_index(drop=True)


@pytest.fixture(scope="module")
def desi(survey: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(13)
    return pd.DataFrame(
        {
            "targetid": rng.permutation(np.arange(700, dtype=np.int64) // 2) + 39_627_000_000_000_000,
            "z": rng.uniform(0, 4, 700),
            "spectype": rng.choice(["GALAXY", "QSO", "STAR"], 700),
            "desi_target": rng.integers(0, 16, 700) | (rng.integers(0, 2, 700) << 60),
            "zcat_primary": rng.uniform(size=700) < 0.6,
            "oiii": rng.lognormal(1, 1, 700),
            "hbeta": rng.lognormal(0, 1, 700) - 0.3,
        }
    )


@pytest.fixture(scope="module")
def epochs() -> pd.DataFrame:
    rng = np.random.default_rng(14)
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(20), 30).astype(np.int64),
            "mjd": rng.uniform(56_000, 57_000, 600),
            "filter": rng.choice(["g", "r"], 600),
            "cmag": rng.normal(18, 0.3, 600),
        }
    )


@pytest.fixture(scope="module")
def matches(survey: pd.DataFrame, gaia: pd.DataFrame) -> pd.DataFrame:
    far = (
        separation_arcmin(
            survey["ra"].to_numpy()[:, None],
            survey["dec"].to_numpy()[:, None],
            gaia["ra"].to_numpy(),
            gaia["dec"].to_numpy(),
        )
        * 60
    )
    nearest = far.argmin(axis=1)
    distance = far[np.arange(len(survey)), nearest]
    rows = pd.DataFrame(
        {"id1": survey["ls_id"], "id2": gaia["source_id"].to_numpy()[nearest], "distance": distance}
    )
    return rows.query("distance < 1.5").reset_index(drop=True)


@pytest.fixture(scope="module")
def lab(
    survey: pd.DataFrame,
    gaia: pd.DataFrame,
    desi: pd.DataFrame,
    epochs: pd.DataFrame,
    matches: pd.DataFrame,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Platform]:
    with Platform.open(Settings.load(tmp_path_factory.mktemp("lab") / "sky")) as platform:
        sky: dict[str, Any] = {"ra": "ra", "dec": "dec"}
        publish(platform, "ls_dr9.tractor", survey, nan=True, **sky)
        publish(platform, "gaia_dr3.gaia_source", gaia, nan=True, **sky)
        publish(platform, "desi_dr1.zpix", desi)
        publish(platform, "nsc_dr2.meas", epochs)
        publish(platform, "ls_dr9.x1p5__tractor__gaia_dr3__gaia_source", matches)
        yield platform


@pytest.fixture
def ask(lab: Platform) -> Iterator[Ask]:
    """Return what asks one question; afterwards Ada has no tables."""

    def frame(text: str, dialect: str = "postgres", **options: Any) -> pd.DataFrame:
        result = next(lab.batches.run(text, dialect=dialect, identity=ADA, **options))
        return frame_of(result.stream)

    yield frame
    for record in lab.tables.tables(ADA):
        lab.tables.drop(record.full_name, ADA)


def test_01_first_query(ask: Ask, survey: pd.DataFrame) -> None:
    found = ask("select ra,dec from ls_dr9.tractor limit 10")
    assert len(found) == 10
    assert set(found["ra"]) <= set(survey["ra"])
    assert len(ask("select TOP 5 ra from ls_dr9.tractor;")) == 5


def test_03_cone_with_cuts(ask: Ask, survey: pd.DataFrame) -> None:
    found = ask(
        "SELECT ls_id, g-r AS g_r FROM ls_dr9.tractor WHERE Q3C_RADIAL_QUERY(ra, dec, 230.0, 0.1, 0.4)"
        " AND type = 'PSF' AND g - r BETWEEN -0.5 AND 1.5 AND g < 22 AND g != 'NaN' AND r != 'NaN' ORDER BY ls_id"
    )
    inside = separation(survey, 230.0, 0.1) <= 0.4
    colour = survey["g"] - survey["r"]
    known = survey[inside & (survey["type"] == "PSF") & colour.between(-0.5, 1.5) & (survey["g"] < 22)]
    assert 3 < len(known) < 300
    same(found, pd.DataFrame({"ls_id": known["ls_id"], "g_r": colour[known.index]}))


def test_04_light_curve(ask: Ask, epochs: pd.DataFrame) -> None:
    found = ask("select mjd, cmag, filter from nsc_dr2.meas where id = '7' order by mjd")
    same(found, epochs[epochs["id"] == 7].sort_values("mjd")[["mjd", "cmag", "filter"]])


def test_05_sizes_of_tables(ask: Ask) -> None:
    found = ask("select tbl_name, nrows, ncols from tbl_stat where schema = 'ls_dr9' order by nrows desc")
    assert found["tbl_name"].tolist()[0] == "tractor"
    assert found["nrows"].tolist()[0] == ROWS


def test_06_columns(ask: Ask, survey: pd.DataFrame) -> None:
    found = ask(
        "select column_name from information_schema.columns where table_schema = 'ls_dr9' and table_name = 'tractor' order by ordinal_position"
    )
    assert found["column_name"].tolist() == list(survey.columns)


def test_07_density(ask: Ask, survey: pd.DataFrame) -> None:
    found = ask(
        "select nest4096/1024 as pix, avg(ra) as ra, avg(dec) as dec, count(*) from ls_dr9.tractor group by pix order by pix"
    )
    groups = survey.groupby(survey["nest4096"] // 1024)
    known = (
        groups.agg(ra=("ra", "mean"), dec=("dec", "mean"), count=("ls_id", "size"))
        .rename_axis("pix")
        .reset_index()
    )
    assert len(known) > 5
    same(found, known)


def test_08_random_sample(ask: Ask, survey: pd.DataFrame) -> None:
    found = ask("select count(*) from ls_dr9.tractor where random_id between 0.0 and 10.0")
    assert found["count"].tolist() == [survey["random_id"].between(0, 10).sum()]


def test_09_nan_as_text(ask: Ask, gaia: pd.DataFrame) -> None:
    found = ask(
        "select source_id from gaia_dr3.gaia_source where parallax != 'NaN' and parallax < 'Infinity' and parallax > '-Infinity' and g - 1 > 15 order by source_id"
    )
    same(found, gaia[gaia["parallax"].notna() & (gaia["g"] > 16)][["source_id"]])
    assert (
        len(ask("select source_id from gaia_dr3.gaia_source where parallax = 'NaN'"))
        == gaia["parallax"].isna().sum()
    )


def test_12_refined_in_steps(ask: Ask, survey: pd.DataFrame) -> None:
    ask("select * from ls_dr9.tractor where type = 'PSF'", into="mydb://sub")
    with pytest.raises(ConflictError, match="There is already an object named 'sub'"):
        ask("select * from mydb://sub where r < 20", into="mydb://sub")
    ask("select * from mydb://sub where r < 20", into="mydb://sub", replace=True)
    known = survey[(survey["type"] == "PSF") & (survey["r"] < 20)].sort_values("ls_id")
    same(ask("select ls_id, ra, type from mydb://sub order by ls_id"), known[["ls_id", "ra", "type"]])


def test_13_and_14_own_table_against_a_survey(
    ask: Ask, lab: Platform, gaia: pd.DataFrame, survey: pd.DataFrame
) -> None:
    mine = pd.DataFrame(
        {"name": [f"o{i}" for i in range(200)], "ra": survey["ra"][:200], "dec": survey["dec"][:200]}
    )
    lab.tables.write(
        "mydb.mine", TableStream.from_table(pa.Table.from_pandas(mine, preserve_index=False)), ADA
    )
    found = ask(
        "select m.name, g.source_id from mydb://mine as m, gaia_dr3.gaia_source as g"
        " where q3c_join(m.ra, m.dec, g.ra, g.dec, 1./3600) order by m.name, g.source_id"
    )
    far = separation_arcmin(
        mine["ra"].to_numpy()[:, None],
        mine["dec"].to_numpy()[:, None],
        gaia["ra"].to_numpy(),
        gaia["dec"].to_numpy(),
    )
    one, other = np.nonzero(far <= 1 / 60)
    known = pd.DataFrame(
        {"name": mine["name"].to_numpy()[one], "source_id": gaia["source_id"].to_numpy()[other]}
    )
    assert len(known) > 20
    same(found, known.sort_values(["name", "source_id"]))


def test_15_best_match_only(ask: Ask, gaia: pd.DataFrame, survey: pd.DataFrame) -> None:
    found = ask(
        "SELECT g.source_id, x.ls_id, (q3c_dist(g.ra, g.dec, x.ra, x.dec)*3600.0) AS dist_arcsec FROM gaia_dr3.gaia_source AS g"
        " LEFT JOIN LATERAL (SELECT s.ls_id, s.ra, s.dec FROM ls_dr9.tractor AS s WHERE q3c_join(g.ra, g.dec, s.ra, s.dec, 0.5/3600.0)"
        " ORDER BY q3c_dist(g.ra, g.dec, s.ra, s.dec) ASC LIMIT 1) AS x ON true ORDER BY g.source_id"
    )
    far = (
        separation_arcmin(
            gaia["ra"].to_numpy()[:, None],
            gaia["dec"].to_numpy()[:, None],
            survey["ra"].to_numpy(),
            survey["dec"].to_numpy(),
        )
        * 60
    )
    nearest, distance = far.argmin(axis=1), far.min(axis=1)
    hit = distance <= 0.5
    assert 100 < hit.sum() < len(gaia)
    known = survey["ls_id"].to_numpy()[nearest].tolist()
    assert found["ls_id"].tolist() == [
        one if is_hit else None for one, is_hit in zip(known, hit, strict=True)
    ]
    np.testing.assert_allclose(found["dist_arcsec"][hit].astype(float), distance[hit], rtol=1e-5)


def test_16_precomputed_matches(
    ask: Ask, survey: pd.DataFrame, gaia: pd.DataFrame, matches: pd.DataFrame
) -> None:
    found = ask(
        "select l.ls_id, l.g, g.g as gaia_g from ls_dr9.tractor as l join ls_dr9.x1p5__tractor__gaia_dr3__gaia_source as x on l.ls_id = x.id1"
        " join gaia_dr3.gaia_source as g on g.source_id = x.id2 where x.distance < 1.0 and l.g != 'NaN' order by l.ls_id"
    )
    known = survey.merge(matches[matches["distance"] < 1], left_on="ls_id", right_on="id1")
    known = known.merge(
        gaia[["source_id", "g"]].rename(columns={"g": "gaia_g"}), left_on="id2", right_on="source_id"
    )
    known = known[known["g"].notna()].sort_values("ls_id")
    assert len(known) > 100
    same(found, known[["ls_id", "g", "gaia_g"]])


def test_17_stream_by_proper_motion(
    ask: Ask, gaia: pd.DataFrame, survey: pd.DataFrame, matches: pd.DataFrame
) -> None:
    found = ask(
        "select l.ls_id, q.vt from ls_dr9.tractor l, ls_dr9.x1p5__tractor__gaia_dr3__gaia_source x,"
        " (select source_id, 4.74 * sqrt(pmra^2 + pmdec^2) / nullif(parallax, 0) as vt from gaia_dr3.gaia_source"
        " where (pmra + 2.7)^2 + (pmdec + 2.6)^2 < 1.0 and parallax != 'NaN') q"
        " where l.ls_id = x.id1 and x.id2 = q.source_id order by l.ls_id, q.source_id"
    )
    near = gaia[((gaia["pmra"] + 2.7) ** 2 + (gaia["pmdec"] + 2.6) ** 2 < 1) & gaia["parallax"].notna()]
    near = near.assign(vt=4.74 * np.hypot(near["pmra"], near["pmdec"]) / near["parallax"])
    known = matches.merge(near, left_on="id2", right_on="source_id").sort_values(["id1", "id2"])
    assert len(known) > 50
    same(found, pd.DataFrame({"ls_id": known["id1"], "vt": known["vt"]}))


def test_18_emission_lines(ask: Ask, desi: pd.DataFrame) -> None:
    found = ask(
        "select targetid, log10(oiii/hbeta) as o3hb from desi_dr1.zpix where hbeta > 0 and oiii/hbeta > 1 and spectype = 'GALAXY' order by targetid, o3hb"
    )
    rows = desi[(desi["hbeta"] > 0) & (desi["oiii"] / desi["hbeta"] > 1) & (desi["spectype"] == "GALAXY")]
    known = rows.assign(o3hb=np.log10(rows["oiii"] / rows["hbeta"])).sort_values(["targetid", "o3hb"])
    assert len(known) > 20
    same(found, known[["targetid", "o3hb"]])


def test_19_bitmasks_and_booleans(ask: Ask, desi: pd.DataFrame) -> None:
    found = ask(
        "select count(*) from desi_dr1.zpix where (desi_target & 4) != 0 and zcat_primary and (desi_target & 1152921504606846976) <> 0"
    )
    known = ((desi["desi_target"] & 4) != 0) & desi["zcat_primary"] & ((desi["desi_target"] & (1 << 60)) != 0)
    assert found["count"].tolist() == [known.sum()]
    assert ask("select count(*) from desi_dr1.zpix where zcat_primary = 't' and not zcat_primary is false")[
        "count"
    ].tolist() == [desi["zcat_primary"].sum()]


def test_20_aggregate_then_join(ask: Ask, epochs: pd.DataFrame) -> None:
    found = ask(
        "select m.id, m.mjd from nsc_dr2.meas as m join (select id, count(*) as n from nsc_dr2.meas where filter = 'g'"
        " group by id having count(*) > 15) as many on m.id = many.id where m.filter = 'g' order by m.id, m.mjd"
    )
    green = epochs[epochs["filter"] == "g"]
    many = green.groupby("id")["mjd"].transform("size") > 15
    assert many.any()
    assert not many.all()
    same(found, green[many].sort_values(["id", "mjd"])[["id", "mjd"]])


def test_21_thousands_of_identifiers(ask: Ask, survey: pd.DataFrame) -> None:
    wanted = [*survey["ls_id"][::2].tolist(), *range(4000)]
    found = ask(
        f"select ls_id from ls_dr9.tractor where ls_id in ({','.join(map(str, wanted))}) order by ls_id"
    )
    same(found, survey[::2][["ls_id"]])


def test_22_adql_by_the_same_call(ask: Ask, survey: pd.DataFrame) -> None:
    text = "SELECT TOP 2000 ls_id FROM ls_dr9.tractor WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 230.0, 0.1, 0.4)) ORDER BY ls_id"
    same(ask(text, dialect="adql"), survey[separation(survey, 230.0, 0.1) <= 0.4][["ls_id"]])


def test_annulus_paging_and_extinction(ask: Ask, survey: pd.DataFrame) -> None:
    found = ask(
        "select ls_id, g - 3.303 * ebv as g0 from ls_dr9.tractor where q3c_radial_query(ra, dec, 230, 0, 0.5)"
        " and not q3c_radial_query(ra, dec, 230, 0, 0.3) order by ls_id limit 20 offset 10"
    )
    ring = (separation(survey, 230, 0) <= 0.5) & ~(separation(survey, 230, 0) <= 0.3)
    known = survey[ring].iloc[10:30]
    np.testing.assert_allclose(found["g0"].astype(float), known["g"] - 3.303 * known["ebv"])
    assert found["ls_id"].tolist() == known["ls_id"].tolist()


def test_polygon_and_casts(ask: Ask, survey: pd.DataFrame) -> None:
    found = ask(
        "select ls_id, ra::int as whole, (ls_id % 10)::text || '-' || type as label, 7/2 as three from ls_dr9.tractor"
        " where q3c_poly_query(ra, dec, ARRAY[229.5, -0.5, 230.5, -0.5, 230.5, 0.5, 229.5, 0.5]) order by ls_id"
    )
    # edges are great circles: half a degree from the equator they bulge by less than a milliarcsecond per arcminute
    inside = survey["ra"].between(229.5, 230.5) & survey["dec"].between(-0.5, 0.5)
    clear = survey[inside & (survey["dec"].abs() < 0.4999)]
    assert set(clear["ls_id"]) <= set(found["ls_id"])
    assert len(found) - len(clear) < 5
    rows = survey.set_index("ls_id").loc[found["ls_id"]]
    assert found["whole"].tolist() == np.rint(rows["ra"]).astype(int).tolist()
    assert found["label"].tolist() == [f"{i % 10}-{t}" for i, t in zip(rows.index, rows["type"], strict=True)]
    assert set(found["three"]) == {3}


def test_duplicate_names_stay(lab: Platform) -> None:
    text = "select a.*, b.ra from gaia_dr3.gaia_source a, gaia_dr3.gaia_source b where a.source_id = b.source_id limit 1"
    result = next(lab.batches.run(text, dialect="postgres", identity=ADA))
    assert [name for name in result.stream.schema.names if name == "ra"] == ["ra", "ra"]
    result.stream.close()
