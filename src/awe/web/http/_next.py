"""Where a person was going before the login came between: a page of this service, and of no other."""

import re
from urllib.parse import unquote

__all__ = ["next_page"]

_HOME = "/"
_LONGEST = 4000
_ADDRESS = re.compile(
    r"/[!-~]*", re.ASCII
)  # printable, no blank: browsers drop tabs and line breaks from addresses


def next_page(wanted: str | None) -> str:
    """Return a path of this service with its query, as it may stand in a ``Location`` header.

    Whatever a browser could take for another site leads home instead: an address with a scheme or a host, one that
    begins with two slashes, or with what browsers read as slashes (WHATWG URL section 4.4 takes a backslash for one),
    also behind an encoding or behind ``.`` and ``..``, which a proxy may resolve before it passes an address on.
    """
    if wanted is None or len(wanted) > _LONGEST or not _ADDRESS.fullmatch(wanted) or "\\" in wanted:
        return _HOME
    path = re.split(r"[?#]", wanted, maxsplit=1)[0]
    while (plain := unquote(path)) != path:
        path = plain
    steps = path[1:].split("/")
    if not path.isprintable() or "\\" in path or {".", ".."} & set(steps) or "" in steps[:-1]:
        return _HOME
    return wanted
