"""Who allowed which client to act for them: one row for each time, and the refresh tokens that hang on it."""

from sqlalchemy import JSON, Column, ForeignKey, String, Table

from awe.services.identity.stores._memberships import users
from awe.services.system import UtcDateTime, metadata

__all__ = ["authorizations", "refresh_tokens"]

authorizations = Table(
    "authorizations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("client", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("auth_time", UtcDateTime, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
)
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column(
        "authorization",
        String(32),
        ForeignKey(authorizations.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("expires", UtcDateTime, nullable=False),
    Column(
        "used", UtcDateTime
    ),  # kept although it is used: who comes with it again has stolen it, or was stolen from
)
