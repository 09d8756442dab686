"""``awe up``: the service, on this machine, with one command."""

import signal
import sys
from pathlib import Path

import click

from awe import logs
from awe.cli._archive import data_option, here
from awe.cli._demo import publish_demo
from awe.cli._progress import Progress
from awe.errors import AuthenticationError
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, ORIGIN, SCOPES, AccountState
from awe.settings import Settings
from awe.web import Workers, apart, bind, serve, spare_pandas

__all__ = ["command"]

_NOTEBOOKS = "notebooks"
"""The account whose token is for notebooks on this machine; it has no password."""
_FIRST = "admin"
_LINK_HOURS = 1.0
_TOKEN_DAYS = 365.0


@click.command("up")
@data_option
@click.option("--host", help="Address to listen at [default: 127.0.0.1].")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen at; 0 takes a free one [default: 8765]."
)
@click.option("--demo", is_flag=True, help="Publish the demonstration sky (simulated) unless it is there.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Server processes [default: one for every two cores, at most four].",
)
def command(data: Path | None, host: str | None, port: int | None, demo: bool, workers: int | None) -> None:
    """Start the service and print where to look. Starting again is quick and loses nothing.

    \b
      awe up --demo                        a simulated M87 field to try everything with
      awe up --data /archive --port 8000   your own archive
    """
    signal.signal(signal.SIGTERM, _told_to_stop)
    settings = Settings.load(data, host=host, port=port, workers=workers)
    listener = bind(settings)  # first: a port in use is told before any work
    spare_pandas()
    if settings.processes == 1:
        with Platform.open(settings) as platform:
            _prepare(platform, listener.url, demo=demo)
            serve(platform, listener)
    else:
        listeners = listener.shared(settings.processes)
        apart(lambda: _prepare_alone(settings, listener.url, demo=demo))
        Workers(settings, listeners, _log).run()


def _log(settings: Settings) -> None:
    logs.configure(settings, lambda: ORIGIN.get().request)


def _prepare_alone(settings: Settings, address: str, *, demo: bool) -> None:
    with Platform.open(settings) as platform:
        _prepare(platform, address, demo=demo)


def _prepare(platform: Platform, address: str, *, demo: bool) -> None:
    """Publish the demonstration if that is wanted, and say where everything is."""
    _log(platform.settings)
    if demo:
        with Progress() as progress:
            publish_demo(platform, progress)
    token_file = _notebooks_token(platform)
    _greet(platform, address, token_file)
    _offer_administration(platform, platform.settings.base_url or address)


def _told_to_stop(_signal: int, _frame: object) -> None:
    sys.exit(0)  # through the context managers, which close the archive


def _notebooks_token(platform: Platform) -> Path:
    """Keep a token for notebooks beside the archive, in a file such as SciServer's notebooks know.

    Only the owner of the folder can read it; a start writes a new one when the one there has ended.
    """
    file = platform.settings.folder / "keystone.token"
    if _is_good(platform, file):
        return file
    if _NOTEBOOKS not in {user.name for user in platform.identity.users()}:
        platform.accounts.add(_NOTEBOOKS, (ADMINISTRATOR,), by=here())
    secret, _ = platform.accounts.new_token(
        _NOTEBOOKS, "for notebooks here", SCOPES, days=_TOKEN_DAYS, by=here()
    )
    file.touch(mode=0o600)
    file.write_text(f"{secret}\n", encoding="ascii")
    return file


def _is_good(platform: Platform, file: Path) -> bool:
    try:
        return platform.identity.identify(file.read_text(encoding="ascii").strip()).name == _NOTEBOOKS
    except (FileNotFoundError, AuthenticationError):
        return False


def _offer_administration(platform: Platform, address: str) -> None:
    """Print a link that makes its reader the administrator, until there is one; where awe itself keeps passwords."""
    accounts = {account.name: account for account in platform.identity.users()}
    if not platform.settings.login.passwords or any(
        ADMINISTRATOR in account.roles and account.has_password for account in accounts.values()
    ):
        return
    first = accounts.get(_FIRST)
    if first is None:
        platform.accounts.add(_FIRST, (ADMINISTRATOR,), by=here())
    elif ADMINISTRATOR not in first.roles or first.state is not AccountState.ACTIVE:
        return
    key = platform.accounts.link(_FIRST, by=here(), hours=_LINK_HOURS)
    click.echo(f"There is no administrator yet. Within an hour, set the password of {_FIRST} here, once:")
    click.echo(f"  {address.rstrip('/')}/auth/password#{key}\n")


def _greet(platform: Platform, address: str, token_file: Path) -> None:
    tables = [table for table in platform.catalogs.published() if table.kind == "table"]
    click.secho(f"\nawe is up at {address}", bold=True)
    for table in tables:
        click.echo(f"  {f'{table.schema}.{table.name}':<24} {table.rows:>12,} rows")
    if not tables:
        click.echo("  nothing is published yet: `awe publish --help`, or start with --demo")
    click.echo(f"  TAP      {address}/tap")
    click.echo(f"  API      {address}/api/docs")
    click.echo(f'  Python   import awe; archive = awe.connect("{address}")')
    click.echo(f"  token    {token_file}")
    if platform.settings.processes > 1:
        click.echo(f"  {platform.settings.processes} processes answer.")
    click.echo("Ctrl-C stops it; nothing is lost.\n")
