"""``awe jobs``: queries that take their time."""

import json
from pathlib import Path
from typing import Any

import click

from awe.cli._common import at_option, json_option, print_table, text_table
from awe.cli._jobs import watch
from awe.client import Job, connect

__all__ = ["command"]


@click.group("jobs")
def command() -> None:
    """Long queries: what became of them.

    \b
      awe query --long "SELECT ..."     puts one into the queue and waits for it
      awe jobs ls                       yours, if you are logged in
      awe jobs fetch ID --save m87.fits
    """


_id = click.argument("job_id", metavar="ID")


@command.command("ls")
@click.option("--phase", help="Only jobs in this phase, e.g. EXECUTING.")
@click.option("--last", type=click.IntRange(1), help="So many at the most.")
@at_option
@json_option
def list_jobs(phase: str | None, last: int | None, at: str | None, as_json: bool) -> None:
    """List your jobs, the newest first."""
    with connect(at) as archive:
        found = archive.jobs(phase=phase, last=last)
    names = ("id", "phase", "created", "name", "into", "query")
    rows = [(j.id, j.phase, j.created[:19], j.name, j.into, " ".join(j.query.split())[:60]) for j in found]
    print_table(text_table(names, rows), as_json=as_json, most=None)


@command.command("show")
@_id
@at_option
@json_option
def show(job_id: str, at: str | None, as_json: bool) -> None:
    """Say how a job is."""
    with connect(at) as archive:
        _print(archive.job(job_id), as_json=as_json)


@command.command("wait")
@_id
@at_option
@json_option
def wait(job_id: str, at: str | None, as_json: bool) -> None:
    """Wait until a job is over, well or not; Ctrl-C stops the waiting alone."""
    with connect(at) as archive:
        job = archive.job(job_id)
        watch(job, quiet=as_json)
        _print(job, as_json=as_json)


@command.command("fetch")
@_id
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to this file."
)
@at_option
@json_option
def fetch(job_id: str, save: Path | None, at: str | None, as_json: bool) -> None:
    """Fetch the rows of a job; waits until they are there."""
    with connect(at) as archive:
        job = archive.job(job_id)
        watch(job, quiet=as_json)
        found = job.result(save)
    if isinstance(found, Path):
        click.echo(f"{found}: {found.stat().st_size:,} bytes")
    else:
        print_table(found, as_json=as_json)


@command.command("abort")
@_id
@at_option
@json_option
def abort(job_id: str, at: str | None, as_json: bool) -> None:
    """Stop a job."""
    with connect(at) as archive:
        _print(archive.job(job_id).abort(), as_json=as_json)


@command.command("rm")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@at_option
def remove(ids: tuple[str, ...], at: str | None) -> None:
    """Remove jobs and their results."""
    with connect(at) as archive:
        for job_id in ids:
            archive.job(job_id).delete()
            click.echo(f"removed {job_id}")


def _print(job: Job, *, as_json: bool) -> None:
    said: dict[str, Any] = {
        "id": job.id,
        "phase": job.phase,
        "name": job.name,
        "created": job.created,
        "into": job.into,
        "query": job.query,
        "progress": " ".join(str(one) for one in job.progress or () if one is not None),
        "bytes": job.size,
        "error": str(job.error) if job.error else None,
    }
    if as_json:
        print(json.dumps(said))
        return
    for name, value in said.items():
        if value:
            click.echo(f"{name:<9} {value}")
