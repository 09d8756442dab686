"""Tokens that another account system gave out, where the operator takes them for those of a login."""

import threading
from collections.abc import Callable

from awe.errors import AuthenticationError
from awe.services.identity._secrets import digest, is_token
from awe.services.identity.federation import FederationService
from awe.services.identity.model import ADMIN, ADMINISTRATOR, SCOPES, Identity
from awe.services.identity.stores import AccountStore

__all__ = ["ForeignTokens"]

_ASKED_EVERY_S = 60.0
_MOST = 10_000


class ForeignTokens:
    """Say whose token of another account system it is, which is asked at most once a minute for each.

    Such a token was given to the cloud, not to this archive: it neither makes an administrator nor looks after the
    account.
    """

    def __init__(
        self, federation: FederationService, accounts: AccountStore, clock: Callable[[], float]
    ) -> None:
        self._federation = federation
        self._accounts = accounts
        self._clock = clock
        self._known: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def may_be(self, token: str) -> bool:
        """Tell whether an account system is to be asked for a token of this form."""
        return not is_token(token) and self._federation.takes_tokens

    def identify(self, token: str) -> Identity:
        """Return whose token this is.

        Raises
        ------
        AuthenticationError
            If it is not good.
        UnavailableError
            If the account system cannot be asked now.
        ForbiddenError, ConflictError
            As `FederationService.admit`.
        """
        key, now = digest(token), self._clock()
        with self._lock:
            until, name = self._known.get(key, (0.0, ""))
        if now >= until:
            name = self._federation.admit(self._federation.authenticate_token(token)).name
            with self._lock:
                if len(self._known) >= _MOST:
                    self._known = {one: known for one, known in self._known.items() if known[0] > now}
                self._known[key] = (now + _ASKED_EVERY_S, name)
        found = self._accounts.identity(name)
        if found is None:
            raise AuthenticationError("the token is not known or has expired", hint="log in again")
        return Identity(found.name, found.roles - {ADMINISTRATOR}, found.groups, SCOPES - {ADMIN})
