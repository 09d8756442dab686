"""The system database: what every database does that awe keeps its records in.

A database is added to the fixture ``database_url``.
"""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from awe.errors import UnavailableError
from awe.services.system import SystemDatabase, metadata


def test_migrating_twice_changes_nothing(system: SystemDatabase) -> None:
    with system.transaction() as connection:
        connection.execute(text("UPDATE catalog_state SET revision = 7"))
    system.migrate()
    with system.reading() as connection:
        assert connection.scalar(text("SELECT revision FROM catalog_state")) == 7


def test_two_that_migrate_at_once_both_succeed(database_url: str) -> None:
    databases = [SystemDatabase(database_url) for _ in range(4)]
    failures = []

    def migrate(database: SystemDatabase) -> None:
        try:
            database.migrate()
        except Exception as error:  # noqa: BLE001  # reported by the assertion
            failures.append(error)

    threads = [threading.Thread(target=migrate, args=[d]) for d in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()
    assert failures == []


def test_a_newer_schema_is_refused_with_the_command_that_helps(system: SystemDatabase) -> None:
    with system.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnavailableError, match="9999") as caught:
        system.migrate()
    assert caught.value.hint == "pip install --upgrade awe"


def test_a_failed_transaction_leaves_nothing(system: SystemDatabase) -> None:
    users = metadata.tables["users"]
    row = {"name": "ann", "roles": [], "created": "2026-01-01"}

    def fail() -> None:
        with system.transaction() as connection:
            connection.execute(text("UPDATE catalog_state SET revision = 9"))
            raise RuntimeError(row)

    with pytest.raises(RuntimeError):
        fail()
    with system.reading() as connection:
        assert connection.execute(select(users.c.name)).all() == []
        assert connection.scalar(text("SELECT revision FROM catalog_state")) == 0


def test_foreign_keys_are_enforced(system: SystemDatabase) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    row = {"provider": "x", "subject": "y", "user": "nobody", "created": moment}
    with pytest.raises(IntegrityError), system.transaction() as connection:
        connection.execute(insert(metadata.tables["external_identities"]).values(row))


def test_writers_wait_for_each_other_and_readers_do_not(system: SystemDatabase) -> None:
    def add() -> None:
        for _ in range(20):
            with system.transaction() as connection:
                value = connection.scalar(text("SELECT revision FROM catalog_state"))
                connection.execute(text("UPDATE catalog_state SET revision = :v"), {"v": value + 1})

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    with system.reading() as connection:
        connection.scalar(text("SELECT revision FROM catalog_state"))
    for thread in threads:
        thread.join()
    with system.reading() as connection:
        assert connection.scalar(text("SELECT revision FROM catalog_state")) == 160


def test_a_moment_comes_back_in_utc(system: SystemDatabase) -> None:
    users = metadata.tables["users"]
    there = datetime(2003, 1, 19, 12, 20, 5, tzinfo=timezone(timedelta(hours=1)))
    with system.transaction() as connection:
        connection.execute(insert(users).values(name="ann", roles=[], created=there))
    with system.reading() as connection:
        found = connection.scalar(select(users.c.created))
    assert found == there
    assert found.tzinfo is UTC


def test_a_reader_sees_one_state(system: SystemDatabase) -> None:
    query = text("SELECT revision FROM catalog_state")
    with system.reading() as before:
        assert before.scalar(query) == 0
        with system.transaction() as connection:
            connection.execute(text("UPDATE catalog_state SET revision = 5"))
        assert before.scalar(query) == 0
    with system.reading() as after:
        assert after.scalar(query) == 5
