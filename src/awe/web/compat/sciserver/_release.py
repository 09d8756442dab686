"""A data release of SkyServer: the schema that holds its tables, whichever of their customary names they have."""

from collections.abc import Sequence
from dataclasses import dataclass

from awe.errors import NotFoundError
from awe.services.catalogs import TableRecord, as_written
from awe.web.http import Call

__all__ = ["APOGEE", "PHOTO", "SPECTRA", "Release", "release_of"]

PHOTO = ("PhotoPrimary", "PhotoObj", "PhotoObjAll")
"""What the table of photometric objects is called; the first that is there is used."""
SPECTRA = ("SpecObj", "SpecObjAll")
APOGEE = ("apogeeStar",)


@dataclass(frozen=True, slots=True)
class Release:
    """A schema with the tables of a data release.

    Attributes
    ----------
    name
        Of the schema.
    tables
        What the caller may read of it.
    """

    name: str
    tables: tuple[TableRecord, ...]

    def find(self, names: Sequence[str]) -> TableRecord | None:
        """Return the first table that has one of some names, ignoring case."""
        known = {record.name.casefold(): record for record in self.tables}
        return next((known[name.casefold()] for name in names if name.casefold() in known), None)

    def table(self, names: Sequence[str]) -> TableRecord:
        """Return the first table that has one of some names.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        found = self.find(names)
        if found is None:
            raise NotFoundError(
                f"the data release {self.name} has no table {' or '.join(names)}",
                hint="its tables are listed in /tap/tables, and can be searched with SQL",
            )
        return found


def release_of(call: Call) -> Release:
    """Return the release that a request names; one that names none means the only one that there is.

    Raises
    ------
    NotFoundError
        If there is none of this name, or several and none was named: with the names of those that there are.
    """
    schemas: dict[str, list[TableRecord]] = {}
    for record in call.platform.catalogs.tables(call.identity):
        schemas.setdefault(record.schema, []).append(record)
    wanted = str(call.request.path_params.get("release", ""))
    found = [Release(name, tuple(tables)) for name, tables in schemas.items()]
    releases = [release for release in found if release.find(PHOTO) is not None]
    if wanted:
        chosen = [release for release in found if release.name.casefold() == wanted.casefold()]
    else:
        chosen = releases
    if len(chosen) == 1:
        return chosen[0]
    said = f"no data release is called {wanted}" if wanted else "the address names no data release"
    known = ", ".join(release.name for release in releases)
    hint = f"there are {known}: set SciServer.Config.DataRelease" if known else "none is published here"
    raise NotFoundError(said, hint=hint)


def place_of(record: TableRecord) -> str:
    """Return the name of a table as a query in ADQL has it."""
    return f"{as_written(record.schema)}.{as_written(record.name)}"
