"""Data Lab's PostgreSQL with Q3C: one SELECT."""

from collections.abc import Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql.dialects._sqlglot import parse
from awe.errors import NotOfferedError

__all__ = ["parse_postgres"]


def parse_postgres(text: str) -> exp.Expr:
    """Parse one PostgreSQL query.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        With line and column.
    """
    return parse(Text(text, "postgres"), "postgres", _fix)


def _fix(tokens: list[Token], text: Text) -> Sequence[Token]:
    for token, after in pairwise(tokens):
        if token.token_type is TokenType.VAR and after.token_type is TokenType.COLON:
            line, column = text.line_column(token.start)
            raise NotOfferedError(
                f"{token.text}:// tables are not offered", line=line, column=column,
                hint="name the table as schema.table",
            )  # fmt: skip
    return tokens
