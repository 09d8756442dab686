"""A cross-match as SQL: PostgreSQL's words with q3c, since these know the nearest rows of each row.

Words: of two *sides*, a left and a right one, each is a table with the columns of its positions; it may *move*, from its
own epoch to that of the other one; its positions have *errors*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from awe.errors import ParameterError

__all__ = ["NORMALISED", "SEPARATION", "Criteria", "Find", "Side", "crossmatch_sql"]

Find = Literal["all", "nearest", "mutual"] | int
"""All pairs, the nearest partner of each row, those that are each other's nearest, or so many nearest of each row."""

SEPARATION, NORMALISED = "separation", "normalised"
"""The columns that a cross-match has besides those of its tables."""

_MAS_PER_RADIAN = 180 * 3_600_000 / 3.141592653589793


@dataclass(frozen=True, slots=True)
class Side:
    """A table of a cross-match.

    Attributes
    ----------
    name
        As SQL calls it.
    columns
        All that it has.
    ra, dec
        Those that are the position.
    motion
        Those of the proper motion (mas/yr, that in right ascension times the cosine of the declination), where it moves.
    years
        For how long it moves: an expression.
    error
        Of its positions, in degrees: an expression; empty where nothing is known of it.
    """

    name: str
    columns: tuple[str, ...]
    ra: str
    dec: str
    motion: tuple[str, str] | None = None
    years: str = ""
    error: str = ""

    def source(self, alias: str) -> str:
        """Return what stands in FROM."""
        if self.motion is None:
            return f"{self.name} AS {alias}"
        ra, dec = _moved(self, "t")
        return f"(SELECT t.*, {ra} AS _ra_then, {dec} AS _dec_then FROM {self.name} AS t) AS {alias}"

    def place(self, alias: str) -> str:
        """Return the position."""
        if self.motion is None:
            return f"{alias}.{quoted(self.ra)}, {alias}.{quoted(self.dec)}"
        return f"{alias}._ra_then, {alias}._dec_then"


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which pairs are wanted.

    Attributes
    ----------
    radius_deg
        How far apart they are at the most.
    sigmas
        How far in units of both errors of position together, where the sides have errors.
    magnitudes
        Columns of the left and the right side that differ by no more than a number.
    """

    radius_deg: float
    sigmas: float = 3.0
    magnitudes: tuple[str, str, float] | None = None


def crossmatch_sql(
    left: Side, right: Side, criteria: Criteria, find: Find, *, keep: bool, wanted: Sequence[str] | None
) -> str:
    """Return the query.

    Raises
    ------
    ParameterError
        If `find` is nothing that can be found, or does not go with `keep`.
    """
    error = _error(left, right)
    known = _Names(left.columns)
    separation, normalised = known.free(SEPARATION), known.free(NORMALISED) if error else ""
    chosen = {name: known.free(name) for name in dict.fromkeys(right.columns if wanted is None else wanted)}
    places = f"{left.place('a')}, {right.place('b')}"
    apart = f"q3c_dist({places})"
    measured = {separation: f"{apart} * 3600"} | ({normalised: f"{apart} / {error}"} if error else {})
    asked = " AND ".join(_asked(places, apart, error, criteria))
    lefts = [f"a.{quoted(name)}" for name in left.columns]
    rights = {f"b.{quoted(name)}": new for name, new in chosen.items()} | {
        value: name for name, value in measured.items()
    }
    given = [*chosen.values(), *measured]
    if find == "all":
        how = "LEFT JOIN" if keep else "JOIN"
        return f"SELECT {_list(lefts, rights)} FROM {left.source('a')} {how} {right.source('b')} ON {asked}"
    if find == "mutual":
        if keep:
            raise ParameterError(
                "keep", keep, 'goes with find="nearest", "all" or a number, not with "mutual"'
            )
        ranks = {
            f"ROW_NUMBER() OVER (PARTITION BY {side} ORDER BY {apart})": name
            for side, name in ((left.place("a"), "_of_left"), (right.place("b"), "_of_right"))
        }
        pairs = f"SELECT {_list(lefts, rights | ranks)} FROM {left.source('a')} JOIN {right.source('b')} ON {asked}"
        names = ", ".join(f"p.{quoted(name)}" for name in (*left.columns, *given))
        return f"SELECT {names} FROM ({pairs}) AS p WHERE p._of_left = 1 AND p._of_right = 1"
    count = 1 if find == "nearest" else find
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ParameterError("find", find, 'is "all", "nearest", "mutual" or a number of nearest rows')
    nearest = (
        f"SELECT {_list([], rights)} FROM {right.source('b')} WHERE {asked} ORDER BY {apart} LIMIT {count}"
    )
    outer = ", ".join([*lefts, *(f"n.{quoted(name)}" for name in given)])
    how = "LEFT JOIN LATERAL" if keep else "JOIN LATERAL"
    return f"SELECT {outer} FROM {left.source('a')} {how} ({nearest}) AS n ON TRUE"


class _Names:
    """Names of columns that are given already."""

    def __init__(self, taken: Sequence[str]) -> None:
        self._taken = {name.casefold() for name in taken}

    def free(self, name: str) -> str:
        """Return a name, with a number where it is given already (ignoring case), and give it."""
        found, number = name, 1
        while found.casefold() in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found.casefold())
        return found


def _asked(places: str, apart: str, error: str, criteria: Criteria) -> list[str]:
    """Return what makes a pair."""
    asked = [f"q3c_join({places}, {criteria.radius_deg!r})"]
    if error:
        asked.append(f"{apart} <= {criteria.sigmas!r} * {error}")
    if criteria.magnitudes is not None:
        one, other, most = criteria.magnitudes
        asked.append(f"ABS(a.{quoted(one)} - b.{quoted(other)}) <= {most!r}")
    return asked


def _error(left: Side, right: Side) -> str:
    """Return the error of a separation, in degrees; empty where nothing is known of it."""
    known = [side.error.format(alias) for side, alias in ((left, "a"), (right, "b")) if side.error]
    return f"SQRT({' + '.join(f'POWER({one}, 2)' for one in known)})" if known else ""


def _list(plain: Sequence[str], named: Mapping[str, str]) -> str:
    return ", ".join([*plain, *(f"{value} AS {quoted(name)}" for value, name in named.items())])


def _moved(side: Side, alias: str) -> tuple[str, str]:
    """Return where a position is after some years of straight motion: the tangent added to its unit vector."""
    a, d = (f"RADIANS({alias}.{quoted(name)})" for name in (side.ra, side.dec))
    east, north = (
        f"({_known(f'{alias}.{quoted(name)}')} * ({side.years}) / {_MAS_PER_RADIAN!r})"
        for name in side.motion or ()
    )
    x = f"(COS({d}) * COS({a}) - {east} * SIN({a}) - {north} * SIN({d}) * COS({a}))"
    y = f"(COS({d}) * SIN({a}) + {east} * COS({a}) - {north} * SIN({d}) * SIN({a}))"
    z = f"(SIN({d}) + {north} * COS({d}))"
    return f"DEGREES(ATAN2({y}, {x}))", f"DEGREES(ATAN2({z}, SQRT({x} * {x} + {y} * {y})))"


def _known(value: str) -> str:
    """Return a value, 0 where it is NULL or NaN, which is larger than all numbers."""
    return f"CASE WHEN {value} < 1e30 THEN {value} ELSE 0 END"


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
