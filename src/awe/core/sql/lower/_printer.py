"""What all targets write alike: the resolved tree as SQL.

A printer of awe's own: each node class that may occur has its line here, one that has none is a fault
of ours, and no default ever passes a thing through. Every operator is in parentheses, every
identifier is quoted. A target says what it writes otherwise by overriding `Printer`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._size import MAX_WRITTEN, too_large
from awe.core.sql.functions import FUNCTIONS
from awe.core.sql.rules._state import value
from awe.errors import ServiceError

__all__ = ["PLACE", "Printer"]

_OPERATORS: Mapping[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.DPipe: "||",
    exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=",
    exp.GT: ">", exp.GTE: ">=", exp.And: "AND", exp.Or: "OR", exp.Is: "IS",
}  # fmt: skip
_PATTERNS: Mapping[type[exp.Expr], str] = {exp.Like: "LIKE", exp.ILike: "ILIKE"}
_SET_OPERATIONS: Mapping[type[exp.Expr], str] = {
    exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT",
}  # fmt: skip
PLACE = re.compile(r"\{(\d|\*)\}")
"""Where an argument goes in a template."""


def _ranges(index: str, ranges: Sequence[tuple[int, int]]) -> str:
    """Write that an index lies in one of the half-open ranges."""
    return "(" + " OR ".join(f"{index} BETWEEN {low} AND {high - 1}" for low, high in ranges) + ")"


class Printer(ABC):
    """One printing, which knows the relations: each table use's key has the SQL of what to read."""

    target: ClassVar[str]
    """Whose templates calls are written by."""
    divisions: ClassVar[Mapping[type[exp.Expr], str]]
    """The words of `Div`, `IntDiv` and `Mod`."""

    def __init__(self, relations: Mapping[str, str]) -> None:
        self.relations = relations

    # what targets differ in

    @abstractmethod
    def quoted(self, name: str) -> str:
        """Return an identifier in quotes."""

    @abstractmethod
    def text(self, value: str) -> str:
        """Return a constant text."""

    @abstractmethod
    def number(self, value: float) -> str:
        """Return a constant in double precision."""

    @abstractmethod
    def type(self, kind: pa.DataType) -> str | None:
        """Return the target's name of a type, also of arrays; None where it has none here."""

    @abstractmethod
    def listed(self, node: exp.Expr, source: str, cells: exp.Expr) -> str:
        """Write a source of a sky join: each row once in every cell within reach."""

    @abstractmethod
    def xor(self, one: str, other: str) -> str:
        """Write the bits that two whole numbers do not share."""

    @abstractmethod
    def like(self, node: exp.Expr, escape: exp.Expr | None) -> str:
        """Write a comparison with a pattern."""

    def cast(self, written: str, given: pa.DataType, wanted: pa.DataType) -> str:  # noqa: ARG002  targets may need it
        """Write that a value becomes another type."""
        return f"CAST({written} AS {self.type(wanted)})"

    def divided(self, node: exp.Expr, one: str, by: str) -> str:
        """Write a division by what is not zero."""
        return f"({one} {self.divisions[type(node)]} {by})"

    # queries

    def query(self, node: exp.Expr) -> str:
        """Write a query."""
        if isinstance(node, exp.SetOperation):
            body = self._set_operation(node)
        elif isinstance(node, exp.Subquery):
            body = f"({self.query(node.this)})"
        else:
            body = self._select(node)
        return self._with(node) + body + self._tail(node)

    def _with(self, node: exp.Expr) -> str:
        with_ = node.args.get("with_")
        if with_ is None:
            return ""
        parts = (f"{self.quoted(cte.alias)} AS ({self.query(cte.this)})" for cte in with_.expressions)
        return f"WITH {', '.join(parts)} "

    def _select(self, node: exp.Expr) -> str:
        distinct = "DISTINCT " if node.args.get("distinct") is not None else ""
        text = f"SELECT {distinct}{', '.join(self._projection(p) for p in node.expressions)}"
        from_ = node.args.get("from_")
        if from_ is not None:
            text += f" FROM {self.source(from_.this)}{self._joins(node)}"
        for key, word in (("where", "WHERE"), ("group", "GROUP BY"), ("having", "HAVING")):
            clause = node.args.get(key)
            if clause is not None:
                parts = clause.expressions or [clause.this]
                text += f" {word} {', '.join(self.value(p) for p in parts)}"
        return text

    def _projection(self, node: exp.Expr) -> str:
        """Write a selected column, with its declared type where it is computed or another was agreed on."""
        inner, text = node.this, self.value(node.this)
        agreed = node.meta.get("type")
        given = value(inner).type
        kind = agreed if isinstance(agreed, pa.DataType) else given
        if self.type(kind) is not None and (agreed is not None or not isinstance(inner, exp.Column)):
            text = self.cast(text, given, kind)
        return f"{text} AS {self.quoted(node.alias)}"

    def _set_operation(self, node: exp.Expr) -> str:
        word = _SET_OPERATIONS[type(node)] + ("" if node.args.get("distinct") else " ALL")
        return f"({self.query(node.this)}) {word} ({self.query(node.expression)})"

    def _tail(self, node: exp.Expr) -> str:
        text = ""
        order = node.args.get("order")
        if order is not None:
            text += " ORDER BY " + ", ".join(self._ordered(o) for o in order.expressions)
        for key, word in (("limit", "LIMIT"), ("offset", "OFFSET")):
            if node.args.get(key) is not None:
                text += f" {word} {node.args[key].expression.name}"
        return text

    def _ordered(self, node: exp.Expr) -> str:
        direction = "DESC" if node.args.get("desc") else "ASC"
        nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
        inner = node.this
        key = inner.name if isinstance(inner, exp.Literal) else self.value(inner)
        return f"{key} {direction} NULLS {nulls}"

    # sources

    def source(self, node: exp.Expr) -> str:
        """Write what stands in FROM."""
        if isinstance(node, exp.Lateral):
            return f"LATERAL {self.source(node.this)}"
        if isinstance(node, exp.Subquery):
            if isinstance(node.this, exp.Table):
                return f"({self.source(node.this)}{self._joins(node)})"
            return self._listed(node, f"({self.query(node.this)}) AS {self.quoted(node.alias)}")
        return self._table(node) + self._joins(node)

    def _table(self, node: exp.Expr) -> str:
        use, key = node.meta.get("use"), self.quoted(node.alias)
        relation = self.quoted(node.name) if use is None else self._relation(str(use))
        return self._listed(node, f"{relation} AS {key}")

    def _listed(self, node: exp.Expr, source: str) -> str:
        cells = node.meta.get("cells")
        return self.listed(node, source, cells) if isinstance(cells, exp.Expr) else source

    def _relation(self, use: str) -> str:
        if use not in self.relations:
            raise ServiceError(f"no relation was given for the table use {use}")
        return self.relations[use]

    def _joins(self, node: exp.Expr) -> str:
        return "".join(self._join(join) for join in node.args.get("joins") or [])

    def _join(self, node: exp.Expr) -> str:
        on, side = node.args.get("on"), node.text("side")
        word = f" {side} JOIN " if side else " JOIN " if on is not None else " CROSS JOIN "
        return word + self.source(node.this) + (f" ON {self.value(on)}" if on is not None else "")

    # values

    def value(self, node: exp.Expr) -> str:
        """Write a value."""
        if isinstance(node, (exp.Div, exp.IntDiv, exp.Mod)):
            return self._division(node)
        operator = _OPERATORS.get(type(node))
        if operator is not None:
            return f"({self.value(node.this)} {operator} {self.value(node.expression)})"
        if type(node) in _PATTERNS:
            return self.like(node, None)
        write = _VALUES.get(type(node))
        if write is None:
            raise ServiceError(f"{node.key} cannot be written as SQL")
        return write(self, node)

    def _division(self, node: exp.Expr) -> str:
        """Write a division; by zero it is NULL, as every undefined value is."""
        divisor = self.value(node.expression)
        never_zero = isinstance(node.expression, exp.Literal) and float(node.expression.name) != 0
        by = divisor if never_zero else f"nullif({divisor}, 0)"
        return self.divided(node, self.value(node.this), by)

    def pattern(self, node: exp.Expr, more: str = "") -> str:
        """Write LIKE or ILIKE, and what follows the pattern."""
        word = _PATTERNS[type(node)]
        return f"({self.value(node.this)} {word} {self.value(node.expression)}{more})"

    def call(self, node: exp.Expr) -> str:
        """Write a call by its row in the function table."""
        function = FUNCTIONS[node.name]
        arguments = [self._argument(a) for a in node.expressions]
        if "ranges" in node.meta:
            return _ranges(arguments[0], node.meta["ranges"])
        template = self.template(node, len(arguments))
        places = PLACE.findall(template)
        # Templates may repeat an argument, so calls inside calls can grow without bound.
        grown = sum(sum(map(len, arguments)) if p == "*" else len(arguments[int(p)]) for p in places)
        if grown > MAX_WRITTEN:
            raise too_large(f"a call of {function.name} nests too many others")
        return PLACE.sub(lambda m: ", ".join(arguments) if m[1] == "*" else arguments[int(m[1])], template)

    def template(self, node: exp.Expr, count: int) -> str:
        """Return the template of a call with some arguments."""
        return FUNCTIONS[node.name].template(self.target, count)

    def _argument(self, node: exp.Expr) -> str:
        return (
            f"DISTINCT {self.value(node.expressions[0])}"
            if isinstance(node, exp.Distinct)
            else self.value(node)
        )

    def window(self, node: exp.Expr) -> str:
        """Write a window function."""
        parts = []
        if node.args.get("partition_by"):
            parts.append("PARTITION BY " + ", ".join(self.value(p) for p in node.args["partition_by"]))
        if node.args.get("order") is not None:
            parts.append("ORDER BY " + ", ".join(self._ordered(o) for o in node.args["order"].expressions))
        return f"{self.value(node.this)} OVER ({' '.join(parts)})"

    def member(self, node: exp.Expr) -> str:
        """Write IN; a query of texts is compared ignoring case where the dialect says so."""
        query = node.args.get("query")
        if query is None:
            options = ", ".join(map(self.value, node.expressions))
        elif node.meta.get("ignore_case"):
            v, q = self.quoted("v"), self.quoted("q")
            options = f"SELECT lower({v}) FROM ({self.query(query.this)}) AS {q}({v})"
        else:
            options = self.query(query.this)
        return f"({self.value(node.this)} IN ({options}))"

    def between(self, node: exp.Expr) -> str:
        """Write BETWEEN."""
        return f"({self.value(node.this)} BETWEEN {self.value(node.args['low'])} AND {self.value(node.args['high'])})"

    def case(self, node: exp.Expr) -> str:
        """Write CASE."""
        text = "CASE "
        for branch in node.args["ifs"]:
            text += f"WHEN {self.value(branch.this)} THEN {self.value(branch.args['true'])} "
        default = node.args.get("default")
        return text + (f"ELSE {self.value(default)} " if default is not None else "") + "END"

    def literal(self, node: exp.Expr) -> str:
        """Write a constant."""
        if node.args.get("is_string"):
            return self.text(node.name)
        if node.name.isdigit() and int(node.name) < 1 << 64:
            return node.name
        return self.number(float(node.name))


