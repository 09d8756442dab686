"""What the provider remembers: codes, device codes, authorizations with their refresh tokens, the keys that sign.

Each exchange is one transaction: of two who come with the same code or refresh token at once, one is given something.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from awe.services.identity.authorization import (
    Authorization,
    AuthorizationRequest,
    Code,
    Device,
    DeviceState,
    Refresh,
)
from awe.services.identity.model import Token
from awe.services.identity.stores.authorizations import authorizations, codes, devices, refresh_tokens
from awe.services.identity.stores.tokens import token_row, tokens
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["ProviderStore"]

_keys = Table(
    "signing_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("private", Text, nullable=False),
    Column("created", UtcDateTime, nullable=False, index=True),
)
_REMEMBERED = timedelta(days=1)
"""So long a code is known after its end: who comes with it again is noticed."""
_SLOWER_S = 5  # RFC 8628 section 3.5


class ProviderStore:
    """Read and write; secrets are never seen here, only their hashes. The signing keys are: they are needed whole."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add_code(self, code: Code, expires: datetime, now: datetime) -> None:
        """Keep a code; forget those that ended long ago."""
        row = {
            "hash": code.hash,
            "user": code.user,
            "client": code.request.client,
            "redirect_uri": code.request.redirect_uri,
            "scopes": sorted(code.request.scopes),
            "nonce": code.request.nonce,
            "challenge": code.request.challenge,
            "auth_time": code.auth_time,
            "expires": expires,
        }
        with self._system.transaction() as connection:
            connection.execute(delete(codes).where(codes.c.expires < now - _REMEMBERED))
            connection.execute(insert(codes).values(row))

    def code(self, code_hash: str, now: datetime) -> Code | None:
        """Return a code that is good at `now`, or was exchanged already."""
        query = select(codes).where(
            codes.c.hash == code_hash, (codes.c.expires >= now) | (codes.c.authorization != "")
        )
        with self._system.reading() as connection:
            row = connection.execute(query).first()
            return _code(row) if row else None

    def take_code(
        self, code_hash: str, authorization: Authorization, token: Token, hashes: tuple[str, str]
    ) -> bool:
        """Exchange a code once for an authorization with its tokens; False if it was exchanged already.

        Parameters
        ----------
        hashes
            Of the access token and of the refresh token.
        """
        which = (codes.c.hash == code_hash) & (codes.c.authorization == "")
        with self._system.transaction() as connection:
            taken = update(codes).where(which).values(authorization=authorization.id)
            if not connection.execute(taken).rowcount:
                return False
            _begin(connection, authorization, token, hashes)
            return True

    def add_device(self, device: Device, interval_s: int) -> None:
        """Keep a device code; forget those that have ended."""
        row = {
            "hash": device.hash,
            "user_code_hash": device.user_code_hash,
            "client": device.client,
            "scopes": sorted(device.scopes),
            "created": device.created,
            "expires": device.expires,
            "interval_s": interval_s,
        }
        with self._system.transaction() as connection:
            connection.execute(delete(devices).where(devices.c.expires < device.created - _REMEMBERED))
            connection.execute(insert(devices).values(row))

    def device(self, device_hash: str) -> Device | None:
        """Return a device code, also one that has ended lately."""
        return self._device(devices.c.hash == device_hash)

    def entered(self, user_code_hash: str, now: datetime) -> Device | None:
        """Return the device code whose other half a person entered, if nobody has decided about it yet."""
        pending = (devices.c.expires >= now) & (devices.c.state == DeviceState.PENDING.value)
        return self._device((devices.c.user_code_hash == user_code_hash) & pending)

    def decide(self, device: Device, user: str, auth_time: datetime, *, allowed: bool) -> bool:
        """Keep what a person decided, once; False if it was decided already."""
        state = DeviceState.ALLOWED if allowed else DeviceState.DENIED
        which = (devices.c.hash == device.hash) & (devices.c.state == DeviceState.PENDING.value)
        values = {"state": state.value, "user": user, "auth_time": auth_time}
        with self._system.transaction() as connection:
            return connection.execute(update(devices).where(which).values(values)).rowcount > 0

    def too_early(self, device_hash: str, now: datetime) -> bool:
        """Note that a program asks what became of its device code; say whether it should have waited longer.

        If so, it has to wait longer from now on.
        """
        query = select(devices.c.asked, devices.c.interval_s).where(devices.c.hash == device_hash)
        with self._system.transaction() as connection:
            row = connection.execute(query).first()
            if row is None:
                return False
            early = row.asked is not None and now - row.asked < timedelta(seconds=row.interval_s)
            interval_s = row.interval_s + (_SLOWER_S if early else 0)
            which = update(devices).where(devices.c.hash == device_hash)
            connection.execute(which.values(asked=now, interval_s=interval_s))
            return bool(early)

    def take_device(
        self, device_hash: str, authorization: Authorization, token: Token, hashes: tuple[str, str]
    ) -> bool:
        """Exchange a device code that was allowed, as `take_code`."""
        which = (devices.c.hash == device_hash) & (devices.c.state == DeviceState.ALLOWED.value)
        with self._system.transaction() as connection:
            if not connection.execute(delete(devices).where(which)).rowcount:
                return False
            _begin(connection, authorization, token, hashes)
            return True

    def refresh(self, token_hash: str, now: datetime) -> tuple[Refresh, bool] | None:
        """Return a refresh token that has not ended at `now`, and whether it was used already."""
        query = (
            select(authorizations, refresh_tokens.c.expires.label("ends"), refresh_tokens.c.used)
            .join(refresh_tokens, refresh_tokens.c.authorization == authorizations.c.id)
            .where(refresh_tokens.c.hash == token_hash, refresh_tokens.c.expires >= now)
        )
        with self._system.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Refresh(token_hash, _authorization(row), row.ends), row.used is not None

    def rotate(self, refresh: Refresh, expires: datetime, token: Token, hashes: tuple[str, str]) -> bool:
        """Exchange a refresh token once for an access token and the next refresh token.

        Returns
        -------
        False if it was used already: then the authorization has ended.
        """
        which = (refresh_tokens.c.hash == refresh.hash) & refresh_tokens.c.used.is_(None)
        family = refresh.authorization.id
        with self._system.transaction() as connection:
            used = update(refresh_tokens).where(which).values(used=token.created)
            if not connection.execute(used).rowcount:
                connection.execute(delete(authorizations).where(authorizations.c.id == family))
                return False
            longer = update(authorizations).where(authorizations.c.id == family).values(expires=expires)
            connection.execute(longer)
            # a used one is remembered as long as it would have been good
            gone = (refresh_tokens.c.authorization == family) & (refresh_tokens.c.expires < token.created)
            connection.execute(delete(refresh_tokens).where(gone))
            _issue(connection, family, expires, token, hashes)
            return True

    def authorizations(self, user: str, now: datetime) -> tuple[Authorization, ...]:
        """Return what a user allows at `now`, the newest first."""
        query = (
            select(authorizations)
            .where(authorizations.c.user == user, authorizations.c.expires >= now)
            .order_by(authorizations.c.created.desc(), authorizations.c.id)
        )
        with self._system.reading() as connection:
            return tuple(map(_authorization, connection.execute(query).all()))

    def end(self, authorization: str) -> Authorization | None:
        """End an authorization with all its tokens; None if it was not there."""
        which = authorizations.c.id == authorization
        with self._system.transaction() as connection:
            row = connection.execute(select(authorizations).where(which)).first()
            connection.execute(delete(authorizations).where(which))
            return _authorization(row) if row else None

    def signing_keys(self) -> tuple[tuple[str, str, datetime], ...]:
        """Return the signing keys, the newest first: id, private key, when it was made."""
        with self._system.reading() as connection:
            rows = connection.execute(select(_keys).order_by(_keys.c.created.desc())).all()
        return tuple((row.id, row.private, row.created) for row in rows)

    def add_key(
        self, make: Callable[[], tuple[str, str]], now: datetime, newest: datetime, kept: datetime
    ) -> None:
        """Keep a new signing key, unless there is one made since `newest`; forget those made before `kept`."""
        key, private = make()
        with self._system.transaction() as connection:
            if connection.execute(select(_keys.c.id).where(_keys.c.created > newest)).first() is None:
                row = {"id": key, "private": private, "created": now}
                connection.execute(insert(_keys).values(row))
            connection.execute(delete(_keys).where(_keys.c.created < kept))

    def _device(self, which: ColumnElement[bool]) -> Device | None:
        with self._system.reading() as connection:
            row = connection.execute(select(devices).where(which)).first()
        if row is None:
            return None
        return Device(
            row.hash,
            row.user_code_hash,
            row.client,
            frozenset(row.scopes),
            row.created,
            row.expires,
            DeviceState(row.state),
            row.user or "",
            row.auth_time,
        )


