"""The pairs of a sky join as Spark SQL: an equality join on HEALPix cells, and the separation decides.

Words: the *lister* is listed in every cell within its reach, the *stander* stands in one: its own. Rows that stand alone, or are
told from others by what is nearest, have numbers; a *placeholder* is a row without a pair, which goes where it has one.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from awe.core.sky import MAX_ORDER, finest_order
from awe.core.sql import DEC, INDEX, RA, RADIUS, REACH_LEVELS, ROW, SEPARATION, SkyMatch
from awe.core.sql.lower.spark import called, number, quoted
from awe.errors import NotOfferedError

__all__ = ["OWN", "SparkSide", "pairs_sql"]

OWN = frozenset({RA, DEC, INDEX, RADIUS})
"""The columns of a side that its pairs do not have."""
_CELL, _RANK = "cell", "rank"
_UNSTABLE = re.compile(r"\b(?:GROUP BY|DISTINCT|LIMIT|JOIN|UNION|EXCEPT|INTERSECT|OVER)\b")


@dataclass(frozen=True, slots=True)
class SparkSide:
    """A side: its query, its columns, and what it is called here (``h`` or ``o``)."""

    sql: str
    columns: tuple[str, ...]
    key: str

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that the pairs have."""
        return tuple(name for name in self.columns if name not in OWN)

    @property
    def number(self) -> str:
        """The column of the rows' numbers."""
        return f"{self.key} number"

    def column(self, name: str) -> str:
        """Return a column in a query that joins both sides."""
        return f"{self.key}.{quoted(name)}"


def pairs_sql(match: SkyMatch, held: SparkSide, other: SparkSide, asked: Callable[[str], str] | None) -> str:
    """Return the query of a match.

    Parameters
    ----------
    held, other
        Its sides.
    asked
        From a relation of pairs, whose column `ROW` holds all their columns, to the query of `ROW` of those that the
        match lets through; None where it asks for nothing else.

    Raises
    ------
    NotOfferedError
        Where rows would have to be counted twice in the same order, and may not be.
    """
    return _Pairs(match, held, other, asked).sql()


