import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

import awe.platform
from awe.errors import UnavailableError, UsageError
from awe.services.system import SystemDatabase, metadata

assert awe.platform.__all__  # importing it declares every service's tables


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SystemDatabase]:
    database = SystemDatabase.in_folder(tmp_path)
    database.migrate()
    yield database
    database.close()


def _is_declared(_object: object, _name: object, kind: str, reflected: bool, counterpart: object) -> bool:
    """Leave out what an installed service would declare and this one does not."""
    return not (kind == "table" and reflected and counterpart is None)


def test_the_migrations_make_what_the_stores_declare(system: SystemDatabase) -> None:
    with system.reading() as connection:
        options = {"compare_type": True, "include_object": _is_declared}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_tables_can_be_made_in_postgresql() -> None:
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def test_migrating_twice_changes_nothing(system: SystemDatabase) -> None:
    with system.transaction() as connection:
        connection.execute(text("UPDATE catalog_state SET revision = 7"))
    system.migrate()
    with system.reading() as connection:
        assert connection.scalar(text("SELECT revision FROM catalog_state")) == 7


def test_two_that_migrate_at_once_both_succeed(tmp_path: Path) -> None:
    databases = [SystemDatabase.in_folder(tmp_path) for _ in range(4)]
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
    row = {"name": "ann", "roles": [], "groups": [], "created": "2026-01-01"}

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
    row = {"token_hash": "x", "user": "nobody", "expires": 1.0}
    with pytest.raises(IntegrityError), system.transaction() as connection:
        connection.execute(insert(metadata.tables["tokens"]).values(row))


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


def test_a_bad_url_is_explained() -> None:
    with pytest.raises(UsageError, match="database_url"):
        SystemDatabase("not a url")


def test_a_folder_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "awe.db").mkdir()
    database = SystemDatabase.in_folder(tmp_path)
    with pytest.raises(UnavailableError, match="cannot be opened"):
        database.migrate()
    database.close()
