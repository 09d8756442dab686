"""Users' tables: made, changed, dropped; whose they are, and what they are called."""

import shutil
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pytest
from tests.services.catalogs.own.conftest import ADA, BOB, CARLA, EVE, numbers, stream

from awe.core.tables import Column, ColumnStatistics, Schema, TableStream
from awe.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    InputFileError,
    LimitError,
    NotFoundError,
    ParameterError,
    QueryError,
    QuotaError,
    UsageError,
)
from awe.platform import Platform
from awe.services.catalogs import ColumnChange, TableService, VersionService
from awe.services.identity import ANONYMOUS, READ, WRITE, Identity

Read = Callable[..., dict[str, list[object]]]


def test_one_table_has_many_names(tables: TableService, platform: Platform) -> None:
    tables.write("mydb.Stars", numbers(1, 2, 3), ADA)
    for name in (
        "Stars",
        "stars",
        "MyDB.stars",
        "mydb://STARS",
        "mydb..stars",
        "mydb.dbo.stars",
        "user_ada.stars",
    ):
        assert tables.table(name, ADA).full_name == "user_ada.Stars"
        assert platform.catalogs.table(f"mydb.{name.rpartition('.')[2].rpartition('/')[2]}", ADA).rows == 3
    for text, dialect, context in (
        ("SELECT * FROM mydb.stars", "adql", None),
        ("SELECT * FROM mydb://stars WHERE n > 0", "adql", None),
        ("SELECT * FROM MyDB..Stars", "tsql", None),
        ("SELECT * FROM mydb.dbo.stars AS s", "tsql", None),
        ("SELECT * FROM stars", "tsql", "MyDB"),
        ("SELECT * FROM mydb://stars s -- of mydb://none", "postgres", None),
        ("SELECT s.*, 'mydb://x' AS said FROM user_ada.stars AS s", "adql", None),
    ):
        found = platform.catalogs.query(text, dialect=dialect, context=context, identity=ADA).to_table()
        assert found.column("n").to_pylist() == [1, 2, 3], text
        if "said" in found.column_names:
            assert set(found.column("said").to_pylist()) == {"mydb://x"}


@pytest.mark.parametrize(
    "name", ["", "a b", "x.y.z", "mydb.", "1st", "a" * 64, "mydb:t", "select", "é", "mydb.t;drop"]
)
def test_what_is_no_name_is_refused(tables: TableService, name: str) -> None:
    with pytest.raises(ParameterError):
        tables.write(name, numbers(1), ADA)


def test_nobody_has_tables_without_an_account(
    tables: TableService, versions: VersionService, platform: Platform
) -> None:
    with pytest.raises(AuthenticationError):
        tables.write("mydb.t", numbers(1), ANONYMOUS)
    with pytest.raises(QueryError, match="no table"):
        platform.catalogs.query("SELECT * FROM mydb.t")
    assert tables.tables(ANONYMOUS) == ()
    assert versions.dropped(ANONYMOUS) == ()


def test_users_whose_names_look_alike_have_two_schemas(tables: TableService) -> None:
    names = [tables.schema_of(Identity(name)) for name in ("j.doe", "j-doe", "J.Doe", "j_doe2", "j.doe")]
    assert names == ["user_j_doe", "user_j_doe2", "user_j_doe3", "user_j_doe22", "user_j_doe"]
    long = [tables.schema_of(Identity("x" * 63 + end)) for end in "ab"]
    assert len(set(long)) == 2
    assert max(map(len, long)) <= 63


def test_a_table_is_made_once(tables: TableService, read: Read) -> None:
    tables.write("mydb.x", numbers(1), ADA)
    with pytest.raises(ConflictError, match="There is already an object named 'X' in the database"):
        tables.write("mydb.X", numbers(2), ADA)
    assert read("mydb.x") == {"n": [1]}
    tables.write("mydb.x", numbers(2), BOB)
    assert read("mydb.x", BOB) == {"n": [2]}


