"""Types: what goes together, what is exact, and what is refused with its place."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from awe.core.sql import TableDef, compile_query
from awe.core.tables import Column, Schema
from awe.errors import QueryError

AT = datetime.fromisoformat
_ID = 9007199254740993  # the first whole number that double precision does not have
_ROWS = {
    "id": pa.array([_ID, _ID + 1, _ID - 2], pa.int64()),
    "i": pa.array([1, 2, 3], pa.int32()),
    "short": pa.array([30000, -5, 7], pa.int16()),
    "byte": pa.array([3, 0, 255], pa.uint8()),
    "big": pa.array([2**64 - 1, 1, 5], pa.uint64()),
    "x": pa.array([1.5, None, -2.5], pa.float64()),
    "s": pa.array(["a%b", "A_b", None]),
    "flag": pa.array([True, False, None]),
    "t": pa.array([AT("2020-01-01T00:00:00"), AT("2020-01-02T03:04:05.500000"), None], pa.timestamp("us")),
    "d": pa.array([date(2020, 1, 1), date(2020, 1, 2), None]),
    "list": pa.array([[1.0], [2.0, 3.0], None], pa.list_(pa.float64())),
}
_TABLE = TableDef("a", "b", Schema(tuple(Column(name, array.type) for name, array in _ROWS.items())))
_OTHER = TableDef("a", "c", Schema((Column("id", pa.int64()), Column("y", pa.int32()))))


class Tables:
    def table(self, _schema: str | None, name: str) -> TableDef | None:
        return {"b": _TABLE, "c": _OTHER}.get(name)

    def table_function(self, _schema: str | None, _name: str) -> None:
        return None

    def scalar_function(self, _schema: str | None, _name: str) -> None:
        return None

    def spellings(self) -> list[str]:
        return ["a.b", "a.c"]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.register("incoming", pa.table(_ROWS))
        connection.execute("CREATE TABLE b AS SELECT * FROM incoming")
        connection.execute(f"CREATE TABLE c AS SELECT * FROM (VALUES ({_ID}, 10), (7, 20)) AS v(id, y)")
        yield connection


@pytest.fixture(scope="module")
def rows(engine: duckdb.DuckDBPyConnection) -> Callable[..., list[tuple[Any, ...]]]:
    def run(text: str, dialect: str = "adql") -> list[tuple[Any, ...]]:
        query = compile_query(text, Tables(), dialect=dialect)
        sql = query.lower("duckdb", {use.key: use.table.name for use in query.uses})
        table = engine.sql(sql).to_arrow_table()
        assert [str(t) for t in table.schema.types] == [
            str(c.type).replace("item:", "l:") if pa.types.is_list(c.type) else str(c.type)
            for c in query.columns
        ]
        return [
            tuple(row.values())
            for row in table.rename_columns([str(i) for i in range(table.num_columns)]).to_pylist()
        ]

    return run


VALUES = [
    # 64-bit integers never become double precision
    ("id + 0", [_ID, _ID + 1, _ID - 2]),
    ("id * 2 - id", [_ID, _ID + 1, _ID - 2]),
    ("id / 1", [_ID, _ID + 1, _ID - 2]),
    ("MOD(id, 10)", [3, 4, 1]),
    ("COALESCE(id, 0)", [_ID, _ID + 1, _ID - 2]),
    ("CASE WHEN i > 0 THEN id ELSE 0 END", [_ID, _ID + 1, _ID - 2]),
    ("CAST(id AS VARCHAR)", [str(_ID), str(_ID + 1), str(_ID - 2)]),
    ("CAST('9007199254740993' AS BIGINT)", [_ID] * 3),
    ("0x20000000000001", [_ID] * 3),
    ("0xFFFFFFFFFFFFFFFF", [2**64 - 1] * 3),
    ("18446744073709551615", [2**64 - 1] * 3),
    ("18446744073709551616", [float(2**64)] * 3),
    ("big", [2**64 - 1, 1, 5]),
    # short and unsigned integers do not overflow where their sums do not fit
    ("short + short", [60000, -10, 14]),
    ("short * 4", [120000, -20, 28]),
    ("byte - 5", [-2, -5, 250]),
    ("byte * byte", [9, 0, 65025]),
    ("-byte", [-3, 0, -255]),
    ("5 - byte", [2, 5, -250]),
    ("byte / 2", [1, 0, 127]),
    # division
    ("7 / 2", [3] * 3),
    ("-7 / 2", [-3] * 3),
    ("7 / 2.0", [3.5] * 3),
    ("i / 0", [None] * 3),
    ("x / 0", [None] * 3),
    ("MOD(-7, 3)", [-1] * 3),
    ("MOD(7, 0)", [None] * 3),
    # undefined values are NULL
    ("POWER(-8, 0.5)", [None] * 3),
    ("SQRT(-1)", [None] * 3),
    ("LOG(0)", [None] * 3),
    # CAST (ADQL 2.1 section 4.7.1)
    ("CAST(3 AS REAL)", [3.0] * 3),
    ("CAST('3.14159265358979323846' AS DOUBLE PRECISION)", [3.141592653589793] * 3),
    ("CAST(i AS SMALLINT)", [1, 2, 3]),
    ("CAST(x AS INTEGER)", [2, None, -2]),
    ("CAST(x AS CHAR)", ["1.5", None, "-2.5"]),
    ("CAST(x AS CHAR(2))", ["1.", None, "-2"]),
    ("CAST(s AS VARCHAR(1))", ["a", "A", None]),
    ("CAST(flag AS INTEGER)", [1, 0, None]),
    ("CAST('2021-01-14T11:25:00' AS TIMESTAMP)", [AT("2021-01-14T11:25:00")] * 3),
    ("CAST('2021-01-14' AS TIMESTAMP)", [AT("2021-01-14T00:00:00")] * 3),
    ("CAST('2021-01-14T11:25:00.25Z' AS TIMESTAMP)", [AT("2021-01-14T11:25:00.250000")] * 3),
    ("CAST(d AS TIMESTAMP)", [AT("2020-01-01T00:00:00"), AT("2020-01-02T00:00:00"), None]),
    ("CAST(t AS VARCHAR)", ["2020-01-01T00:00:00", "2020-01-02T03:04:05.5", None]),
    ("CAST(NULL AS INTEGER)", [None] * 3),
    ("'at ' || t", ["at 2020-01-01T00:00:00", "at 2020-01-02T03:04:05.5", None]),
    ("s || NULL", [None] * 3),
    ("COALESCE(NULL)", [None] * 3),
    ("COALESCE(x, i)", [1.5, 2.0, -2.5]),
    ("list", [[1.0], [2.0, 3.0], None]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), VALUES)
def test_values(rows: Callable[..., list[tuple[Any, ...]]], expression: str, expected: list[Any]) -> None:
    assert [row[0] for row in rows(f"SELECT {expression} AS v FROM b")] == expected


CONDITIONS = [
    (f"id = {_ID}", [1]),
    (f"id = '{_ID}'", [1]),
    (f"id IN ({_ID + 1}, 5)", [2]),
    (f"id BETWEEN {_ID} AND {_ID}", [1]),
    ("id IN (SELECT id FROM c)", [1]),
    ("big = 18446744073709551615", [1]),
    ("i < 99999999999999999999", [1, 2, 3]),
    ("flag = 1", [1]),
    ("flag = 0", [2]),
    ("flag = 'true'", [1]),
    ("flag = 'F'", [2]),
    ("flag <> 1", [2]),
    ("1 = flag", [1]),
    ("flag IN (0, 1)", [1, 2]),
    ("flag IS NULL", [3]),
    ("t > '2020-01-01T12:00:00'", [2]),
    ("t > '2020-01-01T12:00:00Z'", [2]),
    ("t >= '2020-01-01'", [1, 2]),
    ("t = '2020-01-02 03:04:05.5'", [2]),
    ("t BETWEEN '2020-01-01' AND '2020-01-01T00:00:00'", [1]),
    ("t IN ('2020-01-01')", [1]),
    ("d = '2020-01-02'", [2]),
    ("d = t", [1]),
    ("'2020-01-02' <= t", [2]),
    ("i = '3'", [3]),
    ("s LIKE 'a%'", [1]),
    ("s ILIKE 'a%'", [1, 2]),
    ("s LIKE 'a\\%%'", []),
    ("s LIKE '_\\_%'", []),
    ("s NOT LIKE '%b'", []),
    ("s = 'A_b'", [2]),
    ("s = 'a_b'", []),
    ("NOT (x > 0)", [3]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_conditions(rows: Callable[..., list[tuple[Any, ...]]], condition: str, expected: list[int]) -> None:
    assert [row[0] for row in rows(f"SELECT i FROM b WHERE {condition} ORDER BY i")] == expected


REFUSED = [
    ("s = 3", 27, "a text cannot be compared with a number"),
    ("i = 'three'", 27, "a number cannot be compared with a text"),
    ("i = s", 27, "a number cannot be compared with a text"),
    ("flag = 2", 30, "cannot be compared"),
    ("flag = 'yes'", 30, "cannot be compared"),
    ("flag = i", 30, "cannot be compared"),
    ("t = 58849", 27, "a time cannot be compared with a number"),
    ("t > 'yesterday'", 27, "'yesterday' is not a time"),
    ("t > '2020-02-30'", 27, "is not a time"),
    ("t > '2020-01-01T25:00:00'", 27, "is not a time"),
    ("i LIKE '3'", 23, "expected a text"),
    ("list = 3", 30, "a list cannot be compared"),
    ("i + s > 0", 27, "expected a number"),
    ("t + 1 > 0", 23, "expected a number"),
    ("CAST('abc' AS INTEGER) = 1", 28, "'abc' is not a number"),
    ("CAST(70000 AS SMALLINT) = 1", 28, "too large"),
    ("CAST(-3000000000 AS INTEGER) = 1", 28, "too large"),
    ("CAST('noon' AS TIMESTAMP) = t", 28, "is not a time"),
    ("CAST(x AS TIMESTAMP) = t", 28, "a number cannot become a time"),
    ("CAST(t AS INTEGER) = 1", 28, "ivo_to_mjd"),
    ("CAST(list AS VARCHAR) = 'a'", 28, "a list cannot become a text"),
    ("COALESCE(s, i) = 1", 23, "do not go together"),
    ("CASE WHEN i = 1 THEN 'a' ELSE 3 END = 'a'", 23, "do not go together"),
    ("LOWER(i) = 'a'", 29, "expected a text"),
    ("s || list = 'a'", 28, "expected a text"),
    ("SUM(i) > 1", 23, "SUM"),
    ("LOWER(NULL + NULL) = 'a'", 29, "expected a text"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "column", "words"), REFUSED)
def test_refused_with_place_and_reason(condition: str, column: int, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        compile_query(f"SELECT i FROM b WHERE {condition}", Tables())
    assert (caught.value.fields["line"], caught.value.fields["column"]) == (1, column)
    assert words in f"{caught.value} {caught.value.hint}"


def test_full_join_using_gives_the_column_of_whichever_side_has_a_row(
    rows: Callable[..., list[tuple[Any, ...]]],
) -> None:
    joined = "FROM b FULL OUTER JOIN c USING (id)"
    expected = [(7, None, 20), (_ID - 2, 3, None), (_ID, 1, 10), (_ID + 1, 2, None)]
    assert rows(f"SELECT id, i, y {joined} ORDER BY id") == expected
    assert rows("SELECT id, i, y FROM b NATURAL FULL JOIN c WHERE id > 0 ORDER BY id") == expected
    assert rows(f"SELECT b.id, c.id {joined} WHERE c.id = 7") == [(None, 7)]
    third = "SELECT id, i, y, z.y FROM b FULL JOIN c USING (id) FULL JOIN (SELECT 7 AS id, y FROM c) AS z USING (id)"
    assert (7, None, 20, 10) in rows(third.replace("y, z.y", "c.y, z.y"))
    starred = rows(f"SELECT * {joined} ORDER BY id")
    assert [row[0] for row in starred] == [row[0] for row in expected]
    assert len(starred[0]) == len(_ROWS) + 1
