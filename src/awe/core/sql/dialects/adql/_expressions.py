"""Values and conditions: one operator-precedence parser over visible tables.

Precedence, weakest first: OR, AND, NOT, predicates (comparison, BETWEEN, IN, LIKE, IS), ``||``, ``+ -``,
``* /``, sign. ADQL 2.1 appendix A leaves no choice but that of ``||``, which is SQL's usual one. Values
and conditions are read by the same loop, because a parenthesis may begin either, and kept apart by the
class of the node that comes out.
"""

from abc import ABC
from collections.abc import Mapping

from sqlglot import exp

from awe.core.sql.dialects.adql._lexer import Token
from awe.core.sql.dialects.adql._primaries import PrimaryParser

__all__ = ["ExpressionParser"]

_OR, _AND, _NOT, _PREDICATE, _VALUE, _SUM, _TERM = range(1, 8)

_CONNECTORS: Mapping[str, tuple[int, type[exp.Binary]]] = {"OR": (_OR, exp.Or), "AND": (_AND, exp.And)}
_COMPARISONS: Mapping[str, type[exp.Binary]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}
_ARITHMETIC: Mapping[str, tuple[int, type[exp.Binary]]] = {
    "||": (_VALUE, exp.DPipe),
    "+": (_SUM, exp.Add),
    "-": (_SUM, exp.Sub),
    "*": (_TERM, exp.Mul),
    "/": (_TERM, exp.Div),
}
_PREDICATES = ("BETWEEN", "IN", "LIKE", "ILIKE")
_POWERS: Mapping[str, int] = {
    **{key: power for key, (power, _) in (*_CONNECTORS.items(), *_ARITHMETIC.items())},
    **dict.fromkeys((*_COMPARISONS, *_PREDICATES, "NOT", "IS"), _PREDICATE),
}


class ExpressionParser(PrimaryParser, ABC):
    """Reads values and conditions; what queries are, its subclass says."""

    def value(self) -> exp.Expr:
        """Read a value."""
        return self.need_value(self._parse(_OR))

    def condition(self, *, of: str) -> exp.Expr:
        """Read a condition in which no aggregate may stand, except `of` HAVING."""
        outside, self._no_aggregates = self._no_aggregates, None if of == "HAVING" else of
        found = self.condition_within()
        self._no_aggregates = outside
        return found

    def condition_within(self) -> exp.Expr:
        """Read a condition that is part of an expression."""
        return self.need_condition(self._parse(_OR))

    def predicate(self) -> exp.Expr:
        """Read a condition without AND and OR."""
        return self.need_condition(self._parse(_PREDICATE))

    def anything(self) -> exp.Expr:
        """Read a value or a condition."""
        return self._parse(_OR)

    def _parse(self, weakest: int) -> exp.Expr:
        self.descend()
        left = self.operand()
        while (power := _POWERS.get(self.token.key, 0)) >= weakest:
            left = self._infix(left, power)
        self.ascend()
        return left

    def _infix(self, left: exp.Expr, power: int) -> exp.Expr:
        key = self.token.key
        if key in _CONNECTORS:
            self.advance()
            kind = _CONNECTORS[key][1]
            right = self.need_condition(self._parse(power + 1))
            return self.place_from(kind(this=self.need_condition(left), expression=right), left)
        self.need_value(left)
        if key in _COMPARISONS:
            self.advance()
            node: exp.Expr = _COMPARISONS[key](this=left, expression=self.need_value(self._parse(_VALUE)))
        elif key in _ARITHMETIC:
            self.advance()
            right = self.need_value(self._parse(power + 1))
            node = _ARITHMETIC[key][1](this=self.need_plain(left), expression=self.need_plain(right))
        elif key == "IS":
            return self._null_test(left)
        else:
            return self._predicate(left)
        return self.place_from(node, left)

    def _null_test(self, left: exp.Expr) -> exp.Expr:
        self.advance()
        negated = self.accept("NOT")
        null = self.place(exp.Null(), self.expect("NULL", "after IS"))
        return self._perhaps_not(exp.Is(this=left, expression=null), left, negated)

    def _predicate(self, left: exp.Expr) -> exp.Expr:
        negated = self.accept("NOT")
        token = self.accept(*_PREDICATES)
        if token is None:
            raise self.unexpected("BETWEEN, IN, LIKE or ILIKE", keys=_PREDICATES)
        node: exp.Expr
        if token.key == "BETWEEN":
            low = self.need_value(self._parse(_VALUE))
            self.expect("AND", "between the limits of BETWEEN")
            node = exp.Between(this=left, low=low, high=self.need_value(self._parse(_VALUE)))
        elif token.key == "IN":
            node = self._membership(left)
        else:
            kind = exp.Like if token.key == "LIKE" else exp.ILike
            node = kind(this=left, expression=self.need_value(self._parse(_VALUE)))
        return self._perhaps_not(node, left, negated)

    def _perhaps_not(self, node: exp.Expr, left: exp.Expr, negated: Token | None) -> exp.Expr:
        node = self.place_from(node, left)
        return self.place_from(exp.Not(this=node), left) if negated else node

    def _membership(self, left: exp.Expr) -> exp.Expr:
        first = self.token
        if first.key == "(" and self.begins_query():
            query = self.subquery()
            return exp.In(this=left, query=self.place(exp.Subquery(this=query), first))
        self.expect("(", "after IN")
        return exp.In(this=left, expressions=self.values())
