"""Queries that only look rows of one table up by their place: an engine may answer them from its sky index alone.

Such a query selects columns of one table where a position, which is the table's own, lies in constant regions, and where
columns compare with numbers; at the most it wants the first rows by their distance from somewhere. `look_up` reads it
from the compiled tree. What it does not know makes it None: any engine carries out the tree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlglot import exp

from awe.core.sky import Region
from awe.core.sql.rules._build import constant
from awe.core.sql.rules._state import TESTED, TableUse, Tested, value

__all__ = ["Around", "Comparison", "Inside", "LookUp", "Nearest", "enough", "look_up", "only_source", "reads"]

FloatArray = npt.NDArray[np.float64]

_OPERATORS: Mapping[type[exp.Expr], str] = {
    exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.EQ: "=", exp.NEQ: "<>",
}  # fmt: skip
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_ALLOWED = frozenset({"expressions", "from_", "where", "order", "limit"})
_EXACT = 1 << 24
"""Whole numbers up to here are the same in every type of numbers."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The position lies in a region; `strict`: of a circle, not on its edge."""

    region: Region
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column compares with a number by ``<``, ``<=``, ``>``, ``>=``, ``=`` or ``<>``.

    NaN compares as engines of SQL have it: it is equal to itself alone and greater than every number.
    """

    column: str
    operator: str
    number: float


@dataclass(frozen=True, slots=True)
class Nearest:
    """Rows come by their distance from a position (ICRS degrees); `descending`: the farthest first."""

    ra: float
    dec: float
    descending: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """Positions (ICRS degrees, shape ``(N,)``) and a radius: the rows within it of each are wanted."""

    ra: FloatArray
    dec: FloatArray
    radius_deg: float


@dataclass(frozen=True, slots=True)
class LookUp:
    """What is looked up.

    Attributes
    ----------
    columns
        The stored columns that the query gives, in its order.
    inside
        Where the position must be: in all of these, at least one; none where `around` says where.
    comparisons
        What else must hold of a row.
    nearest
        How the rows are ordered; as they come when None.
    most
        So many rows, the first ones; all when None.
    around
        The rows come by these positions, in their order, with the number of each, from 0, in a column before the others.
    """

    columns: tuple[str, ...]
    inside: tuple[Inside, ...]
    comparisons: tuple[Comparison, ...] = ()
    nearest: Nearest | None = None
    most: int | None = None
    around: Around | None = None


def look_up(tree: exp.Expr, uses: Mapping[str, TableUse]) -> LookUp | None:
    """Return what a compiled query looks up, or None where it does anything else."""
    if len(uses) != 1 or not isinstance(tree, exp.Select):
        return None
    if any(tree.args.get(key) for key in tree.args if key not in _ALLOWED):
        return None
    (use,) = uses.values()
    table = tree.args["from_"].this if tree.args.get("from_") is not None else None
    if not isinstance(table, exp.Table) or table.meta.get("use") != use.key or table.args.get("joins"):
        return None
    columns = [_plain(projection, use) for projection in tree.expressions]
    where = tree.args.get("where")
    inside: list[Inside] = []
    comparisons: list[Comparison] = []
    for condition in _conditions(where.this) if where is not None else ():
        if isinstance(condition, Tested):
            inside.append(Inside(condition.region, condition.strict))
            continue
        found = _comparison(condition, use)
        if found is None:
            return None
        comparisons += found
    order = _order(tree.args.get("order"), use)
    if None in columns or order is None or not inside:
        return None
    limit = tree.args.get("limit")
    return LookUp(
        tuple(name for name in columns if name is not None),
        tuple(inside),
        tuple(comparisons),
        next(iter(order), None),
        None if limit is None else int(limit.expression.name),
    )


def enough(tree: exp.Expr) -> int | None:
    """Return how many rows of its only table a query takes as they come; None where it may need them all."""
    limit, source = tree.args.get("limit"), tree.args.get("from_")
    if not isinstance(tree, exp.Select) or limit is None or source is None:
        return None
    if any(tree.args.get(key) for key in tree.args if key not in {"expressions", "from_", "limit"}):
        return None
    if source.this.args.get("joins") or tree.find(exp.AggFunc, exp.Window, exp.Subquery):
        return None
    return int(limit.expression.name)


def only_source(tree: exp.Expr) -> str | None:
    """Return the key of the table use or sky join that a query reads, where it joins it with nothing; None elsewhere."""
    source = tree.args.get("from_")
    if not isinstance(tree, exp.Select) or source is None or not isinstance(source.this, exp.Table):
        return None
    if any(tree.args.get(key) for key in ("joins", "laterals", "with_")) or source.this.args.get("joins"):
        return None
    return str(source.this.name)


def reads(tree: exp.Expr) -> Mapping[str, frozenset[str]]:
    """Return the columns of each source that a compiled query reads, by the source's key."""
    found: dict[str, set[str]] = {}
    todo = [tree]
    while todo:
        for node in todo.pop().walk():
            if isinstance(node, exp.Column):
                found.setdefault(node.text("table"), set()).add(node.name)
            beside = node.meta.get("cells")
            if isinstance(beside, exp.Expr):
                todo.append(beside)
    return {key: frozenset(names) for key, names in found.items()}


