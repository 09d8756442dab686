"""The system database: what awe remembers besides the tables and images themselves.

`SystemDatabase` opens it (SQLite in the data folder, PostgreSQL for an archive), `metadata` is where
each service's ``store.py`` declares its tables, and ``migrations/`` brings an older database up to
date. Nothing here knows what the tables mean.
"""

from sqlalchemy import Connection

from awe.services.system._database import Migration, SystemDatabase, UtcDateTime, metadata

__all__ = ["Connection", "Migration", "SystemDatabase", "UtcDateTime", "metadata"]
