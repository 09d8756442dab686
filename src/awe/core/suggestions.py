"""What somebody who gave an unknown name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(name: str, known: Iterable[str], *, most: int = 3, cutoff: float = 0.6) -> str | None:
    """Return a hint naming the closest known names (ignoring case), or None where none is close.

    Parameters
    ----------
    most
        How many names at the most.
    cutoff
        How close a name must be, 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    spelled = {k.casefold(): k for k in known}
    near = get_close_matches(name.casefold(), spelled, n=most, cutoff=cutoff)
    return f"did you mean {' or '.join(spelled[n] for n in near)}?" if near else None
