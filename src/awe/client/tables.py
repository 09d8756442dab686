"""Tables: those of the archive, and your own, which you load, share, describe and drop."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from astropy.table import Table

from awe.client._sending import Sender
from awe.client._transport import Transport
from awe.client._uploads import TableLike, opened
from awe.client.catalogs import format_of
from awe.client.shares import Share, SharesClient
from awe.core.tables import ColumnStatistics
from awe.errors import ParameterError

__all__ = ["LoadWarning", "TableInfo", "TableVersion", "Tables", "TablesClient"]

Mode = Literal["create", "replace", "append"]
_COLUMNS = ("name", "datatype", "unit", "ucd", "description")


class LoadWarning(UserWarning):
    """Something about a file that was loaded that its owner should know."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What is known of a table.

    Attributes
    ----------
    name
        ``mydb.name`` of your own, ``schema.name`` of another.
    owner
        Whose it is; empty for a table of the archive.
    rows, bytes
        How much it holds; no rows are counted of a view.
    ra, dec
        The position columns; empty where it has none.
    version
        Counts how often it was written.
    columns
        Name, datatype, unit, UCD and description; only where one table was asked for.
    """

    name: str
    owner: str
    title: str
    description: str
    rows: int
    bytes: int
    ra: str
    dec: str
    version: int
    created: datetime | None
    columns: Table | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A version of a table of yours.

    Attributes
    ----------
    name
        The table's name.
    version
        Counts the versions, from one.
    origin
        The SQL or the file that it came from.
    ended
        When it was replaced or dropped; None for the current one.
    """

    name: str
    version: int
    rows: int
    bytes: int
    origin: str
    created: datetime
    ended: datetime | None