class _Pairs:
    def __init__(
        self, match: SkyMatch, held: SparkSide, other: SparkSide, asked: Callable[[str], str] | None
    ) -> None:
        self._match, self._held, self._other, self._asked = match, held, other, asked
        self._lister = other if RADIUS in other.columns else held
        self._columns = [*held.names, *other.names]

    def sql(self) -> str:
        match = self._match
        if match.exists is not None:
            columns = ", ".join(map(quoted, self._held.names))
            wanted = f"{quoted(SEPARATION)} IS {'NOT ' if match.exists else ''}NULL AND {quoted(_RANK)} = 1"
            rows = self._ranked(self._held, alone=not match.exists)
            return (
                f"SELECT {columns}, CAST(NULL AS DOUBLE) AS {quoted(SEPARATION)} FROM ({rows}) WHERE {wanted}"
            )
        if not (match.outer or match.full or match.nearest is not None):
            return self._pairs(None, alone=False)
        columns = ", ".join(map(quoted, [*self._columns, SEPARATION]))
        near = f"{quoted(SEPARATION)} IS NOT NULL"
        if match.nearest is not None:
            near += f" AND {quoted(_RANK)} <= {match.nearest}"
        alone = f" OR ({quoted(SEPARATION)} IS NULL AND {quoted(_RANK)} = 1)" if match.outer else ""
        rows = self._ranked(self._held, alone=match.outer)
        found = f"SELECT {columns} FROM ({rows}) WHERE ({near}){alone}"
        if match.full:
            rest = self._ranked(self._other, alone=True)
            lonely = f"{quoted(SEPARATION)} IS NULL AND {quoted(_RANK)} = 1"
            found = f"({found}) UNION ALL (SELECT {columns} FROM ({rest}) WHERE {lonely})"
        return found

    def _ranked(self, side: SparkSide, *, alone: bool) -> str:
        """Return the pairs, numbered for each row of a side from the nearest one; of a row without a pair, itself."""
        order = f"PARTITION BY {quoted(side.number)} ORDER BY {quoted(SEPARATION)} ASC NULLS LAST"
        return f"SELECT *, row_number() OVER ({order}) AS {quoted(_RANK)} FROM ({self._pairs(side, alone=alone)})"

    def _pairs(self, numbered: SparkSide | None, *, alone: bool) -> str:
        """Return the pairs, with the numbers of one side's rows, and its rows without a pair."""
        sides = (self._held, self._other)
        numbers = [] if numbered is None else [numbered.number]
        columns = [side.column(name) for side in sides for name in side.names]
        away = called("SKY_SEPARATION", *(s.column(name) for s in sides for name in (RA, DEC)))
        columns += [f"{away} AS {quoted(SEPARATION)}"]
        columns += [] if numbered is None else [numbered.column(numbered.number)]
        kept = numbered if alone and self._asked is None else None
        first = numbered or self._held
        second = self._other if first is self._held else self._held
        on = f"h.{quoted(_CELL)} = o.{quoted(_CELL)} AND {self._near()}"
        join = "JOIN" if kept is None else "LEFT JOIN"
        found = (
            f"SELECT {', '.join(columns)} FROM {self._source(first, numbered, kept)} {join}"
            f" {self._source(second, numbered, kept)} ON {on}"
        )
        if self._asked is None:
            return found
        names = [*self._columns, SEPARATION, *numbers]
        let = self._asked(f"(SELECT *, struct(*) AS {quoted(ROW)} FROM ({found}))")
        found = f"SELECT {', '.join(f'{quoted(ROW)}.{quoted(n)}' for n in names)} FROM ({let})"
        if numbered is not None and alone:
            found = f"({found}) UNION ALL ({self._placeholders(numbered)})"
        return found

    def _placeholders(self, side: SparkSide) -> str:
        if _UNSTABLE.search(side.sql):
            raise NotOfferedError(
                "the cluster cannot tell the rows of this join apart",
                hint="make a table of the subquery first, and join that",
            )
        columns = [
            quoted(name) if name in side.names else f"NULL AS {quoted(name)}"
            for name in [*self._columns, SEPARATION]
        ]
        return f"SELECT {', '.join(columns)}, {quoted(side.number)} FROM {_numbered(side)}"

    def _source(self, side: SparkSide, numbered: SparkSide | None, kept: SparkSide | None) -> str:
        rows = _numbered(side) if side is numbered else f"({side.sql})"
        return (
            f"(SELECT *, {self._cell(side, keep=side is kept)} AS {quoted(_CELL)} FROM {rows}) AS {side.key}"
        )

    def _cell(self, side: SparkSide, *, keep: bool) -> str:
        """Return the cells of a side's rows; a row that is kept and has none has NULL."""
        explode = "explode_outer" if keep else "explode"
        radius = self._match.radius_deg
        if side is self._lister:
            place = f"{quoted(RA)}, {quoted(DEC)}"
            if radius is not None:
                return f"{explode}(awe_cells_in_reach({place}, {number(radius)}))"
            return f"{explode}(awe_keys_in_reach({place}, CAST({quoted(RADIUS)} AS DOUBLE)))"
        index = (
            quoted(INDEX)
            if INDEX in side.columns
            else called("HEALPIX_CELL", str(MAX_ORDER), quoted(RA), quoted(DEC))
        )
        if radius is not None:
            return f"shiftright({index}, {2 * (MAX_ORDER - finest_order(radius))})"
        keys = (f"shiftright({index}, {2 * (MAX_ORDER - k)}) + {k << 53}L" for k in REACH_LEVELS)
        return f"{explode}(array({', '.join(keys)}))"

    def _near(self) -> str:
        radius = self._match.radius_deg
        if radius is None:
            limit = called("SKY_LIMIT", self._lister.column(RADIUS))
        else:
            limit = number(2.0 if radius >= 180 else math.sin(math.radians(radius) / 2) ** 2)
        away = called("SKY_HAVERSINE", *(s.column(n) for s in (self._held, self._other) for n in (RA, DEC)))
        return f"{away} {'<' if self._match.strict else '<='} {limit}"


def _numbered(side: SparkSide) -> str:
    return f"(SELECT *, monotonically_increasing_id() AS {quoted(side.number)} FROM ({side.sql}))"
