"""Principals: whom something can be allowed to.

A principal is a text with a prefix, so that a user, a group and a role of one name are three: ``user:ann``,
``group:hst``, ``role:scientist``; ``everybody``; and ``link:ID``, whoever holds the key of a link.
"""

from awe.errors import ParameterError

__all__ = ["EVERYBODY", "GROUP", "LINK", "ROLE", "USER", "checked_principal", "split_principal"]

EVERYBODY = "everybody"
"""All callers, also those whom nobody knows."""
USER, GROUP, ROLE, LINK = "user", "group", "role", "link"
"""The prefixes."""


def split_principal(principal: str) -> tuple[str, str]:
    """Return the prefix of a principal and the name behind it; nothing and the text where it has none."""
    prefix, colon, name = principal.partition(":")
    return (prefix, name) if colon else ("", principal)


def checked_principal(text: str) -> str:
    """Return a principal that somebody wrote.

    Raises
    ------
    ParameterError
        If it is none, or that of a link.
    """
    prefix, name = split_principal(text)
    if text != EVERYBODY and not (prefix in {USER, GROUP, ROLE} and name):
        hint = "user:NAME, group:NAME, role:NAME or everybody"
        raise ParameterError("with", text, "this names nobody", hint=hint)
    return text
