"""The describe file: what an archive says of a table beyond what its files say.

TOML::

    [table]              title, description, utype, id_column, ra, dec, readers
    [schema]             title, description, utype
    [columns.NAME]       unit, ucd, utype, xtype, description, principal, indexed, std
    [[keys]]             target = "schema.table", columns = {OWN = "TARGET'S"}, description, utype
    [[views]]            name, sql, title, description   and   [views.columns.NAME] as [columns.NAME]
    [[functions]]        name, kind, sql, unit, description
                         and   [[functions.parameters]] name, kind, unit, description, default
                         and   [functions.columns.NAME] unit, ucd, description
    [metadata]           any name = "text": reference = "2011ApJS..197...33S", simulated = "..."
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from awe.core.sql import DIALECTS, ColumnNote, Parameter, ScalarFunction, TableFunction
from awe.core.sql.functions import spelled
from awe.core.suggestions import did_you_mean
from awe.core.tables import Column, Schema, unit_fault
from awe.errors import InputFileError
from awe.services.catalogs.model import SchemaRecord, TableKey

__all__ = ["Description", "read_description"]

_TEXTS: dict[str, type | tuple[type, ...]] = dict.fromkeys(("title", "description", "utype"), str)
_KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "table": {**_TEXTS, "id_column": str, "ra": str, "dec": str, "readers": list},
    "schema": _TEXTS,
    "column": {
        **dict.fromkeys(("unit", "ucd", "utype", "xtype", "description"), str),
        **dict.fromkeys(("principal", "indexed", "std"), bool),
    },
    "view": {"name": str, "sql": str, "title": str, "description": str, "columns": dict},
    "function": {
        **dict.fromkeys(("name", "kind", "sql", "unit", "description"), str),
        "parameters": list,
        "columns": dict,
    },
    "note": dict.fromkeys(("unit", "ucd", "description"), str),
    "key": {"target": str, "columns": dict, "description": str, "utype": str},
    "parameter": {
        **dict.fromkeys(("name", "kind", "unit", "description"), str),
        "default": (int, float),
    },
}
_SECTIONS: dict[str, type] = {
    "table": dict,
    "schema": dict,
    "columns": dict,
    "views": list,
    "functions": list,
    "keys": list,
    "metadata": dict,
}
# UCD1+ (IVOA "The UCD1+ controlled vocabulary" 1.6): words of atoms, an optional namespace.
_UCD = re.compile(r"(?:\w+:)?\w[\w-]*(?:\.\w[\w-]*)*(?:;(?:\w+:)?\w[\w-]*(?:\.\w[\w-]*)*)*")
_FUNCTION_KINDS, _PARAMETER_KINDS = ("table", "scalar"), ("number", "integer", "text")
_NAME = re.compile(r"[A-Za-z]\w{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Description:
    """What a describe file says; empty where it is silent."""

    file: Path | None = None
    table: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    views: tuple[Mapping[str, Any], ...] = ()
    functions: tuple[Mapping[str, Any], ...] = ()
    keys: tuple[TableKey, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def position_columns(self) -> tuple[str | None, str | None]:
        """Return the position columns named here, by ``[table]`` or by their UCDs."""
        by_ucd = {values.get("ucd", "").casefold(): name for name, values in self.columns.items()}
        ra = self.table.get("ra", by_ucd.get("pos.eq.ra;meta.main"))
        dec = self.table.get("dec", by_ucd.get("pos.eq.dec;meta.main"))
        return ra, dec

    def complete(self, schema: Schema) -> Schema:
        """Return the table's columns with what is said here of them.

        Raises
        ------
        InputFileError
            If a column is described that the table does not have.
        """
        columns = self._said(schema, self.columns, "columns")
        about = self.table.get("description", schema.description)
        return replace(
            schema, columns=columns, description=about, metadata={**schema.metadata, **self.metadata}
        )

    def view_columns(self, view: Mapping[str, Any], schema: Schema) -> Schema:
        """Return the columns of a described view; `InputFileError` as `complete`."""
        return replace(
            schema, columns=self._said(schema, view.get("columns", {}), f"views, {view['name']}: columns")
        )

    def _said(
        self, schema: Schema, described: Mapping[str, Mapping[str, Any]], where: str
    ) -> tuple[Column, ...]:
        said = {}
        for name, values in described.items():
            column = schema.find(name)
            if column is None:
                raise self._error(f"[{where}.{name}]", "there is no such column", name, schema.names)
            said[column.name] = values
        return tuple(replace(c, **said.get(c.name, {})) for c in schema)

    def schema_record(self, name: str) -> SchemaRecord:
        """Return the record of the schema."""
        return SchemaRecord(name, **self.schema)

    def described_functions(self, schema: str) -> tuple[TableFunction | ScalarFunction, ...]:
        """Return the parametrised views and values."""
        return tuple(_function(schema, said) for said in self.functions)

    def _error(self, where: str, reason: str, given: str, known: Sequence[str]) -> InputFileError:
        return InputFileError(self.file, reason, where=where, hint=_meant(given, known))


def _function(schema: str, said: Mapping[str, Any]) -> TableFunction | ScalarFunction:
    parameters = tuple(Parameter(**values) for values in said.get("parameters", ()))
    about = said.get("description", "")
    if said.get("kind") == "scalar":
        return ScalarFunction(schema, said["name"], parameters, said["sql"], about, said.get("unit", ""))
    notes = tuple(ColumnNote(name, **values) for name, values in said.get("columns", {}).items())
    return TableFunction(schema, said["name"], parameters, said["sql"], about, notes)


def read_description(path: Path | None) -> Description:
    """Read and check a describe file; None gives the empty description.

    Raises
    ------
    InputFileError
        If it cannot be read, is not TOML, or says something that has no meaning here.
    """
    if path is None:
        return Description()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(path, f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"not TOML: {error}") from None
    return _Reader(path).read(said)


class _Reader:
    """Check a describe file section by section."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, said: dict[str, Any]) -> Description:
        self._keys(said, _SECTIONS, "the file")
        table = self._keys(said.get("table", {}), _KEYS["table"], "[table]")
        columns = said.get("columns", {})
        for name, values in columns.items():
            self._column(values, f"[columns.{name}]")
        views = tuple(self._view(v, i) for i, v in enumerate(said.get("views", ()), 1))
        functions = tuple(self._function(f, i) for i, f in enumerate(said.get("functions", ()), 1))
        keys = tuple(self._key(k, i) for i, k in enumerate(said.get("keys", ()), 1))
        return Description(
            self._path,
            table,
            self._keys(said.get("schema", {}), _KEYS["schema"], "[schema]"),
            columns,
            views,
            functions,
            keys,
            self._metadata(said.get("metadata", {})),
        )

    def _column(self, values: Any, where: str, kind: str = "column") -> None:
        self._keys(values, _KEYS[kind], where)
        ucd = values.get("ucd", "")
        if ucd and not _UCD.fullmatch(ucd):
            raise InputFileError(
                self._path, f"{ucd!r} is not a UCD", where=f"{where} ucd", hint="pos.eq.ra;meta.main"
            )
        self._unit(values, where)

    def _unit(self, values: Mapping[str, Any], where: str) -> None:
        fault = unit_fault(values.get("unit", ""))
        if fault is not None:
            hint = f"perhaps {fault.meant}" if fault.meant else "as in mag, deg, km/s, 10**-3.Jy"
            reason = f"{values['unit']!r}: {fault.reason}"
            raise InputFileError(self._path, reason, where=f"{where} unit", hint=hint)

    def _view(self, values: Any, number: int) -> Mapping[str, Any]:
        where = f"[[views]] number {number}"
        self._defined(values, "view", where)
        for name, column in values.get("columns", {}).items():
            self._column(column, f"{where}, columns.{name}")
        return dict(values)

    def _function(self, values: Any, number: int) -> Mapping[str, Any]:
        where = f"[[functions]] number {number}"
        self._defined(values, "function", where)
        self._choice(values, _FUNCTION_KINDS, where)
        if values.get("kind") == "scalar":
            self._unit(values, where)
            self._free(values["name"], where)
            if "columns" in values:
                raise InputFileError(self._path, "a value has no columns", where=where)
        elif "unit" in values:
            hint = 'kind = "scalar" has a unit; the columns of a table have their own'
            raise InputFileError(self._path, "'unit' means nothing here", where=where, hint=hint)
        for name, note in values.get("columns", {}).items():
            self._column(note, f"{where}, columns.{name}", "note")
        for parameter in values.get("parameters", ()):
            self._keys(parameter, _KEYS["parameter"], f"{where}, parameters")
            self._identifier(parameter.get("name", ""), where)
            self._choice(parameter, _PARAMETER_KINDS, f"{where}, parameters")
            if parameter.get("kind") == "text" and "default" in parameter:
                raise InputFileError(self._path, "a text has no default", where=f"{where}, parameters")
        return dict(values)

    def _defined(self, values: Any, kind: str, where: str) -> None:
        """Check the keys of what has a name and SQL."""
        self._keys(values, _KEYS[kind], where)
        for key in ("name", "sql"):
            if key not in values:
                raise InputFileError(self._path, f"{key} is missing", where=where)
        self._identifier(values["name"], where)

    def _identifier(self, name: str, where: str) -> None:
        if not _NAME.fullmatch(name):
            raise InputFileError(self._path, f"{name!r} is not an identifier", where=where)

    def _choice(self, values: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        kind = values.get("kind", known[0])
        if kind not in known:
            reason = f"{kind!r} is not one of {', '.join(known)}"
            raise InputFileError(self._path, reason, where=f"{where} kind")

    def _free(self, name: str, where: str) -> None:
        """Refuse a value's name that has a meaning in SQL already."""
        taken = [dialect for dialect in DIALECTS if spelled(dialect, name)]
        if taken:
            reason = f"{name} is a function of {', '.join(taken)} already"
            raise InputFileError(self._path, reason, where=where, hint="give it another name")

    def _key(self, values: Any, number: int) -> TableKey:
        where = f"[[keys]] number {number}"
        self._keys(values, _KEYS["key"], where)
        columns = values.get("columns", {})
        if "target" not in values or not columns or not all(isinstance(c, str) for c in columns.values()):
            hint = 'target = "schema.table", columns = {own = "column of the target"}'
            raise InputFileError(self._path, "a target and columns are expected", where=where, hint=hint)
        return TableKey(
            values["target"],
            tuple(columns.items()),
            values.get("description", ""),
            values.get("utype", ""),
        )

    def _metadata(self, values: dict[str, Any]) -> dict[str, str]:
        for key, value in values.items():
            if isinstance(value, dict | list):
                raise InputFileError(self._path, "a text or number is expected", where=f"[metadata] {key}")
        return {key: str(value) for key, value in values.items()}

    def _keys(self, values: Any, known: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Refuse keys that mean nothing here and values of another type."""
        if not isinstance(values, dict):
            raise InputFileError(self._path, "a section of keys is expected", where=where)
        for key, value in values.items():
            if key not in known:
                hint = _meant(key, tuple(known))
                raise InputFileError(self._path, f"{key!r} means nothing here", where=where, hint=hint)
            if not isinstance(value, known[key]):
                raise InputFileError(self._path, f"{value!r} is not what is expected", where=f"{where} {key}")
        return values


def _meant(given: str, known: Sequence[str]) -> str:
    return did_you_mean(given, known, most=1) or f"there are {', '.join(known)}"
