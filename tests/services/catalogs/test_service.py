import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from awe.core.sky import separation
from awe.core.tables import TableStream
from awe.errors import (
    ConflictError,
    NotFoundError,
    ParameterError,
    PositionError,
    QueryError,
    TimeLimitError,
    UnknownNameError,
)
from awe.services.catalogs import CatalogService
from awe.services.identity import GroupStore, Identity
from awe.services.system import Connection, SystemDatabase

# What is there


def test_a_published_table_is_described(hsc: CatalogService) -> None:
    record = hsc.table("HSC.sumcat")
    assert (record.full_name, record.rows, record.version) == ("hsc.SumCat", 2000, 1)
    assert (record.ra, record.dec, record.id_column) == ("MatchRA", "MatchDec", "MatchID")
    assert record.description == "Sources around M87 and over the sky"
    assert record.metadata == {"reference": "2016AJ....151..134W"}
    assert record.columns["matchra"].unit == "deg"
    assert record.columns["W2_F606W"].ucd == "phot.mag;em.opt.V"
    assert record.bytes > 1000
    assert [s.name for s in hsc.schemas()] == ["hsc"]
    assert [t.full_name for t in hsc.tables()] == ["hsc.SumCat"]


def test_an_unknown_table_gets_a_suggestion(hsc: CatalogService) -> None:
    with pytest.raises(NotFoundError) as caught:
        hsc.table("hsc.SumCatt")
    assert caught.value.hint == "did you mean hsc.SumCat?"


