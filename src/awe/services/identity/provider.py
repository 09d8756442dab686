"""awe as OpenID provider: tools of the site, and programs on people's machines, log in with an account here.

This holds the rules; the protocol's words (OAuth 2.0, OpenID Connect) are the face's, `awe.web.oauth`. What a client
gets is an awe token (`TokenKind.CLIENT`) that every service takes, and a refresh token for the next one. Each refresh
token is good once: whoever comes with a used one, or with a used code, has stolen it or was stolen from, and
everything that was made of it ends.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from awe.errors import AuthenticationError, ForbiddenError, NotFoundError
from awe.services.identity._failures import LoginFailures
from awe.services.identity._secrets import digest, new_secret, secret_in
from awe.services.identity.audit import AuditLog
from awe.services.identity.authorization import (
    EMAIL,
    GROUPS,
    PROFILE,
    Allowed,
    Authorization,
    AuthorizationRequest,
    Client,
    Code,
    Device,
    DeviceCodes,
    DeviceState,
    Issued,
    Refresh,
)
from awe.services.identity.model import ADMIN, Identity, Token, TokenKind
from awe.services.identity.signing import SigningKeys
from awe.services.identity.stores import AccountStore, ProviderStore, TokenStore
from awe.settings.provider import ProviderSettings

__all__ = ["ProviderService"]

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of which a code for people is made: no vowels, so that it is no word (RFC 8628 section 6.1)."""
_WRONG_CODES = 10
"""Codes for people that one person may enter wrongly in a minute: so nobody finds another's by trying."""


