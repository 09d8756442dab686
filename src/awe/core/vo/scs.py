"""Simple Cone Search 1.03 (REC 2008-02-22): rows of one catalogue around a position.

The standard wants the UCDs of the first generation for identifier and position; `ucds` says which column
gets which.
"""

from collections.abc import Iterable

from awe.core.vo import dali
from awe.core.vo._xml import NAMESPACES, Element, document, node
from awe.core.vo.params import Param, Params, integer, real

__all__ = ["DEC", "PARAMS", "RA", "SR", "STANDARD_ID", "VERB", "details", "error_document", "ucds"]

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


def ucds(*, identifier: str | None, ra: str, dec: str) -> dict[str, str]:
    """Return the UCD1 of section 2.2 by column: exactly one column has each."""
    main = {ra: "POS_EQ_RA_MAIN", dec: "POS_EQ_DEC_MAIN"}
    return main | {identifier: "ID_MAIN"} if identifier else main


def details(*, max_rows: int, test: tuple[float, float] | None) -> list[Element]:
    """Return the elements of a ``cs:ConeSearch`` capability (SimpleDALRegExt 1.2 section 3.1).

    Parameters
    ----------
    max_rows
        Rows of an answer at the most.
    test
        ICRS degrees of a place where there is something.
    """
    made = [
        node("maxSR", None, "180"),
        node("maxRecords", None, str(max_rows)),
        node("verbosity", None, "true"),
    ]
    if test is not None:
        ra, dec = test
        query = (node("ra", None, repr(ra)), node("dec", None, repr(dec)), node("sr", None, "0.01"))
        made.append(node("testQuery", None, *query))
    return made


def error_document(message: str, infos: Iterable[tuple[str, str, str]] = ()) -> bytes:
    """Return the VOTable that tells of an error (section 2.3), in words that newer clients read too."""
    error = {"ID": "Error", "name": "Error", "value": message}
    status = {"name": "QUERY_STATUS", "value": "ERROR"}
    return document(
        node(
            "vot:VOTABLE",
            {"version": "1.4"},
            node("vot:INFO", error),
            *(node("vot:INFO", {"name": name, "value": value}, text) for name, value, text in infos),
            node("vot:RESOURCE", {"type": "results"}, node("vot:INFO", status, message)),
            prefixes={None: NAMESPACES["vot"]},
        )
    )
