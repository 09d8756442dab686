"""Where a version of a table is kept: a name that no version had before, and says when its writing began."""

import re
import secrets
from datetime import UTC, datetime

__all__ = ["made", "new_location", "tag_of"]

_STAMP = "%Y%m%dT%H%M%S"
_LOCATION = re.compile(r"[^-]+-(\d{8}T\d{6})-[0-9a-f]{8}")


def new_location(schema: str, name: str) -> str:
    """Return a new location for a version of a table."""
    now = datetime.now(UTC).strftime(_STAMP)
    return f"{schema.casefold()}.{name.casefold()}-{now}-{secrets.token_hex(4)}"


def made(location: str, now: float) -> float:
    """Return when the writing of a version began, in seconds since 1970; `now` for what is not ours."""
    stamp = _LOCATION.fullmatch(location)
    if stamp is None:
        return now
    return datetime.strptime(stamp[1], _STAMP).replace(tzinfo=UTC).timestamp()


def tag_of(location: str) -> str:
    """Return what tells a version from all others of its table."""
    return location.rpartition(".")[2].partition("-")[2] or location
