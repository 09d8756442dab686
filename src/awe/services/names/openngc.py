"""The NGC and IC catalogues with Messier's and other designations, from pyongc: the one place that uses it.

OpenNGC (M. Verga; CC-BY-SA-4.0) comes as an SQLite file of 14,000 objects with an index of 39,000
designations. It is asked where it lies: nothing of it is kept in memory but some hundred proper names.
"""

import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cached_property
from importlib.resources import as_file, files

from awe.services.names.model import NamedObject, folded

__all__ = ["OpenNGC"]

_SOURCE = "OpenNGC"
_COLUMNS = "name, type, ra, dec, messier, ngc, ic, identifiers, commonnames"
_WIDTH: dict[str, int] = {"pgc": 6, "mwsc": 4, "ugc": 5}
# A folded designation, and how OpenNGC pads its numbers.
_WRITTEN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(ngc|ic)(\d{1,4})(\w*)"), lambda m: f"{m[1]}{int(m[2]):04}{m[3]}"),
    (re.compile(r"(m|c|mel|lbn|ugca|hcg|b|cl)(\d{1,3})"), lambda m: f"{m[1]}{int(m[2]):03}"),
    (re.compile(r"(pgc|mwsc|ugc)(\d{1,6})(\w*)"), lambda m: f"{m[1]}{int(m[2]):0{_WIDTH[m[1]]}}{m[3]}"),
    (re.compile(r"h(\d{1,2})"), lambda m: f"h{int(m[1]):02}"),
    (re.compile(r"eso(\d{1,3})-(\w{1,5})"), lambda m: f"eso{int(m[1]):03}-{m[2]:0>3}"),
    (
        re.compile(r"mcg([+-]?)(\d{1,2})-(\d{1,2})-(\w{1,5})"),
        lambda m: f"mcg{m[1] or '+'}{int(m[2]):02}-{int(m[3]):02}-{m[4]:0>3}",
    ),
)
_CATALOGUE = re.compile(r"([A-Za-z]+)0*(\d.*)")


class OpenNGC:
    """The catalogue, asked by folded names."""

    def find(self, key: str) -> NamedObject | None:
        """Return the object of a folded name, None where there is none or it is known not to exist."""
        name = self._names.get(key) or self._designated(key)
        return self._object(name) if name else None

    def names(self) -> Iterator[str]:
        """Yield the proper names and Messier's numbers, for suggestions."""
        yield from self._spelled

    @cached_property
    def _names(self) -> dict[str, str]:
        return {folded(said): name for said, name in self._spelled.items()}

    @cached_property
    def _spelled(self) -> dict[str, str]:
        """Proper names and Messier's numbers, and the catalogue's own name of what they mean."""
        found: dict[str, str] = {}
        for row in self._select("WHERE commonnames != '' OR messier != '' ORDER BY id"):
            for said in (*_messier(row), *_listed(row["commonnames"])):
                found.setdefault(said, row["name"])
        return found

    def _designated(self, key: str) -> str | None:
        for pattern, write in _WRITTEN:
            if match := pattern.fullmatch(key):
                with self._open() as database:
                    found = database.execute(
                        "SELECT name FROM objIdentifiers WHERE identifier = ?", (write(match).upper(),)
                    ).fetchone()
                return str(found[0]) if found else None
        return None

    def _object(self, name: str) -> NamedObject | None:
        row = self._select("WHERE name = ?", name)[0]
        if row["type"] == "Dup":  # the same object as another entry, which these columns name
            same = (
                f"NGC{row['ngc'].split(',')[0]}"
                if row["ngc"]
                else f"IC{row['ic'].split(',')[0]}"
                if row["ic"]
                else self._names.get(f"m{int(row['messier'] or 0)}", name)
            )
            return self._object(same) if same != name else None
        if row["ra"] is None or row["type"] == "NonEx":
            return None
        designations = [*_messier(row), _spaced(row["name"])]
        designations += [f"NGC {number.lstrip('0')}" for number in _listed(row["ngc"])]
        designations += [f"IC {number.lstrip('0')}" for number in _listed(row["ic"])]
        names = dict.fromkeys([*designations, *_listed(row["commonnames"]), *_listed(row["identifiers"])])
        first, *aliases = names
        kind = row["kind"]
        return NamedObject(
            first, math.degrees(row["ra"]), math.degrees(row["dec"]), kind, tuple(aliases), _SOURCE
        )

    def _select(self, where: str, *values: str) -> list[sqlite3.Row]:
        with self._open() as database:
            database.row_factory = sqlite3.Row
            # the condition is one of this module's own
            text = f"SELECT {_COLUMNS}, (SELECT typedesc FROM objTypes o WHERE o.type = objects.type) kind FROM objects"
            return database.execute(f"{text} {where}", values).fetchall()

    @staticmethod
    def _open() -> "closing[sqlite3.Connection]":
        with as_file(files("pyongc") / "ongc.db") as path:
            return closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True))


def _messier(row: sqlite3.Row) -> list[str]:
    return [f"M {int(row['messier'])}"] if row["messier"] and row["type"] != "Dup" else []


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _spaced(name: str) -> str:
    """Write ``NGC0224`` as ``NGC 224``."""
    found = _CATALOGUE.fullmatch(name)
    return f"{found[1]} {found[2]}" if found else name
