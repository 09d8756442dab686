"""What an operator asks first: on which database and libraries it runs, with how much room."""

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from awe.services.system._database import SystemDatabase

__all__ = ["SystemState", "system_state"]

_LIBRARIES = ("duckdb", "fastapi", "pyarrow", "sqlalchemy", "sqlglot", "uvicorn")


@dataclass(frozen=True, slots=True)
class SystemState:
    """The state of an archive's ground.

    Attributes
    ----------
    schema
        Name of the schema of the system database.
    database
        Kind of the system database, and its version.
    free_bytes, total_bytes
        Of the disk that the data folder is on.
    libraries
        Versions of what much of the work is done with.
    """

    python: str
    schema: str
    database: str
    free_bytes: int
    total_bytes: int
    libraries: dict[str, str]


def system_state(system: SystemDatabase, folder: Path) -> SystemState:
    """Return the state now.

    Parameters
    ----------
    folder
        The data folder.

    Raises
    ------
    UnavailableError
        If the database cannot be read, or its schema is not this version's.
    """
    with system.reading() as connection:
        schema = system.schema(connection)
        dialect = connection.dialect
        number = ".".join(map(str, dialect.server_version_info or ()))
        database = f"{dialect.name} {number}".strip()
    room = shutil.disk_usage(folder)
    libraries = {name: version(name) for name in _LIBRARIES}
    return SystemState(platform.python_version(), schema, database, room.free, room.total, libraries)
