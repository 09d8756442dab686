"""Values of users' tables: their names, and their versions.

``mydb.t``, ``mydb://t``, ``mydb..t``, ``t`` and, for the user ada, ``user_ada.t`` are one table.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from awe.core.sql.dialects.adql import RESERVED_WORDS
from awe.errors import ParameterError
from awe.services.catalogs.model import MYDB, USER_PREFIX, TableRecord

__all__ = ["TableName", "TableVersion", "UserSchema", "parse_name", "schema_stem"]

_LONGEST = 63
_NAME = re.compile(
    r"(?:(?P<schema>[A-Za-z][A-Za-z0-9_]{0,62})(?:://|\.\.|\.dbo\.|\.))?(?P<table>[A-Za-z][A-Za-z0-9_]{0,62})",
    re.IGNORECASE,
)
_OTHER = re.compile(r"[^a-z0-9_]")


@dataclass(frozen=True, slots=True)
class TableName:
    """A name as somebody wrote it: `schema` is empty for the caller's own."""

    schema: str
    table: str


@dataclass(frozen=True, slots=True)
class UserSchema:
    """A user's schema; `revision` grows with every change of a table in it."""

    name: str
    owner: str
    revision: int


@dataclass(frozen=True, slots=True)
class TableVersion:
    """One version of a user's table.

    Attributes
    ----------
    number
        Counts the versions of a name, from one.
    record
        The table as this version has it.
    origin
        The SQL or the file that it came from.
    ended
        When it was replaced or dropped; None for the current one.
    """

    number: int
    record: TableRecord
    created: datetime
    origin: str = ""
    ended: datetime | None = None

    @property
    def is_current(self) -> bool:
        """True for the version that is read."""
        return self.ended is None


def parse_name(text: str) -> TableName:
    """Take a name apart.

    Raises
    ------
    ParameterError
        If it is none, or a word of ADQL.
    """
    found = _NAME.fullmatch(text.strip())
    if found is None:
        hint = "mydb.name; letters, digits and underscores, beginning with a letter, at most 63"
        raise ParameterError("table", text, "not the name of a table", hint=hint)
    schema, table = (found["schema"] or "").casefold(), found["table"]
    if table.upper() in RESERVED_WORDS:
        raise ParameterError("table", text, f"{table} is a word of ADQL", hint="choose another name")
    return TableName("" if schema in {MYDB, "dbo"} else schema, table)


def schema_stem(owner: str) -> str:
    """Return the name that a user's schema has where no other one has it."""
    return (USER_PREFIX + _OTHER.sub("_", owner.casefold()))[:_LONGEST]
