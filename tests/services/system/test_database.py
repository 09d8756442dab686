import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from awe.errors import UnavailableError, UsageError
from awe.services.identity import ADMINISTRATOR, AccountStore, Identity, TokenStore
from awe.services.system import SystemDatabase


def test_a_bad_url_is_explained() -> None:
    for url in ("not a url", "mysql://localhost/awe", "postgresql+pg8000://localhost/awe"):
        with pytest.raises(UsageError, match="database_url"):
            SystemDatabase(url)


def test_a_value_that_does_not_fit_is_explained(system: SystemDatabase) -> None:
    if system.engine.dialect.name == "postgresql":  # SQLite keeps what it is given
        with pytest.raises(UsageError, match="NUL"), system.reading() as connection:
            connection.execute(text("SELECT 1 WHERE 'a' = :name"), {"name": "a\0b"})
    with system.reading() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_folder_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "awe.db").mkdir()
    database = SystemDatabase.in_folder(tmp_path)
    with pytest.raises(UnavailableError, match="cannot be opened"):
        database.migrate()
    database.close()


def test_accounts_and_tokens_of_before_stay_valid(database_url: str) -> None:
    database = SystemDatabase(database_url)
    config = Config()
    config.set_main_option("script_location", "awe.services.system:migrations")
    config.set_main_option("path_separator", "os")
    digest = hashlib.sha256(b"0" * 32).hexdigest()
    with database.transaction(lasting=False) as connection:
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
    with database.transaction(lasting=False) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0008_job_parts")
        assert tuple(connection.execute(text("SELECT * FROM tokens")).one()) == (digest, "ann", 4e9)
    database.close()
