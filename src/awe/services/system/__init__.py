"""The system database: what awe remembers besides the tables and images themselves.

`SystemDatabase` opens it (SQLite in the data folder, PostgreSQL for an archive), `metadata` is where
each service's ``store.py`` declares its tables, and ``migrations/`` brings an older database up to
date, `backup` and `restore` keep it and what lies beside it, `Presence` says which processes that share it are alive.
Nothing here knows what the tables mean.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection

from awe.services.system._database import Migration, SystemDatabase, UtcDateTime, metadata
from awe.services.system.backup import Manifest, backup, restore, write_backup
from awe.services.system.presence import Presence
from awe.services.system.state import SystemState, system_state

__all__ = [
    "Condition",
    "Connection",
    "Manifest",
    "Migration",
    "Presence",
    "SqlValue",
    "SystemDatabase",
    "SystemState",
    "UtcDateTime",
    "backup",
    "metadata",
    "restore",
    "system_state",
    "write_backup",
]

Condition = ColumnElement[bool]
"""A condition of SQL, for the ``WHERE`` of another service's query."""
SqlValue = ColumnElement[Any]
"""A column or a value in a query."""
