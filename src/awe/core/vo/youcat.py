"""YouCat, CADC's way to keep tables of one's own on a TAP service: descriptions of tables, indexes, permissions.

It is no standard yet: pyvo (``cadc-tb-upload``) and cadc-tap send what stands here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from awe.core.vo._xml import NAMESPACES, Element, document, local_name, node, parsed
from awe.core.vo.params import Param, Params, choice, text
from awe.errors import InputFileError, UsageError

__all__ = [
    "COLUMN",
    "LOAD",
    "PERMISSIONS",
    "TABLE",
    "UNIQUE",
    "UPDATE",
    "UPDATE_PARAMS",
    "Permissions",
    "votable_of",
]

LOAD, UPDATE, PERMISSIONS = (
    f"ivo://ivoa.net/std/VOSI#table-{what}-1.x" for what in ("load", "update-async", "permissions")
)
"""The capabilities, as CADC's clients look for them."""

_TRUTH = ("true", "false")
TABLE: Param[str] = Param("table", text, "Name of the table", required=True, example="mydb.mine")
COLUMN: Param[str] = Param("index", text, "Name of the column", required=True, example="ra")
UNIQUE: Param[str] = Param(
    "unique", choice(*_TRUTH), "true: no value may stand there twice", values=_TRUTH, example="false"
)
UPDATE_PARAMS = Params(TABLE, COLUMN, UNIQUE)
"""Of ``/tap/table-update``."""

_TAP_TYPES = {
    "BOOLEAN": ("boolean", "", ""),
    "SMALLINT": ("short", "", ""),
    "INTEGER": ("int", "", ""),
    "BIGINT": ("long", "", ""),
    "REAL": ("float", "", ""),
    "DOUBLE": ("double", "", ""),
    "TIMESTAMP": ("char", "*", "timestamp"),
    "CHAR": ("char", "*", ""),
    "VARCHAR": ("char", "*", ""),
    "CLOB": ("char", "*", ""),
    "BINARY": ("unsignedByte", "*", ""),
    "VARBINARY": ("unsignedByte", "*", ""),
    "BLOB": ("unsignedByte", "*", ""),
    "POINT": ("double", "2", "point"),
}
"""Types of VODataService 1.2 section 3.5.3 in VOTable's words: datatype, arraysize, xtype."""


def votable_of(table: bytes, name: str) -> bytes:
    """Return what a VODataService table says of its columns as a VOTable without rows.

    Parameters
    ----------
    table
        A document with one ``table`` element (VODataService 1.2 section 3.3), alone or in a tableset.
    name
        Of the table, for errors.

    Raises
    ------
    InputFileError
        If it is none, or the type of a column is not known.
    """
    try:
        root = parsed(table)
    except ValueError as error:
        raise InputFileError(name, f"the description is no XML: {error}") from None
    found = next((one for one in (root, *root.iter()) if local_name(one) == "table"), None)
    if found is None:
        raise InputFileError(name, "the description has no table", hint="send a VODataService table")
    fields = [_field(column, name) for column in found if local_name(column) == "column"]
    said = _text(found, "description")
    made = node("TABLE", {"name": name}, node("DESCRIPTION", None, said) if said else None, *fields)
    space = {"version": "1.4", "xmlns": None}
    votable = node("vot:VOTABLE", space, prefixes={None: NAMESPACES["vot"]})
    votable.append(node("RESOURCE", None, made))
    return document(votable)


def _field(column: Element, table: str) -> Element:
    name, kind = _text(column, "name"), next((one for one in column if local_name(one) == "dataType"), None)
    if not name or kind is None:
        raise InputFileError(table, "a column has no name or no dataType", where=f"column {name!r}")
    word, size = (kind.text or "").strip(), kind.get("arraysize") or kind.get("size")
    datatype, arraysize, xtype = _TAP_TYPES.get(word.upper(), (word, "", ""))
    attributes = {
        "name": name,
        "datatype": datatype,
        "arraysize": (size if datatype == word or arraysize == "*" else None) or arraysize or None,
        "xtype": kind.get("extendedType") or xtype or None,
        **{word: _text(column, word) or None for word in ("unit", "ucd", "utype")},
    }
    said = _text(column, "description")
    return node("FIELD", attributes, node("DESCRIPTION", None, said) if said else None)


def _text(element: Element, tag: str) -> str:
    return next(((one.text or "").strip() for one in element if local_name(one) == tag), "")


@dataclass(frozen=True, slots=True)
class Permissions:
    """Who may read and write a table; None for what is not said.

    Attributes
    ----------
    readers, writers
        Names of groups.
    """

    owner: str | None = None
    public: bool | None = None
    readers: tuple[str, ...] | None = None
    writers: tuple[str, ...] | None = None

    def to_text(self, groups: str) -> str:
        """Return the lines; a group is named by `groups` and its name, as GMS has it."""
        return "".join(f"{name}={value}\n" for name, value in self._lines(groups))

    def _lines(self, groups: str) -> Iterator[tuple[str, str]]:
        yield "owner", self.owner or ""
        yield "public", "true" if self.public else "false"
        for key, named in (("r-group", self.readers), ("rw-group", self.writers)):
            for name in named or ("",):
                yield key, f"{groups}?{name}" if name else ""

    @classmethod
    def from_text(cls, lines: Iterable[str]) -> "Permissions":
        """Read lines such as ``public=true`` and ``r-group=ivo://authority/gms?name``.

        Raises
        ------
        UsageError
            If a line is none of these.
        """
        said: dict[str, list[str]] = {}
        for line in filter(None, map(str.strip, lines)):
            key, equals, value = line.partition("=")
            if not equals or key.strip() not in {"owner", "public", "r-group", "rw-group"}:
                raise UsageError(f"not a line of permissions: {line}", hint="public=true, r-group=team")
            said.setdefault(key.strip(), []).append(value.strip())
        public = said["public"][-1].lower() == "true" if "public" in said else None
        return cls(None, public, _groups(said.get("r-group")), _groups(said.get("rw-group")))


def _groups(named: list[str] | None) -> tuple[str, ...] | None:
    if named is None:
        return None
    return tuple(one.rpartition("?")[2] for one in named if one)
