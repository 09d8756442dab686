"""Queries and what an engine is asked, in bulk: ``fixtures/pairs/TOPIC.sql``, whose first line names the dialect.

A pair begins with ``--? title``; its query ends at ``--> the engine's SQL`` or at ``--! line:column what is
wrong``. ``AWE_UPDATE_GOLDEN=1 pytest tests/core/sql/test_pairs.py`` writes the outcomes anew; read the
difference before committing it.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.sql.sky_pairs import lowered, shown

from awe.core.sql import Query
from awe.errors import AweError

Compile = Callable[..., Query]

FOLDER = Path(__file__).parent / "fixtures" / "pairs"
TOPICS = sorted(p.name for p in FOLDER.glob("*.sql"))
_PAIR = re.compile(r"^--\? (.*)\n((?:(?!--[?>!]).*\n)+)(--[>!] .*\n)?", re.MULTILINE)
# The last digits of what trigonometry computed are the processor's business.
_COMPUTED = re.compile(r"\d+\.\d{12,}(?:e-?\d+)?")
# Which cells cover a region is the business of awe.core.sky and its tests.
_RANGES = re.compile(r'\("t\d+"\."_healpix_29" BETWEEN [^()]*\)')


def pairs(name: str) -> list[tuple[str, str, str]]:
    """Return title, query and outcome of each pair of a file."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return [(title, query.strip(), outcome.strip()) for title, query, outcome in _PAIR.findall(text)]


def dialect_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8").removeprefix("-- ").partition(":")[0]


def outcome_of(compiled: Compile, text: str, dialect: str) -> str:
    try:
        query = compiled(text, dialect)
    except AweError as error:
        place = "line {line}, column {column}: ".format(**error.fields)
        reason = str(error).removeprefix(place)
        return f"--! {error.fields['line']}:{error.fields['column']} {reason}"
    lowered = shown(query, {use.key: f'"{use.table.full_name}"' for use in query.uses})
    return f"--> {_RANGES.sub('(<ranges>)', lowered)}"


def rounded(outcome: str) -> str:
    return _COMPUTED.sub(lambda number: f"{float(number[0]):.13g}", outcome)


@pytest.mark.parametrize("name", TOPICS)
def test_pairs(compiled: Compile, engine: Any, name: str) -> None:
    dialect, found = dialect_of(name), pairs(name)
    outcomes = {title: outcome_of(compiled, query, dialect) for title, query, _ in found}
    if os.environ.get("AWE_UPDATE_GOLDEN"):
        _update(name, outcomes)
        found = pairs(name)
    assert {title: rounded(outcome) for title, _, outcome in found} == {
        title: rounded(outcome) for title, outcome in outcomes.items()
    }
    for title, query, outcome in found:
        if outcome.startswith("-->"):
            understood = compiled(query, dialect)
            relations = {use.key: f'"{use.table.full_name}"' for use in understood.uses}
            assert engine.sql(f"EXPLAIN {lowered(understood, engine, relations)}").fetchall(), title


def _update(name: str, outcomes: dict[str, str]) -> None:
    path = FOLDER / name
    head = path.read_text(encoding="utf-8").partition("\n--?")[0].rstrip()
    parts = [f"--? {title}\n{query}\n{outcomes[title]}\n" for title, query, _ in pairs(name)]
    path.write_text("\n".join([f"{head}\n", *parts]), encoding="utf-8")


def test_titles_are_unique_and_pairs_many() -> None:
    titles = [(name, title) for name in TOPICS for title, _, _ in pairs(name)]
    assert len(titles) == len(set(titles))
    assert len(titles) >= 250
    assert {dialect_of(name) for name in TOPICS} == {"adql", "postgres", "tsql"}
