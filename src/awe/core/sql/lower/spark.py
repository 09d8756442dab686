r"""Spark SQL 4 (ANSI): write the resolved tree as its SQL.

Constant texts hold letters and digits as they are and all else as ``\u0024``: no quote, backslash or ``${...}`` of a
user is ever seen by Spark's reader. Unsigned types, which Spark does not have, are the next wider signed ones.
"""

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from awe.core.sql.functions import FUNCTIONS
from awe.core.sql.lower._printer import PLACE, Printer
from awe.core.sql.rules._state import CELL, has_value, value
from awe.errors import NotOfferedError

__all__ = ["called", "lower", "number", "quoted", "spark_type", "text"]

_TYPES = {
    "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int32": "INT", "int64": "BIGINT",
    "uint8": "SMALLINT", "uint16": "INT", "uint32": "BIGINT", "uint64": "DECIMAL(20,0)",
    "float": "FLOAT", "double": "DOUBLE", "string": "STRING", "large_string": "STRING",
    "date32[day]": "DATE", "timestamp[us]": "TIMESTAMP_NTZ", "null": "INT",
}  # fmt: skip
_ORDERED = frozenset({"ROW_NUMBER", "RANK", "DENSE_RANK", "LAG", "LEAD"})
_ARITHMETIC = frozenset({exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod})
_NOTHING = r"'\u0000'"
"""What LIKE takes for the escape where nobody named one: Spark has no pattern without."""


def lower(tree: exp.Expr, relations: Mapping[str, str]) -> str:
    """Return Spark SQL; `relations` gives each table use's key the SQL of what to read.

    Raises
    ------
    NotOfferedError
        For a function that Spark does not offer.
    """
    return _Spark(relations).query(tree)


def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    return "`" + name.replace("`", "``") + "`"


def text(value: str) -> str:
    """Return a constant text."""
    units = value.encode("utf-16-be", "surrogatepass")
    said = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "'" + "".join(chr(u) if u < 128 and chr(u).isalnum() else f"\\u{u:04x}" for u in said) + "'"


def number(value: float) -> str:
    """Return a constant in double precision."""
    return f"{value!r}D"


def called(name: str, *arguments: str) -> str:
    """Return a call of a function of the table."""
    template = FUNCTIONS[name].template("spark", len(arguments))
    return PLACE.sub(lambda m: arguments[int(m[1])], template)


def spark_type(kind: pa.DataType) -> str | None:
    """Return Spark's name of a type, also of arrays; None where it has none."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        item = spark_type(kind.value_type)
        return None if item is None else f"ARRAY<{item}>"
    return _TYPES.get(str(kind))


class _Spark(Printer):
    target = "spark"
    divisions = {exp.Div: "/", exp.IntDiv: "div", exp.Mod: "%"}  # noqa: RUF012  as the base declares it

    def quoted(self, name: str) -> str:
        return quoted(name)

    def text(self, value: str) -> str:
        return text(value)

    def number(self, value: float) -> str:
        return number(value)

    def type(self, kind: pa.DataType) -> str | None:
        return spark_type(kind)

    def listed(self, node: exp.Expr, source: str, cells: exp.Expr) -> str:
        listed = f"explode({self.value(cells)}) AS {quoted(CELL)}"
        return f"(SELECT *, {listed} FROM {source}) AS {quoted(node.alias)}"

    def xor(self, one: str, other: str) -> str:
        return f"({one} ^ {other})"

    def like(self, node: exp.Expr, escape: exp.Expr | None) -> str:
        return self.pattern(node, f" ESCAPE {_NOTHING if escape is None else self.value(escape)}")

    def value(self, node: exp.Expr) -> str:
        """Write a value; what is computed of numbers in single precision is so here, too, where Spark makes it double."""
        written = super().value(node)
        single = type(node) in _ARITHMETIC and has_value(node) and pa.types.is_float32(value(node).type)
        return f"CAST({written} AS FLOAT)" if single else written

    def cast(self, written: str, given: pa.DataType, wanted: pa.DataType) -> str:
        """Write a cast as DuckDB carries it out: to whole numbers halves go to the even one, texts are as Python's."""
        if pa.types.is_floating(given) and pa.types.is_integer(wanted):
            written = f"rint({written})"
        if pa.types.is_floating(given) and (pa.types.is_string(wanted) or pa.types.is_large_string(wanted)):
            return _shortest(written)
        return super().cast(written, given, wanted)

    def window(self, node: exp.Expr) -> str:
        """Write a window function; those that number rows need an order."""
        if node.args.get("order") is None and node.this.name in _ORDERED:
            parts = ", ".join(self.value(p) for p in node.args.get("partition_by") or [])
            partition = f"PARTITION BY {parts} " if parts else ""
            return f"{self.value(node.this)} OVER ({partition}ORDER BY NULL)"
        return super().window(node)

    def template(self, node: exp.Expr, count: int) -> str:
        function = FUNCTIONS[node.name]
        if self.target not in function.lowering:
            raise NotOfferedError(
                f"{function.name} is not offered where this query runs, on the cluster",
                hint="leave it out, or ask for less, so that the query runs on one machine",
            )
        template = function.template(self.target, count)
        if "{type}" in template:
            kind = value(node).type if has_value(node) else pa.float64()
            template = template.replace("{type}", spark_type(kind) or "DOUBLE")
        return template


def _shortest(written: str) -> str:
    """Write a number as the shortest text that is read as the same: ``0.0001``, ``12345678.5``, ``1e-05``, ``nan``."""
    said = f"CAST({written} AS STRING)"
    plain = rf"regexp_replace(CAST(CAST({said} AS DECIMAL(38,20)) AS STRING), '(\\.\\d+?)0*$', '$1')"
    power = f"lower(replace({said}, '.0E', 'E'))"
    power = rf"regexp_replace({power}, 'e(\\d)', 'e+$1')"
    power = rf"regexp_replace({power}, '([+-])(\\d)$', '$10$2')"
    return (
        f"(CASE WHEN isnan({written}) THEN 'nan' WHEN abs({written}) = CAST('Infinity' AS DOUBLE)"
        f" THEN CASE WHEN {written} < 0 THEN '-inf' ELSE 'inf' END"
        f" WHEN {written} = 0 OR abs({written}) BETWEEN 1e-4D AND 9999999999999998D THEN {plain} ELSE {power} END)"
    )
