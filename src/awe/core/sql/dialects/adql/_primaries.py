"""What expressions are built from: literals, names, parentheses, functions, CAST, CASE, EXISTS.

How operators join them stands in ``_expressions``, what queries are in ``_queries``: both are met here
as the abstract methods of `PrimaryParser`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from sqlglot import exp

from awe.core.sql.dialects.adql._cursor import Cursor, delimit, describe
from awe.core.sql.dialects.adql._functions import (
    FUNCTIONS,
    WITH_FRAME,
    forms_of,
    is_geometry,
    wrong_argument,
)
from awe.core.sql.dialects.adql._lexer import Kind
from awe.core.sql.dialects.adql._words import FRAMES_MEANING_ICRS, TYPE_HINTS, WORD_HINTS
from awe.errors import NotOfferedError

__all__ = ["PrimaryParser"]

_CONDITIONS: tuple[type[exp.Expr], ...] = (
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
    *(exp.Between, exp.In, exp.Like, exp.ILike, exp.Is, exp.Exists),
)
_CONSTANTS = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.TEXT})
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


class PrimaryParser(Cursor, ABC):
    """Reads the operands of operators.

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
        self._no_aggregates: str | None = None  # the clause being read, where none may stand
        self._readers: Mapping[str, Callable[[], exp.Expr]] = {
            "NULL": self._null,
            "NOT": self._negation,
            "EXISTS": self._existence,
            "COALESCE": self._coalesce,
            "CAST": self._cast,
            "CASE": self._case,
        }

    @abstractmethod
    def value(self) -> exp.Expr:
        """Read a value."""

    @abstractmethod
    def condition_within(self) -> exp.Expr:
        """Read a condition that is part of an expression."""

    @abstractmethod
    def predicate(self) -> exp.Expr:
        """Read a condition without AND and OR."""

    @abstractmethod
    def anything(self) -> exp.Expr:
        """Read a value or a condition."""

    @abstractmethod
    def subquery(self) -> exp.Expr:
        """Read ``( query )`` and return the query."""

    @abstractmethod
    def begins_query(self) -> bool:
        """Tell whether the parenthesis that is the current token holds a query."""

    def need_value(self, node: exp.Expr) -> exp.Expr:
        """Refuse a condition."""
        if isinstance(node.unnest(), _CONDITIONS):
            hint = "join conditions with AND or OR; of a condition make a value with CASE WHEN ... END"
            raise self.error(f"{self.source(node)} is a condition where a value is needed", node, hint=hint)
        return node

    def need_condition(self, node: exp.Expr) -> exp.Expr:
        """Refuse a value."""
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

    def need_plain(self, node: exp.Expr) -> exp.Expr:
        """Refuse a geometry."""
        if is_geometry(node):
            raise self.error(f"{self.source(node)} is a geometry, neither a number nor text", node)
        return node

    def operand(self) -> exp.Expr:
        """Read an operand: everything that binds tighter than operators, with its sign."""
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
                raise self.unexpected(
                    "a value", hint=hint if token.kind is Kind.END or token.key == ")" else None
                )

    def _column(self) -> exp.Expr:
        first = self.token
        names = self.path("a column", 4)
        if self.token.key == "(":
            dotted = ".".join(n.name for n in names)
            hint = "a function's name has no dots"
            raise self.error(f"{dotted} cannot be called here", first, hint=hint)
        if self.token.key == ".":
            raise self.unexpected("a value", hint="t.* stands alone in the SELECT list")
        parts = dict(zip(("this", "table", "db", "catalog"), reversed(names), strict=False))
        return self.place(exp.Column(**parts), first)

    def _parenthesis(self) -> exp.Expr:
        first = self.token
        if self.peek().key in ("SELECT", "WITH"):
            hint = "ADQL has no sub-queries as values: join with the sub-query in FROM, or use IN or EXISTS"
            raise self.error("a sub-query cannot be a value", first, hint=hint)
        self.advance()
        inner = self.anything()
        if not self.accept(")"):
            raise self.unexpected("an operator or )")
        return self.place(exp.Paren(this=inner), first)

    def _signed(self) -> exp.Expr:
        sign = self.advance()
        if self.token.key in ("+", "-"):
            raise self.unexpected(
                "a value after the sign", hint="put the second sign into parentheses: -(-x)"
            )
        operand = self.need_plain(self.need_value(self.operand()))
        return self.place(exp.Neg(this=operand), sign) if sign.key == "-" else operand

    def _word(self) -> exp.Expr:
        token = self.token
        key = token.key
        if reader := self._readers.get(key):
            return reader()
        if self.peek().key == "(":
            if key in FUNCTIONS:
                return self._function()
            if key in _AGGREGATES:
                return self._aggregate()
            if key in _FOLDING:
                return self._folding()
            if delimit(token):
                raise self.error(f"ADQL has no function {key}", token, hint=WORD_HINTS.get(key))
        elif key in FUNCTIONS or key in _AGGREGATES or key in _FOLDING:
            hint = f'call the function as {key}(...), or delimit the name: "{token.value}"'
            raise self.error(f"{token.value} is the name of a function", token, hint=hint)
        raise self.unexpected("a value", hint=delimit(token))

    def _user_function(self) -> exp.Expr:
        name = self.token
        if name.kind is Kind.DELIMITED:
            raise self.error("the name of a function is not delimited", name, hint="remove the quotes")
        self.advance()
        self.advance()
        arguments = [] if self.accept(")") else self.values()
        return self.place(exp.Anonymous(this=name.value, expressions=arguments), name)

    def _function(self) -> exp.Expr:
        name = self.advance()
        self.advance()
        if name.key in WITH_FRAME and self.token.kind is Kind.TEXT and self.peek().key == ",":
            self._drop_frame()
        arguments = [] if self.accept(")") else self.values()
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

    def values(self) -> list[exp.Expr]:
        """Read values up to and with the closing parenthesis."""
        values = [self._listed()]
        while self.accept(","):
            if self.token.key == ")":
                raise self.unexpected("a value", hint="remove the comma before it")
            values.append(self._listed())
        if not self.accept(")"):
            raise self.unexpected("a comma or )")
        return values

    def _listed(self) -> exp.Expr:
        """Read a value of a list, a constant without detours: lists of identifiers are long."""
        constant = self.token.kind in _CONSTANTS and self.peek().key in (",", ")")
        return self.operand() if constant else self.value()

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
            raise self.unexpected(f") after the argument of {name.key}")
        return self.place(_AGGREGATES[name.key](this=what), name)

    def _folding(self) -> exp.Expr:
        name = self.advance()
        self.advance()
        text = self.value()
        if not self.accept(")"):
            raise self.unexpected(f") after the argument of {name.key}")
        return self.place(_FOLDING[name.key](this=text), name)

    def _coalesce(self) -> exp.Expr:
        first = self.advance()
        self.expect("(", "after COALESCE")
        values = self.values()
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
            raise self.unexpected("a type", hint=hint.replace("DOUBLE,", "DOUBLE PRECISION,"))
        self.advance()
        kind = _TYPES[word]
        if word == "DOUBLE":
            self.expect("PRECISION", "after DOUBLE")
        data_type = exp.DataType(this=kind, nested=False)
        if kind is exp.DType.USERDEFINED:
            data_type.set("kind", word)
        elif word in ("CHAR", "VARCHAR") and self.accept("("):
            digits = self.token
            length = self.place(exp.DataTypeParam(this=self.whole_number("a length")), digits)
            self.expect(")", "after the length")
            data_type.set("expressions", [length])
        return self.place(data_type, first)

    def _null(self) -> exp.Expr:
        return self.place(exp.Null(), self.advance())

    def _negation(self) -> exp.Expr:
        first = self.advance()
        if self.token.key == "NOT":
            raise self.unexpected("a condition after NOT", hint="remove both NOTs")
        return self.place(exp.Not(this=self.predicate()), first)

    def _existence(self) -> exp.Expr:
        first = self.advance()
        if self.token.key != "(" or not self.begins_query():
            raise self.unexpected("a sub-query in parentheses after EXISTS")
        return self.place(exp.Exists(this=self.subquery()), first)

    def _case(self) -> exp.Expr:
        first = self.advance()
        subject = None if self.token.key == "WHEN" else self.value()
        branches = []
        while when := self.accept("WHEN"):
            test = self.value() if subject is not None else self.condition_within()
            self.expect("THEN", "after WHEN ...")
            branches.append(self.place(exp.If(this=test, true=self.value()), when))
        if not branches:
            raise self.unexpected("WHEN after CASE", keys=("WHEN",))
        default = self.value() if self.accept("ELSE") else None
        self.expect("END", "at the end of CASE")
        return self.place(exp.Case(this=subject, ifs=branches, default=default), first)
