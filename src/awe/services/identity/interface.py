"""The Authenticator seam: where accounts are kept, and how it is found out who somebody is.

An account system either checks a password (`Authenticator`) or takes over the person's browser (`BrowserLogin`).
Either says who it was in `Claims`; who that is here is decided in one place, `FederationService.admit`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from awe.services.identity.claims import Claims

__all__ = ["Authenticator", "Begun", "BrowserLogin", "Ended", "TokenAuthenticator"]


@runtime_checkable
class Authenticator(Protocol):
    """Check a user's password."""

    def authenticate(self, user: str, password: str) -> Claims:
        """Return who this is.

        Does as much for a name that nobody has as for a wrong password.

        Raises
        ------
        AuthenticationError
            If the name or the password is wrong; it does not say which.
        UnavailableError
            If the account system cannot be asked now.
        """


@runtime_checkable
class TokenAuthenticator(Protocol):
    """Check a token that the account system gave out itself."""

    @property
    def takes_tokens(self) -> bool:
        """Whether the operator takes them."""

    def authenticate_token(self, token: str) -> Claims:
        """Return whose token it is; `AuthenticationError` if it is not good, `UnavailableError` as `Authenticator`."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that was begun.

    Attributes
    ----------
    url
        Where to send the browser.
    key
        A secret of this browser, for ten minutes: it is kept in a cookie, and `complete` needs it.
    """

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A login that ended at the provider: one of them (`session`), or all of a person (`subject`) when that is empty."""

    subject: str
    session: str


@runtime_checkable
class BrowserLogin(Protocol):
    """Let a provider find out in the person's browser who it is."""

    def begin(self, redirect_uri: str, *, purpose: str = "login") -> Begun:
        """Begin a login.

        Parameters
        ----------
        redirect_uri
            Where the browser comes back to; the provider has to know it.
        purpose
            What the login is for: it can be completed for nothing else. Linking names the user in it.

        Raises
        ------
        UnavailableError
            If the provider cannot be asked now.
        """

    def complete(
        self, key: str, redirect_uri: str, answer: Mapping[str, str], *, purpose: str = "login"
    ) -> Claims:
        """Return who it was that came back.

        Parameters
        ----------
        key
            That of `begin`, from the browser's cookie.
        redirect_uri, purpose
            Those of `begin`.
        answer
            The parameters that the browser came back with.

        Raises
        ------
        AuthenticationError
            If this browser did not begin it, it is too old, the person refused, or what the provider says is not right.
        UnavailableError
            If the provider cannot be asked now.
        """

    def leave_url(self, return_to: str) -> str | None:
        """Return where a browser ends its login at the provider and then goes to `return_to`; None if nowhere."""

    def ended(self, logout_token: str) -> Ended:
        """Return what ended, as the provider itself says; `AuthenticationError` if it was not the provider."""
