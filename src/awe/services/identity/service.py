"""Use cases of identity: log in, say whose token it is, log out, look after accounts."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from awe.errors import AuthenticationError, NotFoundError, ParameterError
from awe.services.identity._failures import LoginFailures
from awe.services.identity.backends.local import LocalAuthenticator
from awe.services.identity.interface import Authenticator
from awe.services.identity.model import SCOPES, Account, Identity, Token, TokenKind
from awe.services.identity.stores import AccountStore, TokenStore

__all__ = ["IdentityService", "is_token"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SHORTEST_PASSWORD = 8
_TOKEN = re.compile(r"[0-9a-f]{32}")


class IdentityService:
    """Accounts and login tokens.

    A token is 32 hexadecimal digits, as OpenStack Keystone's are: it travels in paths and headers.
    Only its SHA-256 is kept.

    Parameters
    ----------
    accounts, tokens
        What is kept in the system database.
    local
        Hashes and checks the passwords of awe's own accounts.
    authenticator
        Who checks passwords at login; `local` when not given.
    token_hours
        Life of a token.
    clock
        Seconds since 1970.
    """

    def __init__(
        self,
        accounts: AccountStore,
        tokens: TokenStore,
        local: LocalAuthenticator,
        authenticator: Authenticator | None = None,
        *,
        token_hours: float = 24.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._local = local
        self._authenticator = authenticator or local
        self._life_s = token_hours * 3600.0
        self._clock = clock
        self._failures = LoginFailures()

    def login(self, user: str, password: str) -> str:
        """Return a new token.

        Raises
        ------
        AuthenticationError
            If the user name or the password is wrong.
        RateLimitError
            After several failures within a minute.
        """
        identity = self.authenticate(user, password)
        if self._authenticator is not self._local:
            self._accounts.remember(identity)
        return self._new_token(identity.name, self._life_s)

    def authenticate(self, user: str, password: str) -> Identity:
        """Return whose password this is, for callers who send it with every request.

        Raises
        ------
        AuthenticationError, RateLimitError
            As `login`.
        """
        self._failures.check(user)
        try:
            identity = self._authenticator.authenticate(user, password)
        except AuthenticationError:
            self._failures.add(user)
            raise
        self._failures.forget(user)
        return identity

    @property
    def token_life_s(self) -> float:
        """How long a token of a login is good, in seconds."""
        return self._life_s

    def issue(self, user: str, *, hours: float | None = None) -> str:
        """Return a new token without asking for a password: for the operator of this archive.

        Parameters
        ----------
        user
            Name of an account.
        hours
            Life of the token; that of a login when None.

        Raises
        ------
        NotFoundError
            If there is no such user.
        """
        if user not in {account.name for account in self.users()}:
            raise NotFoundError(f"there is no user {user!r}")
        return self._new_token(user, self._life_s if hours is None else hours * 3600.0)

    def _new_token(self, user: str, life_s: float) -> str:
        secret = secrets.token_hex(16)
        now = self._now()
        ends = now + timedelta(seconds=life_s)
        token = Token(secrets.token_hex(8), user, TokenKind.LOGIN, "", SCOPES, now, ends)
        self._tokens.add(token, _digest(secret))
        return secret

    def identify(self, token: str) -> Identity:
        """Return whose token this is; `AuthenticationError` if it is unknown, ended or revoked."""
        found = self._tokens.owner(_digest(token), self._now())
        if found is None:
            raise AuthenticationError("the token is not known or has expired", hint="log in again")
        return found

    def known(self, name: str) -> Identity:
        """Return who a user is now; `NotFoundError` if there is no such user (any more)."""
        identity = self._accounts.identity(name)
        if identity is None:
            raise NotFoundError(f"there is no user {name!r}")
        return identity

    def revoke(self, token: str) -> None:
        """End a login; a token that ended already is no error."""
        self._tokens.drop(_digest(token))

    def add_user(
        self, name: str, password: str, roles: Sequence[str] = (), groups: Sequence[str] = ()
    ) -> None:
        """Add an account.

        Raises
        ------
        ParameterError
            If the name or the password cannot be used.
        ConflictError
            If the name is taken.
        """
        if not _NAME.fullmatch(name):
            hint = "letters, digits and . _ @ -, beginning with a letter or digit, at most 64"
            raise ParameterError("name", name, "not a user name", hint=hint)
        self._accounts.add(name, self._local.hash(_checked(password)), roles, groups)

    def set_password(self, name: str, password: str) -> None:
        """Change a password; the user's tokens end. `NotFoundError` if there is no such user."""
        changed = {"password_hash": self._local.hash(_checked(password))}
        if not self._accounts.change(name, changed):
            raise NotFoundError(f"there is no user {name!r}")
        self._tokens.drop_all(name)

    def users(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        return self._accounts.accounts()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _checked(password: str) -> str:
    if len(password) < _SHORTEST_PASSWORD:
        raise ParameterError("password", "***", f"shorter than {_SHORTEST_PASSWORD} characters")
    return password
