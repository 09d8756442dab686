"""CAOM-2 and the observation plan, as views of the index: they say what it says, in other words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from awe.errors import ParameterError, UnknownNameError
from awe.platform import Platform
from awe.services.observations import VIEWS
from awe.testing import tiny_archive, tiny_settings


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("views")) as opened:
        yield opened


def rows(platform: Platform, query: str, dialect: str = "adql") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = platform.catalogs.query(query, dialect=dialect).to_table().to_pylist()
    return found


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_the_columns_are_those_declared(platform: Platform, view: Any) -> None:
    full = f"{view.schema.name}.{view.name}"
    stream = platform.catalogs.query(f"SELECT * FROM {full}")
    assert [(c.name, c.type, c.unit, c.ucd, c.utype, c.xtype) for c in stream.schema] == [
        (c.name, c.type, c.unit, c.ucd, c.utype, c.xtype) for c in view.columns
    ]
    assert len(list(stream.to_table().to_pylist())) == 2
    record = platform.catalogs.table(full)
    assert record.kind == "view"
    assert all(column.description for column in record.columns)


def test_the_views_say_what_the_index_says(platform: Platform) -> None:
    index = {row["obs_publisher_did"]: row for row in rows(platform, "SELECT * FROM ivoa.obscore")}
    planes = rows(platform, "SELECT * FROM caom2.plane")
    assert {plane["planeID"] for plane in planes} == set(index)
    for plane in planes:
        row = index[plane["planeID"]]
        assert plane["energy_bounds_width"] == row["em_max"] - row["em_min"]
        assert plane["time_exposure"] == row["t_exptime"]
        assert plane["energy_emBand"] == "Optical"
        assert plane["position_bounds"] == row["s_region"]
    for artifact in rows(platform, "SELECT * FROM caom2.artifact"):
        assert artifact["uri"] == index[artifact["artifactID"]]["access_url"]
        assert artifact["contentLength"] == 1000 * index[artifact["artifactID"]]["access_estsize"]
    plan = rows(platform, "SELECT * FROM ivoa.obsplan")
    assert {(r["execution_status"], r["tracking_type"], r["priority"]) for r in plan} == {
        ("Performed", "Sidereal", 0)
    }
    assert sorted(r["t_min"] for r in plan) == sorted(r["t_min"] for r in index.values())


@pytest.mark.parametrize(
    ("wavelength", "band"),
    [(1e-12, "Gamma-ray"), (1e-9, "X-ray"), (5e-8, "EUV"), (2e-7, "UV"), (5e-7, "Optical"), (2e-6, "Infrared"),
     (1e-3, "Millimeter"), (0.21, "Radio")],
)  # fmt: skip
def test_the_band_of_a_wavelength(platform: Platform, wavelength: float, band: str) -> None:
    plane = next(view for view in VIEWS if view.name == "plane")
    case = plane.sql.partition(" AS energy_emBand")[0].rpartition("CASE")[2]
    query = f"SELECT CASE{case} AS band FROM ivoa.obscore".replace("em_min", repr(wavelength))
    assert {row["band"] for row in rows(platform, query.replace("em_max", repr(wavelength)))} == {band}


@pytest.mark.parametrize(
    ("dialect", "query", "expected"),
    [
        ("adql", "SELECT COUNT(*) AS n FROM caom2.plane AS p JOIN caom2.artifact AS a ON a.planeID = p.planeID", 2),
        ("adql", "SELECT COUNT(*) AS n FROM caom2.plane AS p, caom2.plane AS q", 4),
        ("adql", ("WITH x AS (SELECT * FROM caom2.plane) SELECT COUNT(*) AS n FROM x JOIN caom2.plane AS p"
                 " ON p.planeID = x.planeID"), 2),
        ("adql", "SELECT COUNT(*) AS n FROM (caom2.plane AS p JOIN caom2.artifact AS a USING (planeID))", 2),
        ("adql", ("SELECT COUNT(*) AS n FROM ivoa.obscore WHERE obs_id IN (SELECT observationID FROM"
                 " caom2.observation)"), 2),
        ("adql", "SELECT COUNT(*) AS n FROM ivoa.obsplan WHERE DISTANCE(s_ra, s_dec, 187.7059, 12.3911) < 0.01", 2),
        ("adql", ("SELECT SUM(n) AS n FROM (SELECT COUNT(*) AS n FROM caom2.plane UNION ALL"
                 " SELECT COUNT(*) FROM caom2.observation) AS u"), 4),
        ("tsql", "SELECT COUNT(*) AS n FROM caom2..plane p CROSS JOIN caom2.observation o", 4),
        ("postgres", "SELECT COUNT(*) AS n FROM caom2.plane p WHERE p.obsid LIKE 'tiny/%'", 2),
    ],
)  # fmt: skip
def test_views_stand_wherever_a_table_may(
    platform: Platform, dialect: str, query: str, expected: int
) -> None:
    assert rows(platform, query, dialect) == [{"n": expected}]


def test_a_view_is_a_stranger_to_who_may_not_read_the_index(tmp_path: Path) -> None:
    with Platform.open(tiny_settings(tmp_path)) as empty, pytest.raises(UnknownNameError, match="no table"):
        empty.catalogs.query("SELECT * FROM caom2.plane")


def test_nobody_publishes_into_the_schema_of_the_views(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a\n1\n")
    with pytest.raises(ParameterError, match="kept for awe itself"):
        platform.catalogs.publish("caom2.mine", [file])


def test_the_founding_case_in_the_words_of_caom(platform: Platform) -> None:
    """Images of one field in one filter, the longest exposure first, and where their files are."""
    found = rows(
        platform,
        "SELECT o.target_name, p.time_exposure, a.uri FROM caom2.observation AS o"
        " JOIN caom2.plane AS p ON o.obsID = p.obsID JOIN caom2.artifact AS a ON p.planeID = a.planeID"
        " WHERE o.collection = 'tiny' AND o.instrument_name = 'ACS/WFC' AND p.energy_bandpassName = 'F814W'"
        " AND p.calibrationLevel >= 2 ORDER BY p.time_exposure DESC",
    )
    assert [(row["target_name"], row["time_exposure"]) for row in found] == [("M87", 1000.0)]
    assert found[0]["uri"].startswith("/api/datasets/")
