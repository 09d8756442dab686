"""From a folder of files to what the index needs to know of each.

Of images and light curves headers are read; spectra are read whole, which is little.

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
from awe.core.science.fitsfile import FitsFile, is_packed, open_fits, truncation
from awe.core.science.observation import Observation, Rules, observe
from awe.core.science.retiling import has_large_tiles
from awe.core.science.spectra import (
    NoSpectrumError,
    Reading,
    is_spectrum_name,
    observe_spectra,
    read_fits_spectra,
    read_spectra,
)
from awe.core.science.timeseries import observe_light_curves
from awe.errors import InputFileError
from awe.services.observations.model import Rejected
from awe.services.observations.objects import is_object
from awe.services.observations.storage import Storage

__all__ = ["Journal", "Part", "Scanned", "find_files", "scan", "stem"]

_FITS = re.compile(r"^(?P<stem>[^.].*?)\.(fits|fit|fts)(\.(gz|bz2|fz))?$", re.IGNORECASE)

_NOT_REMOTE = "of object stores only images and cubes are published"


@dataclass(frozen=True, slots=True)
class Part:
    """One dataset of a file: its HDUs, its name within the file, its columns."""

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
    large_tiles: bool = False

    def rejected(self, folder: Path) -> Rejected | None:
        """Return the entry of the report, if the file was left out."""
        return Rejected(os.path.relpath(self.path, folder), self.hdu, self.reason) if self.reason else None


def find_files(folder: Path, storage: Storage | None = None) -> list[Path]:
    """Return the files below a folder that may hold data, by name, numbers in names counted; no hidden ones."""
    if is_object(folder):
        every = (storage or Storage()).objects(folder)
        shown = (path for path in every if not any(p.startswith(".") for p in path.relative_to(folder).parts))
        return sorted((path for path in shown if _FITS.match(path.name)), key=_natural)
    found: list[Path] = []
    seen: set[str] = set()
    for where, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(where, name) for name in names if _FITS.match(name) or is_spectrum_name(name)]
    return sorted(found, key=_natural)


def stem(path: Path) -> str:
    """Return a file's name without its extensions."""
    match = _FITS.match(path.name)
    if match:
        return match["stem"]
    name = path.name.removesuffix(".gz").removesuffix(".bz2")
    return name.rpartition(".")[0] or name


def scan(
    path: Path, rules: Rules, reading: Reading | None = None, *, storage: Storage | None = None
) -> Scanned:
    """Look at one file; a file that cannot be used comes back with the reason."""
    storage = storage or Storage()
    try:
        size, mtime = storage.stat(path)
    except InputFileError as error:
        return Scanned(str(path), 0, 0.0, reason=error.message.removeprefix(f"{path.name}: "))
    key = (str(path), size, mtime)
    if size == 0:
        return Scanned(*key, reason="it is empty")
    try:
        if not _FITS.match(path.name):
            if is_object(path):
                return Scanned(*key, reason=_NOT_REMOTE)
            found, missing = observe_spectra(read_spectra(path, reading), stem(path), rules, path.name), ""
            large = False
        else:
            with storage.open(path) as source, open_fits(source) as hdus:
                missing = truncation(source, hdus)
                found = [] if missing else _observed(hdus, path, rules, reading)
                large = _has_image(hdus) and has_large_tiles(hdus, packed=is_packed(path.name))
    except NoCelestialWCSError as error:
        return Scanned(*key, reason=str(error), hdu=error.hdu)
    except NoSpectrumError as error:
        return Scanned(*key, reason=str(error))
    except InputFileError as error:
        return Scanned(*key, reason=error.message.removeprefix(f"{path.name}: "))
    if missing:
        return Scanned(*key, reason=missing)
    parts = tuple(Part(one.hdus, one.part, one.to_row()) for one in found)
    return Scanned(*key, parts=parts, large_tiles=large)


def _observed(hdus: FitsFile, path: Path, rules: Rules, reading: Reading | None) -> list[Observation]:
    """Return the datasets of a FITS file: its light curves, else its images of the sky, else its spectra."""
    curves = [] if is_object(path) else observe_light_curves(hdus, stem(path), rules, path.name)
    if curves:
        return curves
    try:
        return observe(hdus, stem(path), rules, path.name)
    except NoCelestialWCSError as no_image:
        if is_object(path):
            raise NoSpectrumError(f"{no_image}; {_NOT_REMOTE}") from None
        try:
            spectra = read_fits_spectra(hdus, path, reading)
        except NoSpectrumError as no_spectrum:
            raise (no_image if _has_image(hdus) and not no_spectrum.certain else no_spectrum) from None
        return observe_spectra(spectra, stem(path), rules, path.name)


def _has_image(hdus: FitsFile) -> bool:
    return any(getattr(hdu, "is_image", False) and len(hdu.shape) > 1 for hdu in hdus)


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
    storage
        Tells whether a file has changed; this machine's when None.
    """

    def __init__(self, file: Path, digest: str, storage: Storage | None = None) -> None:
        self._file = file
        self._storage = storage or Storage()
        self._digest = digest
        self._known = {entry.path: entry for entry in self._read()}

    def get(self, path: Path) -> Scanned | None:
        """Return what was read of a file, unless it has changed since."""
        known = self._known.get(str(path))
        if known is None:
            return None
        try:
            return known if (known.size, known.mtime) == self._storage.stat(path) else None
        except InputFileError:
            return None

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
