"""Bringing the schema up to date: whole or not at all, once, and only when an operator asks for it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from awe.errors import UnavailableError
from awe.platform import Platform
from awe.services.system import SystemDatabase, metadata
from awe.services.system._database import _config
from awe.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
OLD = "0003_foreign_keys"
ROWS = (
    "INSERT INTO users (name, roles, groups, created) VALUES ('ann', '[]', '[]', '2026-01-01 00:00:00')",
    "INSERT INTO tokens (token_hash, \"user\", expires) VALUES ('abc', 'ann', 1.5)",
    """INSERT INTO datasets (publisher_did, obs_id, collection, path, hdu, size, mtime, header, ra, dec)
    VALUES ('ivo://x/1', 'one', 'hla', '/one.fits', 0, 7, 1.5, '{}', 187.7, 12.4)""",
)


@pytest.fixture
def old(database_url: str) -> str:
    """Return the address of a database that an older awe left, with rows in it."""
    database = SystemDatabase(database_url)
    config = _config()
    with database.transaction(lasting=False) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLD)
        for row in ROWS:
            connection.execute(text(row))
    database.close()
    return database_url


def _state(url: str) -> tuple[object, ...]:
    """Return what a database is: its schema's name, its tables' columns, and some of its rows."""
    database = SystemDatabase(url)
    try:
        with database.reading() as connection:
            looked = inspect(connection)
            columns = {t: sorted(c["name"] for c in looked.get_columns(t)) for t in looked.get_table_names()}
            revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
            rows = [
                connection.scalar(text(f"SELECT count(*) FROM {t}")) for t in ("users", "tokens", "datasets")
            ]
    finally:
        database.close()
    return revision, columns, rows


def _is_declared(_object: object, _name: object, kind: str, reflected: bool, counterpart: object) -> bool:
    """Leave out what an installed service would declare and this one does not."""
    return not (kind == "table" and reflected and counterpart is None)


def test_the_migrations_make_what_the_stores_declare(system: SystemDatabase) -> None:
    with system.reading() as connection:
        options = {"compare_type": True, "include_object": _is_declared}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_rows_survive_and_nothing_that_points_to_them_is_lost(old: str) -> None:
    database = SystemDatabase(old)
    revision, steps = database.pending()
    assert revision == OLD
    assert [step.revision for step in steps][:2] == ["0004_datasets", "0005_coverages"]
    assert all(step.what for step in steps)
    database.migrate()
    assert database.pending() == (steps[-1].revision, ())
    database.close()
    assert _state(old)[2] == [1, 1, 1]


READERS = {
    "open": [],
    "hers": ["ann"],
    "theirs": ["team"],
    "chiefs": ["administrator"],
    "mixed": ["ann", "team", "gone"],
}
"""Who could read the tables of an older awe: users, groups and roles by their bare names."""


def test_what_was_closed_stays_closed_and_to_the_same_people(database_url: str) -> None:
    database = SystemDatabase(database_url)
    config = _config()
    with database.transaction(lasting=False) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009_accounts")
        insert = connection.execute
        insert(
            text(
                "INSERT INTO users (name, state, display_name, email, roles, groups, created)"
                " VALUES ('ann', 'active', '', '', '[]', '[\"team\"]', '2026-01-01 00:00:00')"
            )
        )
        insert(
            text(
                "INSERT INTO schemas (folded, name, title, description, utype) VALUES ('s', 's', '', '', '')"
            )
        )
        for name, readers in READERS.items():
            values = {"folded": name, "name": name, "place": name, "readers": json.dumps(readers)}
            insert(
                text(
                    "INSERT INTO tables (schema, folded, name, title, description, utype, metadata, readers,"
                    " location, rows, bytes, version, created) VALUES ('s', :folded, :name, '', '', '', '{}',"
                    " :readers, :place, 0, 0, 1, '2026-01-01 00:00:00')"
                ),
                values,
            )
    database.migrate()
    with database.reading() as connection:
        rows = connection.execute(text("SELECT name, principal FROM grants WHERE kind = 'table'")).all()
    assert {(name, principal) for name, principal in rows} == {
        ("s.open", "everybody"),
        ("s.hers", "user:ann"),
        ("s.theirs", "group:team"),
        ("s.chiefs", "role:administrator"),
        ("s.mixed", "user:ann"),
        ("s.mixed", "group:team"),
        ("s.mixed", "role:gone"),
    }
    with database.transaction(lasting=False) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0013_quotas")
    with database.reading() as connection:
        back = connection.execute(text("SELECT name, readers FROM tables")).all()
    database.close()
    readable = {name: json.loads(found) if isinstance(found, str) else found for name, found in back}
    assert {name: set(found) for name, found in readable.items()} == {n: set(r) for n, r in READERS.items()}


def test_a_table_that_others_point_to_can_be_made_anew(system: SystemDatabase, monkeypatch: Any) -> None:
    """What SQLite has to do to change a column must not remove the rows of other tables."""
    with system.transaction() as connection:
        connection.execute(text("CREATE TABLE one (id INTEGER PRIMARY KEY, gone INTEGER)"))
        connection.execute(text("CREATE TABLE many (one INTEGER REFERENCES one (id) ON DELETE CASCADE)"))
        connection.execute(text("INSERT INTO one VALUES (1, 2)"))
        connection.execute(text("INSERT INTO many VALUES (1)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    def upgrade(config: Any, _revision: str) -> None:
        operations = Operations(MigrationContext.configure(config.attributes["connection"]))
        with operations.batch_alter_table("one", recreate="auto") as table:
            table.drop_column("gone")

    monkeypatch.setattr(command, "upgrade", upgrade)
    system.migrate()
    with system.reading() as connection:
        assert connection.execute(text("SELECT one FROM many")).all() == [(1,)]
    with pytest.raises(IntegrityError), system.transaction() as connection:
        connection.execute(text("INSERT INTO many VALUES (7)"))


def test_an_older_schema_is_refused_with_the_command_that_helps(old: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=f"the schema {OLD} of an older awe") as caught:
        Platform.open(Settings.load(tmp_path / "my sky", database_url=old))
    assert caught.value.hint == f"awe admin migrate --data '{tmp_path / 'my sky'}'"
    assert _state(old)[0] == OLD


# Each child of this process ends itself with SIGKILL: before its n-th statement, or after some milliseconds.
KILLED = """
import os, signal, sys, threading
from sqlalchemy import event
from awe.services.system import SystemDatabase
url, how, number = sys.argv[1], sys.argv[2], 0
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
while True:
    number += 6  # not each one: there are many statements, and each try takes a moment
    child = os.fork()
    if child == 0:
        database = SystemDatabase(url)
        if how == "statement":
            left = iter(range(number))
            event.listen(
                database.engine, "before_cursor_execute", lambda *_: die() if next(left, None) is None else None
            )
        else:
            threading.Timer(0.002 * 1.3 ** (number / 6), die).start()  # the first is sooner than any migration ends
        database.migrate()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else "done", flush=True)
    if not os.WIFSIGNALED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
    sys.stdin.readline()
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["statement", "moment"])
def test_killed_in_the_middle_it_is_the_old_schema_or_the_new_one(
    old: str, new_reference: Callable[[], tuple[object, ...]], how: str
) -> None:
    before, after = _state(old), new_reference()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, old, how],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    ) as killer:  # fmt: skip
        assert killer.stdout is not None
        assert killer.stdin is not None
        kills = 0
        while killer.stdout.readline() == "killed\n":
            kills += 1
            assert _state(old) in (before, after)
            killer.stdin.write("\n")
            killer.stdin.flush()
        assert killer.wait(30) == 0
    assert _state(old) == after
    assert kills >= (5 if how == "statement" else 1)


@pytest.fixture
def new_reference(tmp_path: Path) -> Callable[[], tuple[object, ...]]:
    """Return what the state of the old database is after one migration that nobody disturbed."""

    def make() -> tuple[object, ...]:
        url = f"sqlite:///{tmp_path / 'reference.db'}"
        database = SystemDatabase(url)
        config = _config()
        with database.transaction(lasting=False) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, OLD)
            for row in ROWS:
                connection.execute(text(row))
        database.migrate()
        database.close()
        return _state(url)

    return make


STARTED = """
import os, sys
from awe.services.system import SystemDatabase
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        database = SystemDatabase(sys.argv[1])
        database.prepare("")
        os._exit(0)
    children.append(child)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


@pytest.mark.slow
def test_processes_that_start_at_once_make_the_schema_once(database_url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", STARTED, database_url],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert _state(database_url)[2] == [0, 0, 0]
