"""Range lists of the older protocols (SSA 1.1 section 8.7.2): ``1E-7/3E-6``, ``/5``, ``a,b/c;qualifier``.

`range_list` splits one into its elements; `numbers` and `moments` read the elements as numbers and as dates of the
restricted ISO 8601 that SSA allows. Intervals are closed; an open end is an infinity, and the ends of a range may
come in any order.
"""

import calendar
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from awe.core.vo.params import number

__all__ = ["RangeList", "date_range", "interval_of", "moment_interval", "number_interval", "range_list"]

Interval = tuple[float, float]

_DATE = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d*)?))?)?)?)?Z?")
_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RangeList:
    """The elements of a list and what stands behind the semicolon, lower case."""

    elements: tuple[str, ...]
    qualifier: str


def range_list(given: str) -> RangeList:
    """Split a range list.

    Raises
    ------
    ValueError
        If it has no element, or an empty one.
    """
    text, _, qualifier = given.partition(";")
    elements = tuple(element.strip() for element in text.split(","))
    if not all(elements):
        raise ValueError("has an empty element")
    return RangeList(elements, qualifier.strip().lower())


def number_interval(element: str) -> Interval:
    """Read one element as an interval of numbers; a single number is the interval that holds just it.

    Raises
    ------
    ValueError
        If it is not one.
    """
    ends = _ends(element)
    if len(ends) == 1:
        value = _finite(ends[0])
        return value, value
    return interval_of(*(None if end == "" else _finite(end) for end in ends))


def moment_interval(element: str) -> Interval:
    """Read one element as an interval of MJD (UTC); a date without its finer parts is all the time that it names.

    Raises
    ------
    ValueError
        If it is not one.
    """
    low, high = date_range(element)
    return (
        -math.inf if low is None else _mjd(low),
        math.inf if high is None else _mjd(high),
    )


def date_range(element: str) -> tuple[datetime | None, datetime | None]:
    """Read one element as the first and last moment (UTC) of a date or a range of dates; None is an open end.

    Raises
    ------
    ValueError
        If it is not one.
    """
    ends = _ends(element)
    spans = [None if end == "" else _span(end) for end in ends]
    if len(spans) == 1:
        if spans[0] is None:
            raise ValueError("is empty")
        return spans[0]
    known = sorted((span for span in spans if span is not None), key=lambda span: span[0])
    if len(known) == 2:
        return known[0][0], max(known[0][1], known[1][1])
    return (spans[0][0] if spans[0] else None), (spans[1][1] if spans[1] else None)


def interval_of(low: float | None, high: float | None) -> Interval:
    """Return the closed interval between two numbers in any order; None is an open end."""
    if low is not None and high is not None:
        return min(low, high), max(low, high)
    return -math.inf if low is None else low, math.inf if high is None else high


def _ends(element: str) -> list[str]:
    ends = [end.strip() for end in element.split("/")]
    if len(ends) > 2:
        raise ValueError("has a step behind its range, which means nothing here")
    return ends


def _finite(text: str) -> float:
    value = number(text)
    if not math.isfinite(value):
        raise ValueError("is not a finite number")
    return value


def _span(text: str) -> tuple[datetime, datetime]:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"has {text!r} where a date should be: 2009, 2009-07, 2009-07-13 or 2009-07-13T12:00:00"
        )
    year, month, day, hour, minute, second = found.groups()
    try:
        first = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=UTC
        )
    except ValueError as error:
        raise ValueError(f"has {text!r}, which is no date: {error}") from None
    first += timedelta(seconds=float(second or 0))
    if second is not None:
        return first, first
    if minute is not None:
        length = timedelta(minutes=1)
    elif day is not None:
        length = timedelta(days=1)
    elif month is not None:
        length = timedelta(days=calendar.monthrange(first.year, first.month)[1])
    else:
        length = timedelta(days=366 if calendar.isleap(first.year) else 365)
    return first, first + length


def _mjd(moment: datetime) -> float:
    return (moment - _MJD_ZERO) / timedelta(days=1)
