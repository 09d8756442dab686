"""The cross-match of TAP+: ``SELECT crossmatch_positional('s','t','s','u',radius,'result') FROM dual``, as ADQL."""

import re
from dataclasses import dataclass

from awe.errors import ParameterError

__all__ = ["CrossMatch", "MatchedTable", "crossmatch_of"]

_CALL = re.compile(
    r"\s*SELECT\s+(?:TOP\s+\d+\s+)?crossmatch_positional\s*\("
    + r"\s*'([^']*)'\s*," * 4
    + r"\s*([^,\s]+)\s*,\s*'([^']*)'\s*\)"
    r"\s*(?:FROM\s+dual\s*)?;?\s*",
    re.IGNORECASE,
)
_RADII = (0.1, 10.0)
"""Of a cross-match, in seconds of arc."""
_ARCSEC = 3600.0


@dataclass(frozen=True, slots=True)
class MatchedTable:
    """A table that takes part: its position columns, in degrees, and the one that identifies a row."""

    schema: str
    name: str
    ra: str
    dec: str
    key: str


@dataclass(frozen=True, slots=True)
class CrossMatch:
    """What is to be matched.

    Attributes
    ----------
    one, other
        Full names of the tables.
    radius_arcsec
        How far the rows of a pair may be apart.
    result
        Name of the table of one's own that is made.
    """

    one: str
    other: str
    radius_arcsec: float
    result: str

    def to_adql(self, one: MatchedTable, other: MatchedTable) -> str:
        """Return the query whose rows are the result: for each pair what identifies its rows, and their distance.

        The columns are called as at the Gaia archive: a table and its column, ``gaia_source_source_id``, and
        ``separation``, in degrees.
        """
        names = [f"{table.name}_{table.key}" for table in (one, other)]
        if names[0].casefold() == names[1].casefold():
            names[1] += "_2"
        keys = ", ".join(
            f'{alias}."{table.key}" AS "{name}"'
            for alias, table, name in zip("ab", (one, other), names, strict=True)
        )
        places = ", ".join(
            f'{alias}."{table.ra}", {alias}."{table.dec}"' for alias, table in (("a", one), ("b", other))
        )
        return (
            f"SELECT {keys}, DISTANCE({places}) AS separation "
            f'FROM "{one.schema}"."{one.name}" AS a JOIN "{other.schema}"."{other.name}" AS b '
            f"ON DISTANCE({places}) < {self.radius_arcsec / _ARCSEC!r}"
        )


def crossmatch_of(text: str) -> CrossMatch | None:
    """Return the cross-match that a query asks for; None for every other query.

    Raises
    ------
    ParameterError
        If its radius is not one of those that are offered.
    """
    found = _CALL.fullmatch(text)
    if found is None:
        return None
    one_schema, one, other_schema, other, radius, result = found.groups()
    try:
        arcsec = float(radius)
    except ValueError:
        raise ParameterError("QUERY", radius, "the radius of a cross-match is a number") from None
    if not _RADII[0] <= arcsec <= _RADII[1]:
        reason = f"the radius of a cross-match is {_RADII[0]:g} to {_RADII[1]:g} seconds of arc"
        raise ParameterError("QUERY", radius, reason, hint="DISTANCE(...) < r in a query takes any")
    return CrossMatch(f"{one_schema}.{one}", f"{other_schema}.{other}", arcsec, result)
