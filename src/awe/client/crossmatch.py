"""Cross-matches: which rows of two tables are near each other on the sky, found next to the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from astropy.table import Table

from awe.client._uploads import TableLike, columns_of
from awe.client._values import AngleLike, degrees
from awe.client.catalogs import CatalogsClient
from awe.errors import ParameterError

__all__ = ["CrossmatchClient", "Find"]

Find = Literal["all", "nearest", "mutual"] | int
"""All pairs, the nearest partner of each row, those that are each other's nearest, or so many nearest of each row."""

_UPLOAD = "mine"
_KINDS = {"ra": "pos.eq.ra", "dec": "pos.eq.dec"}
_NAMES = {
    "ra": ("ra", "raj2000", "ra_icrs", "_ra", "alpha", "s_ra"),
    "dec": ("dec", "dej2000", "decj2000", "de_icrs", "dec_icrs", "_dec", "delta", "s_dec"),
}


@dataclass(frozen=True, slots=True)
class _Side:
    """A table of a cross-match: how SQL calls it, its columns, and which of them are the position."""

    name: str
    columns: tuple[str, ...]
    ra: str
    dec: str

    def place(self, alias: str) -> str:
        return f'{alias}."{self.ra}", {alias}."{self.dec}"'


class CrossmatchClient(CatalogsClient):
    """Matching tables by position."""

    def crossmatch(
        self,
        left: TableLike,
        right: str,
        radius: AngleLike = "1 arcsec",
        *,
        find: Find = "nearest",
        keep: bool = False,
        position: tuple[str, str] | None = None,
        right_position: tuple[str, str] | None = None,
        columns: Sequence[str] | None = None,
        max_rows: int | None = None,
        save: str | Path | None = None,
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
        find
            ``"nearest"``: the nearest row of `right` for each row of `left`; a number: so many, the nearest ones;
            ``"all"``: all pairs; ``"mutual"``: the pairs whose rows are each other's nearest.
        keep
            Keep the rows of `left` that nothing is near, with masked values; not with ``"mutual"``.
        position, right_position
            The columns of right ascension and declination (ICRS, degrees); those that say so by their UCDs or names
            when None.
        columns
            Of `right`; all when None.
        max_rows, save
            As for `query`.

        Returns
        -------
        Table or Path
            All columns of `left`, then those of `right` (with ``_2`` behind a name that is there already), and
            ``separation`` in arcseconds.

        Raises
        ------
        ParameterError
            If it is not clear where the rows of a table are, or `find` is none of these.
        NotFoundError
            If there is no such table or column.
        """
        uploads: Mapping[str, TableLike] = {}
        if isinstance(left, str):
            one = self._side(left, position)
        else:
            uploads = {_UPLOAD: left}
            one = _side(f"TAP_UPLOAD.{_UPLOAD}", [(c, "") for c in columns_of(_UPLOAD, left)], position)
        other = self._side(right, right_position)
        sql = _sql(one, other, degrees(radius), find, keep=keep, wanted=columns)
        return self.query(sql, lang="postgres", max_rows=max_rows, save=save, uploads=uploads)

    def _side(self, table: str, position: tuple[str, str] | None) -> _Side:
        described = self.columns(table)
        known = list(zip(described["name"].tolist(), described["ucd"].tolist(), strict=True))
        return _side(table, known, position)


def _side(table: str, known: Sequence[tuple[str, str]], position: tuple[str, str] | None) -> _Side:
    ra, dec = position or (_position(table, known, part) for part in ("ra", "dec"))
    names = tuple(name for name, _ in known)
    for name in (ra, dec):
        if name not in names:
            raise ParameterError("position", name, f"{table} has no such column")
    return _Side(table, names, ra, dec)


def _position(table: str, known: Sequence[tuple[str, str]], part: str) -> str:
    """Return the column that is the right ascension, or the declination, of a table's rows."""
    said = [(name, ucd) for name, ucd in known if ucd.lower().split(";")[0] == _KINDS[part]]
    main = [name for name, ucd in said if "meta.main" in ucd.lower()] or [name for name, _ in said]
    named = [name for wanted in _NAMES[part] for name, _ in known if name.lower() == wanted]
    found = main if len(main) == 1 else named
    if not found:
        raise ParameterError(
            "position", table, "does not say which columns are its positions",
            hint='name them: position=("ra", "dec")',
        )  # fmt: skip
    return found[0]


def _sql(
    one: _Side, other: _Side, radius_deg: float, find: Find, *, keep: bool, wanted: Sequence[str] | None
) -> str:
    """Return the query, in PostgreSQL's words with q3c."""
    taken = {name.casefold() for name in (*one.columns, "separation")}
    chosen = {name: f"{name}_2" if name.casefold() in taken else name for name in (wanted or other.columns)}
    lefts = [f'a."{name}"' for name in one.columns]
    places = f"{one.place('a')}, {other.place('b')}"
    near, apart = f"q3c_join({places}, {radius_deg!r})", f"q3c_dist({places})"
    if find in {"all", "mutual"}:
        rights = [f'b."{name}" AS "{new}"' for name, new in chosen.items()]
        how = "LEFT JOIN" if keep and find == "all" else "JOIN"
        tables = f"FROM {one.name} AS a {how} {other.name} AS b ON {near}"
        if find == "all":
            return f"SELECT {', '.join([*lefts, *rights])}, {apart} * 3600 AS separation {tables}"
        ranks = [
            f"ROW_NUMBER() OVER (PARTITION BY {side} ORDER BY {apart}) AS {name}"
            for side, name in ((one.place("a"), "_of_left"), (other.place("b"), "_of_right"))
        ]
        pairs = f"SELECT {', '.join([*lefts, *rights, *ranks])}, {apart} * 3600 AS separation {tables}"
        names = ", ".join(f'p."{name}"' for name in (*one.columns, *chosen.values()))
        return f"SELECT {names}, p.separation FROM ({pairs}) AS p WHERE p._of_left = 1 AND p._of_right = 1"
    count = 1 if find == "nearest" else find
    if not isinstance(count, int) or count < 1:
        raise ParameterError("find", find, 'is "all", "nearest", "mutual" or a number of nearest rows')
    inner = ", ".join(f'b."{name}" AS "{new}"' for name, new in chosen.items())
    outer = [f'n."{new}"' for new in chosen.values()]
    how = "LEFT JOIN LATERAL" if keep else "JOIN LATERAL"
    return (
        f"SELECT {', '.join([*lefts, *outer])}, n.separation FROM {one.name} AS a {how} (SELECT {inner}, {apart} * 3600"
        f" AS separation FROM {other.name} AS b WHERE {near} ORDER BY {apart} LIMIT {count}) AS n ON TRUE"
    )
