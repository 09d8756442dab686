"""FROM in UPDATE and DELETE: which of its tables is the one that changes, and the query of the others."""

from sqlglot import exp

from awe.core.sql.batches._cursor import Cursor
from awe.core.sql.batches._queries import QueryReader
from awe.core.sql.batches._values import TableName

__all__ = ["read_from"]

_NO_SCHEMA = frozenset({"", "dbo", "tempdb"})
_ON = "use JOIN ... ON"


def read_from(
    queries: QueryReader,
    table: TableName,
    alias: str,
    from_: Cursor | None,
    where: Cursor | None,
    values: list[Cursor],
) -> tuple[TableName, str, exp.Select | None]:
    """Return the table, its alias, and the other tables as a SELECT of the values; None where there are none.

    T-SQL names the changed table among the others (``UPDATE p SET ... FROM mydb.t p JOIN s ON ...``),
    PostgreSQL does not. What joined it becomes a condition of the others.
    """
    own = _last(table.name)
    if from_ is None:
        return table, alias or own, None
    tree = queries.from_clause(values, from_, where)
    first = tree.args["from_"]
    items: list[tuple[exp.Expr, exp.Expr]] = [(first, first.this)]
    items += [(join, join.this) for join in tree.args.get("joins") or []]
    names = {own.casefold(), (alias or own).casefold()}
    at = next(
        (i for i, (_, item) in enumerate(items) if isinstance(item, exp.Table) and _called(item) in names),
        None,
    )
    conditions = [tree.args["where"].this] if tree.args.get("where") else []
    if at is not None:
        table, alias = _named(items[at][1], table)
        conditions += _condition(items.pop(at)[0], from_)
        if at == 0 and items:
            conditions += _condition(items[0][0], from_)
    if not items:
        return table, alias or own, None
    tree.set("from_", exp.From(this=items[0][1]))
    tree.set("joins", [holder for holder, _ in items[1:]])
    tree.set("where", exp.Where(this=exp.and_(*conditions, copy=False, wrap=False)) if conditions else None)
    return table, alias or own, tree


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _called(item: exp.Expr) -> str:
    return (item.alias or item.name).casefold()


def _named(item: exp.Expr, table: TableName) -> tuple[TableName, str]:
    """Return the table under its own name: the statement may have named its alias."""
    alias = item.alias or item.name
    if item.name.casefold() == _last(table.name).casefold():
        return table, alias
    schema = next(
        (part for part in (item.text("db"), item.text("catalog")) if part.casefold() not in _NO_SCHEMA), ""
    )
    return TableName(f"{schema}.{item.name}" if schema else item.name, table.place), alias


def _condition(holder: exp.Expr, from_: Cursor) -> list[exp.Expr]:
    """Return the condition of a join with the changed table."""
    if not isinstance(holder, exp.Join):
        return []
    if holder.side or holder.args.get("using") or holder.args.get("method"):
        raise from_.refused("the table that changes may not be on a side of an outer join, or of USING", _ON)
    on = holder.args.get("on")
    return [on] if on is not None else []
