"""Cone searches as queries: what does not depend on the position is prepared once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from awe.core.sky import Circle
from awe.core.sql import Around, Query, TableDef, compile_query, look_up_query, look_ups_query
from awe.core.tables import Column, Schema
from awe.errors import ParameterError, PositionError
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.model import TableRecord

__all__ = ["ConeSearches", "FloatArray", "cone_query", "cone_text", "cones_query"]

FloatArray = npt.NDArray[np.float64]

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class ConeSearch:
    """Cone searches in a table that select some columns.

    Attributes
    ----------
    record
        The table.
    columns
        What a query gives that selects them.
    names, table
        The table as the compiler knows it.
    text
        The query in ADQL, up to its circle.
    """

    record: TableRecord
    columns: Schema
    names: ReadableNames
    table: TableDef
    text: str

    @classmethod
    def of(cls, record: TableRecord, columns: Sequence[str] | None, verbosity: int) -> "ConeSearch":
        """Prepare cone searches; for the parameters see `CatalogService.cone`.

        Raises
        ------
        ParameterError
            If the table has no positions.
        UnknownNameError
            If a column is not there.
        """
        text = _opening(record, columns, verbosity)
        names = ReadableNames((record,))
        one = compile_query(f"{text}0, 0, 0))", names)
        return cls(record, one.columns, names, record.to_definition(), text)


class ConeSearches:
    """Prepared cone searches, as long as their tables are as they were."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[str, ...] | None, int], ConeSearch] = {}

    def of(self, record: TableRecord, columns: Sequence[str] | None, verbosity: int) -> ConeSearch:
        """Return cone searches in a table; parameters and errors as of `ConeSearch.of`."""
        key = (record.full_name, None if columns is None else tuple(columns), verbosity)
        known = self._known.get(key)
        if known is None or known.record is not record:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[key] = ConeSearch.of(record, columns, verbosity)
        return known


def cone_query(search: ConeSearch, ra: float, dec: float, radius_deg: float) -> Query:
    """Return one cone search; ICRS degrees.

    Raises
    ------
    PositionError
        If the position or radius is not on the sky.
    """
    circle = _circle(ra, dec, radius_deg)
    text = _closed(search.text, circle)
    return look_up_query(text, search.names, search.table, search.columns, circle)


def cones_query(search: ConeSearch, number: Column, places: FloatArray, radius_deg: float) -> Query:
    """Return cone searches around positions that are on the sky (ICRS degrees, shape ``(N, 2)``); see `look_ups_query`."""
    around = Around(places[:, 0] % 360, places[:, 1], radius_deg)
    return look_ups_query(search.table, search.columns, number, around)


def cone_text(
    record: TableRecord,
    columns: Sequence[str] | None,
    verbosity: int,
    ra: float,
    dec: float,
    radius_deg: float,
) -> str:
    """Return one cone search in ADQL, for what is no stored table; errors as of `ConeSearch.of` and `cone_query`."""
    return _closed(_opening(record, columns, verbosity), _circle(ra, dec, radius_deg))


def _opening(record: TableRecord, columns: Sequence[str] | None, verbosity: int) -> str:
    if record.ra is None or record.dec is None:
        raise ParameterError("table", record.full_name, "has no position columns")
    chosen = [record.columns[c].name for c in columns] if columns else _chosen(record, verbosity)
    selected = ", ".join(map(_delimited, chosen))
    place = ".".join(map(_delimited, (record.schema, record.name)))
    point = f"POINT({_delimited(record.ra)}, {_delimited(record.dec)})"
    return f"SELECT {selected} FROM {place} WHERE 1 = CONTAINS({point}, CIRCLE("


def _circle(ra: float, dec: float, radius_deg: float) -> Circle:
    if not (-360 <= ra <= 360 and -90 <= dec <= 90 and 0 <= radius_deg <= 180):
        raise PositionError(f"not a cone on the sky: ra={ra}, dec={dec}, radius={radius_deg} degrees")
    return Circle(ra % 360, dec, radius_deg)


def _closed(opening: str, circle: Circle) -> str:
    return f"{opening}{_number(circle.ra)}, {_number(circle.dec)}, {_number(circle.radius)}))"


def _chosen(record: TableRecord, verbosity: int) -> list[str]:
    """Return the columns of a cone search's verbosity."""
    needed = {record.id_column, record.ra, record.dec}
    principal = {column.name for column in record.columns if column.principal}
    if verbosity >= 3 or (verbosity == 2 and not principal):
        return list(record.columns.names)
    wanted = needed | principal if verbosity == 2 else needed
    return [name for name in record.columns.names if name in wanted]


def _delimited(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _number(value: float) -> str:
    """Return a number as ADQL writes it, exactly (section 2.1.1 of ADQL 2.1)."""
    return repr(float(value))
