"""What Spark's errors mean to whoever asked: its own text speaks of files and plans, and goes on only in part."""

import re

from awe.errors import (
    AweError,
    CancelledError,
    LimitError,
    NotOfferedError,
    QueryError,
    ServiceError,
    UnavailableError,
)

__all__ = ["translated"]

_CONDITION = re.compile(r"\[([A-Z][A-Z_0-9]+(?:\.[A-Z_0-9]+)*)\] ([^\n]*)")
_VALUES = frozenset({
    "ARITHMETIC_OVERFLOW", "BINARY_ARITHMETIC_OVERFLOW", "CAST_INVALID_INPUT", "CAST_OVERFLOW",
    "CANNOT_PARSE_TIMESTAMP", "DATETIME_OVERFLOW", "DIVIDE_BY_ZERO", "INTERVAL_ARITHMETIC_OVERFLOW",
    "NUMERIC_VALUE_OUT_OF_RANGE", "SCALAR_SUBQUERY_TOO_MANY_ROWS", "USER_RAISED_EXCEPTION",
})  # fmt: skip
_ENDS = re.compile(r" (?:Correct the value|Use `|If necessary|SQLSTATE:|To return NULL)")
_MEMORY = ("OutOfMemoryError", "ExecutorLostFailure", "EXCEED_LIMIT", "maxResultSize", "_OUT_OF_MEMORY")
_GONE = (
    "SparkContext was shut down",
    "stopped SparkContext",
    "UNAVAILABLE",
    "Connection refused",
    "Connection reset",
)
_STOPPED = ("OPERATION_CANCELED", "cancelled", "Cancelled", "JOB_CANCELLED")


def translated(error: BaseException) -> AweError:
    """Return our error for Spark's; one of ours is told as it is."""
    if isinstance(error, AweError):
        return error
    text = str(error)
    found = [(name, said) for name, said in _CONDITION.findall(text) if name.split(".")[0] in _VALUES]
    if found:
        name, said = found[0]
        said = said.removeprefix("Task failed while writing rows.")
        return QueryError(_ENDS.split(said)[0].strip().rstrip("."))
    if any(word in text for word in _STOPPED):
        return CancelledError("the query was stopped")
    if any(word in text for word in _MEMORY):
        return LimitError(
            "the query needs more memory than the cluster has for it",
            hint="select fewer rows or columns, or sort less",
        )
    if any(word in text for word in _GONE):
        return UnavailableError(
            "the cluster that runs the queries cannot be reached", hint="try again in a minute"
        )
    if type(error).__name__ in {"AnalysisException", "ParseException"}:
        name = next(iter(_CONDITION.findall(text)), ("", ""))[0]
        return NotOfferedError(
            f"the cluster cannot run a query of this kind ({name})"
            if name
            else "the cluster cannot run this query",
            hint="write it without subqueries that depend on other tables' rows, or ask for less",
        )
    return ServiceError("the engine failed at this query")
