"""A table's files as its readers may have them: a HATS catalogue that programs open where it is.

Words: the *tag* of a version names it among all versions of its table. An address without a tag means whatever
version is current; one with a tag means that version or nothing, so that nobody reads half of two.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from awe.core.progress import Progress, silent
from awe.errors import ConflictError, ForbiddenError, NotFoundError
from awe.services.catalogs._kept_margins import KeptMargins
from awe.services.catalogs._locations import tag_of
from awe.services.catalogs.hats import PARTITION_INFO
from awe.services.catalogs.interface import Features
from awe.services.catalogs.model import TableRecord
from awe.settings import FileSettings

__all__ = ["HatsFolder", "InPlace", "split_tag"]

_QUERY = "ask for its rows with a query"

_FOLDER = r"dataset(/Norder=[0-9]{1,2}(/Dir=[0-9]{1,20})?)?"
_INNER = re.compile(_FOLDER)
_FILE = re.compile(
    r"(hats\.)?properties|partition_info\.csv|moc\.json|dataset/_(common_)?metadata"
    r"|dataset/Norder=[0-9]{1,2}/Dir=[0-9]{1,20}/Npix=[0-9]{1,20}\.parquet"
)


@dataclass(frozen=True, slots=True)
class HatsFolder:
    """The HATS catalogue that a version of a table is.

    Attributes
    ----------
    record
        The table.
    root
        Its folder.
    tag
        Of its version.
    """

    record: TableRecord
    root: Path
    tag: str

    @property
    def name(self) -> str:
        """The table and its version, ``schema.table@tag``."""
        return f"{self.record.full_name}@{self.tag}"

    def file(self, path: str) -> Path:
        """Return one of the files by its path in the catalogue.

        Raises
        ------
        NotFoundError
            If there is none: of a partition, that the table has no rows there.
        """
        found = self.root / path
        if not (_FILE.fullmatch(path) and found.is_file()):
            raise NotFoundError(f"the files of {self.record.full_name} have no {path}")
        return found

    def entries(self, path: str) -> tuple[str, ...] | None:
        """Return what is in one of the folders, the names of folders with a slash; None where it is no folder."""
        inner = path.strip("/")
        folder = self.root / inner
        if (inner and not _INNER.fullmatch(inner)) or not folder.is_dir():
            return None
        within = f"{inner}/" if inner else ""
        return tuple(
            f"{child.name}/" if child.is_dir() else child.name
            for child in sorted(folder.iterdir())
            if (_INNER if child.is_dir() else _FILE).fullmatch(within + child.name)
        )


class InPlace:
    """The files of tables, as their readers open them.

    Parameters
    ----------
    features
        Of the engine that keeps the tables.
    settings
        What the operator lets people have.
    """

    def __init__(self, features: Features, settings: FileSettings) -> None:
        self._features = features
        self._settings = settings
        self._margins = KeptMargins(settings.margin_arcsec)

    def close(self) -> None:
        """Stop writing margins."""
        self._margins.close()

    def folder(self, record: TableRecord, tag: str = "") -> HatsFolder:
        """Return the HATS catalogue that a table is to somebody who may read it.

        Parameters
        ----------
        record
            As its reader sees it.
        tag
            The version that is meant; the current one when empty.

        Raises
        ------
        ForbiddenError
            If the caller may read some of its rows only: files have them all. If files are not given out here.
        NotFoundError
            If it has no files, or they are no HATS catalogue.
        ConflictError
            If it was written anew since the tag was given.
        """
        name, stored = record.full_name, record.stored
        if not self._settings.serve:
            raise ForbiddenError("the files of tables are not given out here", hint=_QUERY)
        if stored.only is not None:
            raise ForbiddenError(f"which rows of {name} you may read is decided row by row", hint=_QUERY)
        if not stored.location or self._features.folder is None:
            raise NotFoundError(f"{name} is computed when it is asked for, and has no files", hint=_QUERY)
        if record.ra is None or record.dec is None:
            raise NotFoundError(f"{name} has no positions, so that it is no HATS catalogue", hint=_QUERY)
        root = self._features.folder / stored.location
        if not (root / PARTITION_INFO).is_file():
            raise NotFoundError(f"the files of {name} are no HATS catalogue", hint=_QUERY)
        current = tag_of(stored.location)
        if tag and tag != current:
            raise ConflictError(f"{name} was written anew since it was opened", hint="open it again")
        return HatsFolder(record, root, current)

    def margin(self, of: HatsFolder) -> HatsFolder:
        """Return the margin cache of a catalogue; where it is not there, the first who asks sets off its writing.

        Raises
        ------
        NotFoundError
            If none is made here.
        BusyError
            If that takes long.
        """
        record = of.record
        self._wanted(record)
        found = self._margins.asked_for(of.root, str(record.ra), str(record.dec))
        return HatsFolder(record, found, of.tag)

    def make_margin(self, of: HatsFolder, progress: Progress = silent) -> None:
        """Write the margin cache of a catalogue now, if it is not there yet; raises as `margin`."""
        self._wanted(of.record)
        self._margins.make(of.root, str(of.record.ra), str(of.record.dec), progress)

    def _wanted(self, record: TableRecord) -> None:
        if not self._settings.margin_arcsec:
            raise NotFoundError(
                f"no margins are kept of {record.full_name}", hint="files.margin_arcsec makes them"
            )


def split_tag(name: str) -> tuple[str, str]:
    """Return the table and the tag of ``schema.table@tag``; an empty tag where there is none."""
    table, _, tag = name.partition("@")
    return table, tag
