"""What a personal token may be."""

import secrets
from datetime import datetime, timedelta

from awe.errors import ParameterError
from awe.services.identity.model import SCOPES, Token, TokenKind

__all__ = ["personal_token"]

_LONGEST_LABEL = 100
_LONGEST_DAYS = 366


def personal_token(user: str, label: str, scopes: frozenset[str], days: float, now: datetime) -> Token:
    """Return a personal token that is made now.

    Raises
    ------
    ParameterError
        If the label, a scope or the life cannot be used.
    """
    if not 0 < len(label.strip()) <= _LONGEST_LABEL or not label.isprintable():
        raise ParameterError("label", label, f"1 to {_LONGEST_LABEL} printable characters are needed")
    if not scopes or scopes - SCOPES:
        hint = f"some of {', '.join(sorted(SCOPES))}"
        raise ParameterError("scopes", ",".join(sorted(scopes)), "no such scopes", hint=hint)
    if not 0 < days <= _LONGEST_DAYS:
        raise ParameterError("days", days, f"more than 0 and at most {_LONGEST_DAYS} days are possible")
    ends = now + timedelta(days=days)
    return Token(secrets.token_hex(8), user, TokenKind.PERSONAL, label.strip(), scopes, now, ends)
