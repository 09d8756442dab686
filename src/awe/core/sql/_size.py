"""How large a query may be: understanding one takes time and memory that no engine's limit covers.

The text is measured before it is parsed, what it grows to (stars, repeated arguments) while it is compiled.
"""

import re

from awe.errors import LimitError, QuerySyntaxError

__all__ = [
    "MAX_CHARACTERS",
    "MAX_COLUMNS",
    "MAX_GROWN",
    "MAX_PARTS",
    "MAX_WRITTEN",
    "check_text",
    "too_large",
]

MAX_CHARACTERS = 1_000_000
"""Length of the text."""

MAX_PARTS = 100_000
"""Words, numbers and signs of the text: a list of 50,000 numbers still goes through."""

MAX_COLUMNS = 5_000
"""Columns of all select lists of a query together, stars written out."""

MAX_WRITTEN = 250_000
"""Characters of one call as it is written for an engine, its arguments included."""

MAX_GROWN = 100_000
"""Nodes of a query's tree that stand there for calls of described functions."""

_PART = re.compile(r"\w+|[^\w\s]")
_LONE = re.compile("[\ud800-\udfff]")


def check_text(text: str) -> None:
    """Refuse a text that would take too long to understand, or that is no Unicode text.

    Raises
    ------
    LimitError
        If it is too long, or has too many parts.
    QuerySyntaxError
        If it has half of a character (a surrogate without its other half).
    """
    if len(text) > MAX_CHARACTERS:
        raise too_large(f"its text has {len(text):,} characters, and may have {MAX_CHARACTERS:,}")
    lone = _LONE.search(text)
    if lone is not None:
        before = text[: lone.start()]
        line, column = before.count("\n") + 1, lone.start() - before.rfind("\n")
        raise QuerySyntaxError("a character that is in no text", line=line, column=column)
    parts = sum(1 for _ in _PART.finditer(text))
    if parts > MAX_PARTS:
        raise too_large(f"its text has {parts:,} words, numbers and signs, and may have {MAX_PARTS:,}")


def too_large(reason: str) -> LimitError:
    """Return the error of a query that is too large to be compiled."""
    return LimitError(f"the query is too large: {reason}", hint="ask in several parts")
