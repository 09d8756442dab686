"""People of a tiny archive."""

from awe.platform import Platform
from awe.services.identity import LOCAL, Claims

__all__ = ["log_in"]


def log_in(platform: Platform, name: str) -> str:
    """Return the token of a login without asking for the password, which costs much to check."""
    return platform.identity.enter(Claims(LOCAL, name, name))
