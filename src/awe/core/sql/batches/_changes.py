"""UPDATE and DELETE: each is one SELECT over the table, whose rows become the table's next version."""

from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._query import ParsedQuery
from awe.core.sql.batches._cursor import Cursor
from awe.core.sql.batches._from import read_from
from awe.core.sql.batches._queries import QueryReader
from awe.core.sql.batches._values import Place, Statement, TableName
from awe.core.sql.rules._kinds import TYPE_NAMES
from awe.core.sql.rules.variables import cast_of
from awe.core.suggestions import did_you_mean
from awe.core.tables import Schema
from awe.errors import QuerySyntaxError

__all__ = ["CHANGED", "Delete", "Update", "delete", "update"]

CHANGED = "_changed"
"""The last column of what `Update.query` gives: whether the row is one that the statement changes."""

_MATCH = "_match"
"""The alias of the first row that FROM gives for a row of the table."""


@dataclass(frozen=True, slots=True)
class _Assignment:
    name: str
    place: Place
    value: exp.Expr


@dataclass(frozen=True, slots=True)
class _Change(Statement):
    """What both have: the table under its alias, FROM and WHERE."""

    table: TableName
    alias: str
    condition: exp.Expr | None
    others: exp.Select | None

    @property
    def targets(self) -> tuple[TableName, ...]:
        """The table."""
        return (self.table,)

    def _source(self, full_name: str) -> exp.Expr:
        schema, _, name = full_name.rpartition(".")
        place = {"start": self.table.place.start}
        table = exp.Table(
            this=exp.to_identifier(name, quoted=True),
            alias=exp.TableAlias(this=exp.to_identifier(self.alias, quoted=True)),
        )
        table.set("db", exp.to_identifier(schema, quoted=True))
        table.meta.update(place)
        table.this.meta.update(place)
        return table

    def _column(self, name: str) -> exp.Expr:
        return exp.column(
            exp.to_identifier(name, quoted=True), table=exp.to_identifier(self.alias, quoted=True)
        )

    def _select(self, full_name: str, projections: list[exp.Expr]) -> exp.Select:
        return exp.Select(expressions=projections, from_=exp.From(this=self._source(full_name)))

    def _parsed(self, tree: exp.Select) -> ParsedQuery:
        return ParsedQuery(self.place.text.text, self.place.text.dialect, tree)


@dataclass(frozen=True, slots=True)
class Update(_Change):
    """UPDATE t SET a = x [FROM ...] WHERE ..."""

    assignments: tuple[_Assignment, ...]

    def query(self, columns: Schema, full_name: str) -> ParsedQuery:
        """Return the query of the changed table: its columns, and `CHANGED`.

        Raises
        ------
        UnknownNameError
            If a column is set that the table has not.
        """
        values = {self._known(a, columns).casefold(): a.value for a in self.assignments}
        condition = self.condition if self.condition is not None else exp.true()
        if self.others is not None:
            return self._joined(columns, full_name, values)
        projections = [
            exp.alias_(
                _if(condition, _as(values[c.name.casefold()], c.type), self._column(c.name)),
                c.name,
                quoted=True,
            )
            if c.name.casefold() in values
            else exp.alias_(self._column(c.name), c.name, quoted=True)
            for c in columns
        ]
        changed = exp.alias_(_if(condition, exp.true(), exp.false()), CHANGED, quoted=True)
        return self._parsed(self._select(full_name, [*projections, changed]))

    def _joined(self, columns: Schema, full_name: str, values: dict[str, exp.Expr]) -> ParsedQuery:
        """Return the query with FROM: a row is changed by the first row that matches it."""
        others = self.others.copy() if self.others is not None else exp.Select()
        names = {folded: f"v{i}" for i, folded in enumerate(values)}
        types = {c.name.casefold(): c.type for c in columns}
        found = [exp.alias_(_as(v, types[f]), names[f], quoted=True) for f, v in values.items()]
        others.set("expressions", [*found, exp.alias_(exp.true(), CHANGED, quoted=True)])
        others.set("limit", exp.Limit(expression=exp.Literal.number(1)))
        matched = exp.column(exp.to_identifier(CHANGED, quoted=True), table=_MATCH)
        hit = exp.Not(this=exp.Is(this=matched, expression=exp.Null()))
        projections = []
        for c in columns:
            node = self._column(c.name)
            if c.name.casefold() in names:
                new = exp.column(exp.to_identifier(names[c.name.casefold()], quoted=True), table=_MATCH)
                node = _if(hit, new, node)
            projections.append(exp.alias_(node, c.name, quoted=True))
        projections.append(exp.alias_(_if(hit, exp.true(), exp.false()), CHANGED, quoted=True))
        select = self._select(full_name, projections)
        lateral = exp.Lateral(
            this=exp.Subquery(this=others), alias=exp.TableAlias(this=exp.to_identifier(_MATCH))
        )
        select.set("joins", [exp.Join(this=lateral, side="LEFT", on=exp.true())])
        return self._parsed(select)

    def _known(self, assignment: _Assignment, columns: Schema) -> str:
        found = columns.find(assignment.name)
        if found is None:
            hint = did_you_mean(assignment.name, columns.names)
            raise assignment.place.unknown(f"no column {assignment.name} in {self.table}", hint)
        return found.name


