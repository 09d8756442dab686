"""Queries: SELECT, FROM with its joins, set operators, WITH."""

from collections.abc import Mapping

from sqlglot import exp

from awe.core.sql.dialects.adql._expressions import ExpressionParser
from awe.core.sql.dialects.adql._lexer import Kind, Token
from awe.core.sql.dialects.adql._words import SIGN_HINTS

__all__ = ["QueryParser"]

_SET_OPERATORS: Mapping[str, type[exp.SetOperation]] = {
    "UNION": exp.Union,
    "EXCEPT": exp.Except,
    "INTERSECT": exp.Intersect,
}
_SIDES = ("LEFT", "RIGHT", "FULL")
_JOIN_WORDS = ("NATURAL", "INNER", *_SIDES, "JOIN")
_AFTER_QUERY = frozenset({*_SET_OPERATORS, "ORDER", "OFFSET", ")"})
_CLAUSES = ("WHERE", "GROUP", "HAVING", *_SET_OPERATORS, "ORDER", "OFFSET")


class QueryParser(ExpressionParser):
    """Reads queries."""

    def statement(self) -> exp.Query:
        """Read the whole text."""
        first = self.token
        ctes = self._ctes() if first.key == "WITH" else None
        query = self._query()
        if ctes is not None:
            query.set("with_", ctes)
            self.place(query, first)
        semicolon = self.accept(";")
        if self.token.kind is not Kind.END:
            if semicolon:
                raise self.error("text follows the semicolon", self.token, hint=SIGN_HINTS[";"])
            raise self.unexpected(
                "the end of the query", keys=(*_CLAUSES, *_JOIN_WORDS), hint=_misplaced(self.token)
            )
        return query

    def lone_value(self) -> exp.Expr:
        """Read the whole text as one value."""
        value = self.value()
        if self.token.kind is not Kind.END:
            raise self.unexpected("the end of the expression")
        return value

    def subquery(self) -> exp.Query:
        """Read ``( query )`` and return the query."""
        self.descend()
        self.expect("(", "before a sub-query")
        query = self._query()
        if not self.accept(")"):
            raise self.unexpected(") after the sub-query", keys=_CLAUSES, hint=_misplaced(self.token))
        self.ascend()
        return query

    def begins_query(self) -> bool:
        """Tell whether the parenthesis that is the current token holds a query.

        ``((SELECT a FROM t) UNION ...)`` does, ``((SELECT a FROM t) AS q JOIN u ...)`` does not: each of
        the inner parentheses must be followed by what may follow a query.
        """
        inner = 1
        while self.peek(inner).key == "(":
            inner += 1
        if self.peek(inner).key not in ("SELECT", "WITH"):
            return False
        unclosed, ahead = inner - 1, inner
        depth = 0
        while unclosed and (token := self.peek(ahead)).kind is not Kind.END:
            depth += {"(": 1, ")": -1}.get(token.key, 0)
            if depth < 0:
                if self.peek(ahead + 1).key not in _AFTER_QUERY:
                    return False
                unclosed, depth = unclosed - 1, 0
            ahead += 1
        return True

    def _ctes(self) -> exp.With:
        first = self.advance()
        ctes = [self._cte()]
        while self.accept(","):
            ctes.append(self._cte())
        return self.place(exp.With(expressions=ctes), first)

    def _cte(self) -> exp.CTE:
        first = self.token
        alias = exp.TableAlias(this=self.identifier("a name for the query after WITH"))
        self.place(alias, first)
        self.expect("AS", "and a query in parentheses")
        return self.place(exp.CTE(this=self.subquery(), alias=alias), first)

    def _query(self) -> exp.Query:
        self.descend()
        outside, self._no_aggregates = self._no_aggregates, None
        first = self.token
        body = self._set_expression()
        order, offset = self._order(), self._offset()
        query = _merge(body, clauses=bool(order or offset))
        for name, clause in (("order", order), ("offset", offset)):
            if clause is not None:
                query.set(name, clause)
        self.place(query, first)
        self._no_aggregates = outside
        self.ascend()
        return query

    def _set_expression(self) -> exp.Query:
        left = self._set_term()
        while operator := self.accept("UNION", "EXCEPT"):
            left = self._combine(operator, left, all_=self.accept("ALL"), right=self._set_term())
        return left

    def _set_term(self) -> exp.Query:
        left = self._set_primary()
        while operator := self.accept("INTERSECT"):
            left = self._combine(operator, left, all_=self.accept("ALL"), right=self._set_primary())
        return left

    def _combine(
        self, operator: Token, left: exp.Query, *, all_: Token | None, right: exp.Query
    ) -> exp.Query:
        kind = _SET_OPERATORS[operator.key]
        right = _wrap(right) if isinstance(right, exp.Intersect) else _closed(right)
        return self.place_from(kind(this=_closed(left), expression=right, distinct=all_ is None), left)

    def _set_primary(self) -> exp.Query:
        if self.token.key == "(":
            first = self.token
            return self.place(exp.Subquery(this=self.subquery()), first)
        if self.token.key == "WITH":
            hint = "name all of them at the beginning of the whole query"
            raise self.error("WITH cannot stand in a sub-query", self.token, hint=hint)
        return self._select()

    def _select(self) -> exp.Select:
        first = self.expect("SELECT", "to begin a query")
        select = exp.Select()
        quantifier = self.token
        if self.accept("DISTINCT"):
            select.set("distinct", self.place(exp.Distinct(), quantifier))
        else:
            self.accept("ALL")
        if top := self.accept("TOP"):
            count = self.whole_number("the number of rows after TOP")
            select.set("limit", self.place(exp.Limit(expression=count), top))
            if self.token.key in ("DISTINCT", "ALL"):
                hint = f"write SELECT {self.token.key} TOP {count.this} ..."
                raise self.error(f"{self.token.key} stands before TOP", self.token, hint=hint)
        select.set("expressions", self._select_list())
        self._tables(select)
        if where := self.accept("WHERE"):
            select.set("where", self.place(exp.Where(this=self.condition(of="WHERE")), where))
        if group := self.accept("GROUP"):
            select.set("group", self._group(group))
        if having := self.accept("HAVING"):
            select.set("having", self.place(exp.Having(this=self.condition(of="HAVING")), having))
        return self.place(select, first)

    def _select_list(self) -> list[exp.Expr]:
        items = [self._select_item()]
        while self.accept(","):
            if self.token.key == "FROM":
                raise self.unexpected("a column", hint="remove the comma before it")
            items.append(self._select_item())
        return items

    def _select_item(self) -> exp.Expr:
        first = self.token
        if first.key == "FROM":
            raise self.unexpected("a column", hint="name the columns, or write * for all of them")
        # beside others, too: ADQL 2.1 lets it stand alone only, and astroquery's GaiaClass does not know
        if self.accept("*"):
            return self.place(exp.Star(), first)
        if self._at_all_columns():
            names = self.path("a table", 3)
            self.advance()
            star = self.place(exp.Star(), self.advance())
            parts = dict(zip(("table", "db", "catalog"), reversed(names), strict=False))
            return self.place(exp.Column(this=star, **parts), first)
        if first.kind is Kind.NAME and self.peek().key == "=":
            hint = f"a column is named behind its value: SELECT a - b AS {first.value}"
            raise self.error(f"{first.value} = is no column", first, hint=hint)
        value = self.value()
        if not (self.accept("AS") or self.token.kind in (Kind.NAME, Kind.DELIMITED)):
            return value
        alias = self.identifier("a name for the column after AS")
        return self.place_from(exp.Alias(this=value, alias=alias), value)

    def _at_all_columns(self) -> bool:
        ahead = 0
        while self.peek(ahead).kind in (Kind.NAME, Kind.DELIMITED) and self.peek(ahead + 1).key == ".":
            ahead += 2
        return ahead > 0 and self.peek(ahead).key == "*"

    def _tables(self, select: exp.Select) -> None:
        keyword = self.accept("FROM")
        if keyword is None:
            raise self.unexpected("a comma or FROM and a table", keys=("FROM",))
        table, joins = self._joined()
        select.set("from_", self.place(exp.From(this=table), keyword))
        while comma := self.accept(","):
            table, more = self._joined()
            joins += [self.place(exp.Join(this=table), comma), *more]
        if joins:
            select.set("joins", joins)

    def _joined(self) -> tuple[exp.Expr, list[exp.Expr]]:
        table = self._table()
        joins: list[exp.Expr] = []
        while self.token.key in _JOIN_WORDS:
            joins.append(self._join())
        return table, joins

    def _join(self) -> exp.Join:
        first = self.token
        natural = self.accept("NATURAL")
        side = self.accept(*_SIDES)
        kind = self.accept("OUTER") if side else self.accept("INNER")
        self.expect("JOIN", "and a table")
        join = exp.Join(this=self._table())
        for name, word in (("method", natural), ("side", side), ("kind", kind)):
            if word:
                join.set(name, word.key)
        if natural:
            if self.token.key in ("ON", "USING"):
                raise self.unexpected(
                    "no condition", hint="a NATURAL JOIN compares all columns of the same name"
                )
        elif self.accept("ON"):
            join.set("on", self.condition(of="ON"))
        elif self.accept("USING"):
            join.set("using", self._using())
        else:
            # The grammar has none to let NATURAL stand alone; SQL-92 section 7.5, on which ADQL rests, asks for one
            # wherever NATURAL is absent, and a forgotten ON would combine all rows.
            hint = "give a condition, or separate the tables with a comma to combine all their rows"
            raise self.unexpected("ON or USING after the joined table", keys=("ON", "USING"), hint=hint)
        return self.place(join, first)

    def _using(self) -> list[exp.Identifier]:
        self.expect("(", "after USING")
        names = [self.identifier("a column name")]
        while self.accept(","):
            names.append(self.identifier("a column name"))
        if not self.accept(")"):
            raise self.unexpected("a comma or )", hint="USING takes column names without their tables")
        return names

    def _table(self) -> exp.Expr:
        first = self.token
        if first.key == "(":
            return self._derived() if self.begins_query() else self._nested_join()
        names = self.path("a table", 3)
        parts: dict[str, exp.Expr] = dict(zip(("this", "db", "catalog"), reversed(names), strict=False))
        if self.token.key == "(":
            parts["this"] = self._table_function(names[-1])
        table = exp.Table(**parts)
        if alias := self._alias():
            table.set("alias", alias)
        return self.place(table, first)

    def _table_function(self, name: exp.Identifier) -> exp.Expr:
        self.advance()
        arguments = [] if self.accept(")") else self.values()
        return self.place_from(exp.Anonymous(this=name.name, expressions=arguments), name)

    def _derived(self) -> exp.Subquery:
        first = self.token
        query = self.subquery()
        alias = self._alias()
        if alias is None:
            raise self.error("a sub-query in FROM needs a name", first, hint="write (SELECT ...) AS q")
        return self.place(exp.Subquery(this=query, alias=alias), first)

    def _nested_join(self) -> exp.Subquery:
        self.descend()
        first = self.advance()
        table, joins = self._joined()
        if not joins and not isinstance(table, exp.Subquery):
            raise self.unexpected("a JOIN", hint="parentheses in FROM hold a sub-query or a join")
        if not self.accept(")"):
            raise self.unexpected("JOIN or )", keys=_JOIN_WORDS)
        if joins:
            table.set("joins", joins)
        self.ascend()
        return self.place(exp.Subquery(this=table), first)

    def _alias(self) -> exp.TableAlias | None:
        if not (self.accept("AS") or self.token.kind in (Kind.NAME, Kind.DELIMITED)):
            return None
        name = self.token
        return self.place(exp.TableAlias(this=self.identifier("a name for the table after AS")), name)

    def _group(self, first: Token) -> exp.Group:
        self.expect("BY", "after GROUP")
        self._no_aggregates = "GROUP BY"
        terms = [self.value()]
        while self.accept(","):
            terms.append(self.value())
        self._no_aggregates = None
        return self.place(exp.Group(expressions=terms), first)

    def _order(self) -> exp.Order | None:
        first = self.accept("ORDER")
        if first is None:
            return None
        self.expect("BY", "after ORDER")
        terms = [self._ordered()]
        while self.accept(","):
            terms.append(self._ordered())
        return self.place(exp.Order(expressions=terms), first)

    def _ordered(self) -> exp.Ordered:
        value = self.value()
        direction = self.accept("ASC", "DESC")
        descending = direction is not None and direction.key == "DESC"
        return self.place_from(exp.Ordered(this=value, desc=descending), value)

    def _offset(self) -> exp.Offset | None:
        first = self.accept("OFFSET")
        if first is None:
            return None
        count = self.whole_number("the number of rows after OFFSET")
        return self.place(exp.Offset(expression=count), first)


def _wrap(query: exp.Query) -> exp.Subquery:
    wrapped = exp.Subquery(this=query)
    wrapped.meta.update(query.meta)
    return wrapped


def _closed(operand: exp.Query) -> exp.Query:
    # Written without parentheses, LIMIT would belong to the whole set operation.
    return _wrap(operand) if operand.args.get("limit") else operand


def _merge(body: exp.Query, *, clauses: bool) -> exp.Query:
    """Take the parentheses off ``(query)``; keep them as a level where clauses stand within and after."""
    if not isinstance(body, exp.Subquery):
        return body
    inner: exp.Query = body.this
    if clauses and any(inner.args.get(name) for name in ("limit", "order", "offset")):
        alias = exp.TableAlias(this=exp.Identifier(this="q", quoted=False))
        body.set("alias", alias)
        star = exp.Star()
        source = exp.From(this=body)
        for node in (star, source, alias, alias.this):
            node.meta.update(body.meta)
        return exp.Select(expressions=[star], from_=source)
    inner.pop()
    return inner


def _misplaced(token: Token) -> str | None:
    if token.key in _CLAUSES:
        return "the order is WHERE, GROUP BY, HAVING, set operators, ORDER BY, OFFSET"
    return None
