"""Group Membership Service 1.0 (REC 2022-02-22): which groups the caller belongs to."""

from collections.abc import Iterable

from awe.core.vo.params import Param, Params, text

__all__ = ["GROUP", "PARAMS", "SECURITY", "STANDARD_ID", "answer"]

STANDARD_ID = "ivo://ivoa.net/std/gms#search-1.0"
SECURITY = ("ivo://ivoa.net/sso#BasicAA", "ivo://ivoa.net/sso#cookie", "ivo://ivoa.net/sso#OAuth")
"""Whoever asks has to be known (section 2.2)."""

GROUP: Param[str] = Param(
    "group", text, "Name of a group; without it all of the caller's", repeated=True, example="survey"
)
PARAMS = Params(GROUP)


def answer(groups: Iterable[str]) -> str:
    """Return the document: one name a line, nothing for none (section 3.1)."""
    return "".join(f"{name}\n" for name in sorted(groups))
