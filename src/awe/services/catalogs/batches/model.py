"""Values of batches: what a statement gives."""

from dataclasses import dataclass

from awe.core.tables import TableStream

__all__ = ["ROWS_AFFECTED", "ResultSet"]

ROWS_AFFECTED = "Rows Affected"
"""The one column of what a statement gives that changes a table, as CasJobs names it."""


@dataclass(frozen=True, slots=True)
class ResultSet:
    """What one statement gives.

    Attributes
    ----------
    name
        ``Table1``, ``Table2`` ... in the order of the batch.
    stream
        The rows; of a change one row of `ROWS_AFFECTED`.
    affected
        How many rows a change made, changed or removed; None of a query.
    statement
        The text of the statement.
    line
        Where it begins, counted from one.
    """

    name: str
    stream: TableStream
    affected: int | None
    statement: str
    line: int
