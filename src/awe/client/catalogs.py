"""Tables: what there is, SQL next to the data, and cones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

from astropy.coordinates import SkyCoord
from astropy.table import Table

from awe.client._base import BINARY2, ServiceClient, fetch_table
from awe.client._transport import Params
from awe.client._uploads import TableLike, opened
from awe.client._values import AngleLike, PositionLike, degrees

__all__ = ["CatalogsClient", "Language", "format_of"]

Language = Literal["adql", "tsql", "postgres"]


class CatalogsClient(ServiceClient):
    """Published tables."""

    def columns(self, table: str) -> Table:
        """Return the columns of a table with unit, UCD and description.

        Raises
        ------
        NotFoundError
            If there is no such table; the message says what is near.
        """
        found: Any = self.transport.get_json(f"/api/tables/{table}")
        names = ("name", "datatype", "unit", "ucd", "description")
        return Table(rows=[tuple(str(c.get(n) or "") for n in names) for c in found["columns"]], names=names)

    @overload
    def query(
        self,
        sql: str,
        *,
        lang: Language = ...,
        context: str | None = ...,
        max_rows: int | None = ...,
        save: None = ...,
        format: str | None = ...,
        uploads: Mapping[str, TableLike] | None = ...,
    ) -> Table: ...

    @overload
    def query(
        self,
        sql: str,
        *,
        lang: Language = ...,
        context: str | None = ...,
        max_rows: int | None = ...,
        save: str | Path,
        format: str | None = ...,
        uploads: Mapping[str, TableLike] | None = ...,
    ) -> Path: ...

    @overload
    def query(
        self,
        sql: str,
        *,
        lang: Language = ...,
        context: str | None = ...,
        max_rows: int | None = ...,
        save: str | Path | None,
        format: str | None = ...,
        uploads: Mapping[str, TableLike] | None = ...,
    ) -> Table | Path: ...

    def query(
        self,
        sql: str,
        *,
        lang: Language = "adql",
        context: str | None = None,
        max_rows: int | None = None,
        save: str | Path | None = None,
        format: str | None = None,  # noqa: A002  # the word astronomers know from Table.write
        uploads: Mapping[str, TableLike] | None = None,
    ) -> Table | Path:
        """Run a query next to the data.

        Parameters
        ----------
        sql
            One SELECT.
        lang
            ``"adql"`` (ADQL 2.1), ``"tsql"`` (as in CasJobs) or ``"postgres"`` (as in Data Lab, with q3c).
        context
            The schema in which unqualified names are looked up, e.g. ``"HSC"``.
        max_rows
            Rows at the most; the service's default when None. ``table.meta["overflow"]`` says whether
            rows were left out.
        save
            Write the answer to this file, without loading it, and return the path.
        format
            With `save`: ``votable``, ``fits``, ``csv``, ``json`` or ``parquet``; from the file's name when None.
        uploads
            Tables that the query reads as ``TAP_UPLOAD.name``: ``{"mine": table}``, where a table is an astropy
            Table, a pandas DataFrame, an Arrow table or the path of a file.

        Raises
        ------
        QueryError
            If the query is wrong: with line, column and a hint.
        LimitError
            If it takes too long or too much memory, or an upload is too large.
        """
        body: dict[str, object] = {"query": sql, "lang": lang, "context": context, "max_rows": max_rows}
        if save is not None:
            to = Path(save)
            body["format"] = format or format_of(to)
            with opened(uploads or {}) as files:
                self.transport.save("POST", "/api/query", to, body=body, files=files)
            return to
        with opened(uploads or {}) as files:
            return fetch_table(
                self.transport, "POST", "/api/query", body={**body, "format": BINARY2}, files=files
            )

    def cone(
        self,
        table: str,
        where: PositionLike,
        radius: AngleLike,
        *,
        max_rows: int | None = None,
    ) -> Table:
        """Return the rows of a table within `radius` of a position.

        Parameters
        ----------
        table
            ``schema.name`` of a table with positions.
        where
            A SkyCoord, a text ("12:30:49.4 +12:23:28"), a name ("M87") or (ra, dec) in ICRS degrees.
        radius
            A Quantity, a text ("2 arcmin") or degrees; 0 to 180 degrees.
        max_rows
            Rows at the most; the service's default when None.
        """
        ra, dec = self._place(where)
        params: Params = {
            "RA": ra,
            "DEC": dec,
            "SR": degrees(radius),
            "VERB": 3,
            "MAXREC": max_rows,
            "RESPONSEFORMAT": BINARY2,
        }
        return fetch_table(self.transport, "GET", f"/scs/{table}", params=params)

    def cones(
        self,
        table: str,
        positions: Sequence[PositionLike] | SkyCoord,
        radius: AngleLike,
        *,
        max_rows: int | None = None,
    ) -> Table:
        """Return the rows of a table within `radius` of each of many positions; the column ``target`` says of which.

        Parameters
        ----------
        table
            ``schema.name`` of a table with positions.
        positions
            Up to 10,000, each as for `cone`, or a SkyCoord of many; the rows come in this order. With more, `crossmatch`.
        radius
            A Quantity, a text ("2 arcmin") or degrees; 0 to 180 degrees.
        max_rows
            Rows at the most, of all together; the service's default when None.
        """
        body = {
            "table": table,
            "positions": self._places(positions),
            "radius": repr(float(degrees(radius))),
            "max_rows": max_rows,
            "format": BINARY2,
        }
        return fetch_table(self.transport, "POST", "/api/cones", body=body)


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for."""
    return {".vot": "votable", ".xml": "votable"}.get(
        path.suffix.lower(), path.suffix.lower().lstrip(".") or "votable"
    )
