"""What the dialects read by sqlglot share: tokens, marked function names, exactly one SELECT.

sqlglot rewrites the functions it knows while it parses (LEN gains a cast, LOG changes its meaning
with the dialect, CONVERT forgives errors). Here every name before a parenthesis is marked so that
sqlglot does not recognise it; the calls stay as written and ``awe.core.sql.functions`` decides.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql._walk import nodes
from awe.core.sql.functions import spelled
from awe.errors import NotOfferedError, QuerySyntaxError

__all__ = ["TEMPORARY", "Grammar", "token_like"]

# It warns, with the query's text, of what is refused here with an error.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

TEMPORARY = "tempdb"
_MARK = "\ue000"  # a private-use character: in no name of sqlglot's
_SYNTAX = frozenset({"CAST", "TRY_CAST", "CONVERT", "TRY_CONVERT"})
_MISSING = re.compile(r"Required keyword: '\w+' missing for <class '[\w.]*?(\w+)'>")
_NOT_A_QUERY = {
    "INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "CREATE", "ALTER", "TRUNCATE", "COPY", "ATTACH", "DETACH",
    "PRAGMA", "SET", "INSTALL", "LOAD", "EXEC", "EXECUTE", "DECLARE", "IF", "WHILE", "BEGIN", "COMMIT",
    "ROLLBACK", "GRANT", "REVOKE", "USE", "CALL", "EXPLAIN", "DESCRIBE", "SHOW", "VACUUM", "ANALYZE",
    "EXPORT", "IMPORT", "CHECKPOINT", "SUMMARIZE", "PIVOT", "UNPIVOT", "RESET", "PRINT", "GO", "VALUES", "TABLE",
}  # fmt: skip


Fix = Callable[[list[Token], Text], Sequence[Token]]


@dataclass(frozen=True, slots=True)
class Grammar:
    """A dialect that sqlglot reads: its tokens, and one query of them.

    Attributes
    ----------
    dialect
        sqlglot's.
    fix
        Changes the tokens of a query before they are parsed.
    """

    dialect: Dialect
    fix: Fix

    def tokens(self, text: Text) -> list[Token]:
        """Return the tokens of a text.

        Raises
        ------
        QuerySyntaxError, NotOfferedError
            With line and column.
        """
        if _MARK in text.text or "\0" in text.text:
            line, column = text.line_column(min(text.text.find(c) % (1 << 62) for c in (_MARK, "\0")))
            raise QuerySyntaxError("a character that is in no query", line=line, column=column)
        try:
            return self.dialect.tokenize(text.text)
        except TokenError as error:
            raise QuerySyntaxError(_unclosed(error), line=1, column=1) from error

    def query(self, tokens: list[Token], text: Text) -> exp.Expr:
        """Return the tree of tokens that are one query.

        Raises
        ------
        QuerySyntaxError, NotOfferedError
            With line and column.
        """
        tokens = _marked(list(self.fix(_one_statement(tokens, text), text)), text)
        try:
            trees = self.dialect.parser().parse(tokens, text.text)
        except ParseError as error:
            raise _syntax_error(error, tokens, text) from error
        except RecursionError as error:
            raise QuerySyntaxError("the query is nested too deeply", line=1, column=1) from error
        except SqlglotError as error:
            raise QuerySyntaxError(f"not a query: {error}", line=1, column=1) from error
        tree = trees[0] if len(trees) == 1 else None
        if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery)):
            raise text.syntax(tree, "expected one SELECT")
        for node in nodes(tree):
            if isinstance(node, (exp.Identifier, exp.Anonymous)) and isinstance(node.this, str):
                node.set("this", node.this.replace(_MARK, ""))
            if isinstance(node, exp.Var) and _MARK in node.name:
                name, _, start = node.name.rpartition(_MARK)
                node.set("this", name or start)
                node.meta.update({"start": int(start)} if name and start.isdigit() else {})
        _name_temporary(tree)
        return tree

    def parse(self, text: Text) -> exp.Expr:
        """Return the tree of a text that is one query; errors as `tokens` and `query`."""
        return self.query(self.tokens(text), text)


def token_like(kind: TokenType, text: str, place: Token) -> Token:
    """Return a token that stands where another one stands."""
    return Token(kind, text, line=place.line, col=place.col, start=place.start, end=place.end)


def _name_temporary(tree: exp.Expr) -> None:
    """Put ``#x`` and, in FROM, ``@x`` into the schema ``tempdb``, under the name that they are written with."""
    for node in list(nodes(tree)):
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Parameter):
            name = exp.to_identifier(f"@{node.this.name}", quoted=True)
            name.meta.update(node.this.this.meta)
            node.set("this", name)
            node.set("db", exp.to_identifier(TEMPORARY))
        if isinstance(node, exp.Identifier) and (
            node.args.pop("temporary", None) or node.args.pop("global_", None)
        ):
            node.set("this", f"#{node.this}")
            node.meta["start"] = node.meta.get("start", 1) - 1
            if isinstance(node.parent, exp.Table) and node.arg_key == "this":
                node.parent.set("catalog", None)
                node.parent.set("db", exp.to_identifier(TEMPORARY))