class Tables:
    """The tables of an archive and your own; calling it lists all that you may read.

    Names of your own are ``mydb.name``; the prefix may be left out where only your own can be meant.
    """

    def __init__(self, transport: Transport, shares: SharesClient) -> None:
        self._transport = transport
        self._shares = shares

    def __call__(self) -> Table:
        """Return all tables that you may read: one row each, with title, rows and position columns."""
        rows = [(t.name, t.rows, t.ra, t.dec, t.title or t.description) for t in self.list()]
        names = ("table", "rows", "ra", "dec", "title")
        return Table(rows=rows, names=names) if rows else Table(names=names, dtype=(str, int, str, str, str))

    def list(self, of: Literal["own", "shared", "published"] | None = None) -> tuple[TableInfo, ...]:
        """Return the tables that you may read.

        Parameters
        ----------
        of
            Only your ``own``, those that others ``shared`` with you, or the ``published`` ones of the archive.
        """
        found: Any = self._transport.get_json("/api/tables", {"of": of})
        return tuple(_info(one) for one in found["tables"])

    def show(self, name: str) -> TableInfo:
        """Return what is known of a table, with its columns.

        Raises
        ------
        NotFoundError
            If there is none that you may read; it says what is near.
        """
        found: Any = self._transport.get_json(_place(name))
        return _info(found)

    def load(
        self,
        what: TableLike,
        name: str,
        *,
        mode: Mode = "create",
        ra: str | None = None,
        dec: str | None = None,
        title: str = "",
        description: str = "",
    ) -> TableInfo:
        """Make a file, or a table in memory, a table of yours.

        A file is sent in pieces: when the connection or the program breaks, the same call goes on where that one
        stopped. What the reader of the file should know comes as a `LoadWarning`.

        Parameters
        ----------
        what
            An astropy Table, a pandas DataFrame, an Arrow table or the path of a file: CSV, ECSV, FITS, VOTable,
            Parquet ... ``file.fits[EVENTS]`` and ``file.vot[2]`` name one table of several.
        name
            ``mydb.name``.
        mode
            ``create`` refuses a name that is taken, ``replace`` writes a new version, ``append`` adds rows.
        ra, dec
            The position columns, in degrees, ICRS; recognised when None, none when empty.
        title, description
            What the table is.

        Raises
        ------
        AuthenticationError
            Without a login.
        InputFileError
            If it is no table: with the line or row.
        ConflictError
            If there is a table of that name, and it shall not be replaced.
        QuotaError
            If you may not keep that much.
        """
        order = {
            "table": name,
            "mode": mode,
            "ra": ra,
            "dec": dec,
            "title": title,
            "description": description,
        }
        stem = name.rpartition(".")[2].rpartition("/")[2]
        with opened({stem: what}) as parts:
            done = Sender(self._transport).send(*parts[stem], order)
        for note in done["notes"]:
            warnings.warn(LoadWarning(f"{done['file']}: {note}"), stacklevel=2)
        return self.show(str(done["table"]))

    def export(self, name: str, to: str | Path, *, format: str | None = None) -> Path:  # noqa: A002  # as Table.write
        """Write a table to a file, whole, and return its path.

        Parameters
        ----------
        format
            ``votable``, ``fits``, ``csv``, ``ecsv``, ``parquet`` ...; from the file's name when None.
        """
        path = Path(to).expanduser()
        self._transport.save(
            "GET", f"{_place(name)}/rows", path, params={"format": format or format_of(path)}
        )
        return path

    def describe(
        self,
        name: str,
        *,
        title: str | None = None,
        description: str | None = None,
        columns: Mapping[str, Mapping[str, str | bool]] | None = None,
    ) -> TableInfo:
        """Say what a table of yours and its columns are; what is left out stays.

        Parameters
        ----------
        columns
            By column, ``unit``, ``ucd``, ``utype``, ``description``, ``principal``: ``{"flux": {"unit": "mJy"}}``.
        """
        said = {"title": title, "description": description, "columns": columns or {}}
        return _info(self._transport.send_json("PATCH", _place(name), said))

    def index(self, name: str, ra: str | None, dec: str | None) -> TableInfo:
        """Say which columns of a table of yours are positions, for searches on the sky; None forgets it."""
        return _info(self._transport.send_json("POST", f"{_place(name)}/index", {"ra": ra, "dec": dec}))

    def extend(self, name: str, columns: Iterable[str] = ()) -> TableInfo:
        """Add columns that are computed from the positions of a table of yours.

        Parameters
        ----------
        columns
            Some of ``htm9 ring256 nest4096 random_id glon glat elon elat``; all of them when empty.
        """
        return _info(self._transport.send_json("POST", f"{_place(name)}/extend", {"columns": list(columns)}))

    def rename(self, name: str, to: str) -> TableInfo:
        """Give a table of yours another name; those whom you let read it still may."""
        return _info(self._transport.send_json("POST", f"{_place(name)}/rename", {"to": to}))

    def copy(self, name: str, to: str) -> TableInfo:
        """Copy a table that you may read into one of yours."""
        return _info(self._transport.send_json("POST", f"{_place(name)}/copy", {"to": to}))

    def drop(self, name: str) -> None:
        """Drop a table of yours; `restore` brings it back for some time."""
        self._transport.send_json("DELETE", _place(name))

    def statistics(self, name: str) -> tuple[ColumnStatistics, ...]:
        """Return what the values are like in each column of a table that you may read.

        That is the least and the greatest value, how many are missing, and how many different ones there are (exactly
        up to 4096, within a few per cent beyond). The whole table is read, once for each version of it.
        """
        found: Any = self._transport.get_json(f"{_place(name)}/statistics")
        return tuple(ColumnStatistics(**one) for one in found["columns"])

    def versions(self, name: str) -> tuple[TableVersion, ...]:
        """Return the versions of a table of yours that are kept, the oldest first."""
        found: Any = self._transport.get_json(f"{_place(name)}/versions")
        return tuple(_version(name, one) for one in found["versions"])

    def dropped(self) -> tuple[TableVersion, ...]:
        """Return the newest version of each table of yours that was dropped and can be restored."""
        found: Any = self._transport.get_json("/api/tables", {"of": "dropped"})
        return tuple(_version(f"mydb.{one['name']}", one) for one in found["tables"])

    def restore(self, name: str, version: int | None = None) -> TableInfo:
        """Bring back a table of yours that was dropped, or an earlier version of one.

        Parameters
        ----------
        version
            Its number, as `versions` shows it; the newest that is not current when None.
        """
        return _info(self._transport.send_json("POST", f"{_place(name)}/restore", {"version": version}))

    def share(
        self,
        name: str,
        principal: str,
        *,
        action: Literal["read", "write"] = "read",
        days: float | None = None,
    ) -> Share:
        """Let somebody read a table of yours, or change it.

        Parameters
        ----------
        principal
            ``user:NAME``, ``group:NAME``, ``role:NAME`` or ``everybody``.
        days
            So long; for good when None.

        Raises
        ------
        NotFoundError
            If there is no such table, or nobody of that name.
        """
        if action not in ("read", "write"):
            raise ParameterError("action", action, "read or write is wanted")
        return self._shares.share(f"table:{name}", principal, action=action, days=days)


class TablesClient(SharesClient):
    """Tables."""

    @property
    def tables(self) -> Tables:
        """The tables of the archive and your own: ``tables()`` lists them, ``tables.load(...)`` makes one."""
        return Tables(self.transport, self)


def _place(name: str) -> str:
    return f"/api/tables/{quote(name.replace('://', '.'), safe='')}"


def _info(said: Any) -> TableInfo:
    found = said.get("columns")
    columns = None
    if found is not None:
        cells = [tuple(str(c.get(n) or "") for n in _COLUMNS) for c in found]
        columns = Table(rows=cells or None, names=_COLUMNS, dtype=(str,) * len(_COLUMNS))
    return TableInfo(
        name=f"mydb.{said['name']}" if said["own"] else said["full_name"],
        owner=said["owner"] or "",
        title=said["title"],
        description=said["description"],
        rows=int(said["rows"] or 0),
        bytes=int(said["bytes"]),
        ra=said["ra"] or "",
        dec=said["dec"] or "",
        version=int(said["version"]),
        created=datetime.fromisoformat(said["created"]) if said["created"] else None,
        columns=columns,
    )


def _version(name: str, said: Any) -> TableVersion:
    return TableVersion(
        name=name,
        version=int(said["version"]),
        rows=int(said["rows"]),
        bytes=int(said["bytes"]),
        origin=said["origin"],
        created=datetime.fromisoformat(said["created"]),
        ended=datetime.fromisoformat(said["ended"]) if said["ended"] else None,
    )
