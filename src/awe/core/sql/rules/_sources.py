"""Bind FROM: tables, common table expressions, subqueries, table functions, and how they join."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import reduce

from sqlglot import exp

from awe.core.sql._model import TableDef, TableFunction
from awe.core.sql.dialects import TEMPORARY
from awe.core.sql.rules import _views
from awe.core.sql.rules._build import column_of
from awe.core.sql.rules._state import Compilation, Output, Scope, Source, TableUse, view_name
from awe.core.sql.rules.types import need_condition
from awe.core.suggestions import did_you_mean

__all__ = ["bind_from", "renamed"]

_KINDS = frozenset({"", "INNER", "CROSS", "OUTER"})
_SIDES = frozenset({"", "LEFT", "RIGHT", "FULL"})
BindQuery = Callable[[exp.Expr, Compilation, Scope], tuple[Output, ...]]
BindExpression = Callable[[exp.Expr, Compilation, Scope], exp.Expr]


def bind_from(
    select: exp.Select, run: Compilation, scope: Scope, query: BindQuery, expression: BindExpression
) -> None:
    """Bind the FROM of a select; the scope then knows its sources."""
    binder = _Binder(run, scope, query, expression)
    from_ = select.args.get("from_")
    if from_ is not None:
        binder.item(from_.this, lateral=False)
        binder.joins(select.args.get("joins") or [])


def renamed(outputs: tuple[Output, ...], alias: exp.TableAlias, run: Compilation) -> tuple[Output, ...]:
    """Return the outputs under the names of ``AS alias(a, b)``."""
    names = [c.name for c in alias.args.get("columns") or []]
    if names and len(names) != len(outputs):
        raise run.text.syntax(alias, f"{len(names)} names for {len(outputs)} columns")
    if not names:
        return outputs
    return tuple(replace(o, column=replace(o.column, name=n)) for o, n in zip(outputs, names, strict=True))


class _Binder:
    """The walk through one FROM, left to right."""

    def __init__(self, run: Compilation, scope: Scope, query: BindQuery, expression: BindExpression) -> None:
        self.run, self.scope, self.query, self.expression = run, scope, query, expression

    def joins(self, joins: list[exp.Join]) -> None:
        """Bind each join in turn: its right side, then its condition."""
        for join in joins:
            before = len(self.scope.sources)
            self._check_kind(join)
            apply = join.this.args.get("cross_apply") if isinstance(join.this, exp.Lateral) else None
            self.item(join.this, lateral=isinstance(join.this, exp.Lateral))
            if apply is not None:
                _spell_apply(join, outer=not apply)
            self._merge(join, before)
            if join.args.get("on") is None and join.side:
                raise self.run.text.syntax(join, f"{join.side} JOIN needs ON or USING")
            if join.args.get("on") is not None:
                need_condition(self.expression(join.args["on"], self.run, self.scope), self.run.text)

    def _check_kind(self, join: exp.Join) -> None:
        good = join.kind in _KINDS and join.side in _SIDES and join.method in {"", "NATURAL"}
        if not good:
            word = " ".join(filter(None, (join.method, join.side, join.kind)))
            raise self.run.text.refused(join, f"{word} JOIN is not offered")

    def item(self, item: exp.Expr, *, lateral: bool) -> None:
        """Bind one thing in FROM."""
        inner = item.this if isinstance(item, exp.Lateral) else item
        if isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Table):
            self.item(inner.this, lateral=False)
            self.joins(inner.args.get("joins") or [])
            return
        call, schema = _call_of(inner)
        if call is not None:
            self._view(item, call, schema, lateral=lateral)
        elif isinstance(inner, exp.Table):
            self._table(inner)
            self.joins(inner.args.get("joins") or [])
        elif isinstance(inner, exp.Subquery):
            self._derived(item, inner, self.scope if lateral else _without_neighbours(self.scope))
        else:
            raise self.run.text.syntax(item, "expected a table or a subquery here")

    def _table(self, table: exp.Table) -> None:
        name, schema = table.name, _schema_of(table)
        alias = table.alias or name
        cte = self.scope.cte(name) if schema is None and not table.text("db") else None
        if cte is not None:
            key, outputs = self.run.key("t"), renamed(cte[1], _alias(table), self.run)
            self._add(table, Source(alias, key, outputs))
            self._rewrite(table, cte[0], key)
            return
        definition = self.run.table(schema, name)
        if definition is None and schema == TEMPORARY:
            raise self.run.text.unknown(
                table, f"no table {name}", "SELECT ... INTO #x makes one, for its batch alone"
            )
        if definition is None:
            full = f"{schema}.{name}" if schema else name
            hint = did_you_mean(full, self.run.names.spellings())
            said = self.run.text.also(f"no table {full}", f"Invalid object name '{full}'.")
            raise self.run.text.unknown(table, said, hint)
        key = self.run.key("t")
        if definition.sql:
            self._described_table(table, definition, key)
            return
        outputs = tuple(Output(column, column.name) for column in definition.columns)
        outputs = renamed(outputs, _alias(table), self.run)
        self._add(table, Source(alias, key, outputs, None if table.alias else definition.schema, definition))
        self.run.uses[key] = TableUse(key, definition)
        self._rewrite(table, None, key)

    def _described_table(self, table: exp.Table, view: TableDef, key: str) -> None:
        """Put the query of a view in its place: as it is where it only selects rows, else once for all its uses."""
        run, name, said = self.run, table.alias or table.name, _alias(table)
        schema = None if table.alias else view.schema
        tree = None if view_name(view) in run.shared else _views.expand_table(view, run)
        alone = table.args.get("joins") is None and not isinstance(table.parent, exp.Subquery)
        if tree is not None and alone and _views.selects_rows(tree):
            outputs = self._viewed(table, view, tree)
            self._add(table, Source(name, key, renamed(outputs, said, run), schema))
            table.replace(exp.Subquery(this=tree, alias=_named(key)))
            return
        if tree is not None:
            outputs = self._viewed(table, view, tree)
            run.shared[view_name(view)] = exp.CTE(this=tree, alias=_named(run.key("c"))), outputs
        cte, outputs = run.shared[view_name(view)]
        self._add(table, Source(name, key, renamed(outputs, said, run), schema))
        self._rewrite(table, cte.alias, key)

    def _viewed(self, table: exp.Table, view: TableDef, tree: exp.Expr) -> tuple[Output, ...]:
        """Bind the query of a view; return its columns as the view describes them."""
        with self.run.inside(view):
            made = self.query(tree, self.run, Scope())
        if len(made) != len(view.columns):
            raise self.run.text.unknown(
                table, f"{view.full_name} has other columns than the tables it reads",
                "it has to be published again",
            )  # fmt: skip
        return tuple(
            Output(replace(column, type=output.column.type), output.sql)
            for column, output in zip(view.columns, made, strict=True)
        )

    def _rewrite(self, table: exp.Table, relation: str | None, key: str) -> None:
        for part in ("db", "catalog"):
            table.set(part, None)
        table.set("this", exp.to_identifier(relation or key, quoted=True))
        table.set("alias", _named(key))
        table.meta["use"] = key if relation is None else None

    def _derived(self, item: exp.Expr, subquery: exp.Subquery, around: Scope) -> None:
        alias = _alias(item) if item.args.get("alias") is not None else _alias(subquery)
        if not alias.name:
            raise self.run.text.syntax(subquery, "a subquery in FROM needs an alias", "(SELECT ...) AS x")
        outputs = renamed(self.query(subquery.this, self.run, around), alias, self.run)
        key = self.run.key("t")
        self._add(item, Source(alias.name, key, outputs))
        subquery.set("alias", _named(key))
        if item is not subquery:
            item.set("alias", None)

    def _view(self, item: exp.Expr, call: exp.Anonymous, schema: str | None, *, lateral: bool) -> None:
        function = self.run.table_function(schema, call.name)
        if function is None:
            full = f"{schema}.{call.name}" if schema else call.name
            hint = did_you_mean(full, self.run.names.spellings())
            raise self.run.text.unknown(call, f"no table function {full}", hint)
        correlated = lateral or (self.run.dialect != "tsql" and bool(self.scope.sources))
        arguments = [self.expression(a, self.run, self.scope) for a in list(call.expressions)]
        depends = any(a.find(exp.Column) for a in arguments)
        if depends and not correlated:
            raise self.run.text.syntax(
                call, f"the arguments of {call.name} must be constants here",
                "use CROSS APPLY to search around each row",
            )  # fmt: skip
        alias = item.alias or call.name
        tree = _views.expand(function, call, arguments, self.run)
        with self.run.inside(function):
            outputs = self.query(tree, self.run, Scope())
        key = self.run.key("t")
        self._add(item, Source(alias, key, _noted(outputs, function)))
        subquery = exp.Subquery(this=tree, alias=_named(key))
        item.replace(exp.Lateral(this=subquery) if depends else subquery)

    def _add(self, node: exp.Expr, source: Source) -> None:
        names = [(s.name.casefold(), (s.schema or "").casefold()) for s in self.scope.sources]
        if (source.name.casefold(), (source.schema or "").casefold()) in names:
            raise self.run.text.syntax(node, f"{source.name} stands twice in FROM", "give each an alias")
        self.scope.sources.append(source)

    def _merge(self, join: exp.Join, before: int) -> None:
        """Write USING and NATURAL as ON, and hide the columns that are there twice."""
        left, right = self.scope.sources[:before], self.scope.sources[before:]
        names = [u.name for u in join.args.get("using") or []]
        if join.args.get("method") == "NATURAL":
            known = {n.casefold() for n in _names(left)} | self.scope.merged.keys()
            names = [n for n in _names(right) if n.casefold() in known]
        if not names and join.args.get("method"):
            raise self.run.text.syntax(join, "NATURAL JOIN of tables that share no column")
        if not names:
            return
        pairs = [(self._one(join, left, n), self._one(join, right, n)) for n in names]
        conditions = [self._bound(exp.EQ(this=one, expression=other)) for one, other in pairs]
        for name, (one, other) in zip(names, pairs, strict=True):
            self._unite(name, one, other, join.side)
        join.set("using", None)
        join.set("method", None)
        join.set("on", reduce(lambda a, b: self._bound(exp.And(this=a, expression=b)), conditions))

    def _bound(self, node: exp.Expr) -> exp.Expr:
        return self.expression(node, self.run, self.scope)

    def _unite(self, name: str, one: exp.Expr, other: exp.Expr, side: str) -> None:
        """Leave one column of two: that of the side whose rows all stay, or of whichever has a row."""
        folded = name.casefold()
        gone = (one, other) if side == "FULL" else (one,) if side == "RIGHT" else (other,)
        for column in (c for part in gone for c in part.find_all(exp.Column)):
            source = next(s for s in self.scope.sources if s.key == column.table)
            source.hidden.add(folded)
        if side == "FULL":
            call = exp.Anonymous(this="COALESCE", expressions=[one.copy(), other.copy()])
            call.meta["spelled"] = "COALESCE"
            self.scope.merged[folded] = self._bound(call)
        elif side == "RIGHT":
            self.scope.merged.pop(folded, None)

    def _one(self, join: exp.Join, sources: list[Source], name: str) -> exp.Expr:
        """Return the column of that name on one side of a join."""
        folded = name.casefold()
        merged = self.scope.merged.get(folded)
        if merged is not None and sources[0] is self.scope.sources[0]:
            return merged.copy()
        found = [
            (s, o) for s in sources for o in s.columns
            if o.column.name.casefold() == folded and folded not in s.hidden
        ]  # fmt: skip
        if len(found) != 1:
            said = "is not on both sides" if not found else "is ambiguous"
            raise self.run.text.unknown(join, f"column {name} of USING {said}")
        return column_of(*found[0])


def _without_neighbours(scope: Scope) -> Scope:
    """Return where a derived table looks for names: common table expressions, but nothing else in FROM."""
    return Scope(parent=scope.parent, ctes=scope.ctes)


def _names(sources: list[Source]) -> list[str]:
    return [o.column.name for s in sources for o in s.columns if o.column.name.casefold() not in s.hidden]


def _alias(node: exp.Expr) -> exp.TableAlias:
    found = node.args.get("alias")
    return found if isinstance(found, exp.TableAlias) else exp.TableAlias()


def _noted(outputs: tuple[Output, ...], function: TableFunction) -> tuple[Output, ...]:
    """Return the columns of a table function with what is said of them."""
    said = {
        note.name.casefold(): {k: v for k, v in asdict(note).items() if v and k != "name"}
        for note in function.columns
    }
    return tuple(
        replace(o, column=replace(o.column, **said.get(o.column.name.casefold(), {}))) for o in outputs
    )


def _named(key: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(key, quoted=True))


def _schema_of(table: exp.Table) -> str | None:
    """Return the schema: ``dbo`` and an empty one (``db..t``) leave it to the database's name."""
    db, catalog = table.text("db"), table.text("catalog")
    return (catalog if db.casefold() in {"", "dbo"} else db) or None


def _call_of(inner: exp.Expr) -> tuple[exp.Anonymous | None, str | None]:
    if isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Anonymous):
        schema = inner.text("this")
        return inner.expression, None if schema.casefold() == "dbo" else schema
    if isinstance(inner, exp.Anonymous):
        return inner, None
    if isinstance(inner, exp.Table) and isinstance(inner.this, exp.Anonymous):
        return inner.this, _schema_of(inner)
    return None, None


def _spell_apply(join: exp.Join, *, outer: bool) -> None:
    """CROSS APPLY is CROSS JOIN LATERAL, OUTER APPLY is LEFT JOIN LATERAL ... ON TRUE."""
    if isinstance(join.this, exp.Lateral):
        join.this.set("cross_apply", None)
    join.set("side", "LEFT" if outer else None)
    join.set("kind", None if outer else "CROSS")
    if outer:
        join.set("on", exp.true())
