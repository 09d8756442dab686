"""``awe admin migrate|backup|restore|system``: the ground of an archive."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from awe import __version__
from awe.cli._archive import data_option, here
from awe.cli._common import json_option, print_table, text_table
from awe.errors import NotFoundError
from awe.platform import open_system
from awe.services.identity import AuditLog, AuditStore
from awe.services.system import SystemDatabase, backup, restore, system_state
from awe.settings import Settings

__all__ = ["backup_archive", "migrate", "restore_archive", "show_system"]


@click.command("system")
@data_option
@json_option
def show_system(data: Path | None, as_json: bool) -> None:
    """Say which version runs, on which database, with how much room."""
    settings = Settings.load(data)
    with _ground(settings) as system:
        state = {"version": __version__, **asdict(system_state(system, settings.folder))}
    if as_json:
        click.echo(json.dumps(state))
        return
    libraries = state.pop("libraries")
    rows = [(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else value) for name, value in
            {**state, **libraries}.items()]  # fmt: skip
    print_table(text_table(("what", "value"), rows), as_json=False, most=None)


@click.command("migrate")
@data_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def migrate(data: Path | None, dry_run: bool) -> None:
    """Bring the system database of an older awe up to this version's schema.

    Stop the service first. An SQLite database is copied before anything is changed: the copy beside it is what the
    older awe can go on with. Make a copy of a PostgreSQL database with pg_dump.
    """
    settings = Settings.load(data)
    with _ground(settings) as system:
        revision, steps = system.pending()
        for step in steps:
            click.echo(f"  {step.revision:<20} {step.what}")
        if not steps or dry_run:
            click.echo(f"nothing is changed; the schema is {revision}")
            return
        copy = settings.folder / f"awe.db.{revision}"
        if revision is not None and system.copy_to(copy):
            click.echo(f"the database as it was: {copy}")
        system.migrate()
        _record(system, "system.migrated", steps[-1].revision)
        click.echo(f"the schema is {steps[-1].revision} now")


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def backup_archive(file: Path, data: Path | None) -> None:
    """Write everything but the catalogues into FILE, while the service runs.

    That is the system database, the settings, the notebooks' token and the files of jobs. Keep FILE as secret as
    they are. Copy the folders tables and hips of the data folder beside it: what is in them does not change.
    """
    settings = Settings.load(data)
    with _ground(settings) as system:
        manifest = backup(system, settings.folder, file.absolute())
        _record(system, "backup.made", manifest.schema)
    click.echo(
        f"{file}: {sum(manifest.rows.values()):,} records of {manifest.created}, schema {manifest.schema}"
    )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@data_option
def restore_archive(file: Path, data: Path | None) -> None:
    """Make an archive of FILE, where there is none yet.

    Set AWE_DATABASE_URL, or write awe.toml first, to restore into PostgreSQL.
    """
    settings = Settings.load(data)
    settings.folder.mkdir(parents=True, exist_ok=True)
    with _ground(settings) as system:
        manifest = restore(file, system, settings.folder, settings.database_url)
        _record(system, "backup.restored", manifest.schema)
    click.echo(f"{settings.folder}: {sum(manifest.rows.values()):,} records of {manifest.created}")


@contextmanager
def _ground(settings: Settings) -> Iterator[SystemDatabase]:
    """Open the system database of a data folder, whatever its schema, and close it."""
    if not settings.folder.is_dir():
        raise NotFoundError(f"there is no archive in {settings.folder}")
    system = open_system(settings)
    try:
        yield system
    finally:
        system.close()


def _record(system: SystemDatabase, action: str, schema: str) -> None:
    AuditLog(AuditStore(system)).record(action, user=here(), schema=schema)
