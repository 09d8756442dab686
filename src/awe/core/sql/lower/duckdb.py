"""DuckDB 2.0: write the resolved tree as its SQL; numbers with a point are DOUBLE (it would make decimals of them)."""

from collections.abc import Mapping

import pyarrow as pa
from sqlglot import exp

from awe.core.sql.lower._printer import Printer
from awe.core.sql.rules._state import CELL

__all__ = ["lower"]

_TYPES = {
    "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
    "halffloat": "REAL", "float": "REAL", "double": "DOUBLE", "string": "VARCHAR", "large_string": "VARCHAR",
    "date32[day]": "DATE", "timestamp[us]": "TIMESTAMP", "null": "INTEGER",
}  # fmt: skip


def lower(tree: exp.Expr, relations: Mapping[str, str]) -> str:
    """Return DuckDB SQL; `relations` gives each table use's key the SQL of what to read."""
    return _DuckDB(relations).query(tree)


class _DuckDB(Printer):
    target = "duckdb"
    divisions = {exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%"}  # noqa: RUF012  as the base declares it

    def quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def text(self, value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    def number(self, value: float) -> str:
        return f"{value!r}" + ("" if "e" in repr(value) else "e0")

    def type(self, kind: pa.DataType) -> str | None:
        if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
            item = _TYPES.get(str(kind.value_type))
            size = kind.list_size if pa.types.is_fixed_size_list(kind) else ""
            return None if item is None else f"{item}[{size}]"
        return _TYPES.get(str(kind))

    def listed(self, node: exp.Expr, source: str, cells: exp.Expr) -> str:
        listed = f"unnest({self.value(cells)}) AS {self.quoted(CELL)}"
        return f"(SELECT *, {listed} FROM {source}) AS {self.quoted(node.alias)}"

    def xor(self, one: str, other: str) -> str:
        return f"xor({one}, {other})"

    def like(self, node: exp.Expr, escape: exp.Expr | None) -> str:
        return self.pattern(node, "" if escape is None else f" ESCAPE {self.value(escape)}")
