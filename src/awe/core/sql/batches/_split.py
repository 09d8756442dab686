"""Where the statements of a batch begin and end.

T-SQL has no need of semicolons: a word that begins a statement ends the one before, unless it stands in
parentheses, or behind something that no statement ends with (``UNION SELECT``, ``FROM t JOIN``, ``a = b +``).
The other dialects have statements between semicolons.
"""

import re
from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql.batches._cursor import is_word

__all__ = ["begins", "end_of", "is_go"]

_T = TokenType
_STARTS = frozenset(
    {
        "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "DECLARE",
        "SET", "EXEC", "EXECUTE", "PRINT", "IF", "WHILE", "BEGIN", "USE", "GRANT", "REVOKE", "COMMIT", "ROLLBACK",
        "RETURN", "BACKUP", "RESTORE", "KILL", "SHUTDOWN", "WAITFOR", "GOTO",
    }
)  # fmt: skip
_UNFINISHED = frozenset(
    {
        "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ON", "AS", "HAVING", "IN", "LIKE", "BETWEEN", "THEN", "WHEN",
        "CASE", "INTO", "JOIN", "APPLY", "DISTINCT", "TABLE", "UNION", "EXCEPT", "INTERSECT", "ALL", "WITH", "FOR",
        "COLUMN", "IS", "SET", "ORDER BY", "GROUP BY", "PARTITION BY", "BY", "VIEW", "INDEX", "TOP", "EXISTS", "ESCAPE",
        ",", ".", "=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "/", "*", "%", "&", "|", "^", "~", "(",
    }
)  # fmt: skip
"""What cannot be the last word of a statement."""
_CONTINUES = {
    "WITH": frozenset({"SELECT"}),
    "INSERT": frozenset({"SELECT", "WITH", "EXEC", "EXECUTE"}),
    "ALTER": frozenset({"DROP", "ALTER"}),
    "UPDATE": frozenset({"SET"}),
}
"""Words that go on with a statement of a kind, once."""
_OPTIONS = frozenset(
    {"NOCOUNT", "ROWCOUNT", "ANSI_NULLS", "ANSI_WARNINGS", "QUOTED_IDENTIFIER", "XACT_ABORT"}
)
_GO = re.compile(r"\s*go(\s+\d+)?\s*;?\s*", re.IGNORECASE)


def is_go(token: Token, text: str) -> bool:
    """Say whether a token is ``GO``, which has a line of its own."""
    if not is_word(token, "GO"):
        return False
    start = text.rfind("\n", 0, token.start) + 1
    stop = text.find("\n", token.end)
    return _GO.fullmatch(text[start : stop if stop >= 0 else len(text)]) is not None


def begins(tokens: Sequence[Token], index: int) -> bool:
    """Say whether a word at a place begins a statement, given that nothing is left open before it."""
    token = tokens[index]
    if token.token_type is _T.L_PAREN and index == 0:
        return True
    if not is_word(token, *_STARTS):
        return False
    word = token.text.upper()
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if word == "WITH":
        return after is not None and after.token_type is not _T.L_PAREN
    if word == "SET":
        return after is not None and (after.token_type is _T.PARAMETER or is_word(after, *_OPTIONS))
    if word == "USE":
        return after is not None and after.token_type in {_T.VAR, _T.IDENTIFIER}
    return True


def _open(tokens: Sequence[Token], index: int) -> bool:
    """Say whether something must follow the token before a place: nothing does after ``SET NOCOUNT ON``."""
    option = index > 1 and is_word(tokens[index - 2], *_OPTIONS)
    return is_word(tokens[index - 1], *_UNFINISHED) and not option


def end_of(tokens: Sequence[Token], start: int, text: str, *, semicolons: bool) -> int:
    """Return where the statement that begins at `start` ends: the index behind its last token."""
    allowed = set() if semicolons else set(_CONTINUES.get(tokens[start].text.upper(), ()))
    depth = cases = 0
    for index in range(start, len(tokens)):
        token = tokens[index]
        depth += (token.token_type is _T.L_PAREN) - (token.token_type is _T.R_PAREN)
        if depth > 0:
            continue
        if token.token_type is _T.SEMICOLON:
            return index
        if semicolons or index == start:
            continue
        if allowed and is_word(token, "ADD", "RENAME", "VALUES"):
            allowed = set()
        if is_word(token, "CASE"):
            cases += 1
        elif is_word(token, "END", "ELSE") and cases == 0:
            return index
        elif is_word(token, "END"):
            cases -= 1
        elif is_go(token, text):
            return index
        elif cases == 0 and begins(tokens, index) and not _open(tokens, index):
            word = token.text.upper()
            if word not in allowed:
                return index
            allowed = {"SELECT"} if word == "WITH" else set()
    return len(tokens)
