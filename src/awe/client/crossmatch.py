"""Cross-matches: which rows of two tables are near each other on the sky, found next to the data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

from astropy import units
from astropy.table import Table

from awe.client._matching import Criteria, Find, Side, crossmatch_sql, quoted
from awe.client._uploads import TableLike, schema_of
from awe.client._values import AngleLike, degrees
from awe.client.catalogs import CatalogsClient
from awe.client.jobs import Job, JobsClient
from awe.errors import ParameterError

__all__ = ["CrossmatchClient", "Find", "Matching"]

_UPLOAD = "mine"
_NUMERIC = frozenset("+-.0123456789")
_KINDS = {"ra": "pos.eq.ra", "dec": "pos.eq.dec"}
_NAMES = {
    "ra": ("ra", "raj2000", "ra_icrs", "_ra", "alpha", "s_ra"),
    "dec": ("dec", "dej2000", "decj2000", "de_icrs", "dec_icrs", "_dec", "delta", "s_dec"),
}


class Matching(TypedDict, total=False):
    """What a cross-match may be told besides its tables and its radius; `Client.crossmatch` describes each."""

    find: Find
    keep: bool
    position: tuple[str, str] | None
    right_position: tuple[str, str] | None
    columns: Sequence[str] | None
    motion: tuple[str, str] | None
    right_motion: tuple[str, str] | None
    epoch: float | str | None
    right_epoch: float | str | None
    error: AngleLike | None
    right_error: AngleLike | None
    sigmas: float
    magnitudes: tuple[str, str, float] | None


class CrossmatchClient(CatalogsClient, JobsClient):
    """Matching tables by position."""

    def crossmatch(
        self,
        left: TableLike,
        right: str,
        radius: AngleLike = "1 arcsec",
        *,
        max_rows: int | None = None,
        save: str | Path | None = None,
        format: str | None = None,  # noqa: A002  # the word astronomers know from Table.write
        **how: Unpack[Matching],
    ) -> Table | Path:
        """Return the rows of `left` with the rows of `right` that are near them.

        Parameters
        ----------
        left
            A table of the archive, ``"schema.name"``, or a table of yours as for `query`: an astropy Table, a pandas
            DataFrame, an Arrow table, or a `Path`.
        right
            A table of the archive.
        radius
            How far apart the rows of a pair may be: a Quantity, a text ("2 arcsec") or degrees.
        max_rows, save, format
            As for `query`.
        find
            ``"nearest"``, as without it: the nearest row of `right` for each row of `left`; a number: so many, the
            nearest ones; ``"all"``: all pairs; ``"mutual"``: the pairs whose rows are each other's nearest.
        keep
            Keep the rows of `left` that nothing is near, with masked values; not with ``"mutual"``.
        position, right_position
            The columns of right ascension and declination (ICRS, degrees); those that say so by their UCDs or names
            when None.
        columns
            Of `right`; all when None.
        motion, right_motion
            The columns of the proper motions, in mas/yr, that in right ascension times the cosine of the declination.
            The rows of `left` are then moved to the epoch of `right`; those of `right` to that of `left` where only they
            have motions, which takes longer: the index of `right` is that of where they were.
        epoch, right_epoch
            Of the positions, in Julian years; of the side that moves a number, or the column that says it.
        error, right_error
            How exact the positions are (one sigma): the name of a column, in its unit or else arcseconds, or one
            angle for all rows. Pairs are then no further apart than so many `sigmas` of both together.
        sigmas
            See `error`; 3 without it.
        magnitudes
            A column of `left`, one of `right`, and by how much they may differ: ``("g", "phot_g_mean_mag", 0.5)``.

        Returns
        -------
        Table or Path
            All columns of `left`, then those of `right`, and ``separation`` in arcseconds (each with ``_2`` behind a name
            that is there already); where there are errors, ``normalised``, the separation in units of them.

        Raises
        ------
        ParameterError
            If it is not clear where the rows of a table are, or when, `find` is none of these, or a number is not finite.
        NotFoundError
            If there is no such table or column.
        """
        sql, uploads = self._match(left, right, radius, **how)
        return self.query(sql, lang="postgres", max_rows=max_rows, save=save, format=format, uploads=uploads)

    def submit_crossmatch(
        self,
        left: TableLike,
        right: str,
        radius: AngleLike = "1 arcsec",
        *,
        max_rows: int | None = None,
        into: str | None = None,
        replace: bool = False,
        format: str | None = None,  # noqa: A002  # the word astronomers know from Table.write
        name: str = "",
        **how: Unpack[Matching],
    ) -> Job:
        """Put a cross-match into the archive's queue: for large tables, or to make its rows a table of yours.

        It tells how many parts of the sky it has been through (`Job.progress`).

        Parameters
        ----------
        left, right, radius
            As for `crossmatch`, and so is what else it may be told: `find`, `keep`, `columns` ...
        max_rows, into, replace, format, name
            As for `submit`.

        Raises
        ------
        ParameterError, NotFoundError
            As `crossmatch`.
        RateLimitError, UnavailableError
            If the queue is full.
        """
        sql, uploads = self._match(left, right, radius, **how)
        return self.submit(
            sql, lang="postgres", max_rows=max_rows, into=into, replace=replace, format=format, name=name,
            uploads=uploads,
        )  # fmt: skip

    def _match(
        self,
        left: TableLike,
        right: str,
        radius: AngleLike,
        *,
        find: Find = "nearest",
        keep: bool = False,
        position: tuple[str, str] | None = None,
        right_position: tuple[str, str] | None = None,
        columns: Sequence[str] | None = None,
        motion: tuple[str, str] | None = None,
        right_motion: tuple[str, str] | None = None,
        epoch: float | str | None = None,
        right_epoch: float | str | None = None,
        error: AngleLike | None = None,
        right_error: AngleLike | None = None,
        sigmas: float = 3.0,
        magnitudes: tuple[str, str, float] | None = None,
    ) -> tuple[str, Mapping[str, TableLike]]:
        """Return the query, and the table that it brings along."""
        uploads: Mapping[str, TableLike] = {}
        if isinstance(left, str):
            one = self._columns(left)
        else:
            uploads = {_UPLOAD: left}
            known = {column.name: (column.ucd, column.unit) for column in schema_of(_UPLOAD, left)}
            one = _Columns(f"TAP_UPLOAD.{_UPLOAD}", known)
        other = self._columns(right)
        sides = (
            one.side(position, _Precision("error", error)),
            other.side(right_position, _Precision("right_error", right_error)),
        )
        moving = _moving((one, other), sides, ((motion, epoch), (right_motion, right_epoch)))
        _finite("sigmas", sigmas)
        if magnitudes is not None:
            one.check("magnitudes", magnitudes[0])
            other.check("magnitudes", magnitudes[1])
            _finite("magnitudes", magnitudes[2])
        for name in columns or ():
            other.check("columns", name)
        criteria = Criteria(degrees(radius), sigmas, magnitudes)
        return crossmatch_sql(*moving, criteria, find, keep=keep, wanted=columns), uploads

    def _columns(self, table: str) -> "_Columns":
        found = self.columns(table)
        parts = zip(*(found[part].tolist() for part in ("name", "ucd", "unit")), strict=True)
        return _Columns(table, {name: (ucd, unit) for name, ucd, unit in parts})


@dataclass(frozen=True, slots=True)
class _Precision:
    """What was said of a side's errors, and by which parameter."""

    parameter: str
    said: AngleLike | None


