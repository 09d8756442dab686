"""People who ask for an account themselves, and administrators who approve it or not.

A name that is taken is nobody's business: with approval, whoever asks for one gets the same answer as for a free one,
in the same time, and the request waits under the next free name (``maria-2``), as administrators see. Without approval
the answer must say whether the name can be used, as a login right afterwards would; then the limit of tries is all
that protects names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import Literal

from awe.errors import ConflictError, ForbiddenError, NotFoundError, ParameterError, RateLimitError
from awe.services.identity._names import checked_name, checked_password
from awe.services.identity._profile import checked_display_name, checked_email
from awe.services.identity.audit import ORIGIN, AuditLog
from awe.services.identity.backends.local import LocalAuthenticator
from awe.services.identity.model import AccountState
from awe.services.identity.stores import AccountStore

__all__ = ["RegistrationMode", "RegistrationService"]

RegistrationMode = Literal["closed", "approval", "open"]
"""Whether people may make accounts themselves: no, once an administrator approves, at once."""

_ACTION = "user.registered"
_WITHIN = timedelta(hours=1)
_OF_AN_ADDRESS = 5
_OF_ALL = 100
_MOST_WAITING = 1000
_RESERVED = frozenset({"admin", "anonymous", "awe", "everybody", "local", "notebooks", "root", "system"})
"""Names that people would take for somebody else."""


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    password_hash: str
    display_name: str
    email: str


class RegistrationService:
    """Take registrations, and decide about them.

    How often anybody tried is counted in the audit log, which all processes of a service share and which survives a
    restart.

    Parameters
    ----------
    accounts
        Where the accounts are kept.
    audit
        Where everything is recorded.
    local
        Hashes passwords.
    mode
        Whether people may register.
    now
        The moment it is.
    """

    def __init__(
        self,
        accounts: AccountStore,
        audit: AuditLog,
        local: LocalAuthenticator,
        mode: RegistrationMode,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._audit = audit
        self._local = local
        self._mode = mode
        self._now = now
        self._turn = Lock()  # counting and adding belong together; and hashing is dear: one at a time

    @property
    def mode(self) -> RegistrationMode:
        """Whether people may register."""
        return self._mode

    def register(self, name: str, password: str, *, display_name: str, email: str) -> AccountState:
        """Make an account that somebody asks for.

        Returns
        -------
        Whether it can be used now; the same for a free name and for one that is taken.

        Raises
        ------
        ForbiddenError
            If nobody may register.
        ParameterError
            If the name, the password, or what is told of the person cannot be used.
        ConflictError
            If the name is taken, where no approval is needed.
        RateLimitError
            If too many registered lately, from this address or in all, or too many wait.
        """
        if self._mode == "closed":
            raise ForbiddenError("accounts are made by the administrators of this archive", hint="ask them")
        checked_name(name)
        checked_password(password)
        display_name, email = checked_display_name(display_name), checked_email(email)
        if not email:
            raise ParameterError("email", "", "is needed, so that an administrator can reach you")
        with self._turn:
            self._check_flood()
            asked = _Asked(name, self._local.hash(password), display_name, email)
            return self._add_now(asked) if self._mode == "open" else self._let_wait(asked)

    def approve(self, name: str, *, by: str) -> None:
        """Let somebody who waits log in; `NotFoundError` if nobody of this name waits."""
        if not self._accounts.activate(name):
            raise _nobody_waits(name)
        self._audit.record("user.approved", user=by, target=f"user:{name}")

    def decline(self, name: str, *, by: str) -> None:
        """Forget somebody who waits: the name is free again; `NotFoundError` if nobody of this name waits."""
        if not self._accounts.forget_pending(name):
            raise _nobody_waits(name)
        self._audit.record("user.declined", user=by, target=f"user:{name}")

    def _add_now(self, asked: _Asked) -> AccountState:
        if not self._added(asked, asked.name, AccountState.ACTIVE):
            self._audit.record(_ACTION, user="", target=f"user:{asked.name}", outcome="refused", why="taken")
            raise ConflictError(f"the name {asked.name!r} cannot be had", hint="choose another one")
        self._audit.record(_ACTION, user="", target=f"user:{asked.name}")
        return AccountState.ACTIVE

    def _let_wait(self, asked: _Asked) -> AccountState:
        name = next(one for one in _alike(asked.name) if self._added(asked, one, AccountState.PENDING))
        self._audit.record(_ACTION, user="", target=f"user:{name}", wanted=asked.name)
        return AccountState.PENDING

    def _added(self, asked: _Asked, name: str, state: AccountState) -> bool:
        """Add an account, unless the name is taken, or another process of the service takes it meanwhile."""
        if name.lower() in _RESERVED:
            return False
        try:
            self._accounts.add(
                name, asked.password_hash, state=state, display_name=asked.display_name, email=asked.email
            )
        except ConflictError:
            return False
        return True

    def _check_flood(self) -> None:
        since = self._now() - _WITHIN
        address = ORIGIN.get().address
        if address:
            self._refuse_from(_OF_AN_ADDRESS, since, address)
        self._refuse_from(_OF_ALL, since, None)
        if self._accounts.pending() >= _MOST_WAITING:
            raise _too_many(_WITHIN)

    def _refuse_from(self, most: int, since: datetime, address: str | None) -> None:
        lately = self._audit.entries(action=_ACTION, since=since, address=address, last=most)
        if len(lately) >= most:
            raise _too_many(lately[-1].at - since)


def _alike(name: str) -> Iterator[str]:
    """Yield a name, and others like it that are no longer."""
    yield name
    for number in count(2):
        yield f"{name[: 63 - len(str(number))]}-{number}"


def _too_many(wait: timedelta) -> RateLimitError:
    seconds = max(1, round(wait.total_seconds()))
    minutes = -(-seconds // 60)
    return RateLimitError(
        "too many people registered lately", hint=f"try again in {minutes} min", retry_after=seconds
    )


def _nobody_waits(name: str) -> NotFoundError:
    return NotFoundError(f"nobody with the name {name!r} waits for approval", hint="awe admin user ls")
