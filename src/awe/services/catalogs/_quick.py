"""What a query is told whose time in the quick queue is over: the long queue has more."""

from awe.errors import AweError, TimeLimitError

__all__ = ["quick_error"]


def quick_error(seconds: float, longest_s: float, error: AweError) -> AweError:
    """Return the error of a query that somebody waits for, where jobs may take longer.

    Parameters
    ----------
    seconds
        What the query had.
    longest_s
        What a job may have.
    """
    if not isinstance(error, TimeLimitError):
        return error
    return TimeLimitError(
        f"the query took longer than the {_span(seconds)} of the quick queue",
        hint=f"ask for less, or put it into the long queue, where it has up to {_span(longest_s)}: "
        "awe query --long, archive.submit(...), or a job at /tap/async",
    )


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:g} h"
