"""CasJobs' T-SQL (Microsoft SQL Server 2019): one SELECT.

Token fixes: ``FLOAT`` is double precision (``FLOAT(n)`` for n up to 24 is single: T-SQL reference,
"float and real"). Tree fixes stand in ``rules.shape``.
"""

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql.dialects._sqlglot import parse
from awe.errors import NotOfferedError

__all__ = ["parse_tsql"]

_SINGLE_DIGITS = 24


def parse_tsql(text: str) -> exp.Expr:
    """Parse one T-SQL query.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        With line and column.
    """
    return parse(Text(text, "tsql"), "tsql", _fix)


def _fix(tokens: list[Token], text: Text) -> Sequence[Token]:
    fixed: list[Token] = []
    skip = 0
    for index, token in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        if token.token_type is TokenType.PARAMETER or token.text.startswith(("@", "#")):
            _refuse_variable(token, text)
        fixed.append(token)
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


def _refuse_variable(token: Token, text: Text) -> None:
    line, column = text.line_column(token.start)
    raise NotOfferedError(
        "variables (@x) and temporary tables (#x) are not offered", line=line, column=column,
        hint="write the value, or a common table expression: WITH x AS (SELECT ...)",
    )  # fmt: skip
