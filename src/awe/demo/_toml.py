"""Describe files (TOML), written."""

import json
from collections.abc import Iterator, Mapping

from awe.core.tables import Schema

__all__ = ["columns_of", "section", "toml"]


def section(name: str, facts: Mapping[str, str | float | bool]) -> Iterator[str]:
    """Yield the lines of a section."""
    yield f"\n[{name}]"
    for key, value in facts.items():
        yield f"{key} = {toml(value)}"


def toml(value: str | float | bool) -> str:
    """Write a TOML value; JSON's strings, numbers and booleans are TOML's as well (TOML 1.0)."""
    return json.dumps(value, ensure_ascii=False)


def columns_of(schema: Schema) -> Iterator[str]:
    """Yield the sections of all columns, with what is known of them."""
    for column in schema:
        facts: dict[str, str | bool] = {
            "unit": column.unit, "ucd": column.ucd, "description": column.description,
            "principal": column.principal,
        }  # fmt: skip
        yield from section(f"columns.{column.name}", {k: v for k, v in facts.items() if v})
