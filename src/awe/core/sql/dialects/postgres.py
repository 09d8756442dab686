"""Data Lab's PostgreSQL with Q3C: one SELECT."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql.dialects._sqlglot import Grammar
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
    return tokens


GRAMMAR = Grammar(_Words(), _fix)
