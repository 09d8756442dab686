"""Jobs: work that takes its time, kept in a queue that no crash empties.

`JobService` makes, runs, stops and removes them. What a job does is a *kind*, a function that is registered by
the service that knows how (`Kind`); who does it is a `Runner` (the seam in ``interface.py``). A `Job` is a value
and `advance` the only function that changes one; the queue is a table of the system database.
"""

from awe.services.jobs.interface import (
    Died,
    Done,
    Failed,
    Kind,
    Moved,
    Report,
    Runner,
    SentFile,
    Stopped,
    Task,
    Work,
    Workshop,
    WorkshopOpener,
)
from awe.services.jobs.model import ACTIVE, FINAL, JOB, RUNNING, Job, Part, Phase, Result, Step
from awe.services.jobs.service import JobService
from awe.services.jobs.store import JobStore
from awe.services.jobs.workshop import KindsWorkshop

__all__ = [
    "ACTIVE",
    "FINAL",
    "JOB",
    "RUNNING",
    "Died",
    "Done",
    "Failed",
    "Job",
    "JobService",
    "JobStore",
    "Kind",
    "KindsWorkshop",
    "Moved",
    "Part",
    "Phase",
    "Report",
    "Result",
    "Runner",
    "SentFile",
    "Step",
    "Stopped",
    "Task",
    "Work",
    "Workshop",
    "WorkshopOpener",
]
