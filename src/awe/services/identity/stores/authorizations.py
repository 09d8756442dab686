"""The tables of what people allow clients: codes that become authorizations, and the refresh tokens of those."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from awe.services.identity.stores._memberships import users
from awe.services.system import UtcDateTime, metadata

__all__ = ["authorizations", "codes", "devices", "refresh_tokens"]

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
codes = Table(
    "authorization_codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("client", String(64), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("challenge", String(128), nullable=False),
    Column("auth_time", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column(
        "authorization", String(32), nullable=False, default=""
    ),  # no foreign key: it outlives what was made
)
devices = Table(
    "device_codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user_code_hash", String(64), nullable=False, unique=True),
    Column("client", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False, default="pending"),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), index=True),
    Column("auth_time", UtcDateTime),
    Column("interval_s", Integer, nullable=False),
    Column("asked", UtcDateTime),
)
