"""What each fixture is lowered to, word for word: ``fixtures/NAME.sql`` beside ``fixtures/NAME.duckdb.sql``.

The first line of a fixture names its dialect. ``AWE_UPDATE_GOLDEN=1 pytest tests/core/sql/test_golden.py``
writes the answers anew; read the difference before committing it.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.sql.sky_pairs import lowered, shown

from awe.core.sql import Query

Compile = Callable[..., Query]

# Which cells cover a region is the business of awe.core.sky and its tests.
_RANGES = re.compile(r'\("t\d+"\."_healpix_29" BETWEEN [^()]*\)')
FOLDER = Path(__file__).parent / "fixtures"
FIXTURES = sorted(p.name for p in FOLDER.glob("*.sql") if not p.name.endswith(".duckdb.sql"))


@pytest.mark.parametrize("name", FIXTURES)
def test_lowered_as_agreed(compiled: Compile, engine: Any, name: str) -> None:
    path = FOLDER / name
    first, _, asked = path.read_text().partition("\n")
    query = compiled(asked, first.removeprefix("--").strip())
    relations = {use.key: f'"{use.table.full_name}"' for use in query.uses}
    text = shown(query, relations) + "\n"
    found = _RANGES.sub("(<ranges>)", text)
    golden = path.with_name(f"{path.stem}.duckdb.sql")
    if os.environ.get("AWE_UPDATE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()
    engine.sql(lowered(query, engine, relations)).fetchall()


def test_each_dialect_has_fixtures() -> None:
    assert {name.split("_")[0] for name in FIXTURES} == {"adql", "postgres", "tsql"}
