"""Data Lab's PostgreSQL with Q3C: one SELECT."""

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql.dialects._sqlglot import parse
from awe.errors import NotOfferedError

__all__ = ["parse_postgres"]


def parse_postgres(text: str) -> exp.Expression:
    """Parse one PostgreSQL query.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        With line and column.
    """
    return parse(Text(text, "postgres"), "postgres", _fix)


def _fix(tokens: list[Token], text: Text) -> Sequence[Token]:
    for token, after in zip(tokens, tokens[1:], strict=False):
        if token.token_type is TokenType.VAR and after.token_type is TokenType.COLON:
            line, column = text.line_column(token.start)
            raise NotOfferedError(
                f"{token.text}:// tables are not offered", line=line, column=column,
                hint="name the table as schema.table",
            )  # fmt: skip
    return tokens
