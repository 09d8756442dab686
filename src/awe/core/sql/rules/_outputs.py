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
    nameless expression is ``Column1``, ``Column2`` ... in T-SQL, counting only the nameless, and is
    called after its function in the other dialects.
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
            name = _named_after(projection, place, names, run)
        names.append(name)
    return names


def _named_after(projection: exp.Expr, place: int, names: list[str], run: Compilation) -> str:
    inner = projection.this if isinstance(projection, exp.Window) else projection
    name = str(inner.meta["spelled"]).lower() if isinstance(inner, exp.Anonymous) else "column"
    # Function names are reserved words of ADQL: a place behind them makes valid, unique identifiers.
    if run.dialect == "adql" or name == "column" or name in names:
        return f"{name}_{place}"
    return name


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
