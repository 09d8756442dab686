"""The compiler, as one visible tuple: each rule takes a tree and gives a tree."""

from collections.abc import Callable

from sqlglot import exp

from awe.core.sql.gate import check
from awe.core.sql.rules._state import Compilation
from awe.core.sql.rules.calls import calls
from awe.core.sql.rules.derived import derived
from awe.core.sql.rules.grouping import grouping
from awe.core.sql.rules.names import bind
from awe.core.sql.rules.shape import balance, canonical
from awe.core.sql.rules.spatial import spatial
from awe.core.sql.rules.variables import variables

__all__ = ["RULES", "Rule"]

Rule = Callable[[exp.Expr, Compilation], exp.Expr]

RULES: tuple[Rule, ...] = (
    variables,
    lambda tree, _run: balance(tree),
    lambda tree, run: check(tree, run.text),
    lambda tree, run: canonical(tree, run.text),
    calls,
    bind,
    grouping,
    derived,
    spatial,
)