def test_a_table_is_replaced_and_appended_to(
    tables: TableService, versions: VersionService, read: Read
) -> None:
    with pytest.raises(NotFoundError):
        tables.write("t", numbers(1), ADA, mode="append")
    tables.write("t", stream(n=[1], name=["one"]), ADA, mode="replace", origin="SELECT 1")
    tables.write("t", stream(N=[2]), ADA, mode="append", origin="INSERT")
    assert read("mydb.t") == {"n": [1, 2], "name": ["one", None]}
    with pytest.raises(UsageError, match="no column m"):
        tables.write("t", stream(m=[2]), ADA, mode="append")
    with pytest.raises(InputFileError, match="column n"):
        tables.write("t", stream(n=["three"]), ADA, mode="append")
    assert read("mydb.t") == {"n": [1, 2], "name": ["one", None]}
    assert [v.origin for v in versions.kept("t", ADA)] == ["SELECT 1", "INSERT"]


def test_an_empty_table_is_made(tables: TableService, read: Read) -> None:
    columns = Schema((Column("id", pa.int64()), Column("name", pa.string(), description="What it is called")))
    tables.create("t", columns, ADA)
    assert read("mydb.t") == {"id": [], "name": []}
    tables.write("t", stream(id=[1], name=["a"]), ADA, mode="append")
    assert tables.create("t", columns, ADA, exists="keep").rows == 1
    with pytest.raises(ConflictError):
        tables.create("t", columns, ADA)
    assert tables.create("t", columns, ADA, exists="replace").rows == 0
    assert tables.table("t", ADA).columns["name"].description == "What it is called"


def test_a_table_is_rewritten(tables: TableService, read: Read) -> None:
    tables.write("t", stream(n=[1, 2, 3], ra=[1.0, 2.0, 3.0], dec=[0.0, 0.0, 0.0]), ADA)

    def odd(record: object) -> TableStream:
        assert record == tables.table("t", ADA)
        return stream(n=[1, 3], ra=[1.0, 3.0], dec=[0.0, 0.0])

    assert tables.rewrite("t", ADA, odd, origin="DELETE").ra == "ra"
    assert set(read("mydb.t")["n"]) == {1, 3}
    tables.truncate("t", ADA)
    assert read("mydb.t")["n"] == []


def test_a_stream_that_was_cut_makes_no_table(tables: TableService) -> None:
    with pytest.raises(LimitError, match="the table was not made"):
        tables.write("t", numbers(1, 2, 3).limit(2), ADA)
    with pytest.raises(NotFoundError):
        tables.table("t", ADA)


def test_two_columns_of_one_name_are_refused(tables: TableService) -> None:
    two = pa.table([[1], [2]], names=["id", "ID"])
    with pytest.raises(UsageError, match="Column name 'ID' in table 't' is specified more than once"):
        tables.write("t", TableStream.from_table(two), ADA)


def test_a_table_is_renamed_and_copied(
    tables: TableService, versions: VersionService, platform: Platform, read: Read
) -> None:
    tables.write("t", numbers(1), ADA)
    tables.write("u", numbers(2), ADA)
    with pytest.raises(ConflictError, match="already an object named 'u'"):
        tables.rename("t", "u", ADA)
    tables.drop("u", ADA)
    assert tables.rename("t", "mydb.U", ADA).full_name == "user_ada.U"
    assert read("mydb.u") == {"n": [1]}
    assert [(v.number, v.record.rows, v.is_current) for v in versions.kept("u", ADA)] == [
        (1, 1, False),
        (2, 1, True),
    ]
    with pytest.raises(NotFoundError):
        versions.kept("t", ADA)
    tables.copy("u", "v", ADA)
    assert read("mydb.v") == {"n": [1]}
    assert tables.rename("v", "V", ADA).name == "V"


def test_what_is_said_of_a_table_is_changed(tables: TableService, platform: Platform) -> None:
    tables.write("t", stream(g=[1.5], ra=[1.0], dec=[2.0]), ADA)
    changes = {"G": ColumnChange(unit="mag", ucd="phot.mag;em.opt", description="Brightness", principal=True)}
    tables.describe("t", ADA, title="Mine", description="What I found", columns=changes)
    found = tables.table("t", ADA)
    assert (found.title, found.description, found.version) == ("Mine", "What I found", 1)
    assert platform.catalogs.query("SELECT g FROM mydb.t", identity=ADA).schema["g"].unit == "mag"
    tables.describe("t", ADA, columns={"g": ColumnChange(unit="")})
    column = tables.table("t", ADA).columns["g"]
    assert (column.unit, column.ucd, column.description) == ("", "phot.mag;em.opt", "Brightness")
    with pytest.raises(NotFoundError, match="no column gg"):
        tables.describe("t", ADA, columns={"gg": ColumnChange(unit="mag")})


