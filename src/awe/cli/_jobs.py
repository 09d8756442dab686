"""Wait for a job, and say how to come back when the waiting is stopped."""

import click

from awe.cli._progress import Progress
from awe.client import Job

__all__ = ["watch"]


def watch(job: Job, *, quiet: bool = False) -> None:
    """Wait until a job is over and draw how far it is; Ctrl-C stops the waiting and not the job."""
    try:
        with Progress(quiet=quiet) as bar:
            job.wait(tell=lambda now: bar(*(now.progress or (now.phase.lower(), 0, None))))
    except KeyboardInterrupt:
        click.echo(f"\nthe job is not stopped; fetch its rows later: awe jobs fetch {job.id}", err=True)
        raise
