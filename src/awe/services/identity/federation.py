"""Other account systems: who may come in from them, and who that is here.

A person of a provider is a user here by the provider's name and the provider's word for the person (`Claims.subject`),
and by nothing else: a user name or an address that is the same never makes somebody a user. Whoever comes the first
time gets an account of their own, if the name is free; who has an account already links the two.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from awe.errors import AuthenticationError, ConflictError, ForbiddenError, NotFoundError, UnavailableError
from awe.services.identity._names import is_name
from awe.services.identity._rules import brought, refusal
from awe.services.identity.audit import AuditLog
from awe.services.identity.claims import LOCAL, Claims, ExternalIdentity, Way
from awe.services.identity.interface import Authenticator, BrowserLogin, TokenAuthenticator
from awe.services.identity.model import Identity
from awe.services.identity.stores import AccountStore, ExternalStore, TokenStore
from awe.settings.login import LoginProviderSettings

__all__ = ["AccountSystem", "FederationService"]

AccountSystem = Authenticator | BrowserLogin
"""What a provider is: it checks passwords or takes over the browser."""

_LONGEST_SUBJECT = 255
_LONGEST_TEXT = 254


class FederationService:
    """Ask account systems who somebody is, and decide who that is here.

    Parameters
    ----------
    accounts, external, tokens
        What is kept in the system database.
    audit
        Where what is decided is recorded.
    systems
        The account systems in the order in which they are asked; `LOCAL` are awe's own accounts.
    rules
        What the operator says of each of them; nothing of `LOCAL`.
    now
        The moment it is.
    """

    def __init__(
        self,
        accounts: AccountStore,
        external: ExternalStore,
        tokens: TokenStore,
        audit: AuditLog,
        systems: Mapping[str, AccountSystem],
        rules: Mapping[str, LoginProviderSettings],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._external = external
        self._tokens = tokens
        self._audit = audit
        self._systems = dict(systems)
        self._rules = dict(rules)
        self._now = now

    def ways(self) -> tuple[Way, ...]:
        """Return the ways to log in, in the order in which they are offered."""
        return tuple(
            Way(name, self._title(name), isinstance(system, BrowserLogin))
            for name, system in self._systems.items()
        )

    def browser(self, provider: str) -> BrowserLogin:
        """Return what logs people in at a provider in their browser; `NotFoundError` if there is no such provider."""
        system = self._systems.get(provider)
        if not isinstance(system, BrowserLogin):
            raise NotFoundError(f"there is no login provider {provider!r} for browsers")
        return system

    def authenticate_elsewhere(self, user: str, password: str) -> Claims:
        """Return whose password this is at an account system that is not awe's own; errors as `authenticate`."""
        return self._authenticate(user, password, {name for name in self._systems if name != LOCAL})

    def authenticate(self, user: str, password: str) -> Claims:
        """Return whose password this is: the account systems are asked in turn, and it is not told which knew.

        Raises
        ------
        AuthenticationError
            If none of them knows the name with this password.
        UnavailableError
            If none does, and one could not be asked now.
        """
        return self._authenticate(user, password, self._systems.keys())

    def _authenticate(self, user: str, password: str, among: Collection[str]) -> Claims:
        down: UnavailableError | None = None
        asked = _is_text(user) and _is_text(password)
        for name, system in self._systems.items():
            if asked and name in among and isinstance(system, Authenticator):
                try:
                    return system.authenticate(user, password)
                except AuthenticationError:
                    continue
                except UnavailableError as error:
                    down = down or error
        raise down or AuthenticationError("the user name or the password is wrong")

    @property
    def takes_tokens(self) -> bool:
        """Whether tokens of an account system are taken for those of a login."""
        return any(isinstance(one, TokenAuthenticator) and one.takes_tokens for one in self._systems.values())

    def authenticate_token(self, token: str) -> Claims:
        """Return whose token of an account system this is; errors as `authenticate`."""
        down: UnavailableError | None = None
        for system in self._systems.values():
            if isinstance(system, TokenAuthenticator) and system.takes_tokens:
                try:
                    return system.authenticate_token(token)
                except AuthenticationError:
                    continue
                except UnavailableError as error:
                    down = down or error
        raise down or AuthenticationError("the token is not known or has expired", hint="log in again")

    def admit(self, claims: Claims) -> Identity:
        """Return who somebody is here; at the first time make an account, at each bring roles and groups up to date.

        Raises
        ------
        ForbiddenError
            If the operator's rules keep the person out, or the account is closed.
        ConflictError
            If the person has no account, and the name belongs to somebody else.
        """
        if claims.provider == LOCAL:
            return self._open(claims.subject, claims)
        name = self._external.user(claims.provider, claims.subject)
        try:
            rules = self._checked(claims)
        except ForbiddenError:
            if name is not None:
                self._shut(name, claims)
            raise
        if name is None:
            name = self._created(claims, rules)
        self._open(name, claims)
        self._update(name, claims, rules)
        return self._open(name, claims)

    def link(self, caller: Identity, claims: Claims) -> None:
        """Let the caller log in as somebody of a provider, too, who has just proved to be that.

        Raises
        ------
        ForbiddenError
            If nobody is logged in, or the operator's rules keep the person out.
        ConflictError
            If it is an identity of somebody already.
        """
        if caller.is_anonymous or claims.provider == LOCAL:
            raise ForbiddenError("only who is logged in can add a way to log in", hint="log in first")
        rules = self._checked(claims)
        self._link(caller.name, claims, by=caller.name)
        self._update(caller.name, claims, rules)

    def link_for(self, user: str, provider: str, subject: str, *, by: str) -> None:
        """Let somebody of a provider be a user, as an administrator decides.

        Raises
        ------
        NotFoundError
            If there is no such user or provider.
        ConflictError
            If they are somebody's already.
        """
        if provider not in self._rules:
            raise NotFoundError(f"there is no login provider {provider!r}")
        if self._accounts.identity(user) is None:
            raise NotFoundError(f"there is no user {user!r}")
        self._link(user, Claims(provider, subject, ""), by=by)

    def unlink(self, user: str, provider: str, subject: str, *, by: str) -> None:
        """Let somebody of a provider be a user no longer: logins, roles and groups that came by it end.

        Raises
        ------
        NotFoundError
            If they are not that user.
        ConflictError
            If the user could not log in any more.
        """
        links = self.links(user)
        if (provider, subject) not in {(one.provider, one.subject) for one in links}:
            raise NotFoundError(f"{user} is nobody of that name at {provider}")
        account = self._accounts.account(user)
        by_password = account is not None and account.has_password and LOCAL in self._systems
        if len(links) == 1 and by == user and not by_password:
            raise ConflictError(
                "it is the only way you can log in", hint="add another one, or a password, first"
            )
        self._end(provider, subject)
        self._external.unlink(user, provider, subject)
        self._audit.record(
            "identity.unlinked", user=by, target=f"user:{user}", provider=provider, subject=subject
        )

    def links(self, user: str) -> tuple[ExternalIdentity, ...]:
        """Return who a user is at other account systems."""
        return self._external.of(user)

    def came_by(self, token_id: str, claims: Claims) -> None:
        """Remember that a login here came by one at a provider, and ends with it."""
        if claims.provider != LOCAL:
            self._external.came_by(token_id, claims)

    def leave_url(self, token_id: str, return_to: str) -> str | None:
        """Return where a browser ends the login at the provider by which a login here came; None if nowhere."""
        system = self._systems.get(self._external.origin(token_id) or "")
        return system.leave_url(return_to) if isinstance(system, BrowserLogin) else None

    def ended(self, provider: str, logout_token: str) -> int:
        """End the logins here that came by one that ended at a provider, as the provider itself says.

        OpenID Connect Back-Channel Logout 1.0 section 2.6.

        Returns
        -------
        How many ended.

        Raises
        ------
        NotFoundError
            If there is no such provider.
        AuthenticationError
            If it was not the provider that said so.
        """
        ended = self.browser(provider).ended(logout_token)
        ended_here = self._end(provider, ended.subject, ended.session)
        user = self._external.user(provider, ended.subject) if ended.subject else None
        self._audit.record(
            "logout",
            user=f"provider:{provider}",
            target=f"user:{user}" if user else "",
            logins=str(ended_here),
        )
        return ended_here

    def _title(self, provider: str) -> str:
        rules = self._rules.get(provider)
        return (rules.title if rules else "") or provider

    def _checked(self, claims: Claims) -> LoginProviderSettings:
        """Return the rules of who may come in; `ForbiddenError` if this person may not."""
        rules = self._rules.get(claims.provider)
        if rules is None or not 0 < len(claims.subject) <= _LONGEST_SUBJECT:
            raise self._refused(claims, "no subject" if rules else "no provider")
        if why := refusal(claims, rules):
            raise self._refused(claims, why)
        return rules

    def _refused(self, claims: Claims, why: str) -> ForbiddenError:
        self._audit.record(
            "login",
            user="",
            target=f"{claims.provider}:{claims.subject}",
            outcome="refused",
            name=claims.name,
            why=why,
        )
        return ForbiddenError(
            f"the operator of this archive does not let you in by {self._title(claims.provider)}",
            hint="ask the people of this archive",
        )

    def _created(self, claims: Claims, rules: LoginProviderSettings) -> str:
        """Make an account at the first login; return its name."""
        if not rules.create:
            raise self._refused(claims, "no account")
        if not is_name(claims.name):
            raise self._refused(claims, "not a user name")
        try:
            self._external.create(claims.name, _clean(claims), self._now())
        except ConflictError:
            if (name := self._external.user(claims.provider, claims.subject)) is not None:
                return name  # another first login of the same person was faster
            raise self._taken(claims) from None
        self._audit.record(
            "user.added",
            user=f"provider:{claims.provider}",
            target=f"user:{claims.name}",
            subject=claims.subject,
        )
        return claims.name

    def _taken(self, claims: Claims) -> ConflictError:
        self._refused(claims, "the name is taken")
        title = self._title(claims.provider)
        return ConflictError(
            f"you are {claims.name} at {title}, and somebody has an account of that name here",
            hint=f"if it is yours, log in to it as before and add {title} to it; else ask the people of this archive",
        )

    def _open(self, name: str, claims: Claims) -> Identity:
        found = self._accounts.identity(name)
        if found is None:
            self._audit.record(
                "login",
                user="",
                target=f"user:{name}",
                outcome="refused",
                provider=claims.provider,
                why="closed",
            )
            raise ForbiddenError("the account is closed", hint="ask the people of this archive")
        return found

    def _link(self, user: str, claims: Claims, *, by: str) -> None:
        self._external.link(user, _clean(claims), self._now())
        self._audit.record(
            "identity.linked",
            user=by,
            target=f"user:{user}",
            provider=claims.provider,
            subject=claims.subject,
        )

    def _shut(self, name: str, claims: Claims) -> None:
        """Take what came by an identity that may not come in any more: logins, roles and groups."""
        self._end(claims.provider, claims.subject)
        self._external.take(name, claims)

    def _end(self, provider: str, subject: str, session: str = "") -> int:
        tokens = self._external.tokens(provider, subject, session)
        for token_id in tokens:
            self._tokens.drop_id(token_id)
        return len(tokens)

    def _update(self, name: str, claims: Claims, rules: LoginProviderSettings) -> None:
        before = self._accounts.identity(name)
        refused = self._external.seen(name, _clean(claims), brought(claims, rules), self._now())
        after = self._accounts.identity(name)
        if before is None or after is None:
            return
        for what, had, has in (
            ("user.roles", before.roles, after.roles),
            ("user.groups", before.groups, after.groups),
        ):
            if had != has:
                self._audit.record(
                    what, user=f"provider:{claims.provider}", target=f"user:{name}", now=" ".join(sorted(has))
                )
        if refused:
            self._audit.record(
                "user.groups",
                user=f"provider:{claims.provider}",
                target=f"user:{name}",
                outcome="refused",
                groups=" ".join(refused),
            )


def _is_text(typed: str) -> bool:
    """Tell whether something typed has no halves of characters, which JSON can spell and nothing can store."""
    return not any("\ud800" <= sign <= "\udfff" for sign in typed)


def _clean(claims: Claims) -> Claims:
    """Return claims whose texts are short and hold nothing that cannot be shown."""
    name, display_name, email = (
        "".join(sign for sign in text if sign.isprintable())[:_LONGEST_TEXT]
        for text in (claims.name, claims.display_name, claims.email)
    )
    return replace(claims, name=name, display_name=display_name, email=email)