def test_statistics_of_columns_are_computed_once(tables: TableService, platform: Platform) -> None:
    tables.write("t", stream(n=[1, 1, 3], x=[1.5, None, 0.5]), ADA)
    found = tables.statistics("mydb.t", ADA)
    assert found == (ColumnStatistics("n", 1, 3, 0, 2), ColumnStatistics("x", 0.5, 1.5, 1, 2))
    shutil.rmtree(platform.settings.folder / "tables" / tables.table("t", ADA).stored.location)
    assert tables.statistics("t", ADA) == found
    tables.write("t", numbers(7), ADA, mode="replace")
    assert tables.statistics("t", ADA) == (ColumnStatistics("n", 7, 7, 0, 1),)
    with pytest.raises(NotFoundError):
        tables.statistics("user_ada.t", BOB)
    platform.catalogs.publish_stream("x.t", numbers(5, 6))
    assert tables.statistics("x.t", BOB)[0].maximum == 6


def test_positions_are_recognised_or_named(tables: TableService, platform: Platform) -> None:
    rows = {"RAJ2000": [10.0, 20.0], "DEJ2000": [1.0, 2.0], "x": [1, 2]}
    found = tables.write("t", stream(**rows), ADA)
    assert (found.ra, found.dec) == ("RAJ2000", "DEJ2000")
    assert platform.catalogs.cone("mydb.t", 10, 1, 0.1, identity=ADA).to_table().column("x").to_pylist() == [
        1
    ]
    assert tables.write("u", stream(**rows), ADA, ra="", dec="").ra is None
    assert tables.index("u", ADA, "raj2000", "dej2000").ra == "RAJ2000"
    assert tables.index("u", ADA, None, None).ra is None
    assert tables.write("u", stream(**rows), ADA, mode="append").ra is None
    named = tables.write("v", stream(a=[1.0], b=[2.0]), ADA, ra="a", dec="b")
    assert (named.ra, named.columns["a"].ucd) == ("a", "pos.eq.ra;meta.main")


def test_what_looks_like_a_position_and_is_none_is_kept(tables: TableService, read: Read) -> None:
    rows = {"ra": [10.0, -999.0, None], "dec": [1.0, -999.0, None]}
    assert tables.write("t", stream(**rows), ADA).ra is None
    assert {name: set(values) for name, values in read("mydb.t").items()} == {
        name: set(values) for name, values in rows.items()
    }
    with pytest.raises(InputFileError, match="not a position on the sky: row 2"):
        tables.write("u", stream(**rows), ADA, ra="ra", dec="dec")
    good = {"ra": [10.0, None], "dec": [1.0, None]}
    assert tables.write("v", stream(**good), ADA).ra == "ra"
    tables.write("v", stream(ra=[400.0]), ADA, mode="append")
    assert tables.table("v", ADA).ra is None
    assert tables.write("w", stream(ra=["10h"], dec=["+1d"]), ADA).ra is None


def test_ids_are_exact(tables: TableService, read: Read) -> None:
    big = [2**63 - 1, -(2**63), 1237645941291614227]
    unsigned = [2**64 - 1, 0, 9223372036854775809]
    twenty = [Decimal(10**20 - 1), Decimal(-1), Decimal(75094092974915584)]
    rows = {
        "a": pa.array(big, pa.int64()),
        "b": pa.array(unsigned, pa.uint64()),
        "c": pa.array(twenty, pa.decimal128(20, 0)),
    }
    tables.write("t", stream(**rows), ADA)
    tables.copy("t", "u", ADA)
    tables.write("u", stream(**rows), ADA, mode="append")
    assert read("mydb.u") == {"a": big * 2, "b": unsigned * 2, "c": twenty * 2}


# Others


