"""Conditions on distances in other words: BETWEEN and NOT become the comparisons that they are.

``DISTANCE(a, b) BETWEEN 0.1 AND 0.2`` says how far apart the positions are at the most, as ``DISTANCE(a, b) <= 0.2`` does,
and so does ``NOT DISTANCE(a, b) > 0.2``: what looks for regions and sky joins need know comparisons only.
"""

from collections.abc import Mapping

from sqlglot import exp

from awe.core.sql.rules._build import compare
from awe.core.sql.rules._shapes import distance_of
from awe.core.sql.rules._state import Compilation, computed

__all__ = ["compare_distances"]

_NOT: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
}


def compare_distances(tree: exp.Expr, run: Compilation) -> None:
    """Write comparisons of distances in the place of BETWEEN and NOT."""
    for node in list(computed(tree)):
        if isinstance(node, exp.Between) and distance_of(node.this, run.text) is not None:
            low = compare(exp.GTE, node.this, node.args["low"])
            node.replace(compare(exp.And, low, compare(exp.LTE, node.this, node.args["high"])))
        elif isinstance(node, exp.Not) and type(inner := node.this.unnest()) in _NOT:
            ends = inner.this, inner.expression
            if any(distance_of(end, run.text) is not None for end in ends):
                node.replace(compare(_NOT[type(inner)], *ends))
