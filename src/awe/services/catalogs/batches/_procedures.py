"""Procedures that EXEC calls: a closed table, as that of functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from awe.core.sql.batches import Call, TableName, read_table_name
from awe.core.suggestions import did_you_mean
from awe.errors import NotOfferedError
from awe.services.catalogs.model import TableRecord

__all__ = ["PROCEDURES", "Procedure", "procedure_query"]

Find = Callable[[TableName], TableRecord | None]


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure.

    Attributes
    ----------
    name
        As it is called, ignoring case.
    parameters
        In order; those without a default (None) must be given.
    query
        Makes the query, in PostgreSQL with Q3C, of the arguments.
    doc
        What it does.
    """

    name: str
    parameters: Mapping[str, object]
    query: Callable[[Call, Mapping[str, object], Find], str]
    doc: str


def procedure_query(call: Call, positional: Sequence[object], named: Mapping[str, object], find: Find) -> str:
    """Return the query, in PostgreSQL with Q3C, that a call stands for.

    Raises
    ------
    NotOfferedError, QueryError, UnknownNameError
        For a procedure, an argument or a table that there is not.
    """
    found = PROCEDURES.get(call.procedure.casefold())
    if found is None:
        known = [procedure.name for procedure in PROCEDURES.values()]
        hint = did_you_mean(call.procedure, known) or f"there are {', '.join(known)} and sp_rename"
        raise call.place.error(f"there is no procedure {call.procedure}", hint, NotOfferedError)
    names = list(found.parameters)
    unknown = [name for name in named if name not in names]
    if unknown or len(positional) > len(names):
        hint = ", ".join(f"@{name}" for name in names)
        what = f"has no parameter @{unknown[0]}" if unknown else f"takes {len(names)} arguments"
        raise call.place.error(f"{found.name} {what}", hint)
    given = dict(found.parameters) | dict(zip(names, positional, strict=False)) | dict(named)
    missing = [name for name, value in given.items() if value is None]
    if missing:
        raise call.place.error(f"{found.name} needs @{missing[0]}", f"EXEC {found.name} @{missing[0]} = ...")
    return found.query(call, given, find)


def _sqlxmatch(call: Call, given: Mapping[str, object], find: Find) -> str:
    one, other = (_side(call, given, find, number) for number in ("1", "2"))
    radius = _number(call, given, "radius")
    dist = f"q3c_dist({one.position('a')}, {other.position('b')})"
    near = f"q3c_join({one.position('a')}, {other.position('b')}, {radius!r} / 3600.0)"
    columns = [f"a.{one.id} AS id1", f"b.{other.id} AS id2", f"{dist} * 3600 AS sep"]
    ranked = _flag(given, "include_sep_rank")
    nearest = _flag(given, "only_nearest")
    shown = ["id1", "id2", "sep"]
    columns.append(f"row_number() OVER (PARTITION BY a.{one.id} ORDER BY {dist}) AS sep_rank")
    shown += ["sep_rank"] if ranked else []
    if _flag(given, "include_radec"):
        columns += [
            f"a.{one.ra} AS ra1",
            f"a.{one.dec} AS dec1",
            f"b.{other.ra} AS ra2",
            f"b.{other.dec} AS dec2",
        ]
        shown += ["ra1", "dec1", "ra2", "dec2"]
    inner = f"SELECT {', '.join(columns)} FROM {one.table} a, {other.table} b WHERE {near}"
    text = f"SELECT {', '.join(shown)} FROM ({inner}) q"
    text += " WHERE sep_rank = 1" if nearest else ""
    return text + (" ORDER BY id1, sep" if _flag(given, "sort_by_separation") else "")


@dataclass(frozen=True, slots=True)
class _Side:
    table: str
    id: str
    ra: str
    dec: str

    def position(self, alias: str) -> str:
        return f"{alias}.{self.ra}, {alias}.{self.dec}"


def _side(call: Call, given: Mapping[str, object], find: Find, number: str) -> _Side:
    name = str(given[f"table{number}"])
    record = find(read_table_name(name, call.place))
    if record is None:
        raise call.place.unknown(f"there is no table {name}, or none that you may see")
    id_ = _column(
        call,
        record,
        given[f"id_col{number}"],
        (record.id_column, "objid", "id", "source_id"),
        record.columns.names[0],
    )
    ra = _column(call, record, given[f"ra_col{number}"], (record.ra, "ra"), None)
    dec = _column(call, record, given[f"dec_col{number}"], (record.dec, "dec"), None)
    return _Side(f"{_quoted(record.schema)}.{_quoted(record.name)}", id_, ra, dec)


def _column(
    call: Call, record: TableRecord, told: object, usual: Sequence[str | None], default: str | None
) -> str:
    names = [str(told)] if told else [name for name in usual if name]
    found = next((column for name in names if (column := record.columns.find(name)) is not None), None)
    if found is not None:
        return _quoted(found.name)
    if told or default is None:
        hint = did_you_mean(names[0] if names else "ra", record.columns.names)
        raise call.place.unknown(f"no column {' or '.join(names)} in {record.name}", hint)
    return _quoted(default)


def _number(call: Call, given: Mapping[str, object], name: str) -> float:
    try:
        return float(str(given[name]))
    except ValueError:
        raise call.place.error(f"@{name} of {call.procedure} is a number") from None


def _flag(given: Mapping[str, object], name: str) -> bool:
    return str(given[name]).casefold() in {"1", "true"}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


PROCEDURES: Mapping[str, Procedure] = {
    "sqlxmatch": Procedure(
        "SQLxMatch",
        {
            "table1": None, "table2": None, "radius": 10.0, "id_col1": "", "id_col2": "", "ra_col1": "",
            "dec_col1": "", "ra_col2": "", "dec_col2": "", "only_nearest": 0, "sort_by_separation": 0,
            "include_sep_rank": 0, "include_radec": 0, "print_messages": 0,
        },
        _sqlxmatch,
        "Pairs of rows of two tables within a radius (arcsec): id1, id2, sep (arcsec)[, sep_rank][, ra1, dec1, ra2, dec2].",
    )
}  # fmt: skip
