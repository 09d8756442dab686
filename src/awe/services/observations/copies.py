"""Copies in small tiles of the published images that are packed in large ones (`awe.core.science.retiling`).

A copy is called by the path, the size and the time of its original: a file that has changed has another one, and whoever
does not find a copy reads the original.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

from awe.core.science.layout import Layout
from awe.core.science.retiling import retile, with_copies
from awe.errors import InputFileError
from awe.services.observations.storage import Storage

__all__ = ["Copies"]


class Copies:
    """The copies of an archive.

    Parameters
    ----------
    folder
        Where they are.
    made
        Whether new ones are made; those that are there are used in any case.
    storage
        Reads the originals; this machine's when None.
    """

    def __init__(self, folder: Path, *, made: bool, storage: Storage | None = None) -> None:
        self._folder = folder
        self._storage = storage or Storage()
        self.made = made

    def place(self, path: Path, size: int, mtime: float) -> Path:
        """Return where the copy of a file is, or would be."""
        name = hashlib.sha256(f"{path}\0{size}\0{mtime!r}".encode()).hexdigest()[:40]
        return self._folder / name[:2] / f"{name}.fits"

    def make(self, path: Path, size: int, mtime: float) -> None:
        """Copy a file, unless that has been done, it has no large tiles after all, or its pixels cannot be read."""
        place = self.place(path, size, mtime)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=place.parent, suffix=".part", delete=False) as out:
            try:
                with self._storage.open(path) as source:
                    whole = retile(Layout.read(source), source, out)  # type: ignore[arg-type]  # it is a BinaryIO
            except InputFileError:
                whole = False
            except BaseException:
                Path(out.name).unlink()
                raise
        if whole:
            Path(out.name).rename(place)
        else:
            Path(out.name).unlink()

    def onto(self, path: Path, layout: Layout) -> Layout:
        """Return the layout of a file with what its copy has; as it is where there is none."""
        try:
            return with_copies(layout, self.place(path, *self._storage.stat(path)))
        except InputFileError:
            return layout

    def keep(self, wanted: Iterable[tuple[Path, int, float]]) -> None:
        """Remove the copies of all other files.

        Those that are being read stay open until they have been.
        """
        if not self._folder.is_dir():
            return
        places = {self.place(*one) for one in wanted}
        for found in self._folder.glob("*/*"):
            if found not in places:
                found.unlink(missing_ok=True)
