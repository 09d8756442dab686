"""The Authenticator seam: where accounts are kept and passwords are checked."""

from typing import Protocol

from awe.services.identity.model import Identity

__all__ = ["Authenticator"]


class Authenticator(Protocol):
    """Check a user's password."""

    def authenticate(self, user: str, password: str) -> Identity:
        """Return who this is.

        Takes as long for a name that nobody has as for a wrong password.

        Raises
        ------
        AuthenticationError
            If the name or the password is wrong; it does not say which.
        UnavailableError
            If the account system cannot be asked now.
        """