_VALUES: Mapping[type[exp.Expr], Callable[[Printer, exp.Expr], str]] = {
    exp.Column: lambda p, n: f"{p.quoted(n.text('table'))}.{p.quoted(n.name)}",
    exp.Literal: Printer.literal,
    exp.Boolean: lambda _, n: "TRUE" if n.this else "FALSE",
    exp.Null: lambda _p, _n: "NULL",
    exp.Star: lambda _p, _n: "*",
    exp.Anonymous: Printer.call,
    exp.Window: Printer.window,
    exp.Neg: lambda p, n: f"(- {p.value(n.this)})",
    exp.Not: lambda p, n: f"(NOT {p.value(n.this)})",
    exp.BitwiseNot: lambda p, n: f"(~ {p.value(n.this)})",
    exp.BitwiseXor: lambda p, n: p.xor(p.value(n.this), p.value(n.expression)),
    exp.Escape: lambda p, n: p.like(n.this, n.expression),
    exp.In: Printer.member,
    exp.Between: Printer.between,
    exp.Case: Printer.case,
    exp.Cast: lambda p, n: p.cast(p.value(n.this), value(n.this).type, value(n).type),
    exp.Exists: lambda p, n: f"EXISTS ({p.query(n.this)})",
    exp.Subquery: lambda p, n: f"({p.query(n.this)})",
}
