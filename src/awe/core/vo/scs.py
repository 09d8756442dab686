"""Simple Cone Search 1.03 (REC 2008-02-22): rows of one catalogue around a position.

The standard wants the UCDs of the first generation in its answers; `columns` gives a table's schema with
them, and leaves everything else as published.
"""

from dataclasses import replace

from awe.core.tables import Schema
from awe.core.vo import dali
from awe.core.vo._xml import NAMESPACES, document, node
from awe.core.vo.params import Param, Params, integer, real

__all__ = ["DEC", "PARAMS", "RA", "SR", "STANDARD_ID", "VERB", "columns", "error_document", "with_ucd1"]

STANDARD_ID = "ivo://ivoa.net/std/ConeSearch"

RA: Param[float] = Param(
    "RA", real(0.0, 360.0), "Right ascension of the centre, ICRS", "double", unit="deg",
    ucd="pos.eq.ra;meta.main", required=True, example="187.7059",
)  # fmt: skip
DEC: Param[float] = Param(
    "DEC", real(-90.0, 90.0), "Declination of the centre, ICRS", "double", unit="deg",
    ucd="pos.eq.dec;meta.main", required=True, example="12.3911",
)  # fmt: skip
SR: Param[float] = Param(
    "SR", real(0.0, 180.0), "Radius; 0 asks for the columns only", "double", unit="deg", ucd="phys.angSize",
    required=True, example="0.1",
)  # fmt: skip
VERB: Param[int] = Param(
    "VERB", integer(1, 3), "1: few columns, 2: the principal ones, 3: all", "int", values=("1", "2", "3"),
    example="2",
)  # fmt: skip
PARAMS = Params(RA, DEC, SR, VERB, dali.MAXREC, dali.RESPONSEFORMAT)


def columns(schema: Schema, verb: int, keys: tuple[str | None, ...]) -> tuple[str, ...]:
    """Return the names of the columns that a verbosity asks for (section 2.1).

    Parameters
    ----------
    schema
        All columns of the table.
    verb
        1, 2 or 3.
    keys
        The columns that every answer has: identifier and position.
    """
    wanted = {key for key in keys if key}
    principal = {column.name for column in schema if column.principal}
    if verb == 3 or (verb == 2 and not principal):
        return schema.names
    kept = wanted | principal if verb == 2 else wanted
    return tuple(name for name in schema.names if name in kept)


def with_ucd1(schema: Schema, *, identifier: str | None, ra: str, dec: str) -> Schema:
    """Return the schema with the three UCD1 of section 2.2: exactly one column has each."""
    main = {ra: "POS_EQ_RA_MAIN", dec: "POS_EQ_DEC_MAIN"}
    if identifier:
        main[identifier] = "ID_MAIN"
    return schema.with_columns(
        tuple(replace(column, ucd=main.get(column.name, column.ucd)) for column in schema)
    )


def error_document(message: str) -> bytes:
    """Return the VOTable that tells of an error (section 2.3), in words that newer clients read too."""
    error = {"ID": "Error", "name": "Error", "value": message}
    status = {"name": "QUERY_STATUS", "value": "ERROR"}
    return document(
        node(
            "vot:VOTABLE",
            {"version": "1.4"},
            node("vot:INFO", error),
            node("vot:RESOURCE", {"type": "results"}, node("vot:INFO", status, message)),
            prefixes={None: NAMESPACES["vot"]},
        )
    )
