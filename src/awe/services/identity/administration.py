"""The life of accounts, as an administrator leads it: roles, links that set a password, closing, removing.

A removed account leaves its name taken for good. What belonged to it stays, and only administrators can reach it:
nobody inherits it by taking the name.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from awe.errors import AuthenticationError, ConflictError, NotFoundError
from awe.services.identity._names import checked_name, checked_password
from awe.services.identity._personal import personal_token
from awe.services.identity._profile import checked_display_name, checked_email
from awe.services.identity._secrets import digest, new_secret
from awe.services.identity.audit import AuditLog
from awe.services.identity.backends.local import LocalAuthenticator
from awe.services.identity.model import AccountState, Token
from awe.services.identity.stores import AccountStore, TokenStore

__all__ = ["AccountService"]


class AccountService:
    """Administer accounts; every act is recorded.

    `by` is who acts: an administrator's name, or ``local:NAME`` for who commands the machine itself. Whether that
    is allowed is for the face to ask.

    Parameters
    ----------
    accounts, tokens
        What is kept in the system database.
    audit
        Where it is recorded.
    local
        Hashes passwords.
    now
        The moment it is.
    """

    def __init__(
        self,
        accounts: AccountStore,
        tokens: TokenStore,
        audit: AuditLog,
        local: LocalAuthenticator,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._audit = audit
        self._local = local
        self._now = now

    def add(self, name: str, roles: Sequence[str] = (), *, by: str, password: str | None = None) -> None:
        """Add an account; without a password, `link` sets one.

        Raises
        ------
        ParameterError
            If the name or the password cannot be used.
        ConflictError
            If the name is taken, also by an account that was removed.
        """
        hashed = self._local.hash(checked_password(password)) if password is not None else None
        self._accounts.add(checked_name(name), hashed, roles)
        self._audit.record("user.added", user=by, target=f"user:{name}", roles=" ".join(sorted(roles)))

    def set_password(self, name: str, password: str, *, by: str) -> None:
        """Set a password; every login and token of the user ends.

        Raises
        ------
        ParameterError
            If the password cannot be used.
        NotFoundError
            If there is no such user.
        """
        changed = {"password_hash": self._local.hash(checked_password(password))}
        if not self._accounts.change(name, changed, ends_logins=True):
            raise NotFoundError(f"there is no user {name!r}")
        self._audit.record("user.password", user=by, target=f"user:{name}")

    def new_token(
        self, name: str, label: str, scopes: frozenset[str], *, days: float, by: str
    ) -> tuple[str, Token]:
        """Make a personal token for a user.

        Returns
        -------
        The secret, which is shown once, and what is known of it.

        Raises
        ------
        ParameterError
            If the label, a scope or the life cannot be used.
        NotFoundError
            If there is no such user, or the account is closed.
        """
        if self._accounts.identity(name) is None:
            raise NotFoundError(f"there is no user {name!r}, or the account is closed")
        made, secret = personal_token(name, label, scopes, days, self._now()), new_secret()
        self._tokens.add(made, digest(secret))
        said = " ".join(sorted(scopes))
        self._audit.record(
            "token.made", user=by, target=f"token:{made.id}", owner=name, scopes=said, label=made.label
        )
        return secret, made

    def revoke_token(self, token_id: str, *, by: str) -> None:
        """End anybody's token; `NotFoundError` if there is none with this id."""
        token = self._tokens.token(token_id)
        if token is None:
            raise NotFoundError(f"there is no token {token_id!r}")
        self._tokens.drop_id(token_id)
        self._audit.record("token.revoked", user=by, target=f"token:{token_id}", owner=token.user)

    def link(self, name: str, *, by: str, hours: float = 24.0) -> str:
        """Return the key of a link that sets the password of a user once; earlier keys of the user end.

        Raises
        ------
        NotFoundError
            If there is no such user.
        ConflictError
            If the account is closed.
        """
        account = self._accounts.account(name)
        if account is None or account.state is AccountState.REMOVED:
            raise NotFoundError(f"there is no user {name!r}")
        if account.state is not AccountState.ACTIVE:
            raise ConflictError(
                f"the account {name!r} is {account.state}", hint=f"awe admin user enable {name}"
            )
        key = new_secret()
        self._accounts.add_password_link(digest(key), name, self._now() + timedelta(hours=hours))
        self._audit.record("user.reset", user=by, target=f"user:{name}")
        return key

    def use_link(self, key: str, password: str) -> str:
        """Set the password that a link is for; the link, and every login and token of the user, ends.

        Returns
        -------
        The user's name.

        Raises
        ------
        ParameterError
            If the password cannot be used; the link stays good.
        AuthenticationError
            If the link is not known, has ended or was used.
        """
        checked_password(password)
        found, now = digest(key), self._now()
        # asked first: hashing costs much, and whoever has no link shall not make us do it
        if self._accounts.password_link(found, now) is not None:
            name = self._accounts.use_password_link(found, self._local.hash(password), now)
            if name is not None:
                self._audit.record("user.password", user=name, target=f"user:{name}", by="link")
                return name
        self._audit.record("user.password", user="", outcome="refused", by="link")
        raise AuthenticationError("the link was used already or has ended", hint="ask for another one")

    def change(
        self,
        name: str,
        *,
        by: str,
        roles: Sequence[str] | None = None,
        display_name: str | None = None,
        email: str | None = None,
        disabled: bool | None = None,
    ) -> None:
        """Change what is given of an account, all of it or nothing.

        Parameters
        ----------
        roles
            These and no others.
        disabled
            True closes it: its logins and tokens end, everything else is kept. False opens it again.

        Raises
        ------
        ParameterError
            If the name or the address cannot be shown.
        NotFoundError
            If there is no such user.
        ConflictError
            If one closes one's own account, or opens one that waits for approval.
        """
        if disabled:
            self._not_oneself(name, by)
        elif disabled is not None:
            self._not_waiting(name)
        told = {
            "display_name": None if display_name is None else checked_display_name(display_name),
            "email": None if email is None else checked_email(email),
        }
        values: dict[str, object] = {field: text for field, text in told.items() if text is not None}
        acts: list[tuple[str, dict[str, str]]] = []
        if values:
            acts.append(("user.described", {"fields": " ".join(values)}))
        if roles is not None:
            values["roles"] = sorted(set(roles))
            acts.append(("user.roles", {"roles": " ".join(sorted(set(roles)))}))
        if disabled is not None:
            values["state"] = (AccountState.DISABLED if disabled else AccountState.ACTIVE).value
            acts.append(("user.disabled" if disabled else "user.enabled", {}))
        if values and not self._accounts.change(name, values, ends_logins=bool(disabled)):
            raise NotFoundError(f"there is no user {name!r}")
        for act, details in acts:
            self._audit.record(act, user=by, target=f"user:{name}", outcome="done", **details)

    def set_roles(self, name: str, roles: Sequence[str], *, by: str) -> None:
        """Give a user these roles and no others; see `change`."""
        self.change(name, by=by, roles=roles)

    def describe(self, name: str, *, display_name: str | None, email: str | None, by: str) -> None:
        """Change what is told of a user, where it is given; see `change`."""
        self.change(name, by=by, display_name=display_name, email=email)

    def disable(self, name: str, *, by: str) -> None:
        """Close an account; see `change`."""
        self.change(name, by=by, disabled=True)

    def enable(self, name: str, *, by: str) -> None:
        """Open an account that was closed; see `change`."""
        self.change(name, by=by, disabled=False)

    def remove(self, name: str, *, by: str) -> None:
        """Remove an account for good; its name stays taken.

        Raises
        ------
        NotFoundError
            If there is no such user.
        ConflictError
            If it is one's own account.
        """
        self._not_oneself(name, by)
        if not self._accounts.remove(name):
            raise NotFoundError(f"there is no user {name!r}")
        self._audit.record("user.removed", user=by, target=f"user:{name}")

    def _not_waiting(self, name: str) -> None:
        account = self._accounts.account(name)
        if account is not None and account.state is AccountState.PENDING:
            raise ConflictError(f"{name} waits for approval", hint=f"awe admin user approve {name}")

    @staticmethod
    def _not_oneself(name: str, by: str) -> None:
        if name == by:
            raise ConflictError("this is your own account", hint="another administrator can do it")
