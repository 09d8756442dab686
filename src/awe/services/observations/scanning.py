"""From a folder of FITS files to what the index needs to know of each, reading headers only.

What was read is written to a *journal* as it is read: publishing that was interrupted goes on where
it stopped. A file whose data end early is found out here, not by the first astronomer who cuts it.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from awe.core.science.celestial import NoCelestialWCSError
from awe.core.science.fitsfile import open_fits, truncation
from awe.core.science.observation import Rules, observe
from awe.errors import InputFileError
from awe.services.observations.model import Rejected

__all__ = ["Journal", "Part", "Scanned", "find_files", "scan", "stem"]

_NAMES = re.compile(r"^(?P<stem>[^.].*?)\.(fits|fit|fts)(\.(gz|bz2|fz))?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One dataset of a file: its images' HDUs, its name within the file, its columns."""

    hdus: tuple[int, ...]
    part: str | None
    row: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scanned:
    """A file that was looked at: its datasets, or the reason why it has none."""

    path: str
    size: int
    mtime: float
    parts: tuple[Part, ...] = ()
    reason: str = ""
    hdu: int | None = None

    def rejected(self, folder: Path) -> Rejected | None:
        """Return the entry of the report, if the file was left out."""
        return Rejected(os.path.relpath(self.path, folder), self.hdu, self.reason) if self.reason else None


def find_files(folder: Path) -> list[Path]:
    """Return the FITS files below a folder by name, numbers in names counted; hidden ones left out."""
    found: list[Path] = []
    seen: set[str] = set()
    for where, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(where, name) for name in names if _NAMES.match(name)]
    return sorted(found, key=_natural)


def stem(path: Path) -> str:
    """Return a FITS file's name without its extensions."""
    match = _NAMES.match(path.name)
    return match["stem"] if match else path.stem


def scan(path: Path, rules: Rules) -> Scanned:
    """Look at one file; a file that cannot be used comes back with the reason."""
    try:
        status = path.stat()
    except OSError as error:
        return Scanned(str(path), 0, 0.0, reason=f"it cannot be read: {error.strerror}")
    key = (str(path), status.st_size, status.st_mtime)
    if status.st_size == 0:
        return Scanned(*key, reason="it is empty")
    try:
        with open_fits(path) as hdus:
            found = observe(hdus, stem(path), rules)
            missing = truncation(path, hdus)
    except NoCelestialWCSError as error:
        return Scanned(*key, reason=str(error), hdu=error.hdu)
    except InputFileError as error:
        return Scanned(*key, reason=error.message.removeprefix(f"{path.name}: "))
    if missing:
        return Scanned(*key, reason=missing)
    return Scanned(*key, parts=tuple(Part(one.hdus, one.part, one.to_row()) for one in found))


def _natural(path: Path) -> list[tuple[int, int | str]]:
    pieces = re.split(r"(\d+)", str(path).lower())
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in pieces]


class Journal:
    """What was read of a folder, in a file that outlives an interruption.

    Parameters
    ----------
    file
        Where; made when something is written.
    digest
        Of the rules that hold; what was read with other rules does not count.
    """

    def __init__(self, file: Path, digest: str) -> None:
        self._file = file
        self._digest = digest
        self._known = {entry.path: entry for entry in self._read()}

    def get(self, path: Path) -> Scanned | None:
        """Return what was read of a file, unless it has changed since."""
        known = self._known.get(str(path))
        try:
            status = path.stat()
        except OSError:
            return None
        return known if known and (known.size, known.mtime) == (status.st_size, status.st_mtime) else None

    def add(self, entry: Scanned) -> None:
        """Write down what was read of a file."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"rules": self._digest, **asdict(entry)}) + "\n")

    def remove(self) -> None:
        """Forget everything: it is published."""
        self._file.unlink(missing_ok=True)

    def _read(self) -> Iterator[Scanned]:
        if not self._file.exists():
            return
        with self._file.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:  # the line at which the interruption came
                    continue
                if said.pop("rules") == self._digest:
                    said["parts"] = tuple(Part(tuple(p["hdus"]), p["part"], p["row"]) for p in said["parts"])
                    yield Scanned(**said)
