"""Use cases of identity: log in, say whose token it is, log out, look after accounts."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from awe.errors import (
    AuthenticationError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    UnavailableError,
)
from awe.services.identity._failures import LoginFailures
from awe.services.identity._foreign_tokens import ForeignTokens
from awe.services.identity._names import checked_password, folded, is_name
from awe.services.identity._personal import personal_token
from awe.services.identity._secrets import digest, new_secret, secret_in
from awe.services.identity.audit import ORIGIN, AuditLog, Outcome
from awe.services.identity.backends.local import LocalAuthenticator
from awe.services.identity.claims import Claims
from awe.services.identity.federation import FederationService
from awe.services.identity.model import SCOPES, Account, Identity, Token, TokenKind
from awe.services.identity.stores import AccountStore, TokenStore

__all__ = ["IdentityService"]

_FAILURES_OF_AN_ADDRESS = 50
"""More than of a name: many people may share an address."""


class IdentityService:
    """Accounts and tokens; of a token only its SHA-256 is kept.

    Parameters
    ----------
    accounts, tokens
        What is kept in the system database.
    audit
        Where logins and what is done to tokens and accounts are recorded.
    local
        Hashes and checks the passwords of awe's own accounts.
    federation
        Finds out who somebody is at login.
    token_hours
        Life of a token.
    clock
        Seconds since 1970.
    visitor
        From the key of a link that shares something to who comes with it, if the link is good.
    """

    def __init__(
        self,
        accounts: AccountStore,
        tokens: TokenStore,
        audit: AuditLog,
        local: LocalAuthenticator,
        federation: FederationService,
        *,
        token_hours: float = 24.0,
        clock: Callable[[], float] = time.time,
        visitor: Callable[[str], Identity | None] = lambda _key: None,
    ) -> None:
        self._visitor = visitor
        self._accounts = accounts
        self._tokens = tokens
        self._audit = audit
        self._local = local
        self._federation = federation
        self._life_s = token_hours * 3600.0
        self._clock = clock
        self._foreign_tokens = ForeignTokens(federation, accounts, clock)
        self._failures = LoginFailures(accounts.failures, "name", clock=clock)
        self._failures_of_address = LoginFailures(
            accounts.failures, "address", _FAILURES_OF_AN_ADDRESS, clock=clock
        )

    def login(self, user: str, password: str) -> str:
        """Return a new token.

        Raises
        ------
        AuthenticationError
            If the user name or the password is wrong.
        RateLimitError
            After several failures within a minute.
        UnavailableError
            If an account system that might know the name cannot be asked now.
        ForbiddenError, ConflictError
            If the person may not come in (`FederationService.admit`).
        """
        return self.enter(self._asked(user, password, self._federation.authenticate))

    def enter(self, claims: Claims) -> str:
        """Return a new token for somebody who has proved who they are; errors as `FederationService.admit`."""
        identity = self._federation.admit(claims)
        secret, token = self._new_login(identity.name, self._life_s)
        self._federation.came_by(token.id, claims)
        self._accounts.change(identity.name, {"last_login": self._now()})
        self._audit.record("login", user=identity.name, provider=claims.provider)
        return secret

    def authenticate(self, user: str, password: str) -> Identity:
        """Return whose password this is, for callers who send it with every request; errors as `login`."""
        return self._federation.admit(self._asked(user, password, self._federation.authenticate))

    def link(self, caller: Identity, user: str, password: str) -> None:
        """Let the caller log in by another account system, too, whose password this is.

        Raises
        ------
        AuthenticationError, RateLimitError, UnavailableError
            As `login`.
        ForbiddenError, ConflictError
            As `FederationService.link`.
        """
        self._federation.link(caller, self._asked(user, password, self._federation.authenticate_elsewhere))

    def _asked(self, user: str, password: str, ask: Callable[[str, str], Claims]) -> Claims:
        """Return whose password this is; whoever guesses has to wait."""
        address = ORIGIN.get().address
        name = folded(user)
        try:
            self._failures.check(name)
            if address:
                self._failures_of_address.check(address)
            claims = ask(user, password)
        except (AuthenticationError, UnavailableError) as error:
            # one that cannot be asked keeps nobody from guessing the passwords of the others
            self._failures.add(name)
            if address:
                self._failures_of_address.add(address)
            if isinstance(error, AuthenticationError):
                self._note_refused(user, "refused")
            else:
                self._note_refused(user, "failed", why=error.message)
            raise
        except RateLimitError:
            self._note_refused(user, "refused", why="too many failures")
            raise
        self._failures.forget(name)
        return claims

    def _note_refused(self, user: str, outcome: Outcome, **details: str) -> None:
        """Record a login that failed; a name that nobody has is left out: people type passwords into that field."""
        known = is_name(user) and self._accounts.account(user) is not None
        self._audit.record(
            "login", user="", target=f"user:{user}" if known else "", outcome=outcome, **details
        )

    @property
    def token_life_s(self) -> float:
        """How long a token of a login is good, in seconds."""
        return self._life_s

    def _new_login(self, user: str, life_s: float) -> tuple[str, Token]:
        now = self._now()
        ends = now + timedelta(seconds=life_s)
        origin = ORIGIN.get()
        label = ", ".join(part for part in (origin.agent, origin.address) if part)
        token = Token(secrets.token_hex(8), user, TokenKind.LOGIN, label, SCOPES, now, ends)
        return self._keep(token), token

    def _keep(self, token: Token) -> str:
        secret = new_secret()
        self._tokens.add(token, digest(secret))
        return secret

    def new_token(
        self, caller: Identity, label: str, scopes: frozenset[str], *, days: float
    ) -> tuple[str, Token]:
        """Make a personal token for the caller.

        Parameters
        ----------
        label
            What its owner calls it.
        scopes
            What it allows; no more than the caller's own token does.
        days
            Its life.

        Returns
        -------
        The secret, which is shown once, and what is known of it.

        Raises
        ------
        ParameterError
            If the label, a scope or the life cannot be used.
        ForbiddenError
            If the caller is not known, or has less scopes.
        """
        if caller.is_anonymous:
            raise ForbiddenError("only who is logged in can make a token", hint="log in first")
        made = personal_token(caller.name, label, scopes, days, self._now())
        if missing := scopes - caller.scopes:
            raise ForbiddenError(
                f"a token cannot give the scope {', '.join(sorted(missing))} it has not itself"
            )
        secret = self._keep(made)
        said = " ".join(sorted(scopes))
        self._audit.record(
            "token.made", user=caller.name, target=f"token:{made.id}", scopes=said, label=made.label
        )
        return secret, made

    def tokens(self, user: str) -> tuple[Token, ...]:
        """Return a user's tokens that are good, the newest first."""
        return self._tokens.tokens(user, self._now())

    def revoke_token(self, caller: Identity, token_id: str) -> None:
        """End one of the caller's tokens.

        Raises
        ------
        NotFoundError
            If the caller has no such token.
        """
        token = self._tokens.token(token_id)
        if token is None or token.user != caller.name:
            raise NotFoundError(f"you have no token {token_id!r}")
        self._tokens.drop_id(token_id)
        self._audit.record("token.revoked", user=caller.name, target=f"token:{token_id}", owner=token.user)

    def identify(self, token: str) -> Identity:
        """Return whose token this is, or who comes by a link.

        Raises
        ------
        AuthenticationError
            If it is unknown, ended or revoked.
        RateLimitError
            If tokens of an account system that came from this address were wrong too often lately.
        UnavailableError, ForbiddenError, ConflictError
            If it may be one of an account system, as `login`.
        """
        secret, claimed = secret_in(token)
        found = self._tokens.owner(digest(secret), self._now()) or self._visitor(secret)
        found = found or self._foreign(token)
        if found is None or claimed not in {None, found.name}:
            raise AuthenticationError("the token is not known or has expired", hint="log in again")
        return found

    def held(self, token: str) -> Token | None:
        """Return what can be told of a token that somebody holds; None if it is not good."""
        return self._tokens.by_hash(digest(secret_in(token)[0]), self._now())

    def end_logins(self, caller: Identity, *, but: str = "") -> int:
        """End the caller's logins, all `but` the token with this id; return how many."""
        ended = [
            token for token in self.tokens(caller.name) if token.kind is TokenKind.LOGIN and token.id != but
        ]
        for token in ended:
            self._tokens.drop_id(token.id)
        self._audit.record("logout", user=caller.name, target=f"user:{caller.name}", logins=str(len(ended)))
        return len(ended)

    def _foreign(self, token: str) -> Identity | None:
        """Return whose token of an account system this is; whoever makes us ask in vain has to wait."""
        if not self._foreign_tokens.may_be(token):
            return None
        address = ORIGIN.get().address
        if address:
            self._failures_of_address.check(address)
        try:
            return self._foreign_tokens.identify(token)
        except AuthenticationError:
            if address:
                self._failures_of_address.add(address)
            raise

    def known(self, name: str) -> Identity:
        """Return who a user is now; `NotFoundError` if there is no such user (any more)."""
        identity = self._accounts.identity(name)
        if identity is None:
            raise NotFoundError(f"there is no user {name!r}")
        return identity

    def revoke(self, token: str) -> None:
        """End a login; a token that ended already is no error."""
        ended = self._tokens.drop(digest(secret_in(token)[0]))
        if ended is not None:
            self._audit.record("logout", user=ended.user, target=f"token:{ended.id}")

    def change_password(self, caller: Identity, old: str, new: str) -> None:
        """Change the caller's own password; every login and token of the caller ends.

        Raises
        ------
        AuthenticationError, RateLimitError
            If the old password is wrong, or was too often.
        ParameterError
            If the new one cannot be used.
        """
        self._asked(caller.name, old, self._local.authenticate)
        changed = {"password_hash": self._local.hash(checked_password(new))}
        self._accounts.change(caller.name, changed, ends_logins=True)
        self._audit.record("user.password", user=caller.name, target=f"user:{caller.name}")

    def account(self, name: str) -> Account:
        """Return an account; `NotFoundError` if there is no such user."""
        found = self._accounts.account(name)
        if found is None:
            raise NotFoundError(f"there is no user {name!r}")
        return found

    def users(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        return self._accounts.accounts()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