@dataclass(frozen=True, slots=True)
class Delete(_Change):
    """DELETE FROM t [FROM ...] WHERE ..."""

    def query(self, columns: Schema, full_name: str) -> ParsedQuery:
        """Return the query of the rows that stay."""
        select = self._select(
            full_name, [exp.alias_(self._column(c.name), c.name, quoted=True) for c in columns]
        )
        condition = self.condition if self.condition is not None else exp.true()
        if self.others is not None:
            others = self.others.copy()
            others.set("expressions", [exp.Literal.number(1)])
            condition = exp.Exists(this=others)
        select.set("where", exp.Where(this=_if(condition, exp.false(), exp.true())))
        return self._parsed(select)


def update(cursor: Cursor, queries: QueryReader) -> Update:
    """Read an UPDATE."""
    place, source = cursor.place(), cursor.source()
    cursor.need("UPDATE")
    _refuse_top(cursor)
    table = cursor.table()
    alias = "" if cursor.sees("SET") else _alias(cursor)
    cursor.need("SET", "UPDATE mydb.t SET a = 1 WHERE b > 2")
    body, from_, where = _clauses(cursor)
    parts = body.parts()
    names, values = [], []
    for part in parts:
        start = part.place()
        name = part.name("the name of a column")
        while part.word("."):
            name = part.name("the name of a column")
        part.need("=")
        names.append((name, start))
        values.append(part.rest())
    twice = next(
        (n for i, (n, _) in enumerate(names) if n.casefold() in {m.casefold() for m, _ in names[:i]}), None
    )
    if twice is not None:
        raise body.place().error(f"{twice} is set twice", None, QuerySyntaxError)
    known = queries.expressions([*values, *([where] if where else [])])
    condition = known.expressions[len(values)] if where else None
    target, alias, others = read_from(queries, table, alias, from_, where, values)
    if others is not None:
        known = others
    assignments = tuple(
        _Assignment(name, start, value)
        for (name, start), value in zip(names, known.expressions, strict=False)
    )
    return Update(source, place, target, alias, condition, others, assignments)


def delete(cursor: Cursor, queries: QueryReader) -> Delete:
    """Read a DELETE."""
    place, source = cursor.place(), cursor.source()
    cursor.need("DELETE")
    _refuse_top(cursor)
    cursor.word("FROM")
    table = cursor.table()
    alias = "" if cursor.here is None or cursor.sees("FROM", "WHERE", "USING") else _alias(cursor)
    if cursor.here is not None and not cursor.sees("FROM", "WHERE", "USING"):
        raise cursor.expected("WHERE", "DELETE FROM mydb.t WHERE a > 1")
    _, from_, where = _clauses(cursor)
    condition = queries.expressions([where]).expressions[0] if where else None
    target, alias, others = read_from(queries, table, alias, from_, where, [])
    return Delete(source, place, target, alias, condition, others)


def _refuse_top(cursor: Cursor) -> None:
    if cursor.sees("TOP"):
        raise cursor.refused("TOP is not offered here", "choose the rows with WHERE")


def _alias(cursor: Cursor) -> str:
    cursor.word("AS")
    return cursor.name("an alias")


def _clauses(cursor: Cursor) -> tuple[Cursor, Cursor | None, Cursor | None]:
    """Return what stands before FROM, in it, and behind WHERE; step over all of it."""
    start, depth = cursor.at, 0
    places: dict[str, int] = {}
    for index in range(start, len(cursor.tokens)):
        token = cursor.tokens[index]
        depth += (token.text == "(") - (token.text == ")")
        word = token.text.upper()
        if depth == 0 and word in {"FROM", "USING", "WHERE"} and word not in places and "WHERE" not in places:
            places["FROM" if word == "USING" else word] = index
    end = len(cursor.tokens)
    where = places.get("WHERE", end)
    from_ = places.get("FROM", where)
    cursor.at = end
    found_from = cursor.inner(from_ + 1, where) if "FROM" in places else None
    found_where = cursor.inner(where + 1, end) if "WHERE" in places else None
    return cursor.inner(start, from_), found_from, found_where


def _if(condition: exp.Expr, then: exp.Expr, otherwise: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=condition.copy(), true=then.copy())], default=otherwise.copy())


def _as(node: exp.Expr, kind: pa.DataType) -> exp.Expr:
    return cast_of(node.copy(), kind) if str(kind) in TYPE_NAMES else node.copy()
