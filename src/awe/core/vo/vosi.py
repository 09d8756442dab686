"""VO Support Interfaces 1.1 (REC 2017-05-24): what a service says of itself.

The documents are those of VOResource 1.1 and VODataService 1.2. The description of the tables is made of
TAP_SCHEMA's rows, so that the two cannot disagree.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter

from awe.core.vo._xml import NAMESPACES, Element, document, node
from awe.core.vo.params import Param, Params, choice, text

__all__ = [
    "AVAILABILITY",
    "CAPABILITIES",
    "DETAIL",
    "EXAMPLES",
    "ONLY",
    "ONLY_TABLES",
    "SHARED",
    "TABLES",
    "TABLES_PARAMS",
    "Capability",
    "Described",
    "Row",
    "availability_document",
    "capabilities_document",
    "table_document",
    "tables_document",
    "tableset",
]

EXAMPLES = "ivo://ivoa.net/std/DALI#examples"
CAPABILITIES = "ivo://ivoa.net/std/VOSI#capabilities"
AVAILABILITY = "ivo://ivoa.net/std/VOSI#availability"
TABLES = "ivo://ivoa.net/std/VOSI#tables-1.1"

DETAIL: Param[str] = Param(
    "detail", choice("min", "max"), "min: tables without their columns; max: all", values=("min", "max"),
    example="min",
)  # fmt: skip
ONLY: Param[str] = Param(
    "tables", text, "Only this table, as astroquery's TapPlus asks for it", example="a.b"
)
ONLY_TABLES: Param[str] = Param(
    "only_tables", choice("true", "false"), "true: as detail=min, for astroquery's TapPlus", values=("true", "false"),
    example="true",
)  # fmt: skip
SHARED: Param[str] = Param(
    "share_accessible", choice("true", "false"),
    "true: also the tables that people shared with you, which astroquery's TapPlus is not told of else",
    values=("true", "false"), example="true",
)  # fmt: skip
TABLES_PARAMS = Params(DETAIL, ONLY, ONLY_TABLES, SHARED)
"""What ``/tables`` takes (section 2.3)."""

_ROLES = {"table": "base_table"}
"""VODataService 1.2 section 3.3 has other words for the kinds of tables than TAP 1.1 section 4.2."""
_FLAGS, _BYTES = "esatapplus:flags", "esatapplus:size_bytes"
"""What a column is for, without which astroquery's TapPlus (0.4.11) cannot read it, and the size of a table; the schema
of VODataService refuses both."""

Row = Mapping[str, object]
"""A row of a table of TAP_SCHEMA, by the standard's column names (TAP 1.1 section 4)."""


