"""The tokens in the system database."""

from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from awe.services.identity.model import AccountState, Identity, Token, TokenKind
from awe.services.identity.stores._memberships import groups_of, users
from awe.services.identity.stores.authorizations import authorizations, codes, devices, refresh_tokens
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["TokenStore", "end_all", "token_row", "tokens"]

tokens = Table(
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
    Column("client", String(64), nullable=False, default=""),
    Column(  # what a client got ends with what it was allowed
        "authorization", String(32), ForeignKey(authorizations.c.id, ondelete="CASCADE"), index=True
    ),
)
_NOTED_EVERY = timedelta(minutes=1)  # each request would be a write otherwise


_ALLOWED = select(
    authorizations,
    select(func.max(tokens.c.last_used))
    .where(tokens.c.authorization == authorizations.c.id)
    .scalar_subquery()
    .label("last_used"),
    select(func.max(refresh_tokens.c.used))
    .where(refresh_tokens.c.authorization == authorizations.c.id)
    .scalar_subquery()
    .label("renewed"),
)
"""What clients were allowed, and when they last used it."""


def end_all(connection: Connection, user: str) -> None:
    """Forget all tokens of a user, what clients were allowed, and what they could still fetch, in a transaction."""
    for table in (codes, devices, authorizations, tokens):
        connection.execute(delete(table).where(table.c.user == user))


class TokenStore:
    """Read and write tokens; a token itself is never seen here, only its hash."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add(self, token: Token, token_hash: str) -> None:
        """Keep a token; forget those that had ended when it was made."""
        with self._system.transaction() as connection:
            connection.execute(delete(tokens).where(tokens.c.expires < token.created))
            connection.execute(insert(tokens).values(token_row(token, token_hash)))

    def owner(self, token_hash: str, now: datetime) -> Identity | None:
        """Return whose token this is, if it and the account are good at `now`; note that it was used.

        A token without the scope `ADMIN` makes no administrator.
        """
        query = (
            select(tokens, users.c.roles)
            .join(users, tokens.c.user == users.c.name)
            .where(
                tokens.c.hash == token_hash,
                tokens.c.expires >= now,
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
                connection.execute(update(tokens).where(tokens.c.id == token.id).values(last_used=now))
        return Identity(token.user, frozenset(row.roles), groups, token.scopes).restricted(token.scopes)

    def tokens(self, user: str, now: datetime) -> tuple[Token, ...]:
        """Return a user's tokens that are good at `now`, the newest first.

        What a client was allowed is one of them, however many tokens it got for it.
        """
        own = (tokens.c.user == user) & (tokens.c.expires >= now) & tokens.c.authorization.is_(None)
        allowed = (authorizations.c.user == user) & (authorizations.c.expires >= now)
        with self._system.reading() as connection:
            found = [_token(row) for row in connection.execute(select(tokens).where(own))]
            found += [_of_client(row) for row in connection.execute(_ALLOWED.where(allowed))]
        return tuple(sorted(found, key=lambda token: (token.created, token.id), reverse=True))

    def token(self, token_id: str) -> Token | None:
        """Return a token by its id."""
        with self._system.reading() as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == token_id)).first()
            if row is not None:
                return _token(row)
            row = connection.execute(_ALLOWED.where(authorizations.c.id == token_id)).first()
            return _of_client(row) if row else None

    def by_hash(self, token_hash: str, now: datetime) -> Token | None:
        """Return the token with a hash, if it is good at `now`."""
        query = select(tokens).where(tokens.c.hash == token_hash, tokens.c.expires >= now)
        with self._system.reading() as connection:
            row = connection.execute(query).first()
            return _token(row) if row else None

    def drop(self, token_hash: str) -> Token | None:
        """Forget a token; None if it was not there. With that of a client all ends that the client was allowed."""
        return self._drop(tokens.c.hash == token_hash)

    def drop_id(self, token_id: str) -> None:
        """Forget the token with an id, as `drop`; that of a client may be named by what the client was allowed."""
        self._drop((tokens.c.id == token_id) | (tokens.c.authorization == token_id), authorization=token_id)

    def drop_all(self, user: str) -> None:
        """Forget all tokens of a user, what clients were allowed, and what they could still fetch."""
        with self._system.transaction() as connection:
            end_all(connection, user)

    def _drop(self, which: ColumnElement[bool], authorization: str = "") -> Token | None:
        with self._system.transaction() as connection:
            row = connection.execute(select(tokens).where(which)).first()
            ended = {authorization, row.authorization if row else None}
            connection.execute(delete(tokens).where(which))
            connection.execute(delete(authorizations).where(authorizations.c.id.in_(ended - {None, ""})))
            return _token(row) if row else None


def token_row(token: Token, token_hash: str) -> dict[str, object]:
    """Return the row of a token."""
    return {
        "id": token.id,
        "hash": token_hash,
        "user": token.user,
        "kind": token.kind.value,
        "label": token.label,
        "scopes": sorted(token.scopes),
        "created": token.created,
        "expires": token.expires,
        "client": token.client,
        "authorization": token.authorization or None,
    }


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
        client=row.client,
        authorization=row.authorization or "",
    )


def _of_client(row: Row[tuple[object, ...]]) -> Token:
    used = [at for at in (row.last_used, row.renewed) if at is not None]
    return Token(
        id=row.id,
        user=row.user,
        kind=TokenKind.CLIENT,
        label=row.client,
        scopes=frozenset(row.scopes),
        created=row.created,
        expires=row.expires,
        last_used=max(used, default=None),
        client=row.client,
        authorization=row.id,
    )
