"""What one caller may use, as the operator sets it: ``[quotas]`` in ``awe.toml``."""

from pydantic import BaseModel, Field

__all__ = ["QuotaSettings"]


class QuotaLimits(BaseModel):
    """What one caller may use; unset is as much as there is. Administrators set other limits for some."""

    queries_at_once: int | None = Field(200, ge=0, description="Synchronous queries at the same time.")
    queries_per_day: int | None = Field(None, ge=0, description="Synchronous queries in a day (UTC).")
    jobs_waiting: int | None = Field(
        100, ge=0, description="Jobs in the queue; who has as many is told to come back later."
    )
    jobs_at_once: int | None = Field(
        None, ge=0, description="Jobs that run at the same time; more wait in the queue."
    )
    job_seconds: int | None = Field(
        None, ge=1, description="Time of a job at the most; never more than `jobs.seconds`."
    )
    job_seconds_per_day: int | None = Field(
        None,
        ge=0,
        description="Time of all jobs in a day (UTC); what is in the queue then waits for the next one.",
    )
    storage_bytes: int | None = Field(
        None, ge=0, description="Size of what is kept: the results of jobs, and files that came with them."
    )
    tables: int | None = Field(None, ge=0, description="Tables of one's own.")
    table_rows: int | None = Field(None, ge=0, description="Rows of all tables of one's own.")
    file_bytes_per_day: int | None = Field(
        None, ge=0, description="Bytes of the files of tables (`/hats`) that are fetched in a day (UTC)."
    )
    notebook_bytes: int | None = Field(None, ge=0, description="Memory of a notebook.")


class AnonymousQuotaLimits(QuotaLimits):
    """The same for callers without an account, for each address in the network; of jobs for all together."""

    jobs_waiting: int | None = Field(None, ge=0, description="Jobs in the queue, of all of them together.")


class QuotaSettings(QuotaLimits):
    """What one caller may use, with an account and without."""

    anonymous: AnonymousQuotaLimits = Field(
        default_factory=AnonymousQuotaLimits, description="What a caller without an account may use."
    )
