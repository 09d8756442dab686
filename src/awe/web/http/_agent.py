"""What a program calls itself (RFC 9110 section 10.1.5), in the words of people: for the list of one's logins."""

from functools import lru_cache

__all__ = ["agent_of"]

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_LONGEST = 40
_LOOKED_AT = 500
"""Characters of such a header that are read."""


def agent_of(header: str) -> str:
    """Return a browser and its system, or a program's own name; nothing if it says nothing that can be shown."""
    return _agent_of(header[:_LOOKED_AT])


@lru_cache(maxsize=200)
def _agent_of(header: str) -> str:
    browser = next((name for sign, name in _BROWSERS if sign in header), None)
    if browser is None:
        name = header.split("/", maxsplit=1)[0].strip()[:_LONGEST]
        return name if name.isprintable() else ""
    system = next((name for sign, name in _SYSTEMS if sign in header), None)
    return f"{browser} on {system}" if system else browser
