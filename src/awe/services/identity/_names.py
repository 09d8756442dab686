"""What users and groups can be called, one form for both, since they share one set of names with the roles; passwords."""

import re
import unicodedata

from awe.errors import ParameterError

__all__ = ["NAME_HINT", "checked_name", "checked_password", "folded", "is_name"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
NAME_HINT = "letters, digits and . _ @ -, beginning with a letter or digit, at most 64"
"""What `is_name` asks for, in words."""
_SHORTEST_PASSWORD = 8


def is_name(text: str) -> bool:
    """Tell whether a user or a group can be called so."""
    return _NAME.fullmatch(text) is not None


def checked_name(name: str) -> str:
    """Return a name that an account can have; `ParameterError` otherwise."""
    if not is_name(name):
        raise ParameterError("name", name, "not a user name", hint=NAME_HINT)
    return name


def checked_password(password: str) -> str:
    """Return a password that is long enough; `ParameterError` otherwise."""
    if len(password) < _SHORTEST_PASSWORD:
        raise ParameterError("password", "***", f"shorter than {_SHORTEST_PASSWORD} characters")
    return password


def folded(name: str) -> str:
    """Return what all ways to type a name have in common: directories do not tell ``Ann`` from ``ann`` (RFC 4518)."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
