"""A bounded run of the fuzzer; ``python -m tests.core.sql.fuzz 600`` runs it for ten minutes."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pytest
from tests.core.sql.fuzz import Finding, Fuzzer

from awe.core.sql import compile_query


@pytest.fixture(scope="module")
def fuzzer(world: Any, rows: Mapping[str, pa.Table]) -> Iterator[Fuzzer]:
    made = Fuzzer(world, rows)
    yield made
    made.close()


@pytest.mark.slow
def test_no_crash_no_hang_nothing_unresolved(fuzzer: Fuzzer) -> None:
    fuzzer.run(250)
    assert fuzzer.findings == []
    assert fuzzer.outcomes["compiled"] > 50
    assert fuzzer.outcomes["refused"] > 50


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_many_texts(world: Any, rows: Mapping[str, pa.Table], seed: int) -> None:
    fuzzer = Fuzzer(world, rows, seed)
    fuzzer.run(700)
    fuzzer.close()
    assert fuzzer.findings == []


def test_the_fuzzer_sees_what_it_looks_for(world: Any, fuzzer: Fuzzer) -> None:
    """Names and functions that are none of ours are findings, and so is what the engine refuses."""
    query = compile_query("SELECT id FROM gaia.stars", world)
    sound = query.lower("duckdb", {use.key: '"gaia.stars"' for use in query.uses})
    before = list(fuzzer.findings)
    fuzzer._resolved(query, sound, "", "adql")
    assert fuzzer.findings == before
    for bad in (
        "SELECT read_text('/etc/passwd') FROM x",
        'SELECT "secret" FROM "gaia.stars"',
        'SELECT "t1"."id" AS "id" FROM "other.table" AS "t1"',
        "SELECT * FROM '/etc/passwd' WHERE getenv('HOME') = 1",
    ):
        fuzzer.findings.clear()
        fuzzer._resolved(query, bad, "", "adql")
        assert fuzzer.findings, bad
    fuzzer.findings.clear()
    fuzzer._run(fuzzer.connection, 'SELECT "nothing" FROM "gaia.stars"', "", "adql")
    assert [type(f) for f in fuzzer.findings] == [Finding]
    fuzzer.findings[:] = before