def test_a_table_is_its_owners_until_it_is_shared(
    tables: TableService, platform: Platform, read: Read
) -> None:
    tables.write("t", numbers(1), ADA)
    for who in (BOB, EVE, CARLA):
        with pytest.raises(NotFoundError):
            tables.table("user_ada.t", who)
        with pytest.raises(NotFoundError):
            tables.write("user_ada.t", numbers(2), who, mode="append")
        with pytest.raises(QueryError, match="no table user_ada"):
            read("user_ada.t", who)
        assert platform.catalogs.tables(who) == ()


def test_what_is_shared_is_read_and_written_as_it_was_allowed(
    tables: TableService, versions: VersionService, platform: Platform, read: Read
) -> None:
    for name in ("ada", "bob"):
        platform.accounts.add(name, by="carla", password="long enough")
    platform.groups.add(ADA, "hst")
    tables.write("t", numbers(1), ADA)
    platform.shares.share(ADA, "table", "mydb.t", "group:hst")
    assert read("user_ada.t", BOB) == {"n": [1]}
    assert [t.full_name for t in tables.tables(BOB, shared=True)] == ["user_ada.t"]
    assert tables.tables(BOB) == ()
    with pytest.raises(QueryError):
        read("user_ada.t", EVE)
    for change in (
        lambda: tables.write("user_ada.t", numbers(2), BOB, mode="append"),
        lambda: tables.truncate("user_ada.t", BOB),
        lambda: tables.drop("user_ada.t", BOB),
    ):
        with pytest.raises(ForbiddenError):
            change()
    with pytest.raises(NotFoundError):
        versions.kept("user_ada.t", BOB)
    with pytest.raises(ForbiddenError):
        platform.shares.share(BOB, "table", "user_ada.t", "user:bob", action=WRITE)
    platform.shares.share(ADA, "table", "user_ada.t", "user:bob", action=WRITE)
    tables.write("user_ada.t", numbers(2), BOB, mode="append")
    assert read("mydb.t") == {"n": [1, 2]}
    with pytest.raises(ForbiddenError, match="only its owner"):
        tables.drop("user_ada.t", BOB)
    with pytest.raises(NotFoundError):
        tables.write("user_ada.new", numbers(2), BOB)
    tables.rename("t", "u", ADA)
    assert read("user_ada.u", BOB) == {"n": [1, 2]}
    tables.copy("user_ada.u", "mine", BOB)
    assert read("mydb.mine", BOB) == {"n": [1, 2]}
    tables.drop("u", ADA)
    versions.restore("u", ADA)
    for gone in ("user_ada.u", "user_ada.t"):
        with pytest.raises(QueryError):
            read(gone, BOB)


def test_a_link_opens_one_table(tables: TableService, platform: Platform, read: Read) -> None:
    platform.accounts.add("ada", by="carla", password="long enough")
    tables.write("t", numbers(1), ADA)
    tables.write("u", numbers(2), ADA)
    key, _ = platform.shares.link(ADA, "table", "mydb.t", days=1)
    visitor = platform.shares.visitor(key)
    assert visitor is not None
    assert read("user_ada.t", visitor) == {"n": [1]}
    with pytest.raises(QueryError):
        read("user_ada.u", visitor)


def test_a_published_table_is_written_by_nobody_it_is_shared_with(
    tables: TableService, platform: Platform
) -> None:
    platform.accounts.add("bob", by="carla", password="long enough")
    platform.catalogs.publish_stream("x.t", numbers(1))
    with pytest.raises(ParameterError, match="cannot be granted"):
        platform.shares.share(CARLA, "table", "x.t", "user:bob", action=WRITE)
    with pytest.raises(NotFoundError):
        tables.write("x.t", numbers(2), CARLA, mode="append")
    with pytest.raises(ParameterError, match="kept for awe"):
        platform.catalogs.publish_stream("user_ada.t", numbers(1))
    tables.copy("x.t", "mine", BOB)
    assert tables.table("mine", BOB).rows == 1