def test_the_record_is_what_publishing_returned(
    service: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    assert service.publish_stream("hsc.SumCat", make_stream()) == service.table("hsc.SumCat")


def test_another_process_sees_what_was_published(
    hsc: CatalogService, make_service: Callable[..., CatalogService]
) -> None:
    other = make_service()
    assert other.table("hsc.sumcat") == hsc.table("hsc.sumcat")
    hsc.drop("hsc.sumcat")
    assert other.tables() == ()


# Queries


def test_three_dialects_give_the_same_rows(hsc: CatalogService, rows: pa.Table) -> None:
    expected = sorted(rows.filter(rows["W2_F606W"].to_numpy() < 22)["MatchID"].to_pylist())
    for dialect, table in (("adql", "hsc.SumCat"), ("tsql", "SumCat"), ("postgres", "hsc.sumcat")):
        text = f"SELECT MatchID FROM {table} WHERE W2_F606W < 22 ORDER BY MatchID"
        stream = hsc.query(text, dialect=dialect, context="HSC")
        assert stream.to_table()["MatchID"].to_pylist() == expected


def test_the_callers_spelling_and_the_units_come_back(hsc: CatalogService) -> None:
    schema = hsc.query("SELECT matchid, MATCHRA, W2_F606W AS v FROM hsc.sumcat").schema
    assert schema.names == ("matchid", "MATCHRA", "v")
    assert [c.unit for c in schema] == ["", "deg", "mag"]


@pytest.mark.parametrize(
    ("given", "text", "rows", "overflow"),
    [
        (None, "SELECT MatchID FROM hsc.SumCat", 100, True),  # the operator's default
        (50, "SELECT MatchID FROM hsc.SumCat", 50, True),
        (0, "SELECT MatchID FROM hsc.SumCat", 0, True),
        (1000, "SELECT MatchID FROM hsc.SumCat", 500, True),  # the operator's most
        (None, "SELECT TOP 200 MatchID FROM hsc.SumCat", 200, False),  # what was asked for
        (50, "SELECT TOP 200 MatchID FROM hsc.SumCat", 50, True),
        (None, "SELECT TOP 20 MatchID FROM hsc.SumCat", 20, False),
        (20, "SELECT TOP 20 MatchID FROM hsc.SumCat", 20, False),
    ],
)
def test_row_limits_are_said(
    make_service: Callable[..., CatalogService],
    make_stream: Callable[..., TableStream],
    given: int | None,
    text: str,
    rows: int,
    overflow: bool,
) -> None:
    service = make_service(default_rows=100, rows=500)
    service.publish_stream("hsc.SumCat", make_stream())
    stream = service.query(text, max_rows=given)
    assert sum(batch.num_rows for batch in stream) == rows
    assert stream.overflow is overflow


def test_nobody_gets_more_time_than_the_operator_allows(
    make_service: Callable[..., CatalogService], make_stream: Callable[..., TableStream]
) -> None:
    service = make_service(seconds=0.3)
    service.publish_stream("hsc.SumCat", make_stream())
    text = "SELECT COUNT(*) AS n FROM hsc.SumCat AS a, hsc.SumCat AS b, hsc.SumCat AS c WHERE a.W2_F606W+b.W2_F606W+c.W2_F606W>3"
    with pytest.raises(TimeLimitError):
        service.query(text, seconds=1000).to_table()


def test_errors_of_queries_are_the_compilers(hsc: CatalogService) -> None:
    with pytest.raises(UnknownNameError, match="line 1") as caught:
        hsc.query("SELECT MatchRA FROM hsc.SumCta")
    assert "SumCat" in str(caught.value.hint)
    with pytest.raises(QueryError):
        hsc.query("DROP TABLE hsc.SumCat")
    with pytest.raises(NotFoundError, match="context"):
        hsc.query("SELECT 1 AS x", dialect="tsql", context="nowhere")


def test_the_index_column_does_not_show(hsc: CatalogService) -> None:
    assert "_healpix_29" not in hsc.query("SELECT * FROM hsc.SumCat").schema.names


# Cones


def brute(rows: pa.Table, ra: float, dec: float, radius: float) -> list[int]:
    inside = separation(rows["MatchRA"].to_numpy(), rows["MatchDec"].to_numpy(), ra, dec) <= radius
    return sorted(rows["MatchID"].to_numpy()[inside].tolist())


@pytest.mark.parametrize(
    "cone", [(187.706, 12.391, 0.03), (0, 90, 12), (-172.294, 12.391, 0.03), (0, 0, 15), (9, 9, 180)]
)
def test_a_cone_is_the_brute_force_answer(
    hsc: CatalogService, rows: pa.Table, cone: tuple[float, float, float]
) -> None:
    found = hsc.cone("hsc.sumcat", *cone, max_rows=10_000).to_table()
    assert sorted(found["MatchID"].to_pylist()) == brute(rows, *cone)


@pytest.mark.parametrize(
    ("verbosity", "names"),
    [
        (1, ("MatchID", "MatchRA", "MatchDec")),
        (2, ("MatchID", "MatchRA", "MatchDec", "W2_F606W")),
        (3, ("MatchID", "MatchRA", "MatchDec", "W2_F606W", "Target")),
    ],
)
def test_verbosity_chooses_columns(hsc: CatalogService, verbosity: int, names: Any) -> None:
    assert hsc.cone("hsc.SumCat", 1, 2, 3, verbosity=verbosity).schema.names == names


def test_columns_of_a_cone_can_be_named(hsc: CatalogService) -> None:
    stream = hsc.cone("hsc.SumCat", 187.706, 12.391, 1, columns=["target", "MatchID"], max_rows=3)
    assert stream.schema.names == ("Target", "MatchID")
    assert sum(batch.num_rows for batch in stream) == 3
    assert stream.overflow


@pytest.mark.parametrize(
    "cone", [(0, 91, 1), (0, 0, -1), (0, 0, 181), (float("nan"), 0, 1), (0, 0, float("inf"))]
)
def test_a_cone_off_the_sky(hsc: CatalogService, cone: tuple[float, float, float]) -> None:
    with pytest.raises(PositionError):
        hsc.cone("hsc.SumCat", *cone)


def test_a_cone_in_a_table_without_positions(
    service: CatalogService, make_stream: Callable[..., TableStream], rows: pa.Table
) -> None:
    service.publish_stream(
        "x.y",
        make_stream(
            rows.select(["MatchID"]), make_stream().schema.with_columns((make_stream().schema["MatchID"],))
        ),
    )
    with pytest.raises(ParameterError, match="no position columns"):
        service.cone("x.y", 1, 2, 3)


CONE_FUNCTION = """
[[functions]]
name = "Nearby"
sql = "SELECT * FROM hsc.SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(:ra, :dec, :radius))"
parameters = [{ name = "ra" }, { name = "dec" }, { name = "radius" }]
"""
CONE_TEXTS = {
    "adql": "SELECT MatchID FROM hsc.SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE({}))",
    "postgres": "SELECT MatchID FROM hsc.SumCat WHERE q3c_radial_query(MatchRA, MatchDec, {})",
    "tsql": "SELECT MatchID FROM Nearby({})",
}


@pytest.mark.slow
def test_three_dialects_agree_with_brute_force_on_random_cones(
    service: CatalogService, make_stream: Callable[..., TableStream], rows: pa.Table, tmp_path: Path
) -> None:
    describe = tmp_path / "cone.toml"
    describe.write_text(CONE_FUNCTION)
    service.publish_stream("hsc.SumCat", make_stream(), describe=describe)
    rng = np.random.default_rng(20161)
    cones: list[tuple[float, float, float]] = [
        (0, 90, 5),
        (0, -90, 5),
        (0, 0, 3),
        (360, 0, 3),
        (187.706, 12.391, 0),
        (12, 34, 180),
    ]
    for _ in range(244):
        dec = float(np.degrees(np.arcsin(rng.uniform(-1, 1))))
        cones.append((float(rng.uniform(0, 360)), dec, float(10 ** rng.uniform(-2, 2))))
    for cone in cones:
        circle = ", ".join(repr(float(value)) for value in cone)
        expected = brute(rows, *cone)
        for dialect, text in CONE_TEXTS.items():
            stream = service.query(text.format(circle), dialect=dialect, context="hsc", max_rows=10_000)
            assert sorted(stream.to_table()["MatchID"].to_pylist()) == expected, (dialect, circle)


# TAP_SCHEMA


def test_tap_schema_describes_what_is_published(hsc: CatalogService) -> None:
    text = "SELECT column_name, datatype, unit, ucd, principal, indexed, std FROM TAP_SCHEMA.columns WHERE table_name = 'hsc.SumCat' ORDER BY column_index"
    assert [tuple(row.values()) for row in hsc.query(text).to_table().to_pylist()] == [
        ("MatchID", "long", None, "meta.id;meta.main", 1, 0, 0),
        ("MatchRA", "double", "deg", "pos.eq.ra;meta.main", 0, 1, 0),
        ("MatchDec", "double", "deg", "pos.eq.dec;meta.main", 0, 1, 0),
        ("W2_F606W", "float", "mag", "phot.mag;em.opt.V", 1, 0, 0),
        ("Target", "char", None, None, 0, 0, 0),
    ]


# Readers


@pytest.fixture
def shared_with_hst(
    service: CatalogService, make_stream: Callable[..., TableStream], tmp_path: Path
) -> CatalogService:
    describe = tmp_path / "d.toml"
    describe.write_text('[table]\nreaders = ["hst"]\n')
    with closing(SystemDatabase.in_folder(tmp_path)) as system:
        GroupStore(system).add("hst", "", "")
    service.publish_stream("team.secret", make_stream(), describe=describe)
    service.publish_stream("pub.t", make_stream())
    return service


def test_a_table_for_a_group_does_not_exist_for_others(shared_with_hst: CatalogService) -> None:
    service, member = shared_with_hst, Identity("ann", groups=frozenset({"hst"}))
    text = "SELECT COUNT(*) AS n FROM team.secret"
    assert service.query(text, identity=member).to_table()["n"].to_pylist() == [2000]
    for stranger in (Identity(""), Identity("bob", groups=frozenset({"jwst"}))):
        with pytest.raises(UnknownNameError):
            service.query(text, identity=stranger)
        with pytest.raises(NotFoundError):
            service.table("team.secret", stranger)
        assert [t.full_name for t in service.tables(stranger)] == ["pub.t"]
        assert [s.name for s in service.schemas(stranger)] == ["pub"]
        for view in ("tables", "columns", "schemas"):
            found = str(
                service.query(f"SELECT * FROM TAP_SCHEMA.{view}", identity=stranger).to_table().to_pylist()
            )
            assert "team" not in found


# Versions


@pytest.mark.slow
def test_readers_see_one_version_or_the_other_while_it_is_replaced(
    service: CatalogService, make_stream: Callable[..., TableStream], rows: pa.Table
) -> None:
    def version(number: int) -> TableStream:
        changed = rows.set_column(0, "MatchID", pa.array(np.full(rows.num_rows, number)))
        return make_stream(changed)

    service.publish_stream("v.t", version(0))
    stop = threading.Event()

    def read() -> list[tuple[int, int]]:
        seen = []
        while not stop.is_set():
            found = (
                service.query("SELECT MatchID FROM v.t", max_rows=10_000).to_table()["MatchID"].to_pylist()
            )
            seen.append((len(found), len(set(found))))
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for number in range(1, 8):
            service.publish_stream("v.t", version(number), replace=True)
        stop.set()
        seen = {pair for reader in readers for pair in reader.result()}
    assert seen == {(2000, 1)}
    assert service.table("v.t").version == 8


def test_a_stream_goes_on_when_its_table_is_replaced_and_dropped(
    hsc: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    stream = hsc.query("SELECT MatchID FROM hsc.SumCat")
    hsc.publish_stream("hsc.SumCat", make_stream(), replace=True)
    hsc.drop("hsc.SumCat")
    assert sum(batch.num_rows for batch in stream) == 2000
    with pytest.raises(UnknownNameError):
        hsc.query("SELECT MatchID FROM hsc.SumCat")


def test_retired_files_go_when_no_query_can_read_them(
    hsc: CatalogService, make_stream: Callable[..., TableStream], tmp_path: Path
) -> None:
    hsc.publish_stream("hsc.SumCat", make_stream(), replace=True)
    folders = tmp_path / "tables"
    assert len([f for f in folders.iterdir() if f.name[0] != "."]) == 2
    hsc.clean(grace_s=0)
    assert [f.name for f in folders.iterdir() if "-scratch-" not in f.name] == [
        hsc.table("hsc.SumCat").stored.location
    ]
    hsc.drop("hsc.SumCat")
    hsc.clean(grace_s=0)
    assert [f.name for f in folders.iterdir() if "-scratch-" not in f.name] == []


def test_a_version_without_a_record_goes_after_a_day(hsc: CatalogService, tmp_path: Path) -> None:
    for name in ("lost.t-20200101T000000-00000000", "fresh.t-29990101T000000-00000000", "lost+found"):
        (tmp_path / "tables" / name / "dataset").mkdir(parents=True)
    hsc.clean()
    found = sorted(f.name.split("-")[0] for f in (tmp_path / "tables").iterdir() if "-scratch-" not in f.name)
    assert found == ["fresh.t", "hsc.sumcat", "lost+found"]


def test_an_existing_table_is_not_replaced_by_accident(
    hsc: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    with pytest.raises(ConflictError, match="already"):
        hsc.publish_stream("HSC.SUMCAT", make_stream())
    assert hsc.table("hsc.SumCat").version == 1


def test_a_table_that_is_not_there_cannot_be_dropped(hsc: CatalogService) -> None:
    with pytest.raises(NotFoundError):
        hsc.drop("hsc.nothing")


def test_what_belongs_together_happens_together(
    hsc: CatalogService, make_stream: Callable[..., TableStream], tmp_path: Path
) -> None:
    def fail(_connection: Connection) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        hsc.publish_stream("hsc.SumCat", make_stream(), replace=True, also=fail)
    assert hsc.table("hsc.SumCat").version == 1
    assert hsc.query("SELECT COUNT(*) AS n FROM hsc.SumCat").to_table()["n"].to_pylist() == [2000]
    hsc.clean(grace_s=0)
    assert [f.name for f in (tmp_path / "tables").iterdir() if "-scratch-" not in f.name] == [
        hsc.table("hsc.SumCat").stored.location
    ]