class ProviderService:
    """Codes, device codes, tokens of clients, and the keys that sign.

    Parameters
    ----------
    store, accounts, tokens
        What is kept in the system database.
    audit
        Where it is recorded.
    settings
        How long things are good.
    clients
        The tools that people may log in to.
    now
        The moment it is.
    """

    def __init__(
        self,
        store: ProviderStore,
        accounts: AccountStore,
        tokens: TokenStore,
        audit: AuditLog,
        settings: ProviderSettings,
        clients: Iterable[Client] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._tokens = tokens
        self._audit = audit
        self._settings = settings
        self._clients = {client.id: client for client in clients}
        self._now = now
        self._wrong = LoginFailures(accounts.failures, "code", _WRONG_CODES)
        self.keys = SigningKeys(store, timedelta(days=settings.key_days), now)

    def client(self, name: str) -> Client | None:
        """Return a client by its id."""
        return self._clients.get(name)

    def is_secret(self, client: Client, secret: str) -> bool:
        """Return whether this is a client's secret; one that is not is recorded."""
        right = client.secret_hash is not None and hmac.compare_digest(client.secret_hash, digest(secret))
        if not right:
            self._audit.record("client.login", user="", target=f"client:{client.id}", outcome="refused")
        return right

    def auth_time(self, token: str) -> datetime | None:
        """Return when the person logged in whose login's token this is; None if it is that of no login."""
        found = self._tokens.by_hash(digest(secret_in(token)[0]), self._now())
        return found.created if found is not None and found.kind is TokenKind.LOGIN else None

    def remembers(self, user: str, client: Client, scopes: frozenset[str]) -> bool:
        """Return whether a person need not be asked: the client is trusted, or was allowed this and still is.

        A public client is asked for each time: anybody can say to be it (RFC 8252 section 8.6).
        """
        if client.trusted:
            return True
        return not client.is_public and any(
            one.client == client.id and scopes <= one.scopes
            for one in self._store.authorizations(user, self._now())
        )

    def allow(self, caller: Identity, request: AuthorizationRequest, auth_time: datetime) -> str:
        """Return the code that a client may exchange, since the caller allows it.

        Raises
        ------
        ForbiddenError
            If the caller has no login but only a token: it would become another one that may do more.
        """
        self._checked(caller)
        secret = new_secret()
        now = self._now()
        ends = now + timedelta(seconds=self._settings.code_seconds)
        self._store.add_code(Code(digest(secret), request, caller.name, auth_time), ends, now)
        self._record("client.allowed", caller.name, request.client, request.scopes)
        return secret

    def deny(self, caller: Identity, client: Client) -> None:
        """Note that the caller does not allow a client what it asks for."""
        self._audit.record(
            "client.allowed", user=caller.name, target=f"client:{client.id}", outcome="refused"
        )

    def code(self, secret: str, client: Client) -> Code | None:
        """Return a code of this client that is good. If it was used already, what was made of it ends."""
        found = self._store.code(digest(secret), self._now())
        if found is None or found.request.client != client.id:
            return None
        if found.authorization:
            self._reused(self._store.end(found.authorization), "code")
            return None
        return found

    def redeem(self, code: Code) -> Issued | None:
        """Exchange a code for tokens; None if it was used meanwhile, or the account is closed."""
        made, token = self._new(code.user, code.request.client, code.request.scopes, code.auth_time)
        access, refresh = new_secret(), new_secret()
        if self._accounts.identity(code.user) is None:
            return None
        if not self._store.take_code(code.hash, made, token, (digest(access), digest(refresh))):
            used = self._store.code(code.hash, self._now())
            self._reused(self._store.end(used.authorization) if used else None, "code")
            return None
        self._record("client.login", code.user, code.request.client, code.request.scopes)
        return self._issued(made, token, access, refresh)

    def refresh(self, secret: str, client: Client) -> Refresh | None:
        """Return a refresh token of this client that is good. If it was used already, its authorization ends."""
        found = self._store.refresh(digest(secret), self._now())
        if found is None or found[0].authorization.client != client.id:
            return None
        refresh, used = found
        if used:
            self._reused(self._store.end(refresh.authorization.id), "refresh token")
            return None
        return refresh

    def rotate(self, refresh: Refresh, scopes: frozenset[str]) -> Issued | None:
        """Exchange a refresh token for an access token and the next one; None if it was used meanwhile.

        Parameters
        ----------
        scopes
            Of the access token; no more than those that were allowed.
        """
        family = refresh.authorization
        if self._accounts.identity(family.user) is None:
            return None
        now = self._now()
        token = self._access(family, scopes & family.scopes, now)
        access, following = new_secret(), new_secret()
        ends = now + timedelta(days=self._settings.refresh_days)
        if not self._store.rotate(refresh, ends, token, (digest(access), digest(following))):
            self._reused(family, "refresh token")
            return None
        return self._issued(family, token, access, following)

    def begin_device(self, client: Client, scopes: frozenset[str]) -> DeviceCodes:
        """Return codes for a program without a browser: its own, and the one that a person enters."""
        device_code = new_secret()
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(8))
        now = self._now()
        life = timedelta(minutes=self._settings.device_minutes)
        device = Device(digest(device_code), digest(user_code), client.id, scopes, now, now + life)
        self._store.add_device(device, self._settings.poll_seconds)
        shown = f"{user_code[:4]}-{user_code[4:]}"
        return DeviceCodes(device_code, shown, int(life.total_seconds()), self._settings.poll_seconds)

    def entered(self, caller: Identity, user_code: str) -> tuple[Device, Client]:
        """Return what the program asks for whose code the caller entered.

        Raises
        ------
        NotFoundError
            If no program waits with this code.
        RateLimitError
            If the caller entered too many wrong ones.
        ForbiddenError
            As `allow`.
        """
        self._checked(caller)
        self._wrong.check(caller.name)
        letters = "".join(letter for letter in user_code.upper() if letter.isalpha())
        device = self._store.entered(digest(letters), self._now())
        client = self._clients.get(device.client) if device else None
        if device is None or client is None:
            self._wrong.add(caller.name)
            raise NotFoundError(
                "no program waits with this code", hint="begin anew: a code is good for minutes"
            )
        return device, client

    def decide(self, caller: Identity, user_code: str, auth_time: datetime, *, allowed: bool) -> Client:
        """Keep what the caller decided about a program, once; errors as `entered`."""
        device, client = self.entered(caller, user_code)
        if not self._store.decide(device, caller.name, auth_time, allowed=allowed):
            raise NotFoundError("this was decided already")
        if allowed:
            self._record("client.allowed", caller.name, client.id, device.scopes)
        else:
            self.deny(caller, client)
        return client

    def device(self, secret: str) -> Device | None:
        """Return a device code, also one that has ended lately."""
        return self._store.device(digest(secret))

    def has_ended(self, device: Device) -> bool:
        """Return whether a device code is too old."""
        return device.expires < self._now()

    def too_early(self, device: Device) -> bool:
        """Return whether a program asked again too early; it has to wait longer from now on."""
        return self._store.too_early(device.hash, self._now())

    def redeem_device(self, device: Device) -> Issued | None:
        """Exchange a device code that was allowed for tokens, as `redeem`."""
        if device.state is not DeviceState.ALLOWED or self._accounts.identity(device.user) is None:
            return None
        auth_time = device.auth_time or self._now()
        made, token = self._new(device.user, device.client, device.scopes, auth_time)
        access, refresh = new_secret(), new_secret()
        if not self._store.take_device(device.hash, made, token, (digest(access), digest(refresh))):
            return None
        self._record("client.login", device.user, device.client, device.scopes)
        return self._issued(made, token, access, refresh)

    def revoke(self, secret: str, client: Client) -> None:
        """End the authorization that a token of this client, of either kind, belongs to (RFC 7009)."""
        family = self._family(secret)
        if family is not None and family.client == client.id:
            self._store.end(family.id)
            self._record("client.ended", family.user, client.id, family.scopes)

    def allowed(self, secret: str, client: Client) -> Allowed | None:
        """Return what a good token is, if this client may know: its own, or any for a resource server."""
        now = self._now()
        text, claimed = secret_in(secret)
        token = self._tokens.by_hash(digest(text), now)
        if token is not None:
            known = self._accounts.identity(token.user) is not None and claimed in {None, token.user}
            told = Allowed(token.user, token.client, token.scopes, token.created, token.expires)
            return told if known and (client.resource_server or token.client == client.id) else None
        found = self._store.refresh(digest(secret), now)
        if found is None or found[1] or found[0].authorization.client != client.id:
            return None
        family = found[0].authorization
        return Allowed(family.user, family.client, family.scopes, family.created, found[0].expires)

    def claims(self, user: str, scopes: frozenset[str]) -> dict[str, object]:
        """Return what a client may learn of a person (OpenID Connect Core 1.0 section 5.1; groups and roles are ours).

        Raises
        ------
        AuthenticationError
            If the account is closed.
        """
        identity, account = self._accounts.identity(user), self._accounts.account(user)
        if identity is None or account is None:
            raise AuthenticationError("the account is closed")
        told: dict[str, object] = {"sub": user}  # a name is never given to another person
        if PROFILE in scopes:
            told |= {"preferred_username": user, "name": account.display_name or user}
        if EMAIL in scopes and account.email:
            told["email"] = account.email
        if GROUPS in scopes:
            told |= {"groups": sorted(identity.groups), "roles": sorted(identity.roles)}
        return told

    @staticmethod
    def _checked(caller: Identity) -> None:
        if caller.is_anonymous:
            raise AuthenticationError("log in first", hint="this is what a person decides")
        if ADMIN not in caller.scopes:
            raise ForbiddenError("a token cannot allow this", hint="log in with a password", scope=ADMIN)

    def _new(
        self, user: str, client: str, scopes: frozenset[str], auth_time: datetime
    ) -> tuple[Authorization, Token]:
        now = self._now()
        ends = now + timedelta(days=self._settings.refresh_days)
        made = Authorization(secrets.token_hex(8), user, client, scopes, auth_time, now, ends)
        return made, self._access(made, scopes, now)

    def _access(self, family: Authorization, scopes: frozenset[str], now: datetime) -> Token:
        ends = now + timedelta(minutes=self._settings.token_minutes)
        return Token(
            secrets.token_hex(8),
            family.user,
            TokenKind.CLIENT,
            self._title(family.client),
            scopes,
            now,
            ends,
            client=family.client,
            authorization=family.id,
        )

    @staticmethod
    def _issued(family: Authorization, token: Token, access: str, refresh: str) -> Issued:
        life = int((token.expires - token.created).total_seconds())
        return Issued(access, refresh, token.scopes, life, family.user, family.auth_time)

    def _family(self, secret: str) -> Authorization | None:
        now = self._now()
        found = self._store.refresh(digest(secret), now)
        if found is not None:
            return found[0].authorization
        token = self._tokens.by_hash(digest(secret_in(secret)[0]), now)
        if token is None or not token.authorization:
            return None
        mine = self._store.authorizations(token.user, now)
        return next((one for one in mine if one.id == token.authorization), None)

    def _title(self, client: str) -> str:
        known = self._clients.get(client)
        return known.title if known else client

    def _reused(self, ended: Authorization | None, what: str) -> None:
        if ended is not None:
            why = f"a {what} was used twice"
            target = f"client:{ended.client}"
            self._audit.record("client.ended", user=ended.user, target=target, outcome="refused", why=why)

    def _record(self, action: str, user: str, client: str, scopes: frozenset[str]) -> None:
        self._audit.record(action, user=user, target=f"client:{client}", scopes=" ".join(sorted(scopes)))
