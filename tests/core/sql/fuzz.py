"""Hostile and damaged queries in all dialects, without end: ``python -m tests.core.sql.fuzz [seconds] [seed]``.

Whatever the text, the compiler gives an error of ours with a place, or SQL in which every name is one of ours:
a key, a column that was published, an output, a function of the closed table. What is compiled also runs, on a
few rows. The seeds are the fixtures; a text is made from them by damage, or from words and from a grammar.
"""

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
from tests.core.sql.conftest import World, make_rows
from tests.core.sql.sky_pairs import lowered

from awe.core.sql import FUNCTIONS, Function, Names, Query, compile_query
from awe.core.sql.dialects.adql import RESERVED_WORDS
from awe.errors import AweError, LimitError, QueryError
from awe.services.catalogs.backends.duckdb import add_functions

__all__ = ["Finding", "Fuzzer"]

SLOWEST_S = 10.0
"""Processor time that the compiler may take for one text of these sizes."""

_FOLDER = Path(__file__).parent
_PAIR = re.compile(r"^--\? .*\n((?:(?!--[?>!]).*\n)+)", re.MULTILINE)
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|\w+|\s+|<>|!=|>=|<=|::|\|\||.", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_TEXT = re.compile(r"'(?:[^']|'')*'")
_WORD = re.compile(r"[A-Za-z_]\w*")
_SQL_WORDS = frozenset(
    [
        "ALL",
        "AND",
        "AS",
        "ASC",
        "BETWEEN",
        "BIGINT",
        "BOOLEAN",
        "BY",
        "CASE",
        "CAST",
        "CROSS",
        "DATE",
        "DESC",
        "DISTINCT",
        "DOUBLE",
        "ELSE",
        "END",
        "ESCAPE",
        "EXCEPT",
        "EXISTS",
        "FALSE",
        "FIRST",
        "FROM",
        "FULL",
        "GROUP",
        "HAVING",
        "ILIKE",
        "IN",
        "INNER",
        "INTEGER",
        "INTERSECT",
        "IS",
        "JOIN",
        "LAST",
        "LATERAL",
        "LEFT",
        "LIKE",
        "LIMIT",
        "NOT",
        "NULL",
        "NULLS",
        "OFFSET",
        "ON",
        "OR",
        "ORDER",
        "OVER",
        "PARTITION",
        "REAL",
        "RIGHT",
        "SELECT",
        "SMALLINT",
        "THEN",
        "TIMESTAMP",
        "TINYINT",
        "TRUE",
        "UBIGINT",
        "UINTEGER",
        "UNION",
        "USMALLINT",
        "UTINYINT",
        "VARCHAR",
        "WHEN",
        "WHERE",
        "WITH",
        "unnest",
        "lower",
        "xor",
        "nullif",
    ]
)
_HONEST = (duckdb.OutOfRangeException, duckdb.ConversionException, duckdb.InvalidInputException)
"""Errors that rows may cause: an overflow, a text that is no number, a text that would be too long."""


def _template_words() -> frozenset[str]:
    templates = (template for f in FUNCTIONS.values() for many in f.lowering.values() for template in many)
    return frozenset(word for template in templates for word in _WORD.findall(_TEXT.sub("''", template)))


_KNOWN_WORDS = _SQL_WORDS | _template_words() | {"e", "e0"}


@dataclass(frozen=True)
class Finding:
    """What went wrong with a text."""

    what: str
    dialect: str
    text: str


