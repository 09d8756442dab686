"""Bind names: every table, column, star and alias to what it means, innermost scope first.

Afterwards every source has a key, every column is qualified by a key and spelled as published, every
select list is written out, and every expression carries its type (``rules.types`` is called on the
way up). The names that the caller sees stay in `Compilation.outputs`.
"""

from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._model import ScalarFunction
from awe.core.sql.rules import _sources, _views
from awe.core.sql.rules._build import column_of
from awe.core.sql.rules._kinds import common
from awe.core.sql.rules._outputs import finish_outputs, output_names
from awe.core.sql.rules._state import (
    DESCRIBED,
    Compilation,
    Output,
    Scope,
    Source,
    has_value,
    set_value,
    value,
)
from awe.core.sql.rules.types import need_condition, settle
from awe.core.suggestions import did_you_mean
from awe.errors import QueryError

__all__ = ["bind", "bind_query"]


def bind(tree: exp.Expr, run: Compilation) -> exp.Expr:
    """Bind a whole query and note its outputs.

    Raises
    ------
    UnknownNameError, QuerySyntaxError, NotOfferedError
        With line and column, and what was perhaps meant.
    """
    run.outputs = bind_query(tree, run, Scope())
    if run.shared:
        with_ = tree.args.get("with_") or exp.With(expressions=[])
        views = [cte for cte, _ in run.shared.values()]  # a view that another one reads stands before it
        with_.set("expressions", [*views, *with_.expressions])
        tree.set("with_", with_)
    return tree


def bind_query(query: exp.Expr, run: Compilation, around: Scope) -> tuple[Output, ...]:
    """Bind a SELECT, a set operation or one in parentheses; return its columns."""
    scope = Scope(parent=around)
    _bind_ctes(query, run, scope)
    if isinstance(query, exp.Select):
        outputs = _bind_select(query, run, scope)
    elif isinstance(query, exp.SetOperation):
        outputs = _bind_set_operation(query, run, scope)
    elif isinstance(query, exp.Subquery):
        outputs = bind_query(query.this, run, scope)
    else:
        raise run.text.syntax(query, "expected a SELECT here")
    for key in ("limit", "offset"):
        _check_count(query.args.get(key), run)
    if not isinstance(query, exp.Select):
        _bind_order(query, run, scope, outputs)
    return outputs


def _bind_ctes(query: exp.Expr, run: Compilation, scope: Scope) -> None:
    with_ = query.args.get("with_")
    for cte in with_.expressions if with_ is not None else ():
        folded = cte.alias.casefold()
        if folded in scope.ctes:
            raise run.text.syntax(cte.args["alias"], f"{cte.alias} is defined twice")
        outputs = bind_query(cte.this, run, scope)
        outputs = _sources.renamed(outputs, cte.args["alias"], run)
        key = run.key("c")
        scope.ctes[folded] = (key, outputs)
        cte.set("alias", exp.TableAlias(this=exp.to_identifier(key, quoted=True)))


def _bind_select(select: exp.Select, run: Compilation, scope: Scope) -> tuple[Output, ...]:
    _sources.bind_from(select, run, scope, bind_query, bind_expression)
    _expand_stars(select, run, scope)
    names = output_names(select.expressions, run)
    _bind_clause(select, "where", run, scope)
    for projection in select.expressions:
        target = projection if isinstance(projection, exp.Alias) else None
        bind_expression(target.this if target is not None else projection, run, scope)
    outputs = finish_outputs(select, names)
    scope.aliases = {
        name.casefold(): projection.this
        for name, projection in zip(reversed(names), reversed(select.expressions), strict=True)
    }
    group = select.args.get("group")
    for item in list(group.expressions) if group is not None else ():
        _bind_group_item(item, select, run, scope)
    _bind_clause(select, "having", run, scope)
    _bind_order(select, run, scope, outputs)
    return outputs


def _bind_clause(select: exp.Select, key: str, run: Compilation, scope: Scope) -> None:
    clause = select.args.get(key)
    if clause is not None:
        aliases, scope.aliases = scope.aliases, ({} if key == "where" else scope.aliases)
        bind_condition(clause.this, run, scope)
        scope.aliases = aliases


def _bind_group_item(item: exp.Expr, select: exp.Select, run: Compilation, scope: Scope) -> None:
    if isinstance(item, exp.Literal) and not item.args.get("is_string"):
        item.replace(select.expressions[_ordinal(item, len(select.expressions), run)].this.copy())
        return
    bind_expression(item, run, scope)


