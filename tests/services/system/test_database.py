import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

import awe.platform
from awe.errors import UnavailableError, UsageError
from awe.services.identity import ADMINISTRATOR, AccountStore, Identity, TokenStore
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


def test_a_bad_url_is_explained() -> None:
    with pytest.raises(UsageError, match="database_url"):
        SystemDatabase("not a url")


def test_a_folder_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "awe.db").mkdir()
    database = SystemDatabase.in_folder(tmp_path)
    with pytest.raises(UnavailableError, match="cannot be opened"):
        database.migrate()
    database.close()


def test_accounts_and_tokens_of_before_stay_valid(tmp_path: Path) -> None:
    database = SystemDatabase.in_folder(tmp_path)
    config = Config()
    config.set_main_option("script_location", "awe.services.system:migrations")
    config.set_main_option("path_separator", "os")
    digest = hashlib.sha256(b"0" * 32).hexdigest()
    with database.transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008_job_parts")
        connection.execute(
            text("INSERT INTO users VALUES ('ann', 'x', '[\"administrator\"]', '[]', '2026-01-01')")
        )
        connection.execute(text("INSERT INTO tokens VALUES (:hash, 'ann', 4e9)"), {"hash": digest})
    database.migrate()
    stores = AccountStore(database), TokenStore(database)
    ann = Identity("ann", frozenset({ADMINISTRATOR}))
    assert stores[0].identity("ann") == ann
    assert stores[1].owner(digest, datetime.now(UTC)) == ann
    with database.transaction() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0008_job_parts")
        assert tuple(connection.execute(text("SELECT * FROM tokens")).one()) == (digest, "ann", 4e9)
    database.close()
