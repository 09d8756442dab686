"""What a select list is called: for the caller, and inside the generated SQL."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from awe.core.sql.rules._state import Compilation, Output, has_value, value

__all__ = ["finish_outputs", "output_names", "unique"]


def output_names(projections: Sequence[exp.Expr], run: Compilation) -> list[str]:
    """Return the caller's name of each column, before the names are bound.

    A selected column keeps the spelling of the query (``MatchDEC`` though the table says MatchDec). A
    nameless expression is ``Column1``, ``Column2`` ... in T-SQL, counting only the nameless; in PostgreSQL it has the name
    that PostgreSQL gives it, ``count`` or ``?column?``; in ADQL it is called after its function.
    """
    names: list[str] = []
    nameless = 0
    for place, projection in enumerate(projections, 1):
        if isinstance(projection, exp.Alias):
            name = projection.alias
        elif isinstance(projection, exp.Column):
            name = value(projection).name if has_value(projection) else projection.name
        elif run.dialect == "tsql":
            nameless += 1
            name = f"Column{nameless}"
        else:
            name = _postgres_name(projection) if run.dialect == "postgres" else _named_after(projection)
            # function names are reserved words of ADQL: a place behind them makes valid, unique identifiers
            if run.dialect == "adql" or name in names:
                name = f"{name}_{place}"
        names.append(name)
    return names


def _named_after(projection: exp.Expr) -> str:
    inner = projection.this if isinstance(projection, exp.Window) else projection
    return str(inner.meta["spelled"]).lower() if isinstance(inner, exp.Anonymous) else "column"


_NAMELESS = "?column?"
_TYPES = {
    "SMALLINT": "int2", "INT": "int4", "BIGINT": "int8", "FLOAT": "float4", "DOUBLE": "float8", "DECIMAL": "numeric",
    "BOOLEAN": "bool", "TEXT": "text", "VARCHAR": "varchar", "CHAR": "bpchar", "TIMESTAMP": "timestamp", "DATE": "date",
}  # fmt: skip
"""What PostgreSQL calls its types inside, by sqlglot's names of them."""


def _postgres_name(node: exp.Expr) -> str:
    """Return the name that PostgreSQL 15 gives an expression that has none of its own (its ``FigureColname``)."""
    match node:
        case exp.Anonymous():
            return str(node.meta["spelled"]).lower()
        case exp.Column():
            return str(node.name)
        case exp.Paren() | exp.Window():
            return _postgres_name(node.this)
        case exp.Cast():
            inner = _postgres_name(node.this)
            return _TYPES.get(node.to.this.name, inner) if inner == _NAMELESS else inner
        case exp.Case():
            last = node.args.get("default")
            inner = _NAMELESS if last is None else _postgres_name(last)
            return "case" if inner == _NAMELESS else inner
        case exp.Subquery(this=exp.Select() as select):
            first = select.expressions[0]
            return str(first.alias) if isinstance(first, exp.Alias) else _postgres_name(first)
        case exp.Exists():
            return "exists"
        case exp.Boolean():
            return "bool"
    return _NAMELESS


def unique(names: Sequence[str]) -> list[str]:
    """Return the names, those met before (ignoring case) with a number: ``ra``, ``ra_2``."""
    seen: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate.casefold() in seen:
            number += 1
            candidate = f"{name}_{number}"
        seen.add(candidate.casefold())
        result.append(candidate)
    return result


def finish_outputs(select: exp.Select, names: list[str]) -> tuple[Output, ...]:
    """Name the bound select list and return its columns."""
    outputs: list[Output] = []
    projections: list[exp.Expr] = []
    for name, sql, projection in zip(names, unique(names), select.expressions, strict=True):
        node = projection.this if isinstance(projection, exp.Alias) else projection
        column = value(node)
        if pa.types.is_null(column.type):
            column = replace(column, type=pa.int32())
        outputs.append(Output(replace(column, name=name, principal=False, indexed=False, std=False), sql))
        projections.append(exp.Alias(this=node, alias=exp.to_identifier(sql, quoted=True)))
    select.set("expressions", projections)
    return tuple(outputs)
