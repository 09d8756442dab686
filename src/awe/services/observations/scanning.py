"""From a folder of FITS files to what the index needs to know of each, reading headers only.

What was read is written to a *journal* as it is read: publishing that was interrupted goes on where
it stopped. A file whose data end early is found out here, not by the first astronomer who cuts it.
"""

import bz2
import gzip
import json
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from astropy.io import fits

from awe.core.science.celestial import NoCelestialWCSError, quiet
from awe.core.science.observation import Rules, observe
from awe.services.observations.model import Rejected

__all__ = ["Journal", "Part", "Scanned", "find_files", "open_fits", "scan", "stem"]

_NAMES = re.compile(r"^(?P<stem>[^.].*?)\.(fits|fit|fts)(\.(gz|bz2|fz))?$", re.IGNORECASE)
_OPENERS: Mapping[str, Callable[[Path], IO[bytes]]] = {
    ".gz": lambda path: gzip.open(path),
    ".bz2": lambda path: bz2.open(path),
}
_CHUNK = 1 << 20


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


def open_fits(path: Path) -> fits.HDUList:
    """Open a FITS file so that only what is asked for is read, and pixels stay as they are stored.

    Files are not mapped into memory: a mapped file that shrinks kills the process.
    """
    return fits.open(path, memmap=False, do_not_scale_image_data=True, ignore_missing_simple=False)


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
        with quiet(), open_fits(path) as hdus:
            parts = tuple(
                Part(found.hdus, found.part, found.to_row()) for found in observe(hdus, stem(path), rules)
            )
            missing = _missing(path, hdus)
    except NoCelestialWCSError as error:
        return Scanned(*key, reason=_sentence(str(error)), hdu=_hdu(str(error)))
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        return Scanned(*key, reason=f"its compression is damaged or it is truncated: {error}")
    except PermissionError as error:
        return Scanned(*key, reason=f"it cannot be read: {error.strerror}")
    except Exception as error:  # astropy raises a dozen kinds for a file that is not FITS
        return Scanned(*key, reason=f"it is not a FITS file that can be read: {_first_line(error)}")
    return Scanned(*key, parts=() if missing else parts, reason=missing)


def _missing(path: Path, hdus: fits.HDUList) -> str:
    """Say where a file ends that ends too early; nothing when it is complete."""
    length = _length(path)
    for number, hdu in enumerate(hdus):
        info = hdu.fileinfo()
        end = info["datLoc"] + hdu.size if info and hdu.size else 0
        if end > length:
            return f"it is truncated: HDU {number} ends at byte {end:,}, the file at {length:,}"
    return ""


def _length(path: Path) -> int:
    opener = _OPENERS.get(path.suffix.lower())
    if opener is None:
        return path.stat().st_size
    with opener(path) as stream:
        return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))


def _hdu(reason: str) -> int | None:
    first = re.match(r"HDU (\d+)", reason)
    return int(first[1]) if first and reason.count("HDU ") == 1 else None


def _sentence(reason: str) -> str:
    return re.sub(r"^HDU \d+: ", "", reason) if reason.count("HDU ") == 1 else reason


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


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
