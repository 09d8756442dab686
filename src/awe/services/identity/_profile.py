"""What people tell of themselves."""

import re

from awe.errors import ParameterError

__all__ = ["checked_display_name", "checked_email"]

_EMAIL = re.compile(r"[^@\s<>\"',;:\\]{1,64}@[^@\s<>\"',;:\\]{1,190}")
_LONGEST_NAME = 100


def checked_display_name(text: str) -> str:
    """Return a name for people, without blanks around it; `ParameterError` if it cannot be shown."""
    text = text.strip()
    if len(text) > _LONGEST_NAME or not text.isprintable():
        raise ParameterError(
            "display_name", text[:_LONGEST_NAME], f"at most {_LONGEST_NAME} printable characters"
        )
    return text


def checked_email(text: str) -> str:
    """Return an address for electronic mail, or nothing; `ParameterError` if it is neither."""
    text = text.strip()
    if text and not (_EMAIL.fullmatch(text) and text.isprintable()):
        raise ParameterError("email", text[:_LONGEST_NAME], "not an address for electronic mail")
    return text