def _bind_order(query: exp.Expr, run: Compilation, scope: Scope, outputs: tuple[Output, ...]) -> None:
    """Bind ORDER BY: a number or an output's name is a place in the select list, the rest are values."""
    order = query.args.get("order")
    for item in order.expressions if order is not None else ():
        place = _output_place(item.this, outputs, run)
        if place is not None:
            item.set("this", exp.Literal.number(place + 1))
        elif isinstance(query, exp.Select) and query.args.get("distinct") is None:
            bind_expression(item.this, run, scope)
        else:
            raise run.text.syntax(item.this, "ORDER BY takes a selected column here", "name or number it")
        if item.args.get("nulls_first") is None:
            item.set("nulls_first", bool(item.args.get("desc")))


def _output_place(node: exp.Expr, outputs: tuple[Output, ...], run: Compilation) -> int | None:
    if isinstance(node, exp.Literal) and not node.args.get("is_string"):
        return _ordinal(node, len(outputs), run)
    if not isinstance(node, exp.Column) or node.table:
        return None
    places = [i for i, o in enumerate(outputs) if o.column.name.casefold() == node.name.casefold()]
    return places[0] if places else None


def _ordinal(node: exp.Expr, count: int, run: Compilation) -> int:
    if not node.name.isdigit() or not 1 <= int(node.name) <= count:
        raise run.text.syntax(node, f"there is no column number {node.name}: {count} are selected")
    return int(node.name) - 1


def _bind_set_operation(query: exp.SetOperation, run: Compilation, scope: Scope) -> tuple[Output, ...]:
    left = bind_query(query.this, run, scope)
    right = bind_query(query.expression, run, scope)
    if len(left) != len(right):
        raise run.text.syntax(
            query.expression, f"{query.key.upper()} of {len(left)} columns with {len(right)}: they must agree"
        )
    outputs = []
    for one, other in zip(left, right, strict=True):
        kind = common(one.column.type, other.column.type)
        if kind is None:
            raise run.text.syntax(query.expression, f"column {one.column.name} has another type here")
        outputs.append(replace(one, column=replace(one.column, type=kind, arraysize="")))
    _agree(query, [o.column.type for o in outputs])
    return tuple(outputs)


def _agree(query: exp.Expr, kinds: list[pa.DataType]) -> None:
    """Give both sides of a set operation the same types, all the way down."""
    if isinstance(query, exp.Select):
        for projection, kind in zip(query.expressions, kinds, strict=True):
            projection.meta["type"] = kind
        return
    _agree(query.this, kinds)
    if isinstance(query, exp.SetOperation):
        _agree(query.expression, kinds)


def _check_count(clause: exp.Expr | None, run: Compilation) -> None:
    number = clause.expression.unnest() if clause is not None else None
    if number is None or clause is None:
        return
    if not (isinstance(number, exp.Literal) and number.name.isdigit() and not number.args.get("is_string")):
        raise run.text.syntax(number, f"{clause.key.upper()} takes a whole number")
    clause.set("expression", number)


def _expand_stars(select: exp.Select, run: Compilation, scope: Scope) -> None:
    expanded: list[exp.Expr] = []
    for projection in select.expressions:
        run.check_columns(len(expanded))
        star_of = isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
        if not (isinstance(projection, exp.Star) or star_of):
            expanded.append(projection)
            continue
        if not scope.sources:
            raise run.text.syntax(projection, "* needs a FROM")
        sources = [_find_source(projection, run, scope)] if star_of else scope.sources
        for name, united in () if star_of else scope.merged.items():
            expanded.append(exp.Alias(this=united.copy(), alias=exp.to_identifier(_spelling(name, scope))))
        expanded += [
            column_of(source, output)
            for source in sources
            for output in source.columns
            if star_of or output.column.name.casefold() not in source.hidden
        ]
    run.count_columns(len(expanded))
    select.set("expressions", expanded)


def _spelling(folded: str, scope: Scope) -> str:
    """Return a name as the first source that has it spells it."""
    names = (output.column.name for source in scope.sources for output in source.columns)
    return next(name for name in names if name.casefold() == folded)


def bind_condition(node: exp.Expr, run: Compilation, scope: Scope) -> None:
    """Bind an expression that must be true or false."""
    need_condition(bind_expression(node, run, scope), run.text)


