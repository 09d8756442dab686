"""``mydb://t``, as Data Lab's users write their own tables, is ``mydb.t``."""

import re

__all__ = ["plain_names"]

_PARTS = re.compile(
    r"""'(?:[^']|'')*'            # a text
      | "(?:[^"]|"")*"            # a delimited name
      | --[^\n]*  |  /\*.*?\*/    # comments
      | \bmydb(?P<mark>://)(?=\w)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def plain_names(text: str) -> str:
    """Return SQL whose names are all plain; every other character stays in its place."""
    return _PARTS.sub(lambda found: found[0].replace("://", ".  ") if found["mark"] else found[0], text)
