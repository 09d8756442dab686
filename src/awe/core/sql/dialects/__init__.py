"""Three languages in, one tree out.

Each parser takes the text of one query and gives sqlglot nodes whose functions are as their caller
wrote them (`exp.Anonymous`), with the offset of what has a place in the text in ``meta["start"]``.
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

from awe.core.sql.dialects import postgres, tsql
from awe.core.sql.dialects._sqlglot import TEMPORARY, Grammar, token_like
from awe.core.sql.dialects.adql import parse_adql
from awe.core.sql.dialects.postgres import parse_postgres
from awe.core.sql.dialects.tsql import parse_tsql

__all__ = ["DIALECTS", "GRAMMARS", "PARSERS", "TEMPORARY", "Grammar", "token_like"]

PARSERS: Mapping[str, Callable[[str], exp.Expr]] = {
    "adql": parse_adql,
    "tsql": parse_tsql,
    "postgres": parse_postgres,
}
DIALECTS = tuple(PARSERS)
GRAMMARS: Mapping[str, Grammar] = {"tsql": tsql.GRAMMAR, "postgres": postgres.GRAMMAR}
"""Of the dialects that have statements besides queries."""
