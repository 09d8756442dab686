"""Data Lab's PostgreSQL with Q3C: one SELECT. ``SELECT TOP n``, which its users write too, is LIMIT n."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql.dialects._sqlglot import Grammar, token_like
from awe.errors import NotOfferedError

__all__ = ["GRAMMAR", "parse_postgres"]


class _Words(Postgres):
    """PostgreSQL whose commands are words like all others, not the beginning of a text that is not read."""

    class Tokenizer(Postgres.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()


def parse_postgres(text: str) -> exp.Expr:
    """Parse one PostgreSQL query.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        With line and column.
    """
    return GRAMMAR.parse(Text(text, "postgres"))


def _fix(tokens: list[Token], text: Text) -> Sequence[Token]:
    for token, after in pairwise(tokens):
        if token.token_type is TokenType.VAR and after.token_type is TokenType.COLON:
            line, column = text.line_column(token.start)
            raise NotOfferedError(
                f"{token.text}:// tables are not offered", line=line, column=column,
                hint="name the table as schema.table, or as mydb://table where it is your own",
            )  # fmt: skip
    return _limited(tokens)


def _limited(tokens: list[Token]) -> list[Token]:
    """Write TOP n as LIMIT n, at the end of its SELECT."""
    kept: list[Token] = []
    ends: list[list[Token]] = [[]]
    for index, token in enumerate(tokens):
        before = kept[-1].token_type if kept else None
        after = tokens[index + 1] if index + 1 < len(tokens) else token
        if token.token_type is TokenType.L_PAREN:
            ends.append([])
        if token.token_type is TokenType.R_PAREN and len(ends) > 1:
            kept += ends.pop()
        if ends[-1] and token is ends[-1][1]:
            continue
        if before in _SELECTS and _is_top(token) and after.token_type is TokenType.NUMBER:
            ends[-1] = [token_like(TokenType.LIMIT, "LIMIT", token), after]
            continue
        kept.append(token)
    return [*kept, *(limit for end in ends for limit in end)]


def _is_top(token: Token) -> bool:
    """Say whether a token is the word TOP."""
    return token.token_type in {TokenType.VAR, TokenType.TOP} and token.text.upper() == "TOP"


_SELECTS = frozenset({TokenType.SELECT, TokenType.DISTINCT})
GRAMMAR = Grammar(_Words(), _fix)
