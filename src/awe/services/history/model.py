"""One query in the history, as a value."""

from dataclasses import dataclass
from datetime import datetime

from awe.services.jobs import FINAL, Phase

__all__ = ["ASKED", "Entry"]

ASKED = "query"
"""The kind of an entry, for the policy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A query that somebody asked.

    Attributes
    ----------
    id
        Names it.
    owner
        Who asked.
    face
        Where it came in: ``api``, ``tap``, ``casjobs`` ...; empty where it was no request.
    dialect, context
        The language, and the schema in which unqualified names were looked up; empty for none.
    text
        The query itself.
    into
        The table that its rows went to; empty for none.
    begun
        When it was asked, or put into the queue.
    ended
        None while it runs.
    phase
        As of a job (UWS 1.1 section 2.1.3); COMPLETED where all rows were given, ABORTED where nobody took them all.
    seconds
        So long it ran; None where it never did, or does still.
    rows
        Rows that it gave, or changed.
    bytes
        Size of the result's file for a job, of the rows in memory otherwise.
    message
        What went wrong.
    job
        The job that it was; empty for none. The job may be gone.
    name
        What its owner calls it.
    engine
        What made its rows; several are divided by commas. Empty where nothing did, and of what was asked before awe kept it.
    """

    id: str
    owner: str
    face: str
    dialect: str
    context: str
    text: str
    into: str
    begun: datetime
    ended: datetime | None = None
    phase: Phase = Phase.EXECUTING
    seconds: float | None = None
    rows: int | None = None
    bytes: int | None = None
    message: str = ""
    job: str = ""
    name: str = ""
    engine: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.phase in FINAL
