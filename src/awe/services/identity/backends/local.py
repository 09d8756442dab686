"""Accounts in awe's own system database, passwords hashed with Argon2id (RFC 9106)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from awe.errors import AuthenticationError
from awe.services.identity.claims import LOCAL, Claims
from awe.services.identity.stores import AccountStore

__all__ = ["LocalAuthenticator"]


class LocalAuthenticator:
    """Check passwords against the system database.

    Parameters
    ----------
    store
        Where the accounts are.
    hasher
        How passwords are hashed; the library's recommended cost when not given.
    """

    def __init__(self, store: AccountStore, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._hasher = hasher or PasswordHasher()
        # An unknown user is checked against this, so that the time taken tells nothing.
        self._nobody = _nobody(self._hasher.time_cost, self._hasher.memory_cost, self._hasher.parallelism)

    def hash(self, password: str) -> str:
        """Return the hash to keep instead of a password."""
        return self._hasher.hash(password)

    def authenticate(self, user: str, password: str) -> Claims:
        """Return who this is; `AuthenticationError` if name or password is wrong."""
        known = self._store.password_hash(user)
        right = self._verify(known or self._nobody, password)
        identity = self._store.identity(user)
        if known is None or not right or identity is None:
            raise AuthenticationError("the user name or the password is wrong")
        if self._hasher.check_needs_rehash(known):
            self._store.change(user, {"password_hash": self._hasher.hash(password)})
        return Claims(LOCAL, identity.name, identity.name)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody(time_cost: int, memory_cost: int, parallelism: int) -> str:
    """Return a hash of that cost that no account has; made once, since making it costs as much as a login."""
    hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism)
    return hasher.hash("nobody has this password")
