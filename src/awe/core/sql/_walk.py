"""Walk a tree: sqlglot's own walk is general, and half of the time that a query takes to be understood."""

from collections.abc import Iterator

from sqlglot import exp

__all__ = ["nodes"]


def nodes(tree: exp.Expr) -> Iterator[exp.Expr]:
    """Yield every node, a node before its parts, in the order of the text."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        for part in reversed(node.args.values()):
            if type(part) is list:
                todo += [child for child in reversed(part) if isinstance(child, exp.Expr)]
            elif isinstance(part, exp.Expr):
                todo.append(part)
