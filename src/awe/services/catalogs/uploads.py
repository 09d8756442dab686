"""Tables that come with a query (TAP 1.1 section 2.5): stored while it runs, and gone with its rows.

An upload is written as a version of a table that no record names, so that it is read as fast as a published
one, by nobody else, and never held in memory. What a killed process leaves is removed as every version
without a record is.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from awe.core.tables.formats import format_of
from awe.errors import LimitError, ParameterError
from awe.services.catalogs._locations import new_location
from awe.services.catalogs.fetching import Fetcher
from awe.services.catalogs.interface import Engine, WriteSpec
from awe.services.catalogs.model import TableRecord, split_name
from awe.services.catalogs.staging import normalised
from awe.settings import LimitSettings, UploadSettings

__all__ = ["UPLOAD_SCHEMA", "Uploads"]

UPLOAD_SCHEMA = "TAP_UPLOAD"
"""The schema of uploaded tables in a query (TAP 1.1 section 2.5.1)."""

_PART = "param:"
_CHUNK = 1 << 20


class Uploads:
    """Receive and keep uploaded tables.

    Parameters
    ----------
    engine
        Who keeps the rows.
    settings, limits
        How many there may be, how large, and what may be fetched.
    """

    def __init__(self, engine: Engine, settings: UploadSettings, limits: LimitSettings) -> None:
        self._engine = engine
        self._most = settings.tables
        self._fetcher = Fetcher(settings, limits.upload_bytes)

    def receive(
        self, wanted: Iterable[tuple[str, str]], parts: Mapping[str, BinaryIO], folder: Path
    ) -> dict[str, Path]:
        """Write the tables that a request brings or names as files into a folder.

        Parameters
        ----------
        wanted
            Names and where each table is: ``param:part`` or an http or https address.
        parts
            What came with the request, by the name of its part.
        folder
            Is there already; a file in it has the name of its table.

        Raises
        ------
        ParameterError
            If a name is no identifier or stands twice, a part did not come, or an address may not be asked.
        LimitError
            If there are too many or too large ones.
        """
        files: dict[str, Path] = {}
        for name, place in wanted:
            self._check(name, files)
            file = folder / name
            if place.startswith(_PART):
                _save(parts, place.removeprefix(_PART), file)
            else:
                self._fetcher.fetch(place, file)
            files[name] = file
        return files

    def store(self, files: Mapping[str, Path]) -> tuple[TableRecord, ...]:
        """Give the rows of files to the engine.

        Raises
        ------
        InputFileError
            If a file is no table: with the table's name, the line or row, and the reason.
        """
        kept: list[TableRecord] = []
        try:
            for name, file in files.items():
                kept.append(self._store(name, file))
        except BaseException:
            self.drop(kept)
            raise
        return tuple(kept)

    def drop(self, records: Iterable[TableRecord]) -> None:
        """Remove what `store` kept."""
        for record in records:
            self._engine.drop(record.stored)

    def _check(self, name: str, known: Iterable[str]) -> None:
        taken = {other.casefold() for other in known}
        try:
            split_name(f"{UPLOAD_SCHEMA}.{name}", internal=True)
        except ParameterError as error:
            raise ParameterError("UPLOAD", name, "not the name of a table", hint=error.hint) from None
        if name.casefold() in taken:
            raise ParameterError("UPLOAD", name, "stands for two tables")
        if len(taken) == self._most:
            raise LimitError(f"a query may bring {self._most} tables", hint="make one table of several")

    def _store(self, name: str, file: Path) -> TableRecord:
        source = format_of(file).read(file)  # the file has the name of the table, so its errors say which
        with normalised(source, name) as stream:
            spec = WriteSpec(new_location(UPLOAD_SCHEMA, name))
            return TableRecord(UPLOAD_SCHEMA, name, stream.schema, self._engine.write(spec, stream))


def _save(parts: Mapping[str, BinaryIO], part: str, file: Path) -> None:
    if part not in parts:
        known = ", ".join(parts) or "none"
        raise ParameterError(
            "UPLOAD", f"{_PART}{part}", "no such part came with the request", hint=f"parts: {known}"
        )
    with file.open("wb") as out:
        parts[part].seek(0)
        shutil.copyfileobj(parts[part], out, _CHUNK)
