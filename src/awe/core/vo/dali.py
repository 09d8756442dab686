"""What all data access protocols share: Data Access Layer Interface 1.1 (REC 2017-05-17).

The parameters that every service takes, intervals, and the words of its answers.
"""

import math
import re
from collections.abc import Iterable

from awe.core.vo.params import Param, integer, number, text
from awe.errors import AweError, LimitError, ServiceError, UnavailableError

__all__ = [
    "FORMAT", "MAXREC", "REQUEST", "RESPONSEFORMAT", "UPLOAD", "Upload", "fault_word", "interval",
    "number_interval",
    "with_synonyms",
]  # fmt: skip

RESPONSEFORMAT: Param[str] = Param(
    "RESPONSEFORMAT",
    text,
    "Format of the answer: a media type or a short name such as votable, csv, fits, json, parquet",
    example="csv",
)
"""DALI 1.1 section 3.4.3."""

FORMAT: Param[str] = Param("FORMAT", text, "The older name of RESPONSEFORMAT", example="csv")
"""TAP 1.1 section 2.7.2 keeps the name of TAP 1.0."""

MAXREC: Param[int] = Param(
    "MAXREC",
    integer(0),
    "Rows of the answer at the most; 0 asks for the columns only",
    "long",
    example="1000",
)
"""DALI 1.1 section 3.4.4."""

_NEXT_UPLOAD = re.compile(r";(?=\s*(?:\w+\s*,|$))")
"""A semicolon between two uploads; the one in an address is followed by something else."""

Upload = tuple[str, str]
"""The name of a table in the query, and where it is: ``param:part`` or an address."""


def _uploads(given: str) -> tuple[Upload, ...]:
    """Parse ``name,uri;name,uri`` (TAP 1.1 section 2.5: in one parameter or in several)."""
    found = []
    for one in filter(None, (part.strip() for part in _NEXT_UPLOAD.split(given))):
        name, comma, place = (part.strip() for part in one.partition(","))
        if not comma or not name or not place:
            raise ValueError("is not a name and a place, separated by a comma")
        found.append((name, place))
    return tuple(found)


UPLOAD: Param[tuple[Upload, ...]] = Param(
    "UPLOAD",
    _uploads,
    "Tables that the query reads as TAP_UPLOAD.name: a name, a comma, and param:part or an address",
    repeated=True,
    example="mine,param:part",
)
"""DALI 1.1 section 3.4.5."""

_FITS = ("application/fits", "image/fits")

REQUEST: Param[str] = Param("REQUEST", text, "What is asked for; a service does one thing, this is ignored")
"""DALI 1.0's REQUEST, sent by older clients."""


def interval(given: str) -> tuple[float, float]:
    """Parse a DALI interval (section 3.3.5): two numbers, ``-Inf`` and ``+Inf`` for open ends.

    Raises
    ------
    ValueError
        If it is not one, or is empty.
    """
    parts = given.replace(",", " ").split()
    if len(parts) != 2:
        raise ValueError("is not an interval of two numbers")
    low, high = _number(parts[0]), _number(parts[1])
    if math.isnan(low) or math.isnan(high):
        raise ValueError("has no number at one end")
    if low > high:
        raise ValueError("begins after its end")
    return low, high


def number_interval(given: str) -> tuple[float, float]:
    """Parse an interval, or one number as the interval that holds just it (SIA 2.0 section 2.1.2)."""
    parts = given.split()
    return interval(f"{parts[0]} {parts[0]}" if len(parts) == 1 else given)


def fault_word(error: AweError) -> str:
    """Return the word that errors of SIA 2.0 (section 2.4) and DataLink 1.1 (section 3.4) begin with."""
    if isinstance(error, UnavailableError):
        return "TransientFault"
    if isinstance(error, ServiceError):
        return "FatalFault"
    return "DefaultFault" if isinstance(error, LimitError) else "UsageFault"


def with_synonyms(media_types: Iterable[str]) -> tuple[str, ...]:
    """Return the media types and those that mean the same files: FITS has two (RFC 4047 section 3)."""
    wanted = dict.fromkeys(media_types)
    if any(media_type.lower() in _FITS for media_type in wanted):
        wanted |= dict.fromkeys(_FITS)
    return tuple(wanted)


def _number(given: str) -> float:
    try:
        return number(given)
    except ValueError:
        raise ValueError(f"has {given!r} where a number should be") from None
