"""A place in the tokens: look, take, place nodes in the text, and fail with words that help."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeVar

from sqlglot import exp

from awe.core.sql.dialects.adql._lexer import Kind, Token, tokenize
from awe.core.sql.dialects.adql._words import SIGN_HINTS, WORD_HINTS
from awe.errors import QuerySyntaxError

__all__ = ["MAX_DEPTH", "Cursor", "delimit", "describe"]

MAX_DEPTH = 64
"""Deeper nesting of parentheses, functions and sub-queries is refused: it would exhaust the stack of
everything that walks the tree."""

_LARGEST = 2**63 - 1

_Node = TypeVar("_Node", bound=exp.Expr)


class Cursor:
    """Reads the tokens of one query from left to right.

    Parameters
    ----------
    text
        The query.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._index = 0
        self._depth = 0
        self.token = self._tokens[0]
        self.last = self.token

    def peek(self, ahead: int = 1) -> Token:
        """Return a token after the current one."""
        return self._tokens[min(self._index + ahead, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Take the current token."""
        self.last = self.token
        if self._index < len(self._tokens) - 1:
            self._index += 1
        self.token = self._tokens[self._index]
        return self.last

    def accept(self, *keys: str) -> Token | None:
        """Take the current token if it is one of these words or signs."""
        return self.advance() if self.token.key in keys and self.token.key else None

    def expect(self, key: str, after: str) -> Token:
        """Take the word or sign that must stand here; `after` says what it belongs to."""
        token = self.accept(key)
        if token is None:
            raise self.unexpected(f"{key} {after}", keys=(key,))
        return token

    def descend(self) -> None:
        """Enter a level of nesting; a parser leaves it with `ascend` (an error ends the whole parse)."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(
                f"the query is nested more than {MAX_DEPTH} levels deep",
                self.token,
                hint="remove superfluous parentheses, or name parts of the query with WITH",
            )

    def ascend(self) -> None:
        """Leave a level of nesting."""
        self._depth -= 1

    def place(self, node: _Node, first: Token) -> _Node:
        """Write the node's place into its ``meta``: from `first` to the last token taken."""
        meta = node.meta
        meta["line"], meta["col"] = first.line, first.column
        meta["start"], meta["end"] = first.start, self.last.end
        return node

    def place_from(self, node: _Node, left: exp.Expr) -> _Node:
        """As `place`, for a node that begins where its left operand does."""
        begin, meta = left.meta, node.meta
        meta["line"], meta["col"] = begin["line"], begin["col"]
        meta["start"], meta["end"] = begin["start"], self.last.end
        return node

    def identifier(self, what: str) -> exp.Identifier:
        """Read a name; `what` says which."""
        token = self.token
        if token.kind not in (Kind.NAME, Kind.DELIMITED):
            raise self.unexpected(what, hint=delimit(token, after_as=self.last.key == "AS"))
        if not token.value:
            raise self.error("a delimited name is empty", token)
        self.advance()
        return self.place(exp.Identifier(this=token.value, quoted=token.kind is Kind.DELIMITED), token)

    def path(self, what: str, longest: int) -> list[exp.Identifier]:
        """Read names joined by dots, at most `longest`; stops before ``.*``."""
        names = [self.identifier(what)]
        while self.token.key == "." and self.peek().key != "*":
            if len(names) == longest:
                raise self.error(f"{what} has at most {longest} parts", self.token)
            self.advance()
            names.append(self.identifier("a name after the dot"))
        return names

    def whole_number(self, what: str) -> exp.Literal:
        """Read an unsigned whole number; `what` says which."""
        token = self.token
        if token.kind is not Kind.INTEGER:
            raise self.unexpected(f"{what}, a whole number")
        if int(token.value) > _LARGEST:
            raise self.error(f"{token.value} is too large: the largest whole number is {_LARGEST}", token)
        self.advance()
        return self.place(exp.Literal(this=token.value, is_string=False), token)

    def source(self, node: exp.Expr) -> str:
        """Return the text of a placed node, shortened for messages."""
        text = " ".join(self._text[node.meta["start"] : node.meta["end"]].split())
        return text if len(text) <= 60 else text[:57] + "..."

    def error(self, message: str, at: Token | exp.Expr, *, hint: str | None = None) -> QuerySyntaxError:
        """Return the error for a token or a placed node."""
        if isinstance(at, Token):
            return QuerySyntaxError(message, line=at.line, column=at.column, hint=hint)
        return QuerySyntaxError(message, line=at.meta["line"], column=at.meta["col"], hint=hint)

    def unexpected(
        self, expected: str, *, keys: Iterable[str] = (), hint: str | None = None
    ) -> QuerySyntaxError:
        """Return the error that refuses the current token.

        Parameters
        ----------
        expected
            What could stand here, in words.
        keys
            The words that could stand here: a misspelling of one of them is recognised, also where it
            was just taken for an alias (``SELECT a FORM t``).
        hint
            What to do; found by the token where absent.
        """
        previous, wanted = self.last, tuple(keys)
        if previous.kind is Kind.NAME and self.token.kind is not Kind.END:
            misused = WORD_HINTS.get(previous.value.upper()) or _spelling(previous, wanted)
            if misused:
                return self.error(f"unexpected {previous.value}", previous, hint=misused)
        hint = hint or _hint(self.token, wanted)
        return self.error(f"expected {expected}, found {describe(self.token)}", self.token, hint=hint)


def describe(token: Token) -> str:
    """Say in words what a token is."""
    shown = token.value if len(token.value) <= 40 else token.value[:37] + "..."
    match token.kind:
        case Kind.END:
            return "the end of the query"
        case Kind.WORD:
            return f"the reserved word {shown}"
        case Kind.TEXT:
            return f"the text '{shown}'"
        case Kind.DELIMITED:
            return f'the name "{shown}"'
        case Kind.PARAMETER:
            return f":{shown}"
        case _:
            return shown


def _hint(token: Token, keys: tuple[str, ...]) -> str | None:
    if token.kind in (Kind.SIGN, Kind.PARAMETER):
        return SIGN_HINTS.get(token.key or ":")
    if token.kind in (Kind.WORD, Kind.NAME):
        return WORD_HINTS.get(token.value.upper()) or _spelling(token, keys)
    return None


def _spelling(token: Token, keys: tuple[str, ...]) -> str | None:
    word = token.value.upper()
    close = [k for k in get_close_matches(word, keys, n=1, cutoff=0.7) if k != word]
    return f"did you mean {close[0]}?" if close else None


def delimit(token: Token, *, after_as: bool = False) -> str | None:
    """Return the hint that a token is no name as it is written."""
    if token.kind is Kind.WORD and (after_as or token.key not in _STRUCTURE):
        return f'{token.value} is a reserved word; as a name, delimit it: "{token.value}"'
    if token.kind is Kind.TEXT:
        return "text stands in single quotes, names in double quotes"
    return None


# Reserved words that are hardly meant as names: a missing part of the query is the likelier mistake.
_STRUCTURE = frozenset(
    (
        *("SELECT", "FROM", "WHERE", "GROUP", "BY", "HAVING", "ORDER", "OFFSET", "UNION", "EXCEPT"),
        *("INTERSECT", "AND", "OR", "NOT", "AS", "ON", "USING", "JOIN", "INNER", "LEFT", "RIGHT", "FULL"),
        *("OUTER", "NATURAL", "CROSS", "WHEN", "THEN", "ELSE", "END", "IN", "IS", "LIKE", "BETWEEN"),
        *("TRUE", "FALSE", "DISTINCT"),
    )
)
