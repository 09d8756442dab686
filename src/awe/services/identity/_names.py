"""What users and groups can be called: one form for both, since they share one set of names with the roles."""

import re

__all__ = ["NAME_HINT", "is_name"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
NAME_HINT = "letters, digits and . _ @ -, beginning with a letter or digit, at most 64"
"""What `is_name` asks for, in words."""


def is_name(text: str) -> bool:
    """Tell whether a user or a group can be called so."""
    return _NAME.fullmatch(text) is not None
