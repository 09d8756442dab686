"""The only reader of entry points.

A seam (``awe.engines``, ``awe.authenticators``, ...) is a group of entry points; awe's own backends
are registered in the same way, so that a plug-in is never a second-class citizen.
"""

from functools import cache
from importlib.metadata import EntryPoints, entry_points

from awe.errors import NotFoundError

__all__ = ["load", "names"]


def names(group: str) -> tuple[str, ...]:
    """Return the names registered under a seam, sorted."""
    return tuple(sorted({point.name for point in _group(group)}))


def load(group: str, name: str) -> object:
    """Return what is registered as `name` under the seam `group`.

    Raises
    ------
    NotFoundError
        If nothing is registered under that name.
    """
    for point in _group(group).select(name=name):
        found: object = point.load()
        return found
    known = ", ".join(names(group)) or "none"
    raise NotFoundError(
        f"no {group.removeprefix('awe.').removesuffix('s')} is called {name!r}", hint=f"known: {known}"
    )


@cache
def _group(group: str) -> EntryPoints:
    # reading what every installed package registers takes 50 ms
    return entry_points(group=group)
