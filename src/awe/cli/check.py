"""``awe check``: what is missing or wrong in what is published."""

import json
import sys
from collections import Counter
from pathlib import Path

import click

from awe.cli._archive import data_option, open_archive
from awe.cli._common import json_option
from awe.services.checks import Severity

__all__ = ["command"]

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.ADVICE: "cyan"}


@click.command("check")
@click.option("--errors", is_flag=True, help="Tell errors only.")
@data_option
@json_option
def command(errors: bool, data: Path | None, as_json: bool) -> None:
    """Tell what is missing or wrong in the archive of a data folder, and how to repair it.

    Exits with 1 when there is an error. A service may be running meanwhile.

    \b
      awe check --data /archive
      awe check --errors --json
    """
    with open_archive(data) as platform:
        found = platform.checks.findings()
    shown = [one for one in found if not errors or one.severity is Severity.ERROR]
    if as_json:
        print(json.dumps({"findings": [one.to_json() for one in shown]}))
    else:
        for one in shown:
            click.secho(f"{one.severity:<8}", fg=_COLOURS[one.severity], nl=False)
            click.echo(f" {one.where}: {one.message}\n         {one.hint}")
        count = Counter(one.severity for one in shown)
        told = ", ".join(f"{count[kind]} of {kind}" for kind in Severity if count[kind])
        click.echo(f"found: {told}" if told else "nothing to complain about", err=True)
    if any(one.severity is Severity.ERROR for one in found):
        sys.exit(1)
