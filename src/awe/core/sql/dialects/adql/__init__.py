"""ADQL 2.1, strictly: text in, a sqlglot syntax tree out, or an error that says where and what to write.

The grammar is that of the IVOA recommendation *Astronomical Data Query Language* 2.1 (2023-12-15),
appendix A, with all of its optional features. `parse_adql` is a lexer and a recursive-descent parser
of this package's own; sqlglot gives the classes of the nodes and nothing else, none is subclassed.
Nothing here knows which tables, columns or user-defined functions exist, nor any type: that is the
compiler's work. The package depends on `awe.errors` and on ``sqlglot.exp``.

Conventions of the tree (what the compiler's rules rely on)
-----------------------------------------------------------
Queries
    ``exp.Select``, or ``exp.Union`` / ``exp.Except`` / ``exp.Intersect`` with ``distinct=False`` for
    ALL. INTERSECT binds tighter; the others are left-deep. An operand is a Select, a set operation or
    ``exp.Subquery`` without alias: operands in parentheses, operands with TOP, and an Intersect on the
    right of another operator are always Subqueries. The outermost query is never a Subquery: where
    ``(SELECT TOP 5 ... ORDER BY a) ORDER BY b`` needs two levels, it becomes ``SELECT * FROM (...)``.
    ``WITH`` is ``with_=exp.With`` of the outermost query, each ``exp.CTE(this=query, alias=TableAlias)``.
    ``TOP n`` is ``limit=exp.Limit(expression=Literal)``, OFFSET is ``offset=exp.Offset``, of the node
    they belong to; ``distinct=exp.Distinct()``; ``where``, ``group``, ``having``, ``order`` as in
    sqlglot; ``exp.Ordered(this, desc=bool)`` without ``nulls_first``: ADQL does not say.
FROM
    ``exp.Table(this, db, catalog, alias=TableAlias(this=Identifier))``. Sub-queries are
    ``exp.Subquery(this=query, alias=TableAlias)``; a joined table in parentheses is
    ``exp.Subquery(this=<its first table, with joins=[...]>)`` without alias. Joins stand flat in
    ``joins`` as ``exp.Join(this, method="NATURAL"?, side="LEFT"|"RIGHT"|"FULL"?, kind="INNER"|"OUTER"?,
    on=?, using=[Identifier]?)``: a comma has none of them, all others NATURAL, ON or USING (a forgotten
    condition is likelier than a wish for a product; SQL-92 and the IVOA's own test queries agree).
    A table function, awe's extension, is ``exp.Table(this=exp.Anonymous(this=<name as written>,
    expressions=[...]), db=..., catalog=..., alias=...)``.
Names
    ``exp.Identifier(this, quoted)``: text as written; ``quoted=True`` (with ``""`` undone) means that
    case matters. ``exp.Column(this, table, db, catalog)``. ``*`` is ``exp.Star()``, ``t.*`` is
    ``exp.Column(this=exp.Star(), table=...)``. Output names are ``exp.Alias(this, alias=Identifier)``.
Values
    ``exp.Literal``: numbers keep their text (no rounding; hexadecimal, an extension, becomes decimal),
    strings have ``''`` undone. ``exp.Null``, ``exp.Neg`` (a unary plus vanishes), ``exp.Add Sub Mul
    Div DPipe`` without flags, ``exp.Paren`` wherever parentheses were written around a value or a
    condition, ``exp.Case(this?, ifs=[exp.If(this, true)], default?)`` (CASE is an extension).
    ``exp.Cast(this, to=DataType)`` with ``DType`` CHAR, VARCHAR (length as DataTypeParam), SMALLINT,
    INT, BIGINT, FLOAT (for REAL), DOUBLE, TIMESTAMP, or USERDEFINED with ``kind`` POINT, CIRCLE or
    POLYGON. ``:name``, only where the caller declares it, is ``exp.Placeholder(this=name)``.
Conditions
    ``exp.And Or Not``, ``exp.EQ NEQ LT LTE GT GTE``, ``exp.Between``, ``exp.In(this, expressions=[...])``
    or ``exp.In(this, query=exp.Subquery)``, ``exp.Like``, ``exp.ILike``, ``exp.Is(this, Null)``,
    ``exp.Exists(this=query)``. ``x NOT IN ...``, ``NOT LIKE``, ``IS NOT NULL`` and the like are always
    ``exp.Not(this=<the positive predicate>)``. A condition is never a value, nor a value a condition.
Functions
    ``exp.Anonymous(this=NAME, expressions=[...])``. Of ADQL's own functions, mathematical and
    geometrical, NAME is upper-case (``"LOG"`` is the natural logarithm, ``"LOG10"``, ``"MOD"``,
    ``"TRUNCATE"``, ``"CIRCLE"``, ``"IN_UNIT"`` ...) and the number of arguments has been checked;
    of user-defined functions NAME is as written. The exceptions are ``exp.Count Sum Avg Min Max``
    (``this`` a value, ``exp.Star()`` for COUNT(*), or ``exp.Distinct(expressions=[value])``),
    ``exp.Coalesce(this, expressions)``, ``exp.Cast``, ``exp.Lower`` and ``exp.Upper``.
Geometry
    ``POINT(lon, lat)``; ``CIRCLE(lon, lat, r)`` or ``CIRCLE(point, r)``; ``BOX(lon, lat, w, h)`` or
    ``BOX(point, w, h)``; ``POLYGON`` of at least three vertices, all points or all pairs of numbers;
    ``DISTANCE(point, point)`` or of four numbers. A form is told from another by the number of its
    arguments; a POLYGON of six or more columns may be either, which the compiler, who knows types, tells.
    The deprecated first argument, a coordinate system, is dropped where it means ICRS and refused
    with `NotOfferedError` where it does not. CONTAINS and INTERSECTS are numbers: they stand in a
    comparison, on either side.

Places
    Every node that stands in the text has in ``meta`` the keys ``line`` and ``col`` (of its first
    character, counted from one, in characters), ``start`` and ``end`` (``text[start:end]`` is its
    source; of ``a + b`` the whole sum).

Beyond the standard, because its users write it: ``CASE``, hexadecimal integers ``0xFF``, table
functions in FROM, ``IS NULL`` of any value, and a single ``;`` at the end.
"""

from awe.core.sql.dialects.adql._parser import parse_adql, parse_value
from awe.core.sql.dialects.adql._printer import to_adql
from awe.core.sql.dialects.adql._words import RESERVED_WORDS

__all__ = ["RESERVED_WORDS", "parse_adql", "parse_value", "to_adql"]
