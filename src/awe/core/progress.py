"""How long work tells how far it is, in every ring alike."""

from collections.abc import Callable

__all__ = ["Progress", "silent"]

Progress = Callable[[str, int, int | None], None]
"""Told of long work: what is done now, how much of it, out of how much (None: not known)."""


def silent(_what: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""
