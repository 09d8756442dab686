"""How many rows a compiled query gives, told of how many its sources have: a bound, and what equality joins make of it.

Words: a *count* says how many rows there are, about and at the most, and how many different values each column has at the
most. Conditions are taken to let every row through, but for equalities between two sources: of these each value of the
side with more values is taken to be met equally often. What is not known makes a count infinite.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce

from sqlglot import exp

from awe.core.sky import MAX_ORDER
from awe.core.sql._function import AGGREGATE
from awe.core.sql.functions import FUNCTIONS

__all__ = ["UNKNOWN", "Count", "counted"]

_AS_THEY_LIKE = frozenset({"RAND", "RAND_SEEDED", "NEWID", "IVO_NORMAL_RANDOM"})
_TRUTHS = (exp.Predicate, exp.And, exp.Or, exp.Not)
_VALUES_OF_TRUTH = 3
_CELLS = 12 * 4**MAX_ORDER


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows; `values`: different ones in a column at the most, NULL counted."""

    about: float
    most: float
    values: Mapping[str, float] = field(default_factory=dict)

    def within(self, most: float) -> "Count":
        """Return the count of what has no more than so many rows."""
        return Count(min(self.about, most), min(self.most, most), self.values)

    def of(self, column: str) -> float:
        """Return how many different values a column has at the most."""
        return min(self.values.get(column, math.inf), self.most + 1)


UNKNOWN = Count(math.inf, math.inf)


def counted(tree: exp.Expr, sources: Mapping[str, Count]) -> Count:
    """Return the count of a compiled query.

    Parameters
    ----------
    sources
        The counts of its table uses and sky joins, by their keys.
    """
    known = dict(sources)
    found = tree.args.get("with_")
    for table in found.expressions if found is not None else ():
        known[table.alias] = counted(table.this, known)
    if isinstance(tree, exp.SetOperation):
        one, other = counted(tree.this, known), counted(tree.expression, known)
        result = _both(tree, one, other)
    elif isinstance(tree, exp.Select):
        result = _selected(tree, known)
    else:
        return UNKNOWN
    limit = tree.args.get("limit")
    return result if limit is None else result.within(int(limit.expression.name))


def _both(tree: exp.SetOperation, one: Count, other: Count) -> Count:
    if isinstance(tree, exp.Except):
        return one
    if isinstance(tree, exp.Intersect):
        return one.within(other.most)
    return Count(one.about + other.about, one.most + other.most)


def _selected(tree: exp.Select, known: Mapping[str, Count]) -> Count:
    joined = _Joined(tree, known)
    rows = joined.count()
    group = tree.args.get("group")
    if group is not None:
        rows = rows.within(joined.values(group.expressions))
    elif any(map(_aggregates, tree.expressions)):
        rows = Count(1, 1)
    if tree.args.get("distinct") is not None:
        rows = rows.within(joined.values(tree.expressions))
    return Count(
        rows.about, rows.most, {part.alias_or_name: joined.values([part]) for part in tree.expressions}
    )


