"""CasJobs' T-SQL (Microsoft SQL Server 2019): one SELECT.

Token fixes: ``FLOAT`` is double precision (``FLOAT(n)`` for n up to 24 is single: T-SQL reference,
"float and real"), ``N'...'`` is a text like any other. Tree fixes stand in ``rules.shape``.
"""

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.tsql import TSQL
from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql.dialects._sqlglot import Grammar

__all__ = ["GRAMMAR", "parse_tsql"]

_SINGLE_DIGITS = 24


class _Words(TSQL):
    """T-SQL whose commands are words like all others, not the beginning of a text that is not read."""

    class Tokenizer(TSQL.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()


def parse_tsql(text: str) -> exp.Expr:
    """Parse one T-SQL query.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        With line and column.
    """
    return GRAMMAR.parse(Text(text, "tsql"))


def _fix(tokens: list[Token], text: Text) -> Sequence[Token]:  # noqa: ARG001  # a dialect's shape
    fixed: list[Token] = []
    skip = 0
    for index, token in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        fixed.append(token)
        if token.token_type is TokenType.NATIONAL_STRING:
            token.token_type = TokenType.STRING
        if token.token_type is TokenType.FLOAT and token.text.upper() == "FLOAT":
            digits = _digits(tokens[index + 1 : index + 4])
            skip = 3 if digits is not None else 0
            if digits is None or digits > _SINGLE_DIGITS:
                token.token_type, token.text = TokenType.DOUBLE, "DOUBLE"
    return fixed


def _digits(following: Sequence[Token]) -> int | None:
    kinds = [t.token_type for t in following]
    if kinds == [TokenType.L_PAREN, TokenType.NUMBER, TokenType.R_PAREN] and following[1].text.isdigit():
        return int(following[1].text)
    return None


GRAMMAR = Grammar(_Words(), _fix)