def _begin(
    connection: Connection, authorization: Authorization, token: Token, hashes: tuple[str, str]
) -> None:
    gone = authorizations.c.expires < authorization.created
    connection.execute(delete(authorizations).where(gone))
    row = {
        "id": authorization.id,
        "user": authorization.user,
        "client": authorization.client,
        "scopes": sorted(authorization.scopes),
        "auth_time": authorization.auth_time,
        "created": authorization.created,
        "expires": authorization.expires,
    }
    connection.execute(insert(authorizations).values(row))
    _issue(connection, authorization.id, authorization.expires, token, hashes)


def _issue(
    connection: Connection, authorization: str, expires: datetime, token: Token, hashes: tuple[str, str]
) -> None:
    access, refresh = hashes
    connection.execute(delete(tokens).where(tokens.c.expires < token.created))
    connection.execute(insert(tokens).values(token_row(token, access)))
    connection.execute(
        insert(refresh_tokens).values(hash=refresh, authorization=authorization, expires=expires)
    )


def _code(row: Row[tuple[object, ...]]) -> Code:
    request = AuthorizationRequest(
        row.client, row.redirect_uri, frozenset(row.scopes), row.nonce, row.challenge
    )
    return Code(row.hash, request, row.user, row.auth_time, row.authorization)


def _authorization(row: Row[tuple[object, ...]]) -> Authorization:
    return Authorization(
        row.id, row.user, row.client, frozenset(row.scopes), row.auth_time, row.created, row.expires
    )
