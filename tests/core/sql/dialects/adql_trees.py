"""Random trees of ADQL by the conventions of the parser's docstring, as hypothesis strategies.

Operands that bind weaker than their operator stand in `exp.Paren`, as the parser would have it.
"""

from collections.abc import Sequence

from hypothesis import strategies as st
from sqlglot import exp

from awe.core.sql.dialects.adql import RESERVED_WORDS
from awe.core.sql.dialects.adql._functions import FUNCTIONS

_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
regular = (
    st.builds(
        lambda head, tail: head + tail,
        st.sampled_from(_letters),
        st.text(_letters + "0123456789_", max_size=6),
    )
    .filter(lambda name: name.upper() not in RESERVED_WORDS)
    .map(lambda name: exp.Identifier(this=name, quoted=False))
)
delimited = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
).map(lambda name: exp.Identifier(this=name, quoted=True))  # fmt: skip
names = st.one_of(regular, regular, delimited)
paths = st.lists(names, min_size=1, max_size=4)


def _column(path: list[exp.Identifier]) -> exp.Expr:
    return exp.Column(**dict(zip(("this", "table", "db", "catalog"), reversed(path), strict=False)))


columns = paths.map(_column)
whole = st.integers(0, 2**63 - 1).map(lambda n: exp.Literal(this=str(n), is_string=False))
numbers = st.one_of(
    whole,
    st.sampled_from(["1.", ".5", "1.50", "1e3", "1.5E-3", "2.e+2", "18446744073709551616"]).map(
        lambda text: exp.Literal(this=text, is_string=False)
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(
    lambda text: exp.Literal(this=text, is_string=True)
)
nulls = st.builds(exp.Null)


def _paren(node: exp.Expr, *weaker: type[exp.Expr]) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, weaker) else node


_SUM, _TERM = (exp.Add, exp.Sub), (exp.Mul, exp.Div)


def _signed(node: exp.Expr) -> exp.Expr:
    return exp.Neg(this=_paren(node, exp.Neg, exp.DPipe, *_SUM, *_TERM))


def _arithmetic(kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    if kind in _TERM:
        return kind(this=_paren(left, exp.DPipe, *_SUM), expression=_paren(right, exp.DPipe, *_SUM, *_TERM))
    if kind in _SUM:
        return kind(this=_paren(left, exp.DPipe), expression=_paren(right, exp.DPipe, *_SUM))
    return kind(this=left, expression=_paren(right, exp.DPipe))


def _call(name: str, parts: Sequence[exp.Expr]) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(parts))


plain_numbers = st.one_of(numbers, columns)
point = st.builds(lambda lon, lat: _call("POINT", [lon, lat]), plain_numbers, plain_numbers)
circle = st.one_of(
    st.builds(lambda *parts: _call("CIRCLE", list(parts)), plain_numbers, plain_numbers, plain_numbers),
    st.builds(lambda centre, r: _call("CIRCLE", [centre, r]), point, plain_numbers),
)
polygon = st.one_of(
    st.lists(point, min_size=3, max_size=5).map(lambda parts: _call("POLYGON", parts)),
    st.lists(numbers, min_size=6, max_size=6).map(lambda parts: _call("POLYGON", parts)),
)
shapes = st.one_of(
    point, circle, polygon, st.builds(lambda shape: _call("CENTROID", [shape]), circle),
    st.just("CIRCLE ICRS 1 2 3").map(lambda t: _call("REGION", [exp.Literal(this=t, is_string=True)])),
    st.builds(lambda centre, w, h: _call("BOX", [centre, w, h]), point, numbers, numbers),
)  # fmt: skip
spatial = st.one_of(
    st.builds(
        lambda name, a, b: _call(name, [a, b]), st.sampled_from(["CONTAINS", "INTERSECTS"]), shapes, shapes
    ),
    st.builds(lambda a, b: _call("DISTANCE", [a, b]), point, st.one_of(point, columns)),
    st.lists(plain_numbers, min_size=4, max_size=4).map(lambda parts: _call("DISTANCE", parts)),
    st.builds(lambda name, a: _call(name, [a]), st.sampled_from(["COORD1", "COORD2"]), point),
    st.builds(lambda name, a: _call(name, [a]), st.sampled_from(["AREA", "COORDSYS"]), shapes),
)
_MATHS = sorted(name for name, forms in FUNCTIONS.items() if set(forms) <= {"x", "", "x, y", "y, x"})
_TYPES = [
    exp.DataType(this=kind, nested=False)
    for kind in (
        exp.DType.CHAR, exp.DType.VARCHAR, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.FLOAT,
        exp.DType.DOUBLE, exp.DType.TIMESTAMP,
    )
] + [
    exp.DataType(this=exp.DType.USERDEFINED, nested=False, kind=kind) for kind in ("POINT", "CIRCLE", "POLYGON")
] + [
    exp.DataType(
        this=kind, nested=False,
        expressions=[exp.DataTypeParam(this=exp.Literal(this="7", is_string=False))],
    )
    for kind in (exp.DType.CHAR, exp.DType.VARCHAR)
]  # fmt: skip


def _is_text(node: exp.Expr) -> bool:
    """Return whether a node is a text, in however many parentheses."""
    bare = node.unnest()
    return isinstance(bare, exp.Literal) and bool(bare.args["is_string"])


@st.composite
def _maths(draw: st.DrawFn, inner: st.SearchStrategy[exp.Expr]) -> exp.Expr:
    name = draw(st.sampled_from(_MATHS))
    form = FUNCTIONS[name][0]
    count = len(form.split(", ")) if form else 0
    number = inner.filter(lambda node: not _is_text(node))
    return _call(name, [draw(number) for _ in range(count)])


def _inner_values(inner: st.SearchStrategy[exp.Expr]) -> st.SearchStrategy[exp.Expr]:
    conditions = _comparisons(inner)
    branches = st.lists(
        st.builds(lambda test, then: exp.If(this=test, true=then), conditions, inner), min_size=1, max_size=2
    )
    default = st.one_of(st.none(), inner)
    operators = st.sampled_from([exp.Add, exp.Sub, exp.Mul, exp.Div, exp.DPipe])
    return st.one_of(
        st.builds(_arithmetic, operators, inner, inner),
        inner.map(_signed),
        inner.map(lambda node: exp.Paren(this=node)),
        _maths(inner),
        spatial,
        st.builds(
            lambda name, parts: _call(name.this, parts), regular, st.lists(inner, max_size=3)
        ),
        st.builds(lambda first, rest: exp.Coalesce(this=first, expressions=rest), inner, st.lists(inner, max_size=2)),
        st.builds(lambda kind, node: kind(this=node), st.sampled_from([exp.Lower, exp.Upper]), inner),
        st.builds(lambda node, kind: exp.Cast(this=node, to=kind.copy()), inner, st.sampled_from(_TYPES)),
        st.builds(lambda ifs, last: exp.Case(this=None, ifs=ifs, default=last), branches, default),
        st.builds(
            lambda subject, tests, then: exp.Case(
                this=subject, ifs=[exp.If(this=test, true=then.copy()) for test in tests], default=None
            ),
            inner, st.lists(inner, min_size=1, max_size=2), inner,
        ),
    )  # fmt: skip


def _comparisons(value: st.SearchStrategy[exp.Expr]) -> st.SearchStrategy[exp.Expr]:
    kinds = st.sampled_from([exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like, exp.ILike])
    return st.one_of(
        st.builds(lambda kind, a, b: kind(this=a, expression=b), kinds, value, value),
        st.builds(lambda a, low, high: exp.Between(this=a, low=low, high=high), value, value, value),
        st.builds(
            lambda a, options: exp.In(this=a, expressions=options),
            value,
            st.lists(value, min_size=1, max_size=3),
        ),
        value.map(lambda node: exp.Is(this=node, expression=exp.Null())),
    )


values = st.recursive(st.one_of(columns, numbers, texts, nulls), _inner_values, max_leaves=8)
aggregates = st.one_of(
    st.just(exp.Count(this=exp.Star(), big_int=True)),
    st.builds(
        lambda kind, node: kind(this=node), st.sampled_from([exp.Sum, exp.Avg, exp.Min, exp.Max]), columns
    ),
    columns.map(lambda node: exp.Count(this=exp.Distinct(expressions=[node]), big_int=True)),
).map(lambda node: node.copy())


def _inner_conditions(inner: st.SearchStrategy[exp.Expr]) -> st.SearchStrategy[exp.Expr]:
    return st.one_of(
        st.builds(
            lambda a, b: exp.And(this=_paren(a, exp.Or), expression=_paren(b, exp.Or, exp.And)), inner, inner
        ),
        st.builds(lambda a, b: exp.Or(this=a, expression=_paren(b, exp.Or)), inner, inner),
        inner.map(lambda node: exp.Not(this=_paren(node, exp.Or, exp.And, exp.Not))),
        inner.map(lambda node: exp.Paren(this=node)),
    )


conditions = st.recursive(_comparisons(values), _inner_conditions, max_leaves=5)
simple_queries = st.builds(
    lambda item, table: exp.Select(expressions=[item], from_=exp.From(this=table)),
    columns,
    names.map(lambda name: exp.Table(this=name)),
)


def _alias(name: exp.Identifier) -> exp.TableAlias:
    return exp.TableAlias(this=name)


@st.composite
def tables(draw: st.DrawFn, queries: st.SearchStrategy[exp.Expr] = simple_queries) -> exp.Expr:
    """A table, a table function, a sub-query, or a join in parentheses."""
    what = draw(st.sampled_from(["table", "table", "table", "function", "query", "join"]))
    if what == "query":
        return exp.Subquery(this=draw(queries), alias=_alias(draw(names)))
    if what == "join":
        first = draw(tables(queries))
        first.set("joins", draw(st.lists(joins(queries), min_size=1, max_size=2)))
        return exp.Subquery(this=first)
    path = draw(st.lists(names, min_size=1, max_size=3))
    parts: dict[str, exp.Expr] = dict(zip(("this", "db", "catalog"), reversed(path), strict=False))
    if what == "function":
        parts["this"] = _call(draw(regular).this, draw(st.lists(values, max_size=2)))
    table = exp.Table(**parts)
    if draw(st.booleans()):
        table.set("alias", _alias(draw(names)))
    return table


@st.composite
def joins(draw: st.DrawFn, queries: st.SearchStrategy[exp.Expr] = simple_queries) -> exp.Expr:
    """A join with its condition; no comma, which is never inside parentheses."""
    join = exp.Join(this=draw(tables(queries)))
    side = draw(st.sampled_from([None, "LEFT", "RIGHT", "FULL"]))
    kind = draw(st.sampled_from([None, "OUTER" if side else "INNER"]))
    for key, word in (("side", side), ("kind", kind)):
        if word:
            join.set(key, word)
    how = draw(st.sampled_from(["natural", "on", "using"]))
    if how == "natural":
        join.set("method", "NATURAL")
    elif how == "on":
        join.set("on", draw(conditions))
    else:
        join.set("using", draw(st.lists(names, min_size=1, max_size=2)))
    return join


def _ordered(value: exp.Expr, *, down: bool) -> exp.Expr:
    return exp.Ordered(this=value, desc=down)


orders = st.lists(
    st.builds(lambda value, down: _ordered(value, down=down), st.one_of(values, whole), st.booleans()),
    min_size=1, max_size=2,
).map(lambda terms: exp.Order(expressions=terms))  # fmt: skip


@st.composite
def selects(draw: st.DrawFn, inner: st.SearchStrategy[exp.Expr] = simple_queries) -> exp.Expr:
    """A SELECT, without ORDER BY and OFFSET."""
    items = st.one_of(
        values, aggregates, st.builds(lambda value, name: exp.Alias(this=value, alias=name), values, names),
        st.lists(names, min_size=1, max_size=3).map(
            lambda path: exp.Column(
                this=exp.Star(), **dict(zip(("table", "db", "catalog"), reversed(path), strict=False))
            )
        ),
    )  # fmt: skip
    chosen = draw(st.one_of(st.just([exp.Star()]), st.lists(items, min_size=1, max_size=3)))
    select = exp.Select(
        expressions=[item.copy() for item in chosen], from_=exp.From(this=draw(tables(inner)))
    )
    if draw(st.booleans()):
        more = st.one_of(joins(inner), tables(inner).map(lambda table: exp.Join(this=table)))
        select.set("joins", draw(st.lists(more, min_size=1, max_size=2)))
    if draw(st.booleans()):
        select.set("distinct", exp.Distinct())
    if draw(st.booleans()):
        select.set("limit", exp.Limit(expression=draw(whole)))
    if draw(st.booleans()):
        select.set("where", exp.Where(this=draw(st.one_of(conditions, _subquery_tests(inner)))))
    if draw(st.booleans()):
        select.set("group", exp.Group(expressions=draw(st.lists(values, min_size=1, max_size=2))))
    if draw(st.booleans()):
        test = exp.GT(this=draw(aggregates), expression=draw(numbers))
        select.set("having", exp.Having(this=test))
    return select


def _subquery_tests(inner: st.SearchStrategy[exp.Expr]) -> st.SearchStrategy[exp.Expr]:
    return st.one_of(
        inner.map(lambda query: exp.Exists(this=query)),
        st.builds(lambda value, query: exp.In(this=value, query=exp.Subquery(this=query)), columns, inner),
    )


@st.composite
def _combined(draw: st.DrawFn, inner: st.SearchStrategy[exp.Expr]) -> exp.Expr:
    kind = draw(st.sampled_from([exp.Union, exp.Except, exp.Intersect]))
    left, right = draw(inner), draw(inner)
    open_left = not _has_clauses(left) and (
        isinstance(left, (exp.Select, exp.Intersect)) or kind is not exp.Intersect
    )
    open_right = isinstance(right, exp.Select) and not _has_clauses(right)
    return kind(
        this=left if open_left else exp.Subquery(this=left),
        expression=right if open_right else exp.Subquery(this=right),
        distinct=draw(st.booleans()),
    )


def _has_clauses(query: exp.Expr) -> bool:
    return any(query.args.get(key) is not None for key in ("limit", "order", "offset", "with_"))


@st.composite
def _finished(draw: st.DrawFn, inner: st.SearchStrategy[exp.Expr]) -> exp.Expr:
    query = draw(inner).copy()
    if draw(st.booleans()):
        query.set("order", draw(orders))
    if draw(st.booleans()):
        query.set("offset", exp.Offset(expression=draw(whole)))
    return query


bodies = st.recursive(
    selects(), lambda inner: st.one_of(_finished(selects(inner)), _combined(inner)), max_leaves=3
)


@st.composite
def queries(draw: st.DrawFn) -> exp.Expr:
    """A whole query."""
    query = draw(_finished(bodies))
    if draw(st.booleans()):
        ctes = [exp.CTE(this=draw(bodies), alias=_alias(draw(names))) for _ in range(draw(st.integers(1, 2)))]
        query.set("with_", exp.With(expressions=ctes))
    return query
