"""The queries inside statements: SELECT without its INTO, and expressions, which become queries of one row."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._place import Text
from awe.core.sql._query import ParsedQuery
from awe.core.sql.batches._cursor import Cursor, is_word
from awe.core.sql.batches._values import Place, TableName
from awe.core.sql.dialects import GRAMMARS, Grammar, token_like
from awe.core.sql.rules.variables import cast_of
from awe.errors import QuerySyntaxError

__all__ = ["QueryReader", "constants", "name_in", "object_number"]

_INTO_HINT = "INTO stands between the columns and FROM: SELECT MatchID INTO m87 FROM SumCat WHERE ..."
_STRINGS = frozenset({TokenType.STRING, TokenType.NATIONAL_STRING})


class QueryReader:
    """Reads parts of a batch as queries whose errors point into the batch."""

    def __init__(self, text: Text, grammar: Grammar) -> None:
        self.text, self.grammar = text, grammar

    def parsed(self, tree: exp.Expr) -> ParsedQuery:
        """Return a tree as a query of this batch."""
        return ParsedQuery(self.text.text, self.text.dialect, tree)

    def query(self, cursor: Cursor) -> ParsedQuery:
        """Return a query."""
        return self.parsed(self.grammar.query(_some(cursor), self.text))

    def select(self, cursor: Cursor) -> tuple[ParsedQuery, TableName | None]:
        """Return a query and the table that its INTO names."""
        depth, seen_from = 0, False
        for index, token in enumerate(cursor.tokens):
            depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
            if depth == 0 and is_word(token, "FROM"):
                seen_from = True
            if depth == 0 and is_word(token, "INTO"):
                if seen_from:
                    cursor.at = index
                    raise cursor.place().error("INTO stands too late here", _INTO_HINT, QuerySyntaxError)
                return self._without(cursor, index)
        return self.query(cursor), None

    def _without(self, cursor: Cursor, index: int) -> tuple[ParsedQuery, TableName]:
        cursor.at = index + 1
        if cursor.sees("TEMP", "TEMPORARY", "UNLOGGED"):
            raise cursor.refused("temporary tables are not offered here", "write INTO mydb.t, and drop it")
        cursor.word("TABLE")
        table = cursor.table()
        left = [*cursor.tokens[:index], *cursor.tokens[cursor.at :]]
        twice = next(
            (i for i in range(cursor.at, len(cursor.tokens)) if is_word(cursor.tokens[i], "INTO")), None
        )
        if twice is not None:
            cursor.at = twice
            raise cursor.place().error("INTO stands once, in the first SELECT", _INTO_HINT, QuerySyntaxError)
        return self.parsed(self.grammar.query(left, self.text)), table

    def assigned(self, query: ParsedQuery) -> tuple[tuple[str, ...], ParsedQuery] | None:
        """Return what ``SELECT @x = a, @y = b`` assigns; None of any other query."""
        tree = query.tree()
        if not isinstance(tree, exp.Select) or not tree.expressions:
            return None
        names: list[str] = []
        for projection in list(tree.expressions):
            if not (isinstance(projection, exp.EQ) and isinstance(projection.this, exp.Parameter)):
                return None
            names.append(projection.this.name)
            projection.replace(projection.expression)
        return tuple(names), self.parsed(tree)

    def value(
        self, cursor: Cursor, kind: pa.DataType | None = None, added: tuple[str, str | None] = ("", None)
    ) -> ParsedQuery:
        """Return the query of one value: of an expression, as a type, or added to a variable."""
        tree = self.expressions([cursor])
        node = tree.expressions[0]
        name, sign = added
        if sign is not None:
            kinds: Mapping[str, type[exp.Expr]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul, "/": exp.Div}
            start = exp.Parameter(this=exp.Var(this=name))
            node.replace(kinds[sign](this=start, expression=exp.Paren(this=node.copy())))
        if kind is not None:
            tree.expressions[0].replace(cast_of(tree.expressions[0].copy(), kind))
        return self.parsed(tree)

    def expressions(self, parts: Sequence[Cursor], tail: Sequence[Token] = ()) -> exp.Select:
        """Return a SELECT of expressions, and of what else it shall have (``FROM ...``)."""
        tokens: list[Token] = []
        for part in parts:
            inner = _some(part)
            mark = TokenType.COMMA if tokens else TokenType.SELECT
            # in parentheses, or T-SQL would take ``a = 1`` for the name of a column
            tokens += [
                token_like(mark, "," if tokens else "SELECT", inner[0]),
                token_like(TokenType.L_PAREN, "(", inner[0]),
                *inner,
                token_like(TokenType.R_PAREN, ")", inner[-1]),
            ]
        tree = self.grammar.query([*tokens, *tail], self.text)
        if not isinstance(tree, exp.Select) or len(tree.expressions) != len(parts):
            raise parts[0].place().error("expected a value here", None, QuerySyntaxError)
        for projection in list(tree.expressions):
            if isinstance(projection, exp.Paren):
                projection.replace(projection.this)
        return tree

    def from_clause(self, values: Sequence[Cursor], from_: Cursor, where: Cursor | None) -> exp.Select:
        """Return the SELECT of values (of 1 where there are none) with a FROM and a WHERE."""
        first = _some(from_)[0]
        tail = [token_like(TokenType.FROM, "FROM", first), *from_.tokens]
        if where is not None:
            tail += [token_like(TokenType.WHERE, "WHERE", _some(where)[0]), *where.tokens]
        one = Cursor([token_like(TokenType.NUMBER, "1", first)], self.text)
        return self.expressions(values or [one], tail)

    def rows(self, rows: Sequence[Cursor]) -> ParsedQuery:
        """Return the query of rows of expressions."""
        trees: list[exp.Expr] = [self.expressions(row.parts()) for row in rows]
        while len(trees) > 1:  # pairs of pairs: no chain is deep
            pairs = [trees[i : i + 2] for i in range(0, len(trees), 2)]
            trees = [
                exp.Union(this=p[0], expression=p[1], distinct=False) if len(p) > 1 else p[0] for p in pairs
            ]
        return self.parsed(trees[0])

    def condition(self, cursor: Cursor) -> tuple[ParsedQuery, Mapping[str, TableName]]:
        """Return the query that says 1 where a condition is true, and the tables of its OBJECT_ID()."""
        tokens, asked = self._objects(cursor)
        first = tokens[0]
        words = (("SELECT", TokenType.SELECT), ("CASE", TokenType.CASE), ("WHEN", TokenType.WHEN))
        ends = (
            ("THEN", TokenType.THEN),
            ("1", TokenType.NUMBER),
            ("ELSE", TokenType.ELSE),
            ("0", TokenType.NUMBER),
            ("END", TokenType.END),
        )
        before = [token_like(kind, word, first) for word, kind in words]
        behind = [token_like(kind, word, tokens[-1]) for word, kind in ends]
        return self.parsed(self.grammar.query([*before, *tokens, *behind], self.text)), asked

    def _objects(self, cursor: Cursor) -> tuple[list[Token], Mapping[str, TableName]]:
        """Write OBJECT_ID('t') as a variable that whoever runs the batch sets."""
        asked: dict[str, TableName] = {}
        found: list[Token] = []
        while cursor.here is not None:
            token = cursor.here
            called = is_word(token, "OBJECT_ID") and cursor.tokens[cursor.at + 1 : cursor.at + 2]
            cursor.at += 1
            if not called or called[0].token_type is not TokenType.L_PAREN:
                found.append(token)
                continue
            inner = cursor.parentheses()
            named = inner.here
            if named is None or named.token_type not in _STRINGS:
                raise inner.expected("the name of a table in quotes", "OBJECT_ID('mydb.t', 'U')")
            name = f"object_id:{len(asked)}"
            asked[name] = name_in(named.text, Place(self.text, named.start))
            found += [token_like(TokenType.PARAMETER, "@", token), token_like(TokenType.VAR, name, token)]
        return found, asked


def name_in(text: str, place: Place) -> TableName:
    """Return the table that a text names; errors point to `place`."""
    tokens = GRAMMARS["tsql"].tokens(Text(text, "tsql", placed=False))
    if not tokens:
        raise place.error("expected the name of a table in quotes", None, QuerySyntaxError)
    here = Token(TokenType.VAR, text, start=place.start, end=place.start)
    cursor = Cursor([token_like(token.token_type, token.text, here) for token in tokens], place.text)
    table = cursor.table()
    cursor.finish()
    return table


def object_number(name: str) -> int:
    """Return the number of a table in ``sys.objects``: the same for OBJECT_ID() of its name."""
    number = 2166136261  # FNV-1a, 32 bits, made positive
    for byte in name.casefold().encode():
        number = (number ^ byte) * 16777619 & 0xFFFFFFFF
    return number & 0x7FFFFFFF


def _some(cursor: Cursor) -> list[Token]:
    if not cursor.tokens:
        raise cursor.expected("a value")
    return cursor.tokens


def constants(rows: Sequence[Cursor]) -> tuple[tuple[object, ...], ...] | None:
    """Return the values of rows of constants; None if one of them is computed."""
    found: list[tuple[object, ...]] = []
    for row in rows:
        values = [_constant(part.tokens) for part in row.parts()]
        row.at = 0
        if any(value is NotImplemented for value in values):
            return None
        found.append(tuple(values))
    if len({len(values) for values in found}) > 1:
        raise rows[0].place().error("the rows of VALUES have not the same length", None, QuerySyntaxError)
    return tuple(found)


def _constant(tokens: Sequence[Token]) -> object:
    """Return a constant's value; NotImplemented of anything else."""
    sign = 1
    if len(tokens) == 2 and tokens[0].text in {"-", "+"}:
        sign, tokens = -1 if tokens[0].text == "-" else 1, tokens[1:]
        if tokens[0].token_type is not TokenType.NUMBER:
            return NotImplemented
    if len(tokens) != 1:
        return NotImplemented
    token = tokens[0]
    if token.token_type in _STRINGS:
        return token.text
    if token.token_type is TokenType.NUMBER:
        return sign * (int(token.text) if token.text.isdigit() else float(token.text))
    return {"NULL": None, "TRUE": True, "FALSE": False}.get(token.text.upper(), NotImplemented)
