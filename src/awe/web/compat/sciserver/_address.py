"""The query string of SkyServer's client, which does not encode what it puts in there.

Blanks arrive as ``%20``, while ``+``, ``&`` and ``#`` go out as they are: ``b+1`` must not become ``b 1``, and
``a&b`` is no end of a parameter. What stands behind ``#`` never arrives. The rule: where a value has ``%20`` in it, a
``+`` is a plus sign; where it has ``+`` and no ``%20``, a form encoder wrote it. What is no known parameter belongs to
the one before it.
"""

from collections.abc import Collection
from urllib.parse import unquote, unquote_plus

from awe.web.http import Call

__all__ = ["pairs_of", "split"]


def pairs_of(call: Call, known: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a request: those of its address by the rule, those of a form as they came."""
    query = call.request.scope.get("query_string", b"").decode("latin-1")
    addressed = len(call.request.query_params.multi_items())
    return (*split(query, known), *call.pairs[addressed:])


def split(query: str, known: Collection[str]) -> list[tuple[str, str]]:
    """Split a query string into names and values, decoded.

    Parameters
    ----------
    known
        The names of parameters, in lower case.
    """
    found: list[tuple[str, str]] = []
    for piece in query.split("&"):
        name, mark, value = piece.partition("=")
        if mark and unquote(name).casefold() in known:
            found.append((unquote(name), value))
        elif found and piece:
            found[-1] = (found[-1][0], f"{found[-1][1]}&{piece}")
    return [(name, _decoded(value)) for name, value in found]


def _decoded(value: str) -> str:
    return unquote(value) if "%20" in value or "+" not in value else unquote_plus(value)
