"""The command line: user commands over the client, operator commands over the platform.

``awe --help`` stays quick: a command's module is loaded when the command is used.
"""

import json
import sys
import warnings
from difflib import get_close_matches
from importlib import import_module

import click

from awe import __version__
from awe.errors import AweError

__all__ = ["COMMANDS", "load_command", "main"]

# name -> (module, one line for `awe --help`), in the order in which people need them
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("awe.cli.up", "Start the service here, with one command."),
    "status": ("awe.cli.status", "What the service says of itself."),
    "tables": ("awe.cli.tables", "The tables of the archive, and your own: load, show, share, drop."),
    "query": ("awe.cli.query", "Run a query in ADQL, T-SQL or PostgreSQL."),
    "jobs": ("awe.cli.jobs", "Long queries: list, wait for, fetch, stop, remove."),
    "history": ("awe.cli.history", "What you asked: find, name, share."),
    "cone": ("awe.cli.cone", "Objects of a table near a position."),
    "crossmatch": ("awe.cli.crossmatch", "The rows of two tables that are near each other."),
    "coverage": ("awe.cli.coverage", "Which part of the sky a table or collection covers."),
    "resolve": ("awe.cli.resolve", "Where an object is, by its name."),
    "images": ("awe.cli.images", "Images that cover a position."),
    "spectra": ("awe.cli.spectra", "Spectra near a position."),
    "spectrum": ("awe.cli.spectrum", "One spectrum as a table, into a file."),
    "cutout": ("awe.cli.cutout", "Cut a piece out of an image."),
    "samp": ("awe.cli.samp", "Show tables, images and spectra in TOPCAT, Aladin or DS9."),
    "links": ("awe.cli.links", "What belongs to an image or spectrum."),
    "publish": ("awe.cli.publish", "Publish tables, images and spectra in an archive here."),
    "hips": ("awe.cli.hips", "Make sky maps in tiles (HiPS) from the images of an archive here."),
    "remove": ("awe.cli.remove", "Remove what is published from an archive here."),
    "check": ("awe.cli.check", "What is missing or wrong in what is published here."),
    "login": ("awe.cli.login", "Log in with a browser, or print a token."),
    "logout": ("awe.cli.logout", "End the login that is kept here."),
    "token": ("awe.cli.token", "Your tokens: make, list, revoke."),
    "group": ("awe.cli.group", "Groups of people to share with."),
    "share": ("awe.cli.share", "Let others read what is yours."),
    "quota": ("awe.cli.quota", "What you may use, and use."),
    "admin": ("awe.cli.admin", "Accounts and the audit log of an archive here."),
}

_HELP = ["-h", "--help"]


def load_command(name: str) -> click.Command:
    """Return a command by its name, loading its module."""
    command: click.Command = import_module(COMMANDS[name][0]).command
    # click keeps the option from the first use: it is the same whether a command runs under `awe` or alone
    command.context_settings.setdefault("help_option_names", _HELP)
    return command


class _Commands(click.Group):
    """Loads a command's module when it is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = get_close_matches(args[0], COMMANDS, n=1)
        if near and args[0] not in COMMANDS:
            raise click.UsageError(f"there is no command {args[0]!r}: did you mean {near[0]}?", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": _HELP, "max_content_width": 100})
@click.version_option(__version__, message="awe %(version)s")
def _awe() -> None:
    """awe, the Astronomer's Workspace Environment: an open science cloud for astronomy.

    Start an archive with a demonstration sky, and ask it something:

    \b
      awe up --demo
      awe cone hsc.SumCat M87 "30 arcsec"
      awe query "SELECT TOP 5 MatchID, MatchRA, MatchDec FROM hsc.SumCat"
      awe images "12:30:49.4 +12:23:28"

    Commands talk to the service at AWE_URL (this machine's when unset); --at names another one,
    or the data folder of an archive.
    """


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    click.secho(f"warning: {message}", fg="yellow", err=True)


def main() -> None:
    """Run the command line; an error of awe is a sentence on standard error, and exit code 1."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            warnings.simplefilter("always", UserWarning)
            _awe(prog_name="awe", standalone_mode=False)
    except AweError as error:
        if "--json" in sys.argv:
            print(json.dumps(error.to_json()), file=sys.stderr)
        else:
            click.secho(f"error: {error.message}", fg="red", err=True)
            if error.hint:
                click.echo(f"hint: {error.hint}", err=True)
        sys.exit(1)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
