"""User-defined functions: the catalogue's own examples, astropy's and cdshealpix's answers, what is refused."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import astropy.units as u
import duckdb
import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time
from cdshealpix.nested import lonlat_to_healpix

from awe.core.sql import FUNCTIONS, TableDef, compile_query
from awe.core.tables import Column, Schema
from awe.errors import NotFoundError, QueryError
from awe.services.catalogs.backends.duckdb import add_functions

_COLUMNS = {"i": pa.int32(), "ra": pa.float64(), "dec": pa.float64(), "x": pa.float64(), "t": pa.timestamp("us"),
            "s": pa.string(), "wave": pa.float64(), "_healpix_29": pa.int64()}  # fmt: skip
_UNITS = {"ra": "deg", "dec": "deg", "x": "mas/yr", "wave": "nm"}
_TABLE = TableDef(
    "a", "b", Schema(tuple(Column(n, t, unit=_UNITS.get(n, "")) for n, t in _COLUMNS.items() if n[0] != "_")),
    "ra", "dec", "_healpix_29",
)  # fmt: skip


class OneTable:
    def __init__(self, table: TableDef = _TABLE) -> None:
        self._table = table

    def table(self, _schema: str | None, name: str) -> TableDef | None:
        return self._table if name == "b" else None

    def table_function(self, _schema: str | None, _name: str) -> None:
        return None

    def scalar_function(self, _schema: str | None, _name: str) -> None:
        return None

    def spellings(self) -> list[str]:
        return ["a.b"]


def resolve(name: str) -> tuple[float, float] | None:
    if name == "M86":
        raise NotFoundError("no object is called 'M86'", hint="did you mean M87?")
    return {"M87": (187.7059308, 12.3911231), "GJ 699": (269.452076958619, 4.69336496657667)}.get(name)


def positions() -> tuple[np.ndarray, np.ndarray]:
    """Random ones on the whole sky, and those where HEALPix code breaks."""
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 20_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    edge = np.degrees(np.arcsin(2 / 3))
    grid = [(r, d) for r in np.arange(0, 361, 22.5) for d in (-90, -edge, -45, 0, 30, edge, 41.8, 90)]
    near = [
        (np.nextafter(360, 0), 10),
        (359.99999999, -10),
        (1e-300, 0),
        (45, np.nextafter(90, 0)),
        (0, -0.0),
    ]
    return np.append(ra, [p[0] for p in grid + near]), np.append(dec, [p[1] for p in grid + near])


@pytest.fixture(scope="module")
def sky() -> Any:
    ra, dec = positions()
    n = len(ra)
    rows = {
        "i": np.arange(n, dtype="i4"), "ra": ra, "dec": dec, "x": np.linspace(-500, 500, n),
        "t": np.datetime64("1850-01-01", "us") + np.arange(n) * np.timedelta64(3_600_000_123, "us"),
        "s": pa.array([None if k % 7 == 0 else f"w{k % 3} Word{k}" for k in range(n)]),
        "wave": np.linspace(300, 2000, n),
        "_healpix_29": lonlat_to_healpix(ra * u.deg, dec * u.deg, np.uint8(29)).astype("i8"),
    }  # fmt: skip
    with duckdb.connect() as connection:
        add_functions(connection)
        connection.register("incoming", pa.table(rows))
        connection.execute("CREATE TABLE b AS SELECT * FROM incoming")
        yield connection


@pytest.fixture(scope="module")
def selected(sky: duckdb.DuckDBPyConnection) -> Callable[..., pa.Table]:
    """The answer to an ADQL query."""

    def run(text: str) -> pa.Table:
        query = compile_query(text, OneTable(), resolve=resolve)
        table = sky.sql(query.lower("duckdb", {use.key: "b" for use in query.uses})).to_arrow_table()
        return table.rename_columns([c.name for c in query.columns])

    return run


@pytest.fixture(scope="module")
def one(selected: Callable[..., pa.Table]) -> Callable[[str], Any]:
    """The value of an expression of constants."""
    return lambda expression: selected(f"SELECT TOP 1 {expression} AS v FROM b")["v"][0].as_py()


# The examples of the catalogue (EN 1.2), as printed there
EXAMPLES = [
    ("ivo_healpix_index(0, 1, 1)", 4),
    ("ivo_healpix_index(17, 1, 1)", 81609757711),
    ("ivo_healpix_index(17, 359, -1)", 73009064944),
    ("ivo_healpix_index(0, POINT(1, 1))", 4),
    ("ivo_healpix_index(17, POINT('ICRS', 1, 1))", 81609757711),
    ("ivo_to_jd(CAST('2000-01-02T12:00:00' AS TIMESTAMP))", 2451546.0),
    ("ivo_to_jd('1910-12-31T06:00:00')", 2419036.75),
    ("ivo_to_jd(NULL)", None),
    ("ivo_to_mjd(CAST('2000-01-02T12:00:00' AS TIMESTAMP))", 51545.5),
    ("ivo_to_mjd('1910-12-31T06:00:00')", 19036.25),
    ("ivo_to_mjd(NULL)", None),
    ("ivo_nocasematch('abcabc', 'ab%')", 1),
    ("ivo_nocasematch('ABcabc', 'ab__bc')", 1),
    ("ivo_nocasematch('abcabc', '%BC')", 1),
    ("ivo_nocasematch('abcabc', 'ABCABC')", 1),
    ("ivo_nocasematch('abcabc', 'abcab')", 0),
    ("ivo_hasword('Miller and Urey have', 'miller')", 1),
    ("ivo_hasword('shown that a primordial', 'soup')", 0),
    ("ivo_hasword('shown that a primordial', 'shown primordial')", 1),
    ("ivo_hasword('shown that a primordial', 'shown soup')", 0),
    ("ivo_hashlist_has('red#green#blue', 'red')", 1),
    ("ivo_hashlist_has('Red#green#blue', 'red')", 1),
    ("ivo_hashlist_has('red#green#blue', 're')", 0),
    ("ivo_hashlist_has('red#green#blue', 'red#green')", 0),
    ("ivo_interval_overlaps(-3, -2, 2, 3)", 0),
    ("ivo_interval_overlaps(-2, 55.3, 2, 3)", 1),
    ("ivo_interval_overlaps(2, 3, -2, 55.3)", 1),
    ("ivo_interval_overlaps(-2, 55.3, 3, 2)", 0),
    ("ivo_interval_overlaps(-2, 2, 2, 3)", 1),
    ("ivo_hms_to_degrees('3:34:45.4')", 53.6891667),
    ("ivo_hms_to_degrees('3h34m45.4s')", 53.6891667),
    ("ivo_hms_to_degrees('3H34M45.4S')", 53.6891667),
    ("ivo_dms_to_degrees('42:9:6.768')", 42.15188),
    ("ivo_dms_to_degrees('42d9m6.768s')", 42.15188),
    ("ivo_dms_to_degrees('42D9M6.768S')", 42.15188),
    ("ivo_dms_to_degrees('-00:15:00')", -0.25),
    ("ivo_dms_to_degrees('+00:15:00')", 0.25),
    ("ivo_dms_to_degrees('-0d15m0s')", -0.25),
    ("ivo_dms_to_degrees('+0d15m0s')", 0.25),
]
_STAR = "7.606083572, 11.79044105"
POINTS = [
    ("ivo_healpix_center(0, 6)", (180.0, 0.0), 1e-12),
    ("ivo_healpix_center(17, ivo_healpix_index(17, 23.4, 56.7))", (23.399843462947466, 56.70016214363192), 1e-12),
    (f"ivo_epoch_prop_pos({_STAR}, 125, 300, -428.8, 52.51, 2016.0, 1992.25)",
     (7.604061404627978, 11.7932703828279), 1e-12),
    (f"ivo_epoch_prop_pos({_STAR}, 125, 300, -428.8, 52.51, 2016.0, 1875.0)",
     (7.594068213694308, 11.807251375203935), 1e-12),
    (f"ivo_epoch_prop_pos({_STAR}, 125, 300, -428.8, NULL, 2016.0, 1875.0)",
     (7.594079587029898, 11.807235464326332), 1e-12),
    (f"ivo_epoch_prop_pos({_STAR}, 125, 300, NULL, NULL, 2016.0, 1875.0)",
     (7.594080321498365, 11.790440798509207), 1e-12),
    # in the catalogue's words approximative: its "small" parallax is not 0
    (f"ivo_epoch_prop_pos({_STAR}, NULL, 300, -428.8, 52.51, 2016.0, 1875.0)",
     (7.594079587020846, 11.807235464339055), 1e-10),
    ("ivo_geom_transform('ICRS', 'GALACTIC', POINT(120, -23))", (241.121831182, 3.62785788087), 1e-9),
    ("ivo_simbadpoint('GJ 699')", (269.452076958619, 4.69336496657667), 0),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), EXAMPLES)
def test_examples_of_the_catalogue(one: Callable[[str], Any], expression: str, expected: float) -> None:
    assert one(expression) == (expected if expected is None else pytest.approx(expected, abs=5e-8, rel=0))


@pytest.mark.parametrize(("expression", "place", "within"), POINTS)
def test_points_of_the_catalogue(
    one: Callable[[str], Any], expression: str, place: tuple[float, float], within: float
) -> None:
    for moving in (expression, re.sub(r"7\.606083572", "7.606083572 + 0 * ra", expression)):
        found = one(f"COORD1({moving})"), one(f"COORD2({moving})")
        assert found == pytest.approx(place, abs=within, rel=0)


def test_shapes_of_the_catalogue(selected: Callable[..., pa.Table]) -> None:
    # Turned there and back, and where the catalogue's circle is: its example, and its centre alone.
    cone = "CIRCLE(189.70303055, 22.96240006, 3)"
    rows = selected(
        "SELECT i FROM b WHERE 1 = CONTAINS(POINT(ra, dec),"
        f" ivo_geom_transform('GALACTIC', 'FK4', ivo_geom_transform('FK4', 'GALACTIC', {cone})))"
    )
    assert rows == selected(f"SELECT i FROM b WHERE 1 = CONTAINS(POINT(ra, dec), {cone})")
    assert len(rows)
    polygon = "POLYGON(5, 3, 4, 4, 4.5, 2)"
    there = "POLYGON(266.44721, -23.107310, 264.95088, -23.434037, 267.09936, -24.051919)"
    turned = f"ivo_geom_transform('GALACTIC', 'FK5', {polygon})"
    areas = [selected(f"SELECT TOP 1 AREA({shape}) AS a FROM b")["a"][0].as_py() for shape in (turned, there)]
    assert areas[0] == pytest.approx(areas[1], rel=1e-4)


@pytest.mark.slow
def test_cells_of_every_order_are_those_of_cdshealpix(selected: Callable[..., pa.Table]) -> None:
    ra, dec = positions()
    for order in range(30):
        # the table's own positions, and computed ones that are the same
        rows = selected(
            f"SELECT ivo_healpix_index({order}, ra, dec) AS own, IVO_HEALPIX_INDEX({order}, ra + 0.0, dec) AS made,"
            " ivo_healpix_index(i - i + 3, POINT(ra, dec)) AS third FROM b ORDER BY i"
        )
        known = lonlat_to_healpix(ra * u.deg, dec * u.deg, np.uint8(order))
        for name in ("own", "made"):
            assert (rows[name].to_numpy() == known).all(), (order, name)
    assert (rows["third"].to_numpy() == lonlat_to_healpix(ra * u.deg, dec * u.deg, np.uint8(3))).all()


def test_the_centre_of_a_cell_is_in_it(selected: Callable[..., pa.Table]) -> None:
    rows = selected(
        "SELECT MOD(i, 30) AS k, ivo_healpix_index(MOD(i, 30), ra, dec) AS h,"
        " ivo_healpix_index(MOD(i, 30), ivo_healpix_center(MOD(i, 30), ivo_healpix_index(MOD(i, 30), ra, dec)))"
        " AS again FROM b"
    )
    assert rows["h"].equals(rows["again"])
    missing = selected("SELECT ivo_healpix_index(i, ra, dec) AS h FROM b WHERE i IN (30, 31)")
    assert missing["h"].null_count == 2


def test_motion_is_that_of_astropy(selected: Callable[..., pa.Table]) -> None:
    rows = selected(
        "SELECT ra, dec, x AS pmra, 2 * x + 3 AS pmdec, ivo_epoch_prop(ra, dec, 10 + i * 0.01, x, 2 * x + 3, 50 - x,"
        " 2000.0, 2100.0) AS six, COORD1(ivo_epoch_prop_pos(ra, dec, 10 + i * 0.01, x, 2 * x + 3, 50 - x, 2000.0,"
        " 2100.0)) AS lon FROM b WHERE ABS(dec) < 89 AND MOD(i, 10) = 0 ORDER BY i"
    )
    column = {name: rows[name].to_numpy() for name in ("ra", "dec", "pmra", "pmdec", "lon")}
    selected_rows = selected("SELECT i, x FROM b WHERE ABS(dec) < 89 AND MOD(i, 10) = 0 ORDER BY i")
    star = SkyCoord(
        column["ra"] * u.deg, column["dec"] * u.deg,
        distance=(1000 / (10 + selected_rows["i"].to_numpy() * 0.01)) * u.pc,
        pm_ra_cosdec=column["pmra"] * u.mas / u.yr, pm_dec=column["pmdec"] * u.mas / u.yr,
        radial_velocity=(50 - selected_rows["x"].to_numpy()) * u.km / u.s, obstime=Time(2000.0, format="jyear", scale="tdb"),
    )  # fmt: skip
    later = star.apply_space_motion(Time(2100.0, format="jyear", scale="tdb"))
    six = np.array(rows["six"].to_pylist())
    found = SkyCoord(six[:, 0] * u.deg, six[:, 1] * u.deg)
    # astropy (ERFA) follows light: second order in v/c, parts in a million of the hundred years' motion
    moved = star.separation(later).max().mas
    assert found.separation(later.icrs).max().mas < 1e-3 * moved / 1e2
    assert np.allclose(six[:, 2], 1000 / later.distance.pc, rtol=2e-5)
    assert np.allclose(six[:, 3], later.pm_ra_cosdec.to_value("mas/yr"), atol=0.05)
    assert np.allclose(six[:, 5], later.radial_velocity.to_value("km/s"), atol=0.05)
    assert np.allclose((six[:, 0] - column["lon"] + 180) % 360 - 180, 0, atol=1e-11)


def test_frames_of_rows_are_those_of_astropy(selected: Callable[..., pa.Table]) -> None:
    rows = selected(
        "SELECT ra, dec, COORD1(ivo_geom_transform('ICRS', 'GALACTIC', POINT(ra, dec))) AS l,"
        " COORD2(gavo_transform('ICRS', 'GALACTIC', POINT(ra, dec))) AS b FROM b"
    )
    ra, dec, lon, lat = (rows[name].to_numpy() * u.deg for name in rows.column_names)
    assert SkyCoord(lon, lat, frame="galactic").separation(SkyCoord(ra, dec)).max().arcsec < 1e-6
    assert ((lon.value >= 0) & (lon.value <= 360)).all()


def test_dates_are_those_of_astropy(selected: Callable[..., pa.Table]) -> None:
    rows = selected("SELECT t, ivo_to_mjd(t) AS mjd, gavo_to_jd(t) AS jd FROM b")
    known = Time(rows["t"].to_numpy(), scale="tai")
    assert np.allclose(rows["mjd"].to_numpy(), known.mjd, rtol=0, atol=2e-11)
    assert np.allclose(rows["jd"].to_numpy(), known.jd, rtol=0, atol=1e-9)


def test_histograms_are_those_of_numpy(selected: Callable[..., pa.Table]) -> None:
    values = np.linspace(-500, 500, len(positions()[0]))
    found = selected("SELECT ivo_histogram(x, -100, 300.5, 17) AS h FROM b")["h"][0].as_py()
    inside, _ = np.histogram(values[(values >= -100) & (values < 300.5)], 17, (-100, 300.5))
    assert found == [int((values < -100).sum()), *inside.tolist(), int((values >= 300.5).sum())]
    grouped = selected(
        "SELECT MOD(i, 3) AS g, COUNT(*) AS n, ivo_histogram(CASE WHEN MOD(i, 2) = 0 THEN NULL ELSE x END, 0, 1, 1)"
        " AS h FROM b GROUP BY MOD(i, 3)"
    ).to_pylist()
    assert all(sum(row["h"]) == row["n"] for row in grouped)
    assert selected("SELECT gavo_histogram(x, 0, 1, 2) AS h FROM b WHERE i < 0")["h"].to_pylist() == [[0] * 4]


def test_normal_numbers_are_normal(selected: Callable[..., pa.Table]) -> None:
    values = selected("SELECT ivo_normal_random(10, 5) AS v FROM b")["v"].to_numpy()
    assert abs(values.mean() - 10) < 0.25
    assert abs(values.std() - 5) < 0.25
    assert len(set(values)) == len(values)


def test_words_lists_and_patterns_of_rows(selected: Callable[..., pa.Table]) -> None:
    rows = selected(
        "SELECT s, ivo_hasword(s, 'WORD8') AS w, gavo_match('^w[01] .*8$', s) AS m FROM b"
    ).to_pylist()
    for row in rows:
        text = row["s"]
        assert row["w"] == (None if text is None else int("word8" in text.casefold().split()))
        assert row["m"] == (None if text is None else int(bool(re.search("^w[01] .*8$", text))))


@pytest.mark.parametrize(
    ("text", "hours", "degrees"),
    [
        ("033445.4", 53.6891667, 3.5792778), ("24:00:00", 360, 24), ("25:00:00", None, 25), ("1:60:00", None, None),
        ("1:0:60", None, None), ("12h", None, None), ("", None, None), ("-1:0:0", None, -1), ("abc", None, None),
        (" 1h 2m 3s ", 15.5125, None), ("-420906.768", None, -42.15188), ("1:2:3.", 15.5125, 1.0341667),
    ],
)  # fmt: skip
def test_sexagesimal_or_null(
    one: Callable[[str], Any], text: str, hours: float | None, degrees: float | None
) -> None:
    assert one(f"ivo_hms_to_degrees('{text}')") == (hours if hours is None else pytest.approx(hours))
    assert one(f"ivo_dms_to_degrees('{text}')") == (degrees if degrees is None else pytest.approx(degrees))


def test_spectral_values(selected: Callable[..., pa.Table], one: Callable[[str], Any]) -> None:
    waves = np.linspace(300, 2000, len(positions()[0])) * u.nm
    for unit in ("eV", "GHz", "um", "J", "1/cm"):
        rows = selected(f"SELECT gavo_specconv(wave, '{unit}') AS v FROM b ORDER BY i")
        assert np.allclose(rows["v"].to_numpy(), waves.to_value(u.Unit(unit), u.spectral()), rtol=1e-14)
    assert one("gavo_specconv(21.106114, 'cm', 'MHz')") == pytest.approx(1420.4057, rel=1e-6)
    assert one("gavo_specconv(0, 'cm', 'MHz')") is None


def test_names_of_objects_are_resolved_once(selected: Callable[..., pa.Table]) -> None:
    asked: list[str] = []
    query = compile_query(
        "SELECT i FROM b WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(IVO_SimbadPoint('M87'), 5))",
        OneTable(),
        resolve=lambda name: asked.append(name) or resolve(name),  # type: ignore[func-returns-value]
    )
    assert asked == ["M87"]
    assert query.uses[0].region is not None
    assert (query.uses[0].region.ra, query.uses[0].region.dec) == (187.7059308, 12.3911231)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "expression",
    [
        "COORD1(ivo_apply_pm(NULL, 1, 1, 1, 1))", "COORD1(ivo_apply_pm(1, 1, 1e308, 1, 1e308))",
        "COORD1(ivo_apply_pm(ra + NULL, 1, 1, 1, 1))", "COORD2(ivo_apply_pm(ra, 1, 1e308, 1, 1e308))",
        "COORD1(ivo_epoch_prop_pos(ra, dec, 1, 1, 1, 1, 1e308, -1e308))", "COORD1(ivo_apply_pm(ra, 91, 1, 1, 1))",
        "COORD1(ivo_geom_transform('ICRS', 'GALACTIC', POINT(NULL, 1)))", "ivo_healpix_index(3, 1, NULL)",
        "ivo_healpix_index(3, 1, 91)", "ivo_healpix_index(3, ra + NULL, dec)",
        "COORD1(ivo_healpix_center(3, i - 5))", "ivo_epoch_prop(ra, dec + 200, 1, 1, 1, 1, 2000, 2001)",
    ],
)  # fmt: skip
def test_what_is_not_defined_is_null(selected: Callable[..., pa.Table], expression: str) -> None:
    assert selected(f"SELECT {expression} AS v FROM b WHERE i = 4")["v"].to_pylist() == [None]


REFUSED = [
    ("ivo_healpix_index(30, ra, dec)", 26, "0 to 29"),
    ("ivo_healpix_index(1.5, ra, dec)", 26, "a whole number"),
    ("ivo_healpix_center(0, 12)", 30, "no cell 12"),
    ("ivo_healpix_center(17, 23.2)", 31, "a whole number"),
    ("COORD1(ivo_epoch_prop_pos(NULL, 1, 1, 1, 1, 1, 2000, 2001))", 34, "cannot be NULL"),
    ("COORD1(ivo_epoch_prop_pos(1, 1, 1, 1, 1, 1, 2000, NULL))", 58, "cannot be NULL"),
    ("COORD1(ivo_geom_transform('Galactic', 'ICRS', POINT(1, 2)))", 34, "GALACTIC"),
    ("COORD1(ivo_geom_transform(s, 'ICRS', POINT(1, 2)))", 34, "a constant text"),
    ("COORD1(ivo_simbadpoint('M86'))", 31, "M87"),
    ("COORD1(ivo_simbadpoint('an invalid identifier'))", 31, "an invalid identifier"),
    ("COORD1(ivo_simbadpoint(s))", 31, "a constant text"),
    ("ivo_histogram(x, 0, 1, i)", 31, "a constant whole number"),
    ("ivo_histogram(x, 0, 1, 0)", 31, "1 to 100,000"),
    ("ivo_string_agg(s, s)", 26, "a constant text"),
    ("gavo_match('a(b', s)", 19, "missing )"),
    ("gavo_specconv(i, 'eV')", 22, "no unit"),
    ("gavo_specconv(x, 'eV')", 25, "cannot be converted"),
    ("gavo_specconv(i, 'nm', 'acrsec')", 31, "arcsec"),
    ("ivo_hasword(s, 3)", 23, "a text"),
    ("ivo_to_mjd('noon')", 19, "is not a time"),
    ("DISTANCE(ra, dec, s, dec)", 26, "a number"),
    ("ivo_apply_pm(ra, dec)", 8, "5 arguments"),
    ("ivo_healpixindex(1, ra, dec)", 8, "IVO_HEALPIX_INDEX"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "column", "words"), REFUSED)
def test_refused_with_place_and_reason(expression: str, column: int, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        compile_query(f"SELECT {expression} AS v FROM b", OneTable(), resolve=resolve)
    assert (caught.value.fields["line"], caught.value.fields["column"]) == (1, column)
    assert words in f"{caught.value} {caught.value.hint}"


def test_without_a_resolver_names_are_refused() -> None:
    with pytest.raises(QueryError, match="not resolved here"):
        compile_query("SELECT COORD1(ivo_simbadpoint('M87')) AS v FROM b", OneTable())


def test_declared_signatures_have_the_form_of_tapregext() -> None:
    form = re.compile(r"\((\w+ [A-Z]+( PRECISION)?(\[\d*\])?(, |\)(?= )))* -> [A-Z]+( PRECISION)?(\[\d*\])?")
    declared = [f for f in FUNCTIONS.values() if f.signature]
    assert all(form.fullmatch(f.signature) for f in declared)
    assert all(len(f.parameters) == f.signature.count(",") + 1 for f in declared)
    assert {
        n for f in FUNCTIONS.values() for n in f.names.get("adql", ()) if n.startswith(("IVO", "GAVO"))
    } == {n for f in declared for n in f.names["adql"]}


@pytest.mark.parametrize(("placed", "read"), [(True, {"_healpix_29"}), (False, {"_healpix_29", "ra"})])
def test_of_a_table_whose_rows_all_have_a_position_only_the_index_is_read(
    sky: duckdb.DuckDBPyConnection, *, placed: bool, read: set[str]
) -> None:
    names = OneTable(replace(_TABLE, placed=placed))
    query = compile_query("SELECT ivo_healpix_index(7, ra, dec) AS h FROM b ORDER BY i", names)
    assert [set(columns) - {"i"} for columns in query.reads.values()] == [read]
    found = sky.sql(query.lower("duckdb", {use.key: "b" for use in query.uses})).to_arrow_table()
    ra, dec = positions()
    assert (found.column(0).to_numpy() == lonlat_to_healpix(ra * u.deg, dec * u.deg, np.uint8(7))).all()