def test_an_administrator_helps_and_that_is_recorded(
    tables: TableService, versions: VersionService, platform: Platform
) -> None:
    tables.write("t", numbers(1), ADA)
    tables.drop("user_ada.t", CARLA)
    assert [v.number for v in versions.kept("user_ada.t", CARLA)] == [1]
    versions.restore("user_ada.t", CARLA)
    assert tables.table("t", ADA).rows == 1
    with pytest.raises(NotFoundError):
        tables.truncate("user_ada.t", CARLA)
    said = [
        (line.action, line.user, line.target) for line in platform.audit.entries(target="table:user_ada.t")
    ]
    assert sorted(said) == [
        ("table.dropped", "carla", "table:user_ada.t"),
        ("table.restored", "carla", "table:user_ada.t"),
        ("table.seen", "carla", "table:user_ada.t"),
    ]
    own = CARLA.restricted(frozenset({READ, WRITE}))
    with pytest.raises(NotFoundError):
        tables.drop("user_ada.t", own)


def test_a_users_table_changes_what_no_published_name_means(tables: TableService, platform: Platform) -> None:
    platform.catalogs.publish_stream("x.t", numbers(7))
    tables.write("t", numbers(1), ADA)
    tables.write("own", numbers(2), ADA)

    def first(text: str, context: str | None = None) -> object:
        return (
            platform.catalogs.query(text, dialect="tsql", context=context, identity=ADA)
            .to_table()["n"][0]
            .as_py()
        )

    assert first("SELECT n FROM t") == first("SELECT n FROM t", "x") == 7
    assert first("SELECT n FROM t", "mydb") == 1
    assert first("SELECT n FROM own") == first("SELECT n FROM own", "x") == 2


def test_a_token_does_no_more_than_its_scopes_allow(
    tables: TableService, versions: VersionService, read: Read
) -> None:
    tables.write("t", numbers(1), ADA)
    reader, writer = ADA.restricted(frozenset({READ})), ADA.restricted(frozenset({WRITE}))
    assert tables.table("t", reader).rows == 1
    for change in (
        lambda: tables.write("u", numbers(1), reader),
        lambda: tables.write("t", numbers(1), reader, mode="replace"),
        lambda: tables.drop("t", reader),
        lambda: tables.rename("t", "u", reader),
        lambda: versions.restore("t", reader),
        lambda: tables.describe("t", reader, title="x"),
    ):
        with pytest.raises(ForbiddenError):
            change()
    assert tables.tables(writer) == ()
    with pytest.raises(QueryError):
        read("mydb.t", writer)


# Quotas


def test_nobody_keeps_more_than_allowed(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(quotas={"tables": 2, "table_rows": 10})
    tables = platform.tables
    tables.write("a", numbers(*range(6)), ADA)
    with pytest.raises(QuotaError, match="rows of tables"):
        tables.write("b", numbers(*range(5)), ADA)
    with pytest.raises(QuotaError):
        tables.write("a", numbers(*range(5)), ADA, mode="append")
    tables.write("a", numbers(*range(10)), ADA, mode="replace")
    tables.write("a", numbers(*range(4)), ADA, mode="replace")
    tables.write("b", numbers(*range(5)), ADA)
    with pytest.raises(QuotaError, match="tables of one's own"):
        tables.write("c", numbers(1), ADA)
    assert {t.full_name: t.rows for t in tables.tables(ADA)} == {"user_ada.a": 4, "user_ada.b": 5}
    with pytest.raises(QuotaError):
        platform.versions.restore("a", ADA, 2)
    assert tables.table("a", ADA).rows == 4
    assert len(platform.engine.tables()) == 4
    tables.write("a", numbers(1), BOB)


def test_bytes_of_tables_and_of_jobs_are_one_measure(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(quotas={"storage_bytes": 20_000})
    tables = platform.tables
    size = tables.write("a", numbers(1), ADA).bytes
    (usage,) = [u for u in platform.quotas.usage(ADA) if u.measure == "storage_bytes"]
    assert usage.used == size
    with pytest.raises(QuotaError, match="bytes of files kept"):
        tables.write("b", numbers(*range(20_000)), ADA)
    assert [t.name for t in tables.tables(ADA)] == ["a"]
    tables.drop("a", ADA)
    assert platform.quotas.used(ADA, usage.measure) == 0
