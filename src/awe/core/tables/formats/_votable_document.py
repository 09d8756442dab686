"""The VOTable document around the rows: built as values, cut where the rows go.

The documents use what VOTable 1.4 has and say version 1.4: of 1.5 they would use nothing more, and validators
in wide use (stilts up to 3.4) refuse the number. The namespace of both stays that of 1.3. Where QUERY_STATUS
stands is DALI 1.1 section 4.4. The rows and what is known only behind them (overflow, failure) are marked in the tree
by processing instructions, at which the serialised document is cut.
"""

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
from lxml import etree

from awe.core.tables._datatypes import is_list, votable_type
from awe.core.tables._schema import Column, Schema
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions

__all__ = ["NAMESPACE", "VERSION", "Frame", "error_document", "frame", "open_frame", "status_info"]

NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"
VERSION = "1.4"
_SCHEMA_LOCATION = f"{NAMESPACE} {NAMESPACE}"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES: Any = {None: NAMESPACE}  # the stubs know no default namespace
_SYSTEM_IDS = ("system_icrs", "system_utc", "system_mjd")
_MJD_UTYPE = "timeaxis.coverage.bounds.limits."
"""Columns of ObsCore whose utype holds this are Modified Julian Dates, UTC (ObsCore 1.1 section B.6.3)."""
_XML_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_INFOS, _ROWS, _TRAILER = b"<?awe infos?>", b"<?awe rows?>", b"<?awe trailer?>"
_KNOWN, _SHORT = 500, 1000
"""So many INFO elements are known, none of them with more characters than that."""
_INDENT = "\n    "
"""Before each element of the results."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Frame:
    """A document without its rows: what stands before them, behind them, and behind the last INFO."""

    head: bytes
    middle: bytes
    tail: bytes

    def with_infos(self, infos: Iterable[tuple[str, str, str]]) -> "Frame":
        """Return the document that says this besides, of one that has a place for it."""
        inner = b"".join(_info_text(*info) for info in infos)
        place = _INFOS + _INDENT.encode()
        return Frame(self.head.replace(place, inner, 1), self.middle.replace(place, inner, 1), self.tail)


def frame(schema: Schema, options: VOTableOptions = NO_OPTIONS, serialization: str | None = None) -> Frame:
    """Return the document of a table of basic columns.

    Parameters
    ----------
    schema
        The columns, in basic types.
    options
        What the protocol adds.
    serialization
        ``TABLEDATA``, ``BINARY`` or ``BINARY2``; None for a table without data (as in VOParquet 1.0).
    """
    return open_frame(schema, options, serialization).with_infos(options.infos)


def open_frame(schema: Schema, options: VOTableOptions, serialization: str | None) -> Frame:
    """Return the same with a place for the INFO elements of the options (`Frame.with_infos`)."""
    root = _root()
    results = _child(root, "RESOURCE", type="results")
    if options.description:
        _child(results, "DESCRIPTION").text = _clean(options.description)
    if options.status:
        results.append(_info("QUERY_STATUS", options.status))
    results.append(etree.ProcessingInstruction("awe", "infos"))
    results.extend(_info(name, value) for name, value in schema.metadata.items())
    systems = _Systems(schema, options)
    results.extend(systems.elements())
    results.extend(_qualified(element) for element in options.head_params)
    _add_table(results, schema, options, systems, serialization)
    results.append(etree.ProcessingInstruction("awe", "trailer"))
    root.extend(_qualified(element) for element in options.resources)
    return _cut(root)


def _info_text(name: str, value: str, text: str) -> bytes:
    """Return an INFO of the results and what stands before the next element."""
    short = len(name) + len(value) + len(text) < _SHORT
    return _short_info_text(name, value, text) if short else _new_info_text(name, value, text)


def _new_info_text(name: str, value: str, text: str) -> bytes:
    info = etree.Element(
        "INFO", name=_clean(name), value=_clean(value)
    )  # takes the default namespace in place
    info.text = _clean(text) or None
    return bytes(etree.tostring(info, encoding="utf-8")) + _INDENT.encode()


_short_info_text = lru_cache(_KNOWN)(_new_info_text)
"""Most of what an answer says of itself is what the one before it said."""


def status_info(status: str, message: str = "") -> bytes:
    """Return the INFO that states how the rows ended, to stand behind the table (DALI 1.1 section 4.4.1)."""
    info = etree.Element("INFO", name="QUERY_STATUS", value=status)  # takes the default namespace in place
    info.text = _clean(message) or None
    return bytes(etree.tostring(info, encoding="utf-8")) + b"\n"


def error_document(message: str, infos: Iterable[tuple[str, str, str]] = ()) -> bytes:
    """Return the document that says why there are no results (DALI 1.1 section 4.4.2)."""
    root = _root()
    results = _child(root, "RESOURCE", type="results")
    results.append(_info("QUERY_STATUS", "ERROR", message))
    results.extend(_info(*info) for info in infos)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))


def _root() -> etree._Element:
    root = etree.Element(f"{{{NAMESPACE}}}VOTABLE", nsmap={**_PREFIXES, "xsi": _XSI}, version=VERSION)
    root.set(f"{{{_XSI}}}schemaLocation", _SCHEMA_LOCATION)
    return root


def _element(tag: str, **attributes: str) -> etree._Element:
    made = etree.Element(f"{{{NAMESPACE}}}{tag}", nsmap=_PREFIXES)
    for name, value in attributes.items():
        if value:
            made.set(name, _clean(value))
    return made


def _child(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    made = _element(tag, **attributes)
    parent.append(made)
    return made


def _info(name: str, value: str, text: str = "") -> etree._Element:
    made = _element("INFO", name=name)
    made.set("value", _clean(value))
    made.text = _clean(text) or None
    return made


def _clean(text: str) -> str:
    """Return the text without the characters that XML 1.0 section 2.2 forbids."""
    return _FORBIDDEN.sub("\ufffd", text)


def _qualified(element: etree._Element) -> etree._Element:
    """Return a copy in the VOTable namespace, so that callers may build elements without it."""
    copy = deepcopy(element)
    for node in copy.iter():
        if isinstance(node.tag, str) and not node.tag.startswith("{"):
            node.tag = f"{{{NAMESPACE}}}{node.tag}"
    return copy


class _Systems:
    """The coordinate systems that columns refer to (VOTable 1.5 sections 3.1 and 3.2)."""

    def __init__(self, schema: Schema, options: VOTableOptions) -> None:
        self._options = options
        self._used = {self.reference(column) for column in schema}
        epochs = {value for name, value, _ in options.infos if name == "epoch"} or {
            schema.metadata.get("epoch", "")
        }
        self._epoch = epochs.pop() if len(epochs) == 1 else ""  # rows of several epochs have none in common

    def reference(self, column: Column) -> str:
        """Return the ID of the system of a column, or nothing."""
        icrs, utc, mjd = _SYSTEM_IDS
        ucd = self._options.ucds.get(column.name, column.ucd).lower()
        if ucd.startswith(("pos.eq.ra", "pos.eq.dec", "pos_eq_ra", "pos_eq_dec")):
            return icrs
        if _MJD_UTYPE in column.utype.lower():
            return mjd
        return utc if column.xtype == "timestamp" else ""

    def elements(self) -> Iterator[etree._Element]:
        """Yield the elements of the systems in use."""
        icrs, utc, mjd = _SYSTEM_IDS
        if icrs in self._used:
            yield _element("COOSYS", ID=icrs, system="ICRS", epoch=self._epoch)
        if mjd in self._used:
            yield _element("TIMESYS", ID=mjd, timescale="UTC", refposition="UNKNOWN", timeorigin="MJD-origin")
        if utc in self._used:
            yield _element("TIMESYS", ID=utc, timescale="UTC", refposition="UNKNOWN")


def _add_table(
    results: etree._Element,
    schema: Schema,
    options: VOTableOptions,
    systems: _Systems,
    serialization: str | None,
) -> None:
    table = _child(results, "TABLE", name=schema.name)
    if schema.description:
        _child(table, "DESCRIPTION").text = _clean(schema.description)
    table.extend(_qualified(element) for element in options.params)
    ids = _identifiers(schema, options)
    for column in schema:
        table.append(_field(column, options, systems, ids.get(column.name, "")))
    table.extend(_qualified(element) for element in options.groups)
    if serialization is None:
        return
    rows = _child(_child(table, "DATA"), serialization)
    if serialization != "TABLEDATA":
        rows = _child(rows, "STREAM", encoding="base64")
    rows.append(etree.ProcessingInstruction("awe", "rows"))


def _identifiers(schema: Schema, options: VOTableOptions) -> dict[str, str]:
    """Return the XML IDs of the columns that need one: those referred to, and those whose name could be none.

    Readers (astropy) make the ID of a column of its name, and warn where that name is no XML ID.
    """
    ids = dict(options.ids)
    taken = {*ids.values(), *schema.names, *_SYSTEM_IDS}
    for name in schema.names:
        if name in ids or _XML_ID.fullmatch(name):
            continue
        made = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        made = made if _XML_ID.fullmatch(made) else f"_{made}"
        while made in taken:
            made += "_"
        ids[name] = made
        taken.add(made)
    return ids


def _field(column: Column, options: VOTableOptions, systems: _Systems, identifier: str) -> etree._Element:
    datatype, arraysize, xtype = votable_type(column)
    field = _element(
        "FIELD",
        ID=identifier,
        name=column.name,
        datatype=datatype,
        arraysize=arraysize,
        unit=column.unit,
        ucd=options.ucds.get(column.name, column.ucd),
        utype=column.utype,
        xtype=xtype,
        ref=systems.reference(column),
    )
    if column.description:
        _child(field, "DESCRIPTION").text = _clean(column.description)
    item = column.type.value_type if is_list(column.type) else column.type
    if column.null is not None and pa.types.is_integer(item):
        _child(field, "VALUES", null=str(column.null))
    return field


def _cut(root: etree._Element) -> Frame:
    etree.indent(root)
    text = bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8")) + b"\n"
    before, mark, rest = text.partition(_ROWS)
    if not mark:
        before, rest = b"", text
    middle, _, tail = rest.partition(_TRAILER)
    return Frame(before, middle, tail)
