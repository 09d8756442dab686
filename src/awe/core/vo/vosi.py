"""VO Support Interfaces 1.1 (REC 2017-05-24): what a service says of itself.

Documents are built as elements (VOResource 1.1, VODataService 1.2): vo-models' capabilities drop the
parameters of an interface, and its tables need a model object for every column of every table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from awe.core.tables import Column, Schema
from awe.core.vo._datatypes import votable_type
from awe.core.vo._xml import NAMESPACES, Element, document, node
from awe.core.vo.params import Param, Params

__all__ = [
    "AVAILABILITY",
    "CAPABILITIES",
    "TABLES",
    "Capability",
    "SchemaLike",
    "TableLike",
    "availability_document",
    "capabilities_document",
    "table_document",
    "tables_document",
]

CAPABILITIES = "ivo://ivoa.net/std/VOSI#capabilities"
AVAILABILITY = "ivo://ivoa.net/std/VOSI#availability"
TABLES = "ivo://ivoa.net/std/VOSI#tables-1.1"


class SchemaLike(Protocol):
    """What a tableset tells of a schema."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def description(self) -> str: ...  # noqa: D102
    @property
    def utype(self) -> str: ...  # noqa: D102


class TableLike(SchemaLike, Protocol):
    """What a tableset tells of a table."""

    @property
    def schema(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> Schema: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a service does, and where.

    Attributes
    ----------
    standard_id
        IVOA identifier of the standard.
    access_url
        Where.
    version
        Of the interface; empty for VOSI.
    params
        What a request may hold.
    result_type
        Media type of the answers.
    kind, details
        ``xsi:type`` and further elements of a capability that has its own type.
    base
        True where paths and parameters are appended to the address.
    """

    standard_id: str
    access_url: str
    version: str = ""
    params: Params | None = None
    result_type: str = ""
    kind: str = ""
    details: Sequence[Element] = ()
    base: bool = False

    def to_element(self) -> Element:
        """Return the ``capability`` element."""
        return node(
            "capability",
            {"standardID": self.standard_id, "xsi:type": self.kind or None},
            self._interface(),
            *self.details,
        )

    def _interface(self) -> Element:
        attributes = {"role": "std", "version": self.version or None, "xsi:type": "vs:ParamHTTP"}
        methods = ("GET", "POST") if self.params else ()
        return node(
            "interface",
            attributes,
            node("accessURL", {"use": "base" if self.base else "full"}, self.access_url),
            *(node("queryType", None, method) for method in methods),
            node("resultType", None, self.result_type) if self.result_type else None,
            *(_param(param) for param in self.params or ()),
        )


def capabilities_document(capabilities: Iterable[Capability]) -> bytes:
    """Return the document of ``/capabilities`` (section 2.1)."""
    return _document("vosi", "capabilities", *(capability.to_element() for capability in capabilities))


def availability_document(*, since: datetime, note: str = "") -> bytes:
    """Return the document of ``/availability`` of a service that is there (section 2.2)."""
    up = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _document(
        "vosia",
        "availability",
        node("vosia:available", None, "true"),
        node("vosia:upSince", None, up),
        node("vosia:note", None, note) if note else None,
    )


def tables_document(
    schemas: Iterable[SchemaLike], tables: Iterable[TableLike], *, columns: bool = True
) -> bytes:
    """Return the document of ``/tables`` (section 2.3); `columns` is False for ``detail=min``."""
    by_schema: dict[str, list[TableLike]] = {}
    for table in tables:
        by_schema.setdefault(table.schema, []).append(table)
    made = (
        node(
            "schema",
            None,
            *_described(schema, schema.name),
            *(
                node("table", None, *_table(table, columns=columns))
                for table in by_schema.get(schema.name, [])
            ),
        )
        for schema in schemas
    )
    return _document("vosit", "tableset", *made)


def table_document(table: TableLike) -> bytes:
    """Return the document of ``/tables/<name>``."""
    return _document("vosit", "table", *_table(table, columns=True))


def _table(table: TableLike, *, columns: bool) -> Iterator[Element]:
    yield from _described(table, f"{table.schema}.{table.name}")
    if table.rows:
        yield node("nrows", None, str(table.rows))
    if columns:
        yield from (_column(column) for column in table.columns)


def _described(what: SchemaLike, name: str) -> Iterator[Element]:
    yield node("name", None, name)
    yield from _texts(title=what.title, description=what.description, utype=what.utype)


def _column(column: Column) -> Element:
    datatype, arraysize = votable_type(column.type)
    attributes = {"xsi:type": "vs:VOTableType", "arraysize": arraysize or None}
    return node(
        "column",
        {"std": "true" if column.std else "false"},
        node("name", None, column.name),
        *_texts(description=column.description, unit=column.unit, ucd=column.ucd, utype=column.utype),
        node("dataType", {**attributes, "extendedType": column.xtype or None}, datatype),
        *_texts(flag="indexed" if column.indexed else ""),
    )


def _param(param: Param[object]) -> Element:
    attributes = {"std": "true", "use": "required" if param.required else "optional"}
    return node(
        "param",
        attributes,
        node("name", None, param.name),
        *_texts(description=param.description, unit=param.unit, ucd=param.ucd),
        node("dataType", {"arraysize": param.size or None}, param.datatype),
    )


def _texts(**texts: str) -> Iterator[Element]:
    return (node(tag, None, text) for tag, text in texts.items() if text)


def _document(prefix: str, tag: str, *children: Element | None) -> bytes:
    used = (prefix, "vs", "vr", "tr")
    prefixes: dict[str | None, str] = {p: NAMESPACES[p] for p in (*used, "xsi")}
    locations = {"xsi:schemaLocation": " ".join(f"{NAMESPACES[p]} {NAMESPACES[p]}" for p in used)}
    return document(node(f"{prefix}:{tag}", locations, *children, prefixes=prefixes))
