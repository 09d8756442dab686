"""The tokens in the system database."""

from datetime import datetime, timedelta

from sqlalchemy import JSON, Column, ForeignKey, Row, String, Table, Text, delete, insert, select, update

from awe.services.identity.model import ADMIN, ADMINISTRATOR, AccountState, Identity, Token, TokenKind
from awe.services.identity.stores._memberships import groups_of, users
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["TokenStore"]

_tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("user", String(255), ForeignKey(users.c.name, ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("last_used", UtcDateTime),
)
_NOTED_EVERY = timedelta(minutes=1)  # each request would be a write otherwise


class TokenStore:
    """Read and write tokens; a token itself is never seen here, only its hash."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add(self, token: Token, token_hash: str) -> None:
        """Keep a token; forget those that had ended when it was made."""
        row = {
            "id": token.id,
            "hash": token_hash,
            "user": token.user,
            "kind": token.kind.value,
            "label": token.label,
            "scopes": sorted(token.scopes),
            "created": token.created,
            "expires": token.expires,
        }
        with self._system.transaction() as connection:
            connection.execute(delete(_tokens).where(_tokens.c.expires < token.created))
            connection.execute(insert(_tokens).values(row))

    def owner(self, token_hash: str, now: datetime) -> Identity | None:
        """Return whose token this is, if it and the account are good at `now`; note that it was used.

        A token without the scope `ADMIN` makes no administrator.
        """
        query = (
            select(_tokens, users.c.roles)
            .join(users, _tokens.c.user == users.c.name)
            .where(
                _tokens.c.hash == token_hash,
                _tokens.c.expires >= now,
                users.c.state == AccountState.ACTIVE.value,
            )
        )
        with self._system.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            token = _token(row)
            groups = groups_of(connection, [token.user]).get(token.user, frozenset())
        if token.last_used is None or now - token.last_used >= _NOTED_EVERY:
            with self._system.transaction() as connection:
                connection.execute(update(_tokens).where(_tokens.c.id == token.id).values(last_used=now))
        roles = frozenset(row.roles) - (frozenset() if ADMIN in token.scopes else {ADMINISTRATOR})
        return Identity(token.user, roles, groups, token.scopes)

    def tokens(self, user: str, now: datetime) -> tuple[Token, ...]:
        """Return a user's tokens that are good at `now`, the newest first."""
        query = (
            select(_tokens)
            .where(_tokens.c.user == user, _tokens.c.expires >= now)
            .order_by(_tokens.c.created.desc(), _tokens.c.id)
        )
        with self._system.reading() as connection:
            return tuple(map(_token, connection.execute(query).all()))

    def token(self, token_id: str) -> Token | None:
        """Return a token by its id."""
        with self._system.reading() as connection:
            row = connection.execute(select(_tokens).where(_tokens.c.id == token_id)).first()
            return _token(row) if row else None

    def drop(self, token_hash: str) -> Token | None:
        """Forget a token; None if it was not there."""
        which = _tokens.c.hash == token_hash
        with self._system.transaction() as connection:
            row = connection.execute(select(_tokens).where(which)).first()
            connection.execute(delete(_tokens).where(which))
            return _token(row) if row else None

    def drop_id(self, token_id: str) -> None:
        """Forget the token with an id."""
        with self._system.transaction() as connection:
            connection.execute(delete(_tokens).where(_tokens.c.id == token_id))

    def drop_all(self, user: str) -> None:
        """Forget all tokens of a user."""
        with self._system.transaction() as connection:
            connection.execute(delete(_tokens).where(_tokens.c.user == user))


def _token(row: Row[tuple[object, ...]]) -> Token:
    return Token(
        id=row.id,
        user=row.user,
        kind=TokenKind(row.kind),
        label=row.label,
        scopes=frozenset(row.scopes),
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
    )