@dataclass
class Fuzzer:
    """Makes texts and checks what becomes of them.

    Attributes
    ----------
    names
        What the caller may read; `rows` are the rows of its tables by full name.
    seed
        Of the random numbers.
    """

    names: Names
    rows: Mapping[str, pa.Table]
    seed: int = 1
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.seeds = _seeds()
        self.pool = [token for _, tokens in self.seeds for token in tokens if not token.isspace()]
        self.pool += [*RESERVED_WORDS, *_HOSTILE]
        self.pool += [name for f in FUNCTIONS.values() for names in f.names.values() for name in names]
        self.published = {n for table in self.rows.values() for n in table.column_names}
        self.connection = duckdb.connect()
        add_functions(self.connection)
        for name, table in self.rows.items():
            self.connection.register("incoming", table.slice(0, 20))
            self.connection.execute(f'create table "{name}" as select * from incoming')

    def close(self) -> None:
        """Let go of the engine."""
        self.connection.close()

    def run(self, count: int) -> None:
        """Check so many texts."""
        for _ in range(count):
            dialect, text = self.text()
            self.check(text, dialect)

    def text(self) -> tuple[str, str]:
        """Return a dialect and a text."""
        chance = self.chance
        what = chance.random()
        if what < 0.45:
            dialect, tokens = chance.choice(self.seeds)
            return dialect, self._damaged(tokens)
        dialect = chance.choice(["adql", "adql", "tsql", "postgres"])
        if what < 0.55:
            words = (chance.choice(self.pool) for _ in range(chance.randint(0, 40)))
            return dialect, " ".join(["SELECT", *words])
        if what < 0.6:
            return dialect, "".join(chance.choice(_CHARACTERS) for _ in range(chance.randint(0, 60)))
        return dialect, self._query(dialect, 2)

    def check(self, text: str, dialect: str) -> None:
        """Compile, lower and run one text; note what is wrong."""
        begun = time.process_time()
        try:
            query = compile_query(text, self.names, dialect=dialect, context="hsc", resolve=_resolve)
            cursor = self.connection.cursor()
            sql = lowered(query, cursor, {u.key: f'"{u.table.full_name}"' for u in query.uses})
        except AweError as error:
            self._refused(error, text, dialect)
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            self._found(f"{type(error).__name__}: {error}", text, dialect)
            return
        finally:
            taken = time.process_time() - begun
            self.slowest = max(self.slowest, (taken, text))
            if taken > SLOWEST_S:
                self._found(f"took {taken:.1f} s", text, dialect)
        self.outcomes["compiled"] += 1
        self._resolved(query, sql, text, dialect)
        self._run(cursor, sql, text, dialect)

    def _refused(self, error: AweError, text: str, dialect: str) -> None:
        self.outcomes["refused"] += 1
        placed = isinstance(error, QueryError) and error.fields.get("line") and error.fields.get("column")
        if not (placed or isinstance(error, LimitError)):
            self._found(f"refused without a place: {error!r}", text, dialect)

    def _resolved(self, query: Query, sql: str, text: str, dialect: str) -> None:
        """Every identifier is one of ours, every word a keyword or a function of the table."""
        bare = _TEXT.sub("''", sql)
        ours = {*self.rows, *self.published, "_cell", "q", "v"}
        aliases = set(re.findall(r'AS "((?:[^"]|"")*)"', bare))
        for name in _QUOTED.findall(bare):
            if (
                name not in ours
                and name not in aliases
                and not re.fullmatch(r"(pairs_)?[tcm]\d+|[t]\d+\..*|separation", name)
            ):
                self._found(f"the name {name!r} was not resolved: {sql}", text, dialect)
        for word in _WORD.findall(_QUOTED.sub(" ", re.sub(r"\b\d[\d.]*(e[+-]?\d+)?", "0", bare))):
            if word not in _KNOWN_WORDS:
                self._found(f"the word {word!r} is none of ours: {sql}", text, dialect)
        if len(query.columns) == 0:
            self._found("no columns", text, dialect)

    def _run(self, cursor: duckdb.DuckDBPyConnection, sql: str, text: str, dialect: str) -> None:
        try:
            cursor.execute(sql).fetchmany(3)
        except _HONEST:
            self.outcomes["errors of rows"] += 1
        except duckdb.Error as error:
            self._found(f"{type(error).__name__}: {str(error).splitlines()[0]}: {sql}", text, dialect)

    def _found(self, what: str, text: str, dialect: str) -> None:
        self.findings.append(Finding(what, dialect, text))

    def _damaged(self, tokens: Sequence[str]) -> str:
        chance, tokens = self.chance, list(tokens)
        for _ in range(chance.choice([1, 1, 2, 3])):
            if not tokens:
                break
            place, what = chance.randrange(len(tokens)), chance.random()
            if what < 0.2:
                tokens[place] = ""
            elif what < 0.6:
                tokens[place] = chance.choice(self.pool)
            elif what < 0.8:
                tokens.insert(place, f" {chance.choice(self.pool)} ")
            elif what < 0.9:
                other = chance.randrange(len(tokens))
                tokens[place], tokens[other] = tokens[other], tokens[place]
            else:
                begin = chance.randrange(len(tokens))
                tokens[place:place] = tokens[begin : begin + chance.randint(1, 12)]
        return "".join(tokens)

    # a grammar of queries over the published tables: well-typed, but for one part in a while

    def _query(self, dialect: str, depth: int) -> str:
        chance = self.chance
        first, second = chance.choice([*self.rows]), chance.choice([*self.rows])
        scope = _Scope(dialect, {"a": self.rows[first].schema})
        source = f"{first} AS a"
        if chance.random() < 0.3:
            scope.tables["b"] = self.rows[second].schema
            how = chance.choice(["JOIN", "LEFT JOIN", "FULL OUTER JOIN", "RIGHT JOIN"])
            source += f" {how} {second} AS b ON {self._condition(scope, depth - 1)}"
        items = [
            self._value(scope, chance.choice(["number", "number", "text"]), depth)
            for _ in range(chance.randint(1, 3))
        ]
        named = ", ".join(f"{item} AS x{i}" for i, item in enumerate(items))
        top = chance.choice(["", "", "DISTINCT ", "" if dialect == "postgres" else "TOP 3 "])
        text = f"SELECT {top}{named} FROM {source}"
        if chance.random() < 0.7:
            text += f" WHERE {self._condition(scope, depth)}"
        if chance.random() < 0.1:
            text = f"SELECT x0, COUNT(*) AS n FROM ({text}) AS q GROUP BY x0 HAVING COUNT(*) >= {chance.randint(0, 3)}"
        if chance.random() < 0.1 and depth:
            word = chance.choice(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"])
            text = f"({text}) {word} ({self._query(dialect, depth - 1)})"
        if chance.random() < 0.3:
            text += f" ORDER BY {chance.choice(['1', '1 DESC', 'x0', '2'])}"
        return text

    def _value(self, scope: "_Scope", kind: str, depth: int) -> str:
        chance = self.chance
        if chance.random() < 0.01:
            kind = "text" if kind == "number" else "number"
        leaves = _NUMBERS if kind == "number" else _TEXTS
        if depth <= 0 or chance.random() < 0.3:
            return chance.choice([chance.choice(leaves), *[chance.choice(scope.columns(kind) or leaves)] * 3])
        inner = [self._value(scope, kind, depth - 1) for _ in range(3)]
        made = [
            f"({inner[0]})",
            f"COALESCE({inner[0]}, {inner[1]})",
            f"CASE WHEN {self._condition(scope, depth - 1)} THEN {inner[1]} ELSE {inner[2]} END",
            *[self._called(scope, kind, depth)] * 4,
        ]
        if kind == "text":
            return chance.choice([*made, f"{inner[0]} {'+' if scope.dialect == 'tsql' else '||'} {inner[1]}"])
        made += [f"{inner[0]} {chance.choice('+-*/')} {inner[1]}"] * 3 + [f"-({inner[0]})"]
        made.append(f"CAST({inner[0]} AS {chance.choice(_TYPES)})")
        if scope.dialect == "adql":
            made.append(f"DISTANCE({', '.join((inner * 2)[:4])})")
            made.append(f"COORD{chance.randint(1, 2)}({self._point(scope, depth - 1)})")
            made.append(f"IN_UNIT({chance.choice(scope.columns(kind) or ['1'])}, {chance.choice(_UNITS)})")
        return chance.choice(made)

    def _called(self, scope: "_Scope", kind: str, depth: int) -> str:
        """Return a call of a function that gives the kind."""
        chance = self.chance
        name, function = chance.choice(_CALLS[scope.dialect, kind])
        count = chance.randint(function.required, len(function.parameters))
        arguments = [self._argument(scope, function.parameter(i), depth) for i in range(count)]
        return f"{name}({', '.join(arguments)})"

    def _argument(self, scope: "_Scope", wanted: str, depth: int) -> str:
        chance = self.chance
        constants = {
            "literal": _LITERALS,
            "whole": ("0", "3", "7"),
            "integer": ("0", "5", "29"),
            "time": _TIMES,
        }
        if wanted in constants:
            return chance.choice(constants[wanted])
        if wanted == "boolean":
            return self._condition(scope, depth - 1)
        if wanted == "point":
            return self._point(scope, depth - 1)
        return self._value(scope, "text" if wanted == "text" else "number", depth - 1)

    def _point(self, scope: "_Scope", depth: int) -> str:
        one, other = self._value(scope, "number", depth - 1), self._value(scope, "number", depth - 1)
        return self.chance.choice(
            [
                f"POINT({one}, {other})",
                f"POINT({one}, {other})",
                f"ivo_healpix_center({self.chance.choice(['3', '29'])}, 5)",
                f"ivo_simbadpoint({self.chance.choice(_NAMES)})",
                f"ivo_geom_transform('ICRS', 'GALACTIC', POINT({one}, {other}))",
                f"ivo_epoch_prop_pos({one}, {other}, {one}, 1, {other}, NULL, 2000, 2020)",
            ]
        )

    def _condition(self, scope: "_Scope", depth: int) -> str:
        chance = self.chance
        kind = chance.choice(["number", "number", "text"])
        one, other = self._value(scope, kind, depth - 1), self._value(scope, kind, depth - 1)
        if depth > 0 and chance.random() < 0.3:
            pair = self._condition(scope, depth - 1), self._condition(scope, depth - 1)
            return chance.choice(
                [f"({pair[0]} OR {pair[1]})", f"{pair[0]} AND {pair[1]}", f"NOT ({pair[0]})"]
            )
        made = [
            f"{one} {chance.choice(['=', '<>', '<', '<=', '>', '>='])} {other}",
            f"{one} BETWEEN {other} AND {other}",
            f"{one} IN ({other}, {other})",
            f"{one} IS NOT NULL",
            f"{self._value(scope, 'text', depth - 1)} LIKE 'Q%'",
            "EXISTS (SELECT id FROM gaia.stars AS e WHERE e.id = 3)",
            f"{self._value(scope, 'number', depth - 1)} IN (SELECT SpecID FROM hsc.Spec)",
        ]
        numbers = [self._value(scope, "number", 0) for _ in range(4)]
        if scope.dialect == "adql":
            made += [
                f"1 = CONTAINS({self._point(scope, depth - 1)}, CIRCLE({self._point(scope, 0)}, {numbers[0]}))",
                f"0 = INTERSECTS({self._point(scope, depth - 1)}, POLYGON(1, 2, 3, 4, 5, 6))",
                f"DISTANCE({', '.join(numbers)}) < {chance.choice(['0.1', numbers[0]])}",
            ]
        if scope.dialect == "postgres":
            made.append(f"q3c_radial_query({', '.join(numbers)}, 1)")
        return chance.choice(made)


@dataclass
class _Scope:
    """The dialect, and the tables by their aliases."""

    dialect: str
    tables: dict[str, pa.Schema]

    def columns(self, kind: str) -> Sequence[str]:
        """Return the columns of a kind, with their aliases."""
        return [name for alias, schema in self.tables.items() for name in _columns(alias, schema, kind)]


@cache
def _columns(alias: str, schema: pa.Schema, kind: str) -> Sequence[str]:
    test = pa.types.is_string if kind == "text" else _is_number
    return [f"{alias}.{column.name}" for column in schema if column.name[0] != "_" and test(column.type)]


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _calls() -> dict[tuple[str, str], list[tuple[str, Function]]]:
    """Return what can be called, by dialect and kind of result."""
    kinds = {"text": "text", "double": "number", "bigint": "number", "integer": "number", "same": "number"}
    calls: dict[tuple[str, str], list[tuple[str, Function]]] = {}
    for function in FUNCTIONS.values():
        kind = kinds.get(function.result, "")
        for dialect, names in function.names.items():
            if kind and function.kind in {"scalar", "derived"}:
                calls.setdefault((dialect, kind), []).extend((name, function) for name in names)
    return calls


def _seeds() -> list[tuple[str, list[str]]]:
    seeds: list[tuple[str, list[str]]] = []
    for path in sorted((_FOLDER / "fixtures").glob("*.sql")):
        if not path.name.endswith(".duckdb.sql"):
            first, _, text = path.read_text(encoding="utf-8").partition("\n")
            seeds.append((first.removeprefix("--").strip(), _TOKEN.findall(text)))
    for path in sorted((_FOLDER / "fixtures" / "pairs").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        dialect = text.removeprefix("-- ").partition(":")[0]
        seeds += [(dialect, _TOKEN.findall(query)) for query in _PAIR.findall(text)]
    return seeds


def _resolve(name: str) -> tuple[float, float] | None:
    return {"M87": (187.7059, 12.3911)}.get(name)


_CALLS = _calls()
_NUMBERS = (
    *(
        "0",
        "1",
        "2.5",
        "1e308",
        "1e-308",
        "NULL",
        "90",
        "360",
        "9223372036854775807",
        "18446744073709551615",
        "0xFF",
    ),
)
_TEXTS = ("'Q%'", "'QSO'", "'NaN'", "'1'", "''", "'it''s'", "NULL")
_LITERALS = ("'deg'", "'arcsec'", "'nm'", "'eV'", "'ICRS'", "'GALACTIC'", "'M87'", "'Q.*'", "'('", "''")
_TIMES = ("'2020-01-01T00:00:00'", "'2020-01-01'", "'x'", "NULL", "CAST('1999-12-31' AS TIMESTAMP)")
_NAMES = ("'M87'", "'M87'", "'nothing'", "''", "Class")
_UNITS = ("'deg'", "'arcsec'", "'rad'", "'Jy'", "'mag'", "'km/s'", "'('", "''", "'%'")
_TYPES = ("INTEGER", "SMALLINT", "BIGINT", "REAL", "DOUBLE PRECISION", "REAL", "TIMESTAMP", "POINT")
_HOSTILE = (
    *(
        "read_csv('/etc/passwd')",
        "read_text",
        "glob('*')",
        "'/etc/passwd'",
        "pg_catalog",
        "duckdb_settings()",
    ),
    *(
        "information_schema.tables",
        "sqlite_master",
        "getenv('HOME')",
        "COPY",
        "ATTACH",
        "PRAGMA",
        "; DROP TABLE x",
    ),
    *(
        "--",
        "/*",
        "*/",
        "$$",
        "\\",
        "\0",
        "’",
        "“",
        "\ue000",
        "\ud800",
        "🜨",
        "((((((((",
        "))))",
        "[1,2]",
        "{'a': 1}",
    ),
    *(
        "1e999",
        "0x",
        "0xG",
        "1..2",
        "a.b.c.d.e",
        '""',
        "''''",
        '"a""b"',
        ":x",
        "@x",
        "#t",
        "?",
        "OVER (",
        "t1",
        "_cell",
    ),
    *(
        "_healpix_29",
        "awe_propagate",
        "list_transform",
        "unnest",
        "COLUMNS(*)",
        "EXCLUDE",
        "QUALIFY",
        "range(9)",
    ),
)
_CHARACTERS = [chr(i) for i in range(32, 127)] + [
    "\n",
    "\t",
    "é",
    "漢",
    "\u200b",
    "\x00",
    "'",
    '"',
    "(",
    ")",
] * 2


def main() -> None:
    """Run for so many seconds, and say what was found."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 1_000_000
    fuzzer = Fuzzer(World(), make_rows(), seed)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        fuzzer.run(100)
    taken, texts = time.monotonic() - begun, fuzzer.outcomes["compiled"] + fuzzer.outcomes["refused"]
    said = [
        f"seed {seed}: {texts:,} texts in {taken:.0f} s ({texts / taken:.0f}/s): {dict(fuzzer.outcomes)}",
        f"slowest: {fuzzer.slowest[0]:.2f} s of processor time: {fuzzer.slowest[1][:200]!r}",
        f"findings: {len(fuzzer.findings)}",
        *(f"--- {found.dialect}: {found.what[:600]}\n{found.text!r}" for found in fuzzer.findings[:50]),
    ]
    sys.stdout.write("\n".join(said) + "\n")
    fuzzer.close()
    sys.exit(bool(fuzzer.findings))


if __name__ == "__main__":
    main()
