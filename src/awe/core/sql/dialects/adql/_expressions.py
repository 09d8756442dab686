"""Values and conditions: one operator-precedence parser over visible tables.

Precedence, weakest first: OR, AND, NOT, predicates (comparison, BETWEEN, IN, LIKE, IS), ``||``, ``+ -``,
``* /``, sign. ADQL 2.1 appendix A leaves no choice but that of ``||``, which is SQL's usual one. Values
and conditions are read by the same loop, because a parenthesis may begin either, and kept apart by the
class of the node that comes out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from sqlglot import exp

from awe.core.sql.dialects.adql._cursor import Cursor, describe
from awe.core.sql.dialects.adql._functions import (
    FUNCTIONS,
    WITH_FRAME,
    forms_of,
    is_geometry,
    wrong_argument,
)
from awe.core.sql.dialects.adql._lexer import Kind, Token
from awe.core.sql.dialects.adql._words import FRAMES_MEANING_ICRS, RESERVED_WORDS, TYPE_HINTS
from awe.errors import NotOfferedError

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
_CONDITIONS: tuple[type[exp.Expr], ...] = (
    *(kind for _, kind in _CONNECTORS.values()),
    *_COMPARISONS.values(),
    *(exp.Not, exp.Between, exp.In, exp.Like, exp.ILike, exp.Is, exp.Exists),
)
_AGGREGATES: Mapping[str, Callable[..., exp.Expr]] = {
    "AVG": exp.Avg,
    "MAX": exp.Max,
    "MIN": exp.Min,
    "SUM": exp.Sum,
    "COUNT": lambda this: exp.Count(this=this, big_int=True),
}
_FOLDING: Mapping[str, Callable[..., exp.Expr]] = {"LOWER": exp.Lower, "UPPER": exp.Upper}
_TYPES: Mapping[str, exp.DType] = {
    "CHAR": exp.DType.CHAR,
    "VARCHAR": exp.DType.VARCHAR,
    "SMALLINT": exp.DType.SMALLINT,
    "INTEGER": exp.DType.INT,
    "BIGINT": exp.DType.BIGINT,
    "REAL": exp.DType.FLOAT,
    "DOUBLE": exp.DType.DOUBLE,
    "TIMESTAMP": exp.DType.TIMESTAMP,
    "POINT": exp.DType.USERDEFINED,
    "CIRCLE": exp.DType.USERDEFINED,
    "POLYGON": exp.DType.USERDEFINED,
}


class ExpressionParser(Cursor, ABC):
    """Reads values and conditions.

    Parameters
    ----------
    text
        The query.
    parameters
        The names that may stand as ``:name``.
    """

    def __init__(self, text: str, parameters: frozenset[str] = frozenset()) -> None:
        super().__init__(text)
        self._parameters = parameters
        self._no_aggregates: str | None = None

    @abstractmethod
    def subquery(self) -> exp.Expr:
        """Read ``( query )`` and return the query."""

    @abstractmethod
    def begins_query(self) -> bool:
        """Tell whether the parenthesis that is the current token holds a query."""

    def value(self) -> exp.Expr:
        """Read a value."""
        return self._need_value(self._parse(_OR))

    def condition(self, *, of: str) -> exp.Expr:
        """Read a condition in which no aggregate may stand, except `of` HAVING."""
        outside, self._no_aggregates = self._no_aggregates, None if of == "HAVING" else of
        found = self._need_condition(self._parse(_OR))
        self._no_aggregates = outside
        return found

    def identifier(self, what: str) -> exp.Identifier:
        """Read a name; `what` says which."""
        token = self.token
        if token.kind not in (Kind.NAME, Kind.DELIMITED):
            self.fail(what, hint=_delimit(token))
        if not token.value:
            raise self.error("a delimited name is empty", token)
        self.advance()
        return self.place(exp.Identifier(this=token.value, quoted=token.kind is Kind.DELIMITED), token)

    def path(self, what: str, longest: int) -> list[exp.Identifier]:
        """Read names joined by dots, at most `longest`; stops before ``.*``."""
        names = [self.identifier(what)]
        while self.token.key == "." and self.peek().key != "*":
            if len(names) == longest:
                raise self.error(f"{what} has at most {longest} parts", self.token)
            self.advance()
            names.append(self.identifier("a name after the dot"))
        return names

    def _parse(self, weakest: int) -> exp.Expr:
        self.descend()
        left = self._operand()
        while (power := _POWERS.get(self.token.key, 0)) >= weakest:
            left = self._infix(left, power)
        self.ascend()
        return left

    def _infix(self, left: exp.Expr, power: int) -> exp.Expr:
        key = self.token.key
        if key in _CONNECTORS:
            self.advance()
            kind = _CONNECTORS[key][1]
            right = self._need_condition(self._parse(power + 1))
            return self.place_from(kind(this=self._need_condition(left), expression=right), left)
        self._need_value(left)
        if key in _COMPARISONS:
            self.advance()
            node: exp.Expr = _COMPARISONS[key](this=left, expression=self._need_value(self._parse(_VALUE)))
        elif key in _ARITHMETIC:
            self.advance()
            right = self._need_value(self._parse(power + 1))
            node = _ARITHMETIC[key][1](this=self._need_plain(left), expression=self._need_plain(right))
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
        token = self.accept(*_PREDICATES) or self.fail("BETWEEN, IN, LIKE or ILIKE", keys=_PREDICATES)
        node: exp.Expr
        if token.key == "BETWEEN":
            low = self._need_value(self._parse(_VALUE))
            self.expect("AND", "between the limits of BETWEEN")
            node = exp.Between(this=left, low=low, high=self._need_value(self._parse(_VALUE)))
        elif token.key == "IN":
            node = self._membership(left)
        else:
            kind = exp.Like if token.key == "LIKE" else exp.ILike
            node = kind(this=left, expression=self._need_value(self._parse(_VALUE)))
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
        return exp.In(this=left, expressions=self._values())

    def _values(self) -> list[exp.Expr]:
        values = [self.value()]
        while self.accept(","):
            if self.token.key == ")":
                self.fail("a value", hint="remove the comma before it")
            values.append(self.value())
        if not self.accept(")"):
            self.fail("a comma or )")
        return values

    def _operand(self) -> exp.Expr:
        token = self.token
        match token.kind:
            case Kind.INTEGER | Kind.NUMBER:
                self.advance()
                return self.place(exp.Literal(this=token.value, is_string=False), token)
            case Kind.TEXT:
                self.advance()
                return self.place(exp.Literal(this=token.value, is_string=True), token)
            case Kind.NAME | Kind.DELIMITED:
                if self.peek().key == "(":
                    return self._user_function()
                return self._column()
            case Kind.SIGN if token.key == "(":
                return self._parenthesis()
            case Kind.SIGN if token.key in ("+", "-"):
                return self._signed()
            case Kind.WORD:
                return self._word()
            case Kind.PARAMETER if token.value in self._parameters:
                self.advance()
                return self.place(exp.Placeholder(this=token.value), token)
            case _:
                hint = "remove the comma before it" if self.last.key == "," else None
                self.fail("a value", hint=hint if token.kind is Kind.END or token.key == ")" else None)

    def _column(self) -> exp.Expr:
        first = self.token
        names = self.path("a column", 4)
        if self.token.key == "(":
            dotted = ".".join(n.name for n in names)
            hint = "a function's name has no dots"
            raise self.error(f"{dotted} cannot be called here", first, hint=hint)
        if self.token.key == ".":
            self.fail("a value", hint="t.* stands alone in the SELECT list")
        parts = dict(zip(("this", "table", "db", "catalog"), reversed(names), strict=False))
        return self.place(exp.Column(**parts), first)

    def _parenthesis(self) -> exp.Expr:
        first = self.token
        if self.peek().key in ("SELECT", "WITH"):
            hint = "ADQL has no sub-queries as values: join with the sub-query in FROM, or use IN or EXISTS"
            raise self.error("a sub-query cannot be a value", first, hint=hint)
        self.advance()
        inner = self._parse(_OR)
        if not self.accept(")"):
            self.fail("an operator or )")
        return self.place(exp.Paren(this=inner), first)

    def _signed(self) -> exp.Expr:
        sign = self.advance()
        if self.token.key in ("+", "-"):
            self.fail("a value after the sign", hint="put the second sign into parentheses: -(-x)")
        operand = self._need_plain(self._need_value(self._operand()))
        return self.place(exp.Neg(this=operand), sign) if sign.key == "-" else operand

    def _word(self) -> exp.Expr:
        token = self.token
        key = token.key
        reader = _WORDS.get(key)
        if reader:
            return reader(self)
        if self.peek().key == "(":
            if key in FUNCTIONS:
                return self._function()
            if key in _AGGREGATES:
                return self._aggregate()
            if key in _FOLDING:
                return self._folding()
        elif key in FUNCTIONS or key in _AGGREGATES or key in _FOLDING:
            hint = f'call the function as {key}(...), or delimit the name: "{token.value}"'
            raise self.error(f"{token.value} is the name of a function", token, hint=hint)
        self.fail("a value", hint=_delimit(token))

    def _user_function(self) -> exp.Expr:
        name = self.token
        if name.kind is Kind.DELIMITED:
            raise self.error("the name of a function is not delimited", name, hint="remove the quotes")
        self.advance()
        self.advance()
        arguments = [] if self.accept(")") else self._values()
        return self.place(exp.Anonymous(this=name.value, expressions=arguments), name)

    def _function(self) -> exp.Expr:
        name = self.advance()
        self.advance()
        if name.key in WITH_FRAME and self.token.kind is Kind.TEXT and self.peek().key == ",":
            self._drop_frame()
        arguments = [] if self.accept(")") else self._values()
        wrong = wrong_argument(name.key, arguments)
        if wrong:
            argument, reason = wrong
            found = f", found {self.source(argument)}" if argument is not None else ""
            at = argument if argument is not None else name
            raise self.error(reason + found, at, hint=f"the form is {forms_of(name.key)}")
        return self.place(exp.Anonymous(this=name.key, expressions=arguments), name)

    def _drop_frame(self) -> None:
        frame = self.advance()
        if " ".join(frame.value.upper().split()) not in FRAMES_MEANING_ICRS:
            raise NotOfferedError(
                f"the coordinate system '{frame.value[:40]}' is not offered",
                line=frame.line,
                column=frame.column,
                hint="give positions in ICRS and leave the coordinate system out",
            )
        self.advance()

    def _aggregate(self) -> exp.Expr:
        name = self.advance()
        if self._no_aggregates:
            hint = "put the condition into HAVING" if self._no_aggregates == "WHERE" else None
            raise self.error(f"{name.key} cannot stand in {self._no_aggregates}", name, hint=hint)
        self.advance()
        self._no_aggregates = "another aggregate"
        star = self.token
        if name.key == "COUNT" and self.accept("*"):
            what: exp.Expr = self.place(exp.Star(), star)
        elif distinct := self.accept("DISTINCT"):
            what = self.place(exp.Distinct(expressions=[self.value()]), distinct)
        else:
            self.accept("ALL")
            what = self.value()
        self._no_aggregates = None
        if not self.accept(")"):
            self.fail(f") after the argument of {name.key}")
        return self.place(_AGGREGATES[name.key](this=what), name)

    def _folding(self) -> exp.Expr:
        name = self.advance()
        self.advance()
        text = self.value()
        if not self.accept(")"):
            self.fail(f") after the argument of {name.key}")
        return self.place(_FOLDING[name.key](this=text), name)

    def _null(self) -> exp.Expr:
        return self.place(exp.Null(), self.advance())

    def _negation(self) -> exp.Expr:
        first = self.advance()
        if self.token.key == "NOT":
            self.fail("a condition after NOT", hint="remove both NOTs")
        return self.place(exp.Not(this=self._need_condition(self._parse(_PREDICATE))), first)

    def _existence(self) -> exp.Expr:
        first = self.advance()
        if self.token.key != "(" or not self.begins_query():
            self.fail("a sub-query in parentheses after EXISTS")
        return self.place(exp.Exists(this=self.subquery()), first)

    def _coalesce(self) -> exp.Expr:
        first = self.advance()
        self.expect("(", "after COALESCE")
        values = self._values()
        return self.place(exp.Coalesce(this=values[0], expressions=values[1:]), first)

    def _cast(self) -> exp.Expr:
        first = self.advance()
        self.expect("(", "after CAST")
        value = self.value()
        self.expect("AS", "and a type in CAST(value AS type)")
        target = self._type()
        self.expect(")", "after the type")
        return self.place(exp.Cast(this=value, to=target), first)

    def _type(self) -> exp.DataType:
        first = self.token
        word = first.value.upper() if first.kind in (Kind.WORD, Kind.NAME) else ""
        if word not in _TYPES:
            hint = TYPE_HINTS.get(word, f"the types are {', '.join(_TYPES)}")
            self.fail("a type", hint=hint.replace("DOUBLE,", "DOUBLE PRECISION,"))
        self.advance()
        kind = _TYPES[word]
        if word == "DOUBLE":
            self.expect("PRECISION", "after DOUBLE")
        data_type = exp.DataType(this=kind, nested=False)
        if kind is exp.DType.USERDEFINED:
            data_type.set("kind", word)
        elif word in ("CHAR", "VARCHAR") and self.accept("("):
            length = self.whole_number("a length")
            self.expect(")", "after the length")
            data_type.set("expressions", [exp.DataTypeParam(this=length)])
        return self.place(data_type, first)

    def whole_number(self, what: str) -> exp.Literal:
        """Read an unsigned whole number; `what` says which."""
        token = self.token
        if token.kind is not Kind.INTEGER:
            self.fail(f"{what}, a whole number")
        self.advance()
        return self.place(exp.Literal(this=token.value, is_string=False), token)

    def _case(self) -> exp.Expr:
        first = self.advance()
        subject = None if self.token.key == "WHEN" else self.value()
        branches = []
        while when := self.accept("WHEN"):
            test = self.value() if subject is not None else self._need_condition(self._parse(_OR))
            self.expect("THEN", "after WHEN ...")
            branches.append(self.place(exp.If(this=test, true=self.value()), when))
        if not branches:
            self.fail("WHEN after CASE", keys=("WHEN",))
        default = self.value() if self.accept("ELSE") else None
        self.expect("END", "at the end of CASE")
        return self.place(exp.Case(this=subject, ifs=branches, default=default), first)

    def _need_value(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node.unnest(), _CONDITIONS):
            hint = "join conditions with AND or OR; of a condition make a value with CASE WHEN ... END"
            raise self.error(f"{self.source(node)} is a condition where a value is needed", node, hint=hint)
        return node

    def _need_condition(self, node: exp.Expr) -> exp.Expr:
        inner = node.unnest()
        if isinstance(inner, _CONDITIONS):
            return node
        if isinstance(inner, exp.Anonymous) and inner.this in ("CONTAINS", "INTERSECTS"):
            hint: str | None = f"its value is 1 or 0: write 1 = {self.source(inner)}"
        elif self.token.kind in (Kind.NAME, Kind.INTEGER, Kind.NUMBER, Kind.TEXT, Kind.DELIMITED):
            hint = f"an operator is missing before {describe(self.token)}"
        else:
            hint = "compare it with something"
        raise self.error(f"{self.source(node)} is a value where a condition is needed", node, hint=hint)

    def _need_plain(self, node: exp.Expr) -> exp.Expr:
        if is_geometry(node):
            raise self.error(f"{self.source(node)} is a geometry: it cannot be reckoned with", node)
        return node


def _delimit(token: Token) -> str | None:
    if token.kind is Kind.WORD and token.key in RESERVED_WORDS - _STRUCTURE:
        return f'{token.value} is a reserved word; as a name, delimit it: "{token.value}"'
    if token.kind is Kind.TEXT:
        return "text stands in single quotes, names in double quotes"
    return None


# Words that are hardly ever meant as names: a missing part of the query is the likelier mistake.
_STRUCTURE = frozenset(
    ["SELECT", "FROM", "WHERE", "GROUP", "BY", "HAVING", "ORDER", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "AND", "OR", "NOT", "AS", "ON", "USING", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "NATURAL", "CROSS", "WHEN", "THEN", "ELSE", "END", "IN", "IS", "LIKE", "BETWEEN", "TRUE", "FALSE"]
)

_WORDS: Mapping[str, Callable[[ExpressionParser], exp.Expr]] = {
    "NULL": ExpressionParser._null,
    "NOT": ExpressionParser._negation,
    "EXISTS": ExpressionParser._existence,
    "COALESCE": ExpressionParser._coalesce,
    "CAST": ExpressionParser._cast,
    "CASE": ExpressionParser._case,
}