class _Joined:
    """What a SELECT reads: its sources side by side, before it groups."""

    def __init__(self, tree: exp.Select, known: Mapping[str, Count]) -> None:
        first = tree.args.get("from_")
        self._joins: list[exp.Expr] = list(tree.args.get("joins") or ())
        self._where = tree.args.get("where")
        read = [] if first is None else [first.this, *(join.this for join in self._joins)]
        self._counts = {source.alias_or_name: _source(source, known) for source in read}
        self._known = known
        self._lateral = bool(tree.args.get("laterals"))

    def count(self) -> Count:
        """Return how many rows they make together."""
        if self._lateral:
            return UNKNOWN
        about = math.prod(count.about for count in self._counts.values())
        most = math.prod(max(count.most, 1.0) for count in self._counts.values())
        if len(self._counts) == 1:
            return next(iter(self._counts.values()))
        for (one, other), values in self._met().items():
            if one in self._counts and other in self._counts:
                about /= max(values - 1, 1.0)  # NULL meets nothing
        kept = [self._counts[join.this.alias_or_name].about for join in self._joins if join.args.get("side")]
        first = next(iter(self._counts.values()), Count(1, 1))
        if kept:
            about = max(about, first.about, *kept)
            most += sum(count.most for count in self._counts.values())
        return Count(min(about, most), most)

    def _met(self) -> Mapping[tuple[str, str], float]:
        """Return the pairs of sources that equal values join, with how many values there are to meet."""
        found: dict[tuple[str, str], float] = {}
        conditions = [join.args.get("on") for join in self._joins]
        conditions += [] if self._where is None else [self._where.this]
        for node in (
            part for condition in conditions if condition is not None for part in _all_of(condition)
        ):
            if not isinstance(node, exp.EQ):
                continue
            sides = [
                {column.text("table") for column in side.find_all(exp.Column)}
                for side in (node.this, node.expression)
            ]
            if any(len(side) != 1 for side in sides) or sides[0] == sides[1]:
                continue
            one, other = sorted(sides[0] | sides[1])
            values = max(self.values([node.this]), self.values([node.expression]))
            found[one, other] = max(values, found.get((one, other), 1.0))
        return _spanning(found)

    def values(self, expressions: Iterable[exp.Expr]) -> float:
        """Return how many different values expressions have together at the most."""
        return reduce(lambda all_of, part: all_of * self._values(part), expressions, 1.0)

    def _values(self, node: exp.Expr) -> float:
        node = node.unalias()
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, _TRUTHS):
            return _VALUES_OF_TRUTH
        if isinstance(node, exp.Subquery | exp.Window) or _aggregates(node) or node.find(exp.Select):
            return math.inf
        if any(part.name in _AS_THEY_LIKE for part in node.find_all(exp.Anonymous)):
            return math.inf
        if isinstance(node, exp.Anonymous) and node.name == "HEALPIX_ANCESTOR":
            shift = node.expressions[2]
            return float(_CELLS >> int(shift.name)) + 1 if isinstance(shift, exp.Literal) else math.inf
        columns = {(c.text("table"), c.name): c for c in node.find_all(exp.Column)}
        return math.prod(map(self._column, columns.values()))

    def _column(self, column: exp.Column) -> float:
        table, name = column.text("table"), column.name
        of, dot, part = name.partition(".")
        if dot and of in self._known:  # a column of a side of a sky join
            return self._known[of].of(part)
        return self._counts.get(table, UNKNOWN).of(name)


def _spanning(met: Mapping[tuple[str, str], float]) -> Mapping[tuple[str, str], float]:
    """Return the weakest of the joins that tie all sources together: one that follows from others counts once."""
    tied: dict[str, str] = {}

    def root(name: str) -> str:
        while tied.get(name, name) != name:
            name = tied[name]
        return name

    found = {}
    for pair, values in sorted(met.items(), key=lambda item: item[1]):
        one, other = map(root, pair)
        if one != other:
            tied[one] = other
            found[pair] = values
    return found


def _source(source: exp.Expr, known: Mapping[str, Count]) -> Count:
    if isinstance(source, exp.Table) and not source.args.get("joins"):
        return known.get(source.name, UNKNOWN)
    if isinstance(source, exp.Subquery) and not source.args.get("joins"):
        return counted(source.this, known)
    return UNKNOWN


def _all_of(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions that all must hold."""
    todo = [condition]
    while todo:
        node = todo.pop().unnest()
        if isinstance(node, exp.And):
            todo += [node.this, node.expression]
        else:
            yield node


def _aggregates(node: exp.Expr) -> bool:
    """Say whether something is computed of all rows of a group."""
    todo = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, exp.Window | exp.Subquery | exp.Select):
            continue
        function = FUNCTIONS.get(part.name) if isinstance(part, exp.Anonymous) else None
        if function is not None and function.kind == AGGREGATE:
            return True
        todo += list(part.iter_expressions())
    return False
