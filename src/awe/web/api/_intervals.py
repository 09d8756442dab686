"""Intervals as people type them: ``4e-7 7e-7``, ``52000 +Inf``."""

from awe.core.vo.dali import interval
from awe.errors import ParameterError

__all__ = ["interval_of"]


def interval_of(name: str, given: str) -> tuple[float, float] | None:
    """Return the ends of an interval; None where nothing is given.

    Raises
    ------
    ParameterError
        If it is none.
    """
    if not given.strip():
        return None
    try:
        return interval(given)
    except ValueError as error:
        raise ParameterError(
            name, given, str(error), hint="two numbers; -Inf and +Inf are open ends"
        ) from None