@dataclass(frozen=True, slots=True)
class _Columns:
    """A table as SQL calls it, and its columns with their UCDs and units."""

    table: str
    known: Mapping[str, tuple[str, str]]

    def check(self, parameter: str, name: str) -> None:
        """Raise where there is no such column."""
        if name not in self.known:
            raise ParameterError(parameter, name, f"{self.table} has no such column")

    def side(self, position: tuple[str, str] | None, precision: _Precision) -> Side:
        """Return the table as one side of a match."""
        ra, dec = position or (self._position(part) for part in ("ra", "dec"))
        for name in (ra, dec):
            self.check("position", name)
            unit = self.known[name][1]
            if unit and units.Unit(unit, parse_strict="silent") != units.deg:
                raise ParameterError("position", name, f"its unit is {unit}: positions are in degrees")
        return Side(self.table, tuple(self.known), ra, dec, error=self._error(precision))

    def _position(self, part: str) -> str:
        """Return the column that is the right ascension, or the declination, of the rows."""
        said = [
            (name, ucd) for name, (ucd, _) in self.known.items() if ucd.lower().split(";")[0] == _KINDS[part]
        ]
        main = [name for name, ucd in said if "meta.main" in ucd.lower()] or [name for name, _ in said]
        named = [name for wanted in _NAMES[part] for name in self.known if name.lower() == wanted]
        found = main if len(main) == 1 else named
        if not found:
            raise ParameterError(
                "position", self.table, "does not say which columns are its positions",
                hint='name them: position=("ra", "dec")',
            )  # fmt: skip
        return found[0]

    def _error(self, precision: _Precision) -> str:
        """Return the error of the positions in degrees, as SQL with ``{}`` for the table's alias."""
        said = precision.said
        if said is None:
            return ""
        if not isinstance(said, str) or said[:1] in _NUMERIC:
            return repr(degrees(said, precision.parameter))
        self.check(precision.parameter, said)
        unit = units.Unit(self.known[said][1] or "arcsec")
        if not unit.is_equivalent(units.deg):
            raise ParameterError(precision.parameter, said, f"its unit is {unit}, and not that of an angle")
        column = quoted(said).replace("{", "{{").replace("}", "}}")
        return f"({{}}.{column} * {float(unit.to(units.deg))!r})"


def _finite(parameter: str, number: float) -> None:
    """Raise where a number is NaN or infinite."""
    if not math.isfinite(number):
        raise ParameterError(parameter, number, "is not finite")


_Told = tuple[tuple[str, str] | None, float | str | None]
"""The columns of a side's proper motion, and its epoch."""


def _moving(
    columns: tuple[_Columns, _Columns], sides: tuple[Side, Side], told: tuple[_Told, _Told]
) -> tuple[Side, Side]:
    """Return the sides, of which one moves to the epoch of the other: the left one, if it can."""
    for here in (0, 1):
        motion, epoch = told[here]
        if motion is None:
            continue
        there = told[1 - here][1]
        for one in (epoch, there):
            if isinstance(one, (int, float)):
                _finite("epoch", one)
        if epoch is None or not isinstance(there, (int, float)):
            raise ParameterError(
                "epoch", epoch if epoch is None else there, "is needed of both tables, of that which does not move as a number",
                hint="epoch=2000.0, right_epoch=2016.0",
            )  # fmt: skip
        for name in (*motion, *([epoch] if isinstance(epoch, str) else ())):
            columns[here].check("epoch" if name == epoch else "motion", name)
        began = f"t.{quoted(epoch)}" if isinstance(epoch, str) else repr(float(epoch))
        moved = replace(sides[here], motion=motion, years=f"{float(there)!r} - {began}")
        return (moved, sides[1]) if here == 0 else (sides[0], moved)
    return sides
