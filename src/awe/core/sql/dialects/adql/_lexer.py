"""Text to tokens. Every token knows its place; what is no token of ADQL is refused with a hint."""

import re
from enum import Enum
from typing import NamedTuple

from awe.core.sql.dialects.adql._words import RESERVED_WORDS, SIGN_HINTS
from awe.errors import QuerySyntaxError

__all__ = ["MAX_CHARACTERS", "Kind", "Token", "tokenize"]

MAX_CHARACTERS = 1_000_000
"""Longer texts are refused unread."""


class Kind(Enum):
    """What a token is; `WORD` is a reserved word, `NAME` a regular, `DELIMITED` a quoted identifier."""

    WORD = "reserved word"
    NAME = "name"
    DELIMITED = "delimited name"
    INTEGER = "whole number"
    NUMBER = "number"
    TEXT = "text"
    SIGN = "sign"
    PARAMETER = "parameter"
    END = "end"


class Token(NamedTuple):
    """One token.

    Attributes
    ----------
    kind
        What it is.
    key
        What the grammar compares: the upper-case word, the sign; empty for all other kinds.
    value
        The text as written, of delimited names and texts what stands between the quotes.
    line, column
        Of the first character, counted from one.
    start, end
        Offsets in the text, half-open.
    """

    kind: Kind
    key: str
    value: str
    line: int
    column: int
    start: int
    end: int


# ADQL 2.1 section 2.1: a name starts with a Latin letter; ASCII only, hence the explicit classes.
_TOKEN = re.compile(
    r"""
      (?P<space>(?:[ \t\f\v]+|--[^\r\n]*)+)
    | (?P<newline>\r\n|\r|\n)
    | (?P<name>[A-Za-z][A-Za-z0-9_]*)
    | (?P<hexadecimal>0[xX][0-9A-Fa-f]+)
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<sign><>|!=|<=|>=|\|\||=(?![=<>])|[<>]|[(),.+-]|\*(?!\*)|/(?!\*))
    | (?P<text>'[^']*+(?:''[^']*+)*+')
    | (?P<delimited>"[^"]*+(?:""[^"]*+)*+")
    | (?P<parameter>:[A-Za-z][A-Za-z0-9_]*)
    | (?P<semicolon>;)
    """,
    re.VERBOSE,
)
_NOT_AFTER_NAME = re.compile(r"\w")
_NOT_AFTER_NUMBER = re.compile(r"[\w.]")


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a query, an `END` token last.

    Raises
    ------
    QuerySyntaxError
        At the first character that starts no token, or for a text that is too long.
    """
    if len(text) > MAX_CHARACTERS:
        raise QuerySyntaxError(
            f"the query has {len(text)} characters, more than {MAX_CHARACTERS}",
            hint="upload long lists as a table and join with it",
        )
    tokens: list[Token] = []
    line, line_start, offset = 1, 0, 0
    end_line = (line, line_start)  # of the last token's end
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        column = offset - line_start + 1
        if match is None:
            raise _unreadable(text, offset, line, column)
        end = match.end()
        group = match.lastgroup
        if group == "newline":
            line, line_start = line + 1, end
        elif group != "space":
            source = match.group()
            kind, key, value = _classify(str(group), source)
            if end - offset > _LONGEST.get(kind, MAX_CHARACTERS):
                longest = f"{kind.value}s have at most {_LONGEST[kind]} characters"
                raise QuerySyntaxError(f"{_short(source)} is too long: {longest}", line=line, column=column)
            follower = _FORBIDDEN_FOLLOWER.get(kind)
            if follower and follower.match(text, end):
                raise _run_on(text, offset, line, column)
            tokens.append(Token(kind, key, value, line, column, offset, end))
            if kind in _MULTILINE and ("\n" in source or "\r" in source):
                breaks = list(re.finditer(r"\r\n|\r|\n", source))
                line, line_start = line + len(breaks), offset + breaks[-1].end()
            end_line = (line, line_start)
        offset = end
    tokens.append(_end(tokens, *end_line))
    return tokens


def _end(tokens: list[Token], line: int, line_start: int) -> Token:
    # Where something is missing: behind the last token, not behind the empty lines after it.
    offset = tokens[-1].end if tokens else 0
    return Token(Kind.END, "", "", line, offset - line_start + 1, offset, offset)


_FORBIDDEN_FOLLOWER = {
    Kind.INTEGER: _NOT_AFTER_NUMBER,
    Kind.NUMBER: _NOT_AFTER_NUMBER,
    Kind.NAME: _NOT_AFTER_NAME,
    Kind.WORD: _NOT_AFTER_NAME,
}
_LONGEST = {Kind.INTEGER: 100, Kind.NUMBER: 100, Kind.NAME: 256, Kind.DELIMITED: 256}
_MULTILINE = frozenset({Kind.TEXT, Kind.DELIMITED})


def _classify(group: str, source: str) -> tuple[Kind, str, str]:
    match group:
        case "name":
            word = source.upper()
            return (Kind.WORD, word, source) if word in RESERVED_WORDS else (Kind.NAME, "", source)
        case "sign" | "semicolon":
            return Kind.SIGN, source, source
        case "number":
            return (Kind.INTEGER if source.isdigit() else Kind.NUMBER), "", source
        case "hexadecimal":
            return Kind.NUMBER, "", str(int(source[: _LONGEST[Kind.NUMBER]], 16))
        case "text":
            return Kind.TEXT, "", source[1:-1].replace("''", "'")
        case "delimited":
            return Kind.DELIMITED, "", source[1:-1].replace('""', '"')
        case _:
            return Kind.PARAMETER, "", source[1:]


def _run_on(text: str, offset: int, line: int, column: int) -> QuerySyntaxError:
    found = re.compile(r"[\w.]+").match(text, offset)
    word = found.group() if found else text[offset]
    if word[0].isdigit() or word[0] == ".":
        reason = "a number must be followed by a space or a sign, and a name starts with a letter"
    else:
        reason = "names consist of the letters a-z, digits and _"
    hint = f'{reason}; delimit other names with double quotes: "{word}"'
    return QuerySyntaxError(
        f"{_short(word)} is neither a name nor a number", line=line, column=column, hint=hint
    )


def _unreadable(text: str, offset: int, line: int, column: int) -> QuerySyntaxError:
    character = text[offset]
    if character in "'\"":
        what = "text" if character == "'" else "delimited name"
        return QuerySyntaxError(
            f"the {what} that starts here has no closing {character}",
            line=line,
            column=column,
            hint=f"a {character} inside it is written twice",
        )
    sign = next((s for s in (text[offset : offset + 2], character) if s in SIGN_HINTS), character)
    if character.isalpha():
        hint: str | None = f'delimit names with other letters than a-z with double quotes: "{character}..."'
    else:
        hint = SIGN_HINTS.get(sign)
    shown = sign if sign.isprintable() else f"the character U+{ord(sign[0]):04X}"
    return QuerySyntaxError(f"unexpected {shown}", line=line, column=column, hint=hint)


def _short(source: str) -> str:
    return source if len(source) <= 40 else source[:37] + "..."