def _plain(projection: exp.Expr, use: TableUse) -> str | None:
    """Return the column that is selected as it is."""
    inner = projection.this if isinstance(projection, exp.Alias) else None
    return _column(inner, use) if inner is not None and "type" not in projection.meta else None


def _column(node: exp.Expr, use: TableUse) -> str | None:
    own = isinstance(node, exp.Column) and node.text("table") == use.key
    return node.name if own and use.table.columns.find(node.name) is not None else None


def _conditions(node: exp.Expr) -> Iterator[exp.Expr | Tested]:
    """Yield the conjuncts; of a spatial test what it tests, and nothing of what only narrows it."""
    tested = node.meta.get(TESTED)
    if isinstance(tested, Tested):
        yield tested
    elif isinstance(node, exp.And):
        yield from _conditions(node.this)
        yield from _conditions(node.expression)
    elif "ranges" not in node.meta:
        yield node


def _comparison(node: exp.Expr, use: TableUse) -> list[Comparison] | None:
    if isinstance(node, exp.Between):
        low = _compared(node.this, ">=", node.args["low"], use)
        high = _compared(node.this, "<=", node.args["high"], use)
        return None if low is None or high is None else [low, high]
    operator = _OPERATORS.get(type(node))
    if operator is None:
        return None
    found = _compared(node.this, operator, node.expression, use) or _compared(
        node.expression, _MIRRORED[operator], node.this, use
    )
    return None if found is None else [found]


def _compared(node: exp.Expr, operator: str, number: exp.Expr, use: TableUse) -> Comparison | None:
    name, known = _column(node, use), constant(number)
    if name is None or known is None:
        return None
    kind = value(node).type
    whole = pa.types.is_integer(value(number).type)
    if not (pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)):
        return None
    return None if whole and abs(known) > _EXACT else Comparison(name, operator, known)


def _order(node: exp.Expr | None, use: TableUse) -> tuple[Nearest, ...] | None:
    """Return nothing where no order is wanted, a distance where that is it, and None for any other."""
    if node is None:
        return ()
    if len(node.expressions) != 1:
        return None
    ordered = node.expressions[0]
    away = ordered.this
    if not isinstance(away, exp.Anonymous) or away.name != "SKY_SEPARATION":
        return None
    ends = [tuple(away.expressions[:2]), tuple(away.expressions[2:])]
    for (ra, dec), (other_ra, other_dec) in (ends, ends[::-1]):
        own = (_column(ra, use), _column(dec, use))
        known = constant(other_ra), constant(other_dec)
        if own == (use.table.ra, use.table.dec) and known[0] is not None and known[1] is not None:
            return (Nearest(known[0], known[1], descending=bool(ordered.args.get("desc"))),)
    return None