@dataclass(frozen=True, slots=True)
class Described:
    """What TAP_SCHEMA says: the rows of its tables, and what more is known of each table.

    Attributes
    ----------
    schemas, tables, columns, keys
        Rows; those of ``keys`` are joined to those of ``key_columns``.
    rows
        Number of rows, by table.
    titles
        Titles, by table.
    bytes
        Sizes, by table, for clients of TAP+.
    roles
        What a column is for, by table and column, for clients of TAP+: 1 right ascension, 2 declination, 4 flux,
        8 magnitude, 16 primary key.
    """

    schemas: Sequence[Row]
    tables: Sequence[Row]
    columns: Sequence[Row]
    keys: Sequence[Row]
    rows: Mapping[str, int]
    titles: Mapping[str, str]
    bytes: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def only(self, names: Collection[str]) -> "Described":
        """Return what is said of some tables."""
        tables = [row for row in self.tables if row["table_name"] in names]
        schemas = {row["schema_name"] for row in tables}
        return replace(
            self, tables=tables, schemas=[row for row in self.schemas if row["schema_name"] in schemas]
        )

    def with_columns_of(self, names: Collection[str]) -> "Described":
        """Return the same with the columns and keys of some tables only."""
        columns = [row for row in self.columns if row["table_name"] in names]
        return replace(self, columns=columns, keys=[row for row in self.keys if row["from_table"] in names])


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
    security
        IVOA identifiers of the ways to log in, each an interface of its own; an empty one, which comes first, says
        that nobody needs to. None at all means the same.
    interface
        ``xsi:type`` of the interface.
    role
        ``std`` for the interface that the standard prescribes; empty for another.
    description
        For people.
    """

    standard_id: str
    access_url: str
    version: str = ""
    params: Params | None = None
    result_type: str = ""
    kind: str = ""
    details: Sequence[Element] = ()
    base: bool = False
    security: Sequence[str] = ()
    interface: str = "vs:ParamHTTP"
    role: str = "std"
    description: str = ""

    def to_element(self) -> Element:
        """Return the ``capability`` element."""
        return node(
            "capability",
            {"standardID": self.standard_id or None, "xsi:type": self.kind or None},
            node("description", None, self.description) if self.description else None,
            *(self._interface(method, first=i == 0) for i, method in enumerate(self.security or ("",))),
            *(deepcopy(detail) for detail in self.details),
        )

    def _interface(self, method: str, *, first: bool) -> Element:
        """Return the interface for one way to log in: an interface has at most one (VOResource 1.1 erratum 1)."""
        attributes = {
            "role": (self.role if first else "") or None,  # taplint expects one standard interface
            "version": self.version or None,
            "xsi:type": self.interface,
        }
        params = self.params if first and self.params else ()
        return node(
            "interface",
            attributes,
            node("accessURL", {"use": "base" if self.base else "full"}, self.access_url),
            node("securityMethod", {"standardID": method}) if method else None,
            # POST is answered too; pyvo 1.9 warns of a second queryType, which the schema allows
            node("queryType", None, "GET") if params else None,
            node("resultType", None, self.result_type) if self.result_type else None,
            *(_param(param) for param in params),
        )


def capabilities_document(capabilities: Iterable[Capability]) -> bytes:
    """Return the document of ``/capabilities`` (section 2.1)."""
    listed = list(capabilities)
    own = {capability.kind.partition(":")[0] for capability in listed} - {"", "tr"}
    elements = (capability.to_element() for capability in listed)
    return _document("vosi", "capabilities", *elements, kinds=tuple(sorted(own)))


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


def tables_document(described: Described, *, columns: bool = True, flagged: bool = False) -> bytes:
    """Return the document of ``/tables`` (section 2.3).

    Parameters
    ----------
    described
        What TAP_SCHEMA says.
    columns
        False for ``detail=min``.
    flagged
        Whether there are the attributes that TapPlus reads.
    """
    children = _schemas(described, columns=columns, flagged=flagged)
    return _document("vosit", "tableset", *children, more=("esatapplus",) if flagged else ())


def tableset(described: Described) -> Element:
    """Return the tables as the ``tableset`` of a resource (VODataService 1.2 section 3.3)."""
    return node("tableset", None, *_schemas(described, columns=True))


def table_document(described: Described) -> bytes:
    """Return the document of ``/tables/<name>``, of the one table that is described."""
    return _document("vosit", "table", *_table(described, described.tables[0], columns=True))


def _schemas(described: Described, *, columns: bool, flagged: bool = False) -> Iterator[Element]:
    for schema in described.schemas:
        yield node(
            "schema",
            None,
            *_texts(schema, name="schema_name", description="description", utype="utype"),
            *(
                node(
                    "table",
                    _attributes(described, table, flagged=flagged),
                    *_table(described, table, columns=columns, flagged=flagged),
                )
                for table in described.tables
                if table["schema_name"] == schema["schema_name"]
            ),
        )


def _attributes(described: Described, table: Row, *, flagged: bool) -> dict[str, str | None]:
    kind = str(table["table_type"])
    size = str(described.bytes.get(str(table["table_name"]), 0)) if flagged else None
    return {"type": _ROLES.get(kind, kind), _BYTES: size}


def _table(described: Described, table: Row, *, columns: bool, flagged: bool = False) -> Iterator[Element]:
    name = str(table["table_name"])
    said = {**table, "title": described.titles.get(name)}
    yield from _texts(said, name="table_name", title="title", description="description", utype="utype")
    if described.rows.get(name):
        yield node("nrows", None, str(described.rows[name]))
    if columns:
        for row in described.columns:
            if row["table_name"] == name:
                role = described.roles.get((name, str(row["column_name"])), 0)
                yield _column(row, str(role) if flagged else None)
        own = [row for row in described.keys if row["from_table"] == name]
        yield from (_foreign_key(list(rows)) for _, rows in groupby(own, key=itemgetter("key_id")))


def _column(row: Row, flags: str | None) -> Element:
    arraysize, xtype = (str(row[key]) if row[key] else None for key in ("arraysize", "xtype"))
    attributes = {"xsi:type": "vs:VOTableType", "arraysize": arraysize, "extendedType": xtype}
    return node(
        "column",
        {"std": "true" if row["std"] else "false", _FLAGS: flags},
        *_texts(row, name="column_name", description="description", unit="unit", ucd="ucd", utype="utype"),
        node("dataType", attributes, str(row["datatype"])),
        node("flag", None, "indexed") if row["indexed"] else None,
    )


def _foreign_key(rows: Sequence[Row]) -> Element:
    """Return one key of its rows, one a pair of columns."""
    pairs = (
        node("fkColumn", None, *_texts(row, fromColumn="from_column", targetColumn="target_column"))
        for row in rows
    )
    about = _texts(rows[0], description="description", utype="utype")
    return node("foreignKey", None, *_texts(rows[0], targetTable="target_table"), *pairs, *about)


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


def _document(
    prefix: str, tag: str, *children: Element | None, more: tuple[str, ...] = (), kinds: tuple[str, ...] = ()
) -> bytes:
    used = (prefix, "vs", "vr", "tr", *kinds)
    prefixes: dict[str | None, str] = {p: NAMESPACES[p] for p in (*used, *more, "xsi")}
    locations = {"xsi:schemaLocation": " ".join(f"{NAMESPACES[p]} {NAMESPACES[p]}" for p in used)}
    return document(node(f"{prefix}:{tag}", locations, *children, prefixes=prefixes))
