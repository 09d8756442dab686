"""Cone searches as queries."""

from collections.abc import Sequence

from awe.errors import ParameterError, PositionError
from awe.services.catalogs.model import TableRecord

__all__ = ["cone_query"]


def cone_query(
    record: TableRecord,
    ra: float,
    dec: float,
    radius_deg: float,
    columns: Sequence[str] | None,
    verbosity: int,
) -> str:
    """Return the ADQL of a cone search; for its parameters see `CatalogService.cone`.

    Raises
    ------
    ParameterError
        If the table has no positions.
    PositionError
        If the position or radius is not on the sky.
    UnknownNameError
        If a column is not there.
    """
    if record.ra is None or record.dec is None:
        raise ParameterError("table", record.full_name, "has no position columns")
    if not (-360 <= ra <= 360 and -90 <= dec <= 90 and 0 <= radius_deg <= 180):
        raise PositionError(f"not a cone on the sky: ra={ra}, dec={dec}, radius={radius_deg} degrees")
    chosen = [record.columns[c].name for c in columns] if columns else _chosen(record, verbosity)
    selected = ", ".join(map(_delimited, chosen))
    place = ".".join(map(_delimited, (record.schema, record.name)))
    point = f"POINT({_delimited(record.ra)}, {_delimited(record.dec)})"
    circle = f"CIRCLE({_number(ra % 360)}, {_number(dec)}, {_number(radius_deg)})"
    return f"SELECT {selected} FROM {place} WHERE 1 = CONTAINS({point}, {circle})"


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
