"""Damaged queries: whatever is done to the text, the answer is SQL that runs or an error with a place."""

import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.core.sql.sky_pairs import lowered

from awe.core.sql import Query, compile_query
from awe.errors import QueryError
from awe.services.catalogs.backends.duckdb import add_functions

_TOKENS = re.compile(r"'[^']*'|\w+|\s+|<>|!=|>=|<=|::|.", re.DOTALL)


def _seeds() -> list[tuple[str, list[str]]]:
    folder = Path(__file__).parent / "fixtures"
    texts = [p.read_text() for p in sorted(folder.glob("*.sql")) if not p.name.endswith(".duckdb.sql")]
    parts = [text.partition("\n") for text in texts]
    return [(first.removeprefix("--").strip(), _TOKENS.findall(text)) for first, _, text in parts]


def _damaged(tokens: list[str], pool: list[str], chance: random.Random) -> str:
    tokens = list(tokens)
    for _ in range(chance.randint(1, 2)):
        place, what = chance.randrange(len(tokens)), chance.random()
        if what < 0.3:
            tokens[place] = ""
        elif what < 0.7:
            tokens[place] = chance.choice(pool)
        elif what < 0.85:
            tokens.insert(place, f" {chance.choice(pool)} ")
        else:
            other = chance.randrange(len(tokens))
            tokens[place], tokens[other] = tokens[other], tokens[place]
    return "".join(tokens)


@pytest.fixture(scope="module")
def few(rows: Mapping[str, pa.Table]) -> Any:
    """An engine with few rows: what matters is that a query is accepted."""
    connection = duckdb.connect()
    add_functions(connection)
    for name, table in rows.items():
        connection.register("incoming", table.slice(0, 20))
        connection.execute(f'create table "{name}" as select * from incoming')
    return connection


def _compiled(text: str, world: Any, dialect: str) -> Query | None:
    """Compile, or return None where the query is refused as it should be: with a place."""
    refusal = None
    try:
        return compile_query(text, world, dialect=dialect, context="hsc")
    except QueryError as error:
        refusal = error
    assert refusal.fields.get("line"), (dialect, text, refusal)
    return None


def check(world: Any, few: Any, seed: int, count: int) -> None:
    chance, seeds = random.Random(seed), _seeds()
    pool = [token for _, tokens in seeds for token in tokens if not token.isspace()]
    for _ in range(count):
        dialect, tokens = chance.choice(seeds)
        text = _damaged(tokens, pool, chance)
        query = _compiled(text, world, dialect)
        if query is None:
            continue
        cursor = few.cursor()
        sql = lowered(query, cursor, {u.key: f'"{u.table.full_name}"' for u in query.uses})
        try:
            cursor.execute(sql).fetchmany(3)
        except duckdb.OutOfRangeException:
            continue  # an honest overflow of 64-bit integers


def test_damaged_queries(world: Any, few: Any) -> None:
    check(world, few, 1, 300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_damaged_queries(world: Any, few: Any, seed: int) -> None:
    check(world, few, seed, 2500)
