"""The tokens of one statement, read from left to right."""

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql.batches._values import Place, TableName
from awe.errors import NotOfferedError, QueryError, QuerySyntaxError

__all__ = ["Cursor", "is_word"]

_OPENING = {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}
_OWN = frozenset({"mydb", "myscratch", "mydb:default", "myscratch:default"})
_NO_SCHEMA = frozenset({"", "dbo"})


def is_word(token: Token, *words: str) -> bool:
    """Say whether a token is one of the words, not in quotes."""
    return token.text.upper() in words and token.token_type not in {TokenType.IDENTIFIER, TokenType.STRING}


class Cursor:
    """A place in tokens; `end` is where the last one ends in the text."""

    def __init__(self, tokens: Sequence[Token], text: Text) -> None:
        self.tokens, self.text = list(tokens), text
        self.at = 0

    @property
    def here(self) -> Token | None:
        """The token at hand, None behind the last one."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def place(self) -> Place:
        """Return where the cursor is."""
        here = self.here
        return Place(self.text, here.start if here is not None else self.tokens[-1].end + 1)

    def source(self) -> str:
        """Return what all tokens were read from."""
        return self.text.text[self.tokens[0].start : self.tokens[-1].end + 1]

    def word(self, *words: str) -> bool:
        """Step over one of these words, if it is here."""
        found = self.sees(*words)
        self.at += found
        return found

    def sees(self, *words: str) -> bool:
        """Say whether one of these words is here."""
        return self.here is not None and is_word(self.here, *words)

    def words(self, *words: str) -> bool:
        """Step over these words, if they all are here one after the other."""
        part = self.tokens[self.at : self.at + len(words)]
        found = len(part) == len(words) and all(is_word(t, w) for t, w in zip(part, words, strict=True))
        self.at += len(words) * found
        return found

    def need(self, word: str, hint: str | None = None) -> None:
        """Step over a word or sign that must be here."""
        if not self.word(word):
            raise self.expected(word, hint)

    def expected(self, what: str, hint: str | None = None) -> QueryError:
        """Return the error of something that is not here."""
        here = self.here
        found = f"not {here.text!r}" if here is not None else "but the statement ends"
        return self.place().error(f"expected {what} here, {found}", hint, QuerySyntaxError)

    def refused(self, message: str, hint: str | None = None) -> QueryError:
        """Return the error of something that is understood and not offered."""
        return self.place().error(message, hint, NotOfferedError)

    def finish(self) -> None:
        """Check that nothing follows."""
        if self.here is not None:
            hint = "a semicolon stands between two statements" if self.text.dialect == "postgres" else None
            raise self.place().error(
                f"nothing was expected here, not {self.here.text!r}", hint, QuerySyntaxError
            )

    def name(self, what: str = "a name") -> str:
        """Return a name, which may be in brackets or quotes."""
        here = self.here
        if here is None or (here.token_type is not TokenType.IDENTIFIER and not here.text[:1].isidentifier()):
            raise self.expected(what)
        self.at += 1
        return here.text

    def table(self) -> TableName:
        """Return the name of a table: the caller's own has no schema, or ``mydb``."""
        place = self.place()
        parts = [self._part()]
        while self.here is not None and self.here.token_type is TokenType.DOT:
            self.at += 1
            parts.append("" if self.sees(".") else self._part())
        return TableName(self._full(parts, place), place)

    def _part(self) -> str:
        marks = ""
        while self.here is not None and self.here.token_type in {TokenType.HASH, TokenType.PARAMETER}:
            marks = "#" if self.here.token_type is TokenType.HASH else "@"
            self.at += 1
        return marks + self.name("the name of a table")

    def _full(self, parts: list[str], place: Place) -> str:
        if parts[-1].startswith(("#", "@")):
            return parts[-1]
        schemas = [part for part in parts[:-1] if part.casefold() not in _NO_SCHEMA]
        if len(schemas) > 1:
            raise place.error(
                f"{'.'.join(parts)} is not the name of a table", "write schema.table", QuerySyntaxError
            )
        schema = "mydb" if schemas and schemas[0].casefold() in _OWN else "".join(schemas)
        return f"{schema}.{parts[-1]}" if schema else parts[-1]

    def parentheses(self) -> "Cursor":
        """Step over ``( ... )``; return what is inside."""
        start = self.place()
        self.need("(")
        first, depth = self.at, 1
        while depth:
            here = self.here
            if here is None:
                raise start.error("this parenthesis is not closed", None, QuerySyntaxError)
            depth += _OPENING.get(here.token_type, 0)
            self.at += 1
        return self.inner(first, self.at - 1)

    def inner(self, start: int, stop: int) -> "Cursor":
        """Return a cursor over some of the tokens; an empty one points where it would be."""
        return (
            Cursor(self.tokens[start:stop], self.text)
            if stop > start
            else _Nothing(self.tokens[start - 1], self.text)
        )

    def rest(self) -> "Cursor":
        """Return a cursor over what is left, and step over it."""
        first, self.at = self.at, len(self.tokens)
        return self.inner(first, self.at)

    def parts(self) -> list["Cursor"]:
        """Return what stands between commas, at least one piece, and step over it."""
        if self.here is None:
            raise self.expected("something")
        pieces, first, depth = [], self.at, 0
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index]
            depth += _OPENING.get(token.token_type, 0)
            if token.token_type is TokenType.COMMA and depth == 0:
                pieces.append(self.inner(first, index))
                first = index + 1
        pieces.append(self.inner(first, len(self.tokens)))
        self.at = len(self.tokens)
        return pieces


class _Nothing(Cursor):
    """No token, behind one."""

    def __init__(self, before: Token, text: Text) -> None:
        super().__init__((), text)
        self._before = before

    def place(self) -> Place:
        return Place(self.text, self._before.end + 1)

    def source(self) -> str:
        return ""