def _unclosed(error: TokenError) -> str:
    return f"the text cannot be read: {str(error).splitlines()[0].split(' from ')[0]}"


def _one_statement(tokens: list[Token], text: Text) -> list[Token]:
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        raise QuerySyntaxError("the query is empty", line=1, column=1, hint="write SELECT ... FROM ...")
    first = tokens[0]
    line, column = text.line_column(first.start)
    word = first.text.split(maxsplit=1)[0].upper() if first.text else ""
    if word in _NOT_A_QUERY:
        raise NotOfferedError(
            f"{word} is not offered: a query begins with SELECT or WITH", line=line, column=column
        )
    if first.token_type not in {TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN}:
        raise QuerySyntaxError(
            f"a query begins with SELECT or WITH, not with {first.text!r}", line=line, column=column
        )
    depth = 0
    for previous, token in pairwise(tokens):
        if token.token_type is TokenType.SEMICOLON:
            _several(tokens[tokens.index(token) + 1], text)
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        begins = token.token_type is TokenType.SELECT and depth == 0 and first.token_type is TokenType.SELECT
        if begins and previous.token_type not in _BEFORE_SELECT:
            _several(token, text)
    return tokens


_BEFORE_SELECT = frozenset(
    {TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT, TokenType.ALL, TokenType.DISTINCT,
     TokenType.L_PAREN, TokenType.R_PAREN}
)  # fmt: skip


_HINTS = {
    "INTO": "leave INTO out and save the result",
    "LIMIT": "T-SQL writes SELECT TOP n",
    "FROM": "is a comma or a column missing before FROM?",
}
_NEVER_NAMES = frozenset({TokenType.STRING, TokenType.NUMBER})


def _several(token: Token, text: Text) -> None:
    line, column = text.line_column(token.start)
    raise NotOfferedError(
        "a second statement begins here", line=line, column=column, hint="send one query at a time"
    )


def _marked(tokens: list[Token], text: Text) -> list[Token]:
    for token, after in pairwise(tokens):
        if token.token_type is TokenType.PARAMETER and after.token_type is TokenType.VAR:
            after.text += f"{_MARK}{token.start}"  # sqlglot keeps no place of a variable
        if after.token_type is not TokenType.L_PAREN:
            continue
        name = token.text.upper()
        plain = token.token_type in {TokenType.VAR, TokenType.IDENTIFIER} and name not in _SYNTAX
        known = token.token_type not in _NEVER_NAMES and spelled(text.dialect, name)
        if plain or known or token.token_type is TokenType.GLOB:
            token.token_type = (
                TokenType.VAR if token.token_type is not TokenType.IDENTIFIER else token.token_type
            )
            token.text = _MARK + token.text
    return tokens


def _syntax_error(error: ParseError, tokens: Sequence[Token], text: Text) -> QuerySyntaxError:
    detail = error.errors[0] if error.errors else {}
    before = str(detail.get("start_context", ""))
    found = str(detail.get("highlight", "")).replace(_MARK, "")
    line, last = int(detail.get("line") or 1), int(detail.get("col") or 1)
    at = next((t for t in tokens if t.line == line and t.col == last), None)
    line, column = text.line_column(at.start) if at is not None else (line, last)
    reason = str(detail.get("description", "not a query")).replace(_MARK, "")
    missing = _MISSING.fullmatch(reason)
    if missing is not None:
        reason = f"something is missing in {missing[1].upper()}"
    where = f" at {found!r}" if found else " at the end" if before else ""
    message = f"{reason[:1].lower()}{reason[1:].rstrip('.')}{where}"
    return QuerySyntaxError(message, line=line, column=column, hint=_HINTS.get(found.upper()))
