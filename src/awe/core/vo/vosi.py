"""VO Support Interfaces 1.1 (REC 2017-05-24): what a service says of itself.

The documents are those of VOResource 1.1 and VODataService 1.2. The description of the tables is made of
TAP_SCHEMA's rows, so that the two cannot disagree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from awe.core.vo._xml import NAMESPACES, Element, document, node
from awe.core.vo.params import Param, Params

__all__ = [
    "AVAILABILITY",
    "CAPABILITIES",
    "EXAMPLES",
    "TABLES",
    "Capability",
    "Described",
    "Row",
    "availability_document",
    "capabilities_document",
    "table_document",
    "tables_document",
]

EXAMPLES = "ivo://ivoa.net/std/DALI#examples"
CAPABILITIES = "ivo://ivoa.net/std/VOSI#capabilities"
AVAILABILITY = "ivo://ivoa.net/std/VOSI#availability"
TABLES = "ivo://ivoa.net/std/VOSI#tables-1.1"


Row = Mapping[str, object]
"""A row of a table of TAP_SCHEMA, by the standard's column names (TAP 1.1 section 4)."""


@dataclass(frozen=True, slots=True)
class Described:
    """What TAP_SCHEMA says: the rows of its tables, and how many rows each table has."""

    schemas: Sequence[Row]
    tables: Sequence[Row]
    columns: Sequence[Row]
    keys: Sequence[Row]
    rows: Mapping[str, int]


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
        return node(
            "interface",
            attributes,
            node("accessURL", {"use": "base" if self.base else "full"}, self.access_url),
            # POST is answered too; pyvo 1.9 warns of a second queryType, which the schema allows
            node("queryType", None, "GET") if self.params else None,
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


def tables_document(described: Described, *, columns: bool = True) -> bytes:
    """Return the document of ``/tables`` (section 2.3); `columns` is False for ``detail=min``."""
    made = (
        node(
            "schema",
            None,
            *_texts(schema, name="schema_name", description="description", utype="utype"),
            *(
                node("table", None, *_table(described, table, columns=columns))
                for table in described.tables
                if table["schema_name"] == schema["schema_name"]
            ),
        )
        for schema in described.schemas
    )
    return _document("vosit", "tableset", *made)


def table_document(described: Described) -> bytes:
    """Return the document of ``/tables/<name>``, of the one table that is described."""
    return _document("vosit", "table", *_table(described, described.tables[0], columns=True))


def _table(described: Described, table: Row, *, columns: bool) -> Iterator[Element]:
    name = str(table["table_name"])
    yield from _texts(table, name="table_name", description="description", utype="utype")
    if described.rows.get(name):
        yield node("nrows", None, str(described.rows[name]))
    if columns:
        yield from (_column(row) for row in described.columns if row["table_name"] == name)
        yield from (_foreign_key(row) for row in described.keys if row["from_table"] == name)


def _column(row: Row) -> Element:
    arraysize, xtype = (str(row[key]) if row[key] else None for key in ("arraysize", "xtype"))
    attributes = {"xsi:type": "vs:VOTableType", "arraysize": arraysize, "extendedType": xtype}
    return node(
        "column",
        {"std": "true" if row["std"] else "false"},
        *_texts(row, name="column_name", description="description", unit="unit", ucd="ucd", utype="utype"),
        node("dataType", attributes, str(row["datatype"])),
        node("flag", None, "indexed") if row["indexed"] else None,
    )


def _foreign_key(row: Row) -> Element:
    pair = node("fkColumn", None, *_texts(row, fromColumn="from_column", targetColumn="target_column"))
    return node("foreignKey", None, *_texts(row, targetTable="target_table"), pair)


def _param(param: Param[object]) -> Element:
    attributes = {"std": "true", "use": "required" if param.required else "optional"}
    return node(
        "param",
        attributes,
        node("name", None, param.name),
        *_texts(
            {"d": param.description, "u": param.unit, "c": param.ucd}, description="d", unit="u", ucd="c"
        ),
        node("dataType", {"arraysize": param.size or None}, param.datatype),
    )


def _texts(row: Row, **tags: str) -> Iterator[Element]:
    """Yield an element for each tag whose key has a value in the row."""
    return (node(tag, None, str(row[key])) for tag, key in tags.items() if row[key])


def _document(prefix: str, tag: str, *children: Element | None) -> bytes:
    used = (prefix, "vs", "vr", "tr")
    prefixes: dict[str | None, str] = {p: NAMESPACES[p] for p in (*used, "xsi")}
    locations = {"xsi:schemaLocation": " ".join(f"{NAMESPACES[p]} {NAMESPACES[p]}" for p in used)}
    return document(node(f"{prefix}:{tag}", locations, *children, prefixes=prefixes))
