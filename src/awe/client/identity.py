"""Your account: log in, and who you are."""

from typing import Any

from awe.client._base import ServiceClient

__all__ = ["IdentityClient"]


class IdentityClient(ServiceClient):
    """The caller's account."""

    def login(self, user: str, password: str) -> str:
        """Log in and use the token from now on; returns it, for ``AWE_TOKEN``.

        Raises
        ------
        AuthenticationError
            If the name or the password is wrong.
        """
        found: Any = self.transport.post_json("/api/login", {"user": user, "password": password})
        token = str(found["token"])
        self.transport.login(token)
        return token

    def whoami(self) -> str:
        """Return your user name, or ``anonymous``."""
        found: Any = self.transport.get_json("/api/whoami")
        return str(found["name"])
