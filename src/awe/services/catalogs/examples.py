"""A query to begin with, for each published table."""

from awe.services.catalogs.model import TableRecord
from awe.services.catalogs.tap_schema import as_written

__all__ = ["example_query"]


def example_query(record: TableRecord) -> str:
    """Return ADQL that reads ten rows of a table, around a position where it has positions."""
    if record.ra is None or record.dec is None:
        return f"SELECT TOP 10 * FROM {record.full_name}"
    # ADQL 2.0 needs the frame, 2.1 allows it: the queries run at every service and pass every parser
    point = f"POINT('ICRS', {as_written(record.ra)}, {as_written(record.dec)})"
    return (
        f"SELECT TOP 10 * FROM {record.full_name} "
        f"WHERE 1 = CONTAINS({point}, CIRCLE('ICRS', 187.7059, 12.3911, 1))"
    )
