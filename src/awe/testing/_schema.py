"""The schema of the system database, made once in a process: its migrations take longer than most tests."""

import tempfile
from functools import cache
from pathlib import Path

from awe.services.system import SystemDatabase

__all__ = ["with_schema"]


def with_schema(folder: Path) -> Path:
    """Return `folder`, made where needed, with an SQLite database of this version's schema if it has none.

    The schema is the one that the migrations make: it is copied from a database that they made before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "awe.db"
    if not database.exists():
        database.write_bytes(_empty_database())
    return folder


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as made:
        database = SystemDatabase.in_folder(Path(made))
        try:
            database.migrate()
            copy = Path(made, "copy.db")
            database.copy_to(copy)
        finally:
            database.close()
        return copy.read_bytes()