def bind_expression(node: exp.Expr, run: Compilation, scope: Scope) -> exp.Expr:
    """Bind an expression in its place; return what stands there now."""
    if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Anonymous):
        raise run.text.syntax(node.parent, "* stands for all columns in the select list, or in COUNT(*)")
    if has_value(node) or isinstance(node, (exp.Star, exp.DataType, exp.Identifier)):
        return node
    if isinstance(node, exp.Literal):  # of which there may be tens of thousands
        return settle(node, run.text)
    if isinstance(node, exp.Column):
        bound = _resolve(node, run, scope)
        bound.meta["spelled"] = node.name
        bound.meta.update(_place(node))
        return _replaced(node, bound)
    if isinstance(node, exp.Subquery):
        outputs = bind_query(node, run, scope)
        if len(outputs) != 1:
            raise run.text.syntax(node, f"a subquery used as a value selects one column, not {len(outputs)}")
        return set_value(node, replace(outputs[0].column, name=""))
    if isinstance(node, (exp.Select, exp.SetOperation)):
        if not isinstance(node.parent, exp.Exists):
            raise run.text.syntax(node, "a subquery stands in parentheses of its own")
        bind_query(node, run, scope)
        return node
    for part in list(node.iter_expressions()):
        if isinstance(part, (exp.Order, exp.Ordered, exp.If, exp.Distinct)):
            for inner in list(part.iter_expressions()):
                bind_expression(inner, run, scope)
        bind_expression(part, run, scope)
    if isinstance(node, (exp.Order, exp.Ordered, exp.If, exp.Distinct)):
        return node
    described = node.meta.get(DESCRIBED) if isinstance(node, exp.Anonymous) else None
    if isinstance(node, exp.Anonymous) and isinstance(described, ScalarFunction):
        return _replaced(node, _described(node, described, run))
    return _replaced(node, settle(node, run.text))


def _described(call: exp.Anonymous, function: ScalarFunction, run: Compilation) -> exp.Expr:
    """Return the value that a call of a described function stands for, bound."""
    tree = _views.expand_value(function, call, list(call.expressions), run)
    inner = exp.Subquery(this=tree) if isinstance(tree, exp.Query) else exp.Paren(this=tree)
    with run.inside(function):
        bound = bind_expression(inner, run, Scope())
    known = value(bound)
    return set_value(bound, replace(known, name="", unit=function.unit or known.unit))


def _place(column: exp.Column) -> dict[str, object]:
    """Return where the leftmost part of a name begins."""
    parts = [column.args.get(key) for key in ("catalog", "db", "table", "this")]
    starts = [p.meta["start"] for p in parts if isinstance(p, exp.Expr) and "start" in p.meta]
    return {"start": starts[0]} if starts else {}


def _replaced(node: exp.Expr, new: exp.Expr) -> exp.Expr:
    if new is not node:
        if "start" in node.meta:
            new.meta.setdefault("start", node.meta["start"])
        if new.parent is not None and new.parent is node:
            new.pop()
        node.replace(new)
    return new


def _find_source(node: exp.Column, run: Compilation, scope: Scope) -> Source:
    table, schema = node.table.casefold(), node.text("db").casefold()
    for inner in scope.around():
        found = [
            s for s in inner.sources
            if s.name.casefold() == table and (not schema or (s.schema or "").casefold() == schema)
        ]  # fmt: skip
        if len(found) > 1:
            raise run.text.syntax(node, f"{node.table} names two tables here", "give them aliases")
        if found:
            return found[0]
    known = [s.name for inner in scope.around() for s in inner.sources]
    raise run.text.unknown(node, f"no table or alias {node.table} in this query", did_you_mean(table, known))


def _resolve(node: exp.Column, run: Compilation, scope: Scope) -> exp.Expr:
    if node.table:
        source = _find_source(node, run, scope)
        found = _matches(node, [source], run, hidden_too=True)
        if not found:
            raise _no_column(node, [source], run)
        return column_of(*found[0])
    for inner in scope.around():
        if node.name.casefold() in inner.merged:
            return inner.merged[node.name.casefold()].copy()
        found = _matches(node, inner.sources, run, hidden_too=False)
        if len(found) > 1:
            owners = " and ".join(source.name for source, _ in found)
            hint = f"write {found[0][0].name}.{node.name}"
            raise run.text.error(QueryError, node, f"column {node.name} is ambiguous: {owners} have it", hint)
        if found:
            return column_of(*found[0])
    meant = scope.aliases.get(node.name.casefold())
    if meant is not None:
        return meant.copy()
    raise _no_column(node, [s for inner in scope.around() for s in inner.sources], run)


def _matches(
    node: exp.Column, sources: list[Source], run: Compilation, *, hidden_too: bool
) -> list[tuple[Source, Output]]:
    exact = run.dialect == "adql" and node.this.args.get("quoted")
    folded = node.name.casefold()
    return [
        (source, output)
        for source in sources
        for output in source.columns
        if (output.column.name == node.name if exact else output.column.name.casefold() == folded)
        and (hidden_too or folded not in source.hidden)
    ]


def _no_column(node: exp.Column, sources: list[Source], run: Compilation) -> QueryError:
    known = [o.column.name for source in sources for o in source.columns]
    where = f" in {node.table}" if node.table else ""
    hint = did_you_mean(node.name, known)
    if hint is None and node.this.args.get("quoted"):
        hint = "texts stand in single quotes"
    said = run.text.also(f"no column {node.name}{where}", f"Invalid column name '{node.name}'.")
    return run.text.unknown(node, said, hint)
