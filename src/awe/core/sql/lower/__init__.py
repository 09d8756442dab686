"""One tree, several engines: each target writes the resolved tree as its own SQL."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from awe.core.sql.lower.duckdb import lower as lower_duckdb
from awe.core.sql.rules._state import Output

__all__ = ["TARGETS"]

TARGETS: Mapping[str, Callable[[exp.Expression, tuple[Output, ...], Mapping[str, str]], str]] = {
    "duckdb": lower_duckdb,
}
