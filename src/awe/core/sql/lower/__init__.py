"""One tree, several engines: each target writes the resolved tree as its own SQL."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from awe.core.sql.lower.duckdb import lower as lower_duckdb
from awe.core.sql.lower.spark import lower as lower_spark

__all__ = ["TARGETS"]

TARGETS: Mapping[str, Callable[[exp.Expr, Mapping[str, str]], str]] = {
    "duckdb": lower_duckdb,
    "spark": lower_spark,
}
