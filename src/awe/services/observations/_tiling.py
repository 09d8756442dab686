"""The work that makes a HiPS, in pieces that processes can share: each makes one tile's files.

Every piece reads and writes files only, and writes each of them whole or not at all.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from awe.core.science.fitsfile import FitsFile, open_fits
from awe.core.science.hips import WIDTH, Pixels, Tile, combined, sampled
from awe.core.science.hips_files import ENDINGS, Cut, picture, read_tile, tile_file
from awe.core.science.images import ScienceImage, science_images
from awe.core.sky import Circle

__all__ = ["Drawing", "Joining", "Sampling", "Source", "run", "write"]

_OPEN_FILES = 8
_ALONE = 12
"""So few pieces are done here: starting processes takes longer."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, the HDUs of its images that are used, and a circle around them."""

    path: Path
    hdus: tuple[int, ...]
    around: Circle


@dataclass(frozen=True, slots=True)
class Sampling:
    """Make a tile of the deepest order from images.

    Attributes
    ----------
    folder, tile
        Where it goes, and which.
    depth
        So many orders deeper the images are sampled, and averaged down.
    sources
        The images that touch the tile.
    blank
        The value of pixels without data, besides NaN.
    unit
        Of the pixels.
    """

    folder: Path
    tile: Tile
    depth: int
    sources: tuple[Source, ...]
    blank: float | None
    unit: str

    def __call__(self) -> bool:
        """Write it; False where the images have no data there."""
        pixels = self._pixels(self.tile, self.depth, self.sources)
        if pixels is None:
            return False
        write(self.folder / f"{self.tile.path}.fits", tile_file(pixels, self.tile, self.unit))
        return True

    def _pixels(self, tile: Tile, depth: int, sources: tuple[Source, ...]) -> Pixels | None:
        near = tuple(source for source in sources if source.around.intersects(tile.around))
        if depth and near:
            parts = {child: self._pixels(child, depth - 1, near) for child in tile.children}
            known = {child: pixels for child, pixels in parts.items() if pixels is not None}
            return combined(known, tile) if known else None
        total, weight = np.zeros((WIDTH, WIDTH)), np.zeros((WIDTH, WIDTH))
        for source in near:
            hdus, images = _opened(source.path)
            for image in (one for one in images if one.hdu in source.hdus):
                found = sampled(tile, hdus[image.hdu], image, self.blank)
                if found is not None:
                    total += found[0] * found[1]
                    weight += found[1]
        if not weight.any():
            return None
        mean: Pixels = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0).astype(
            np.float32
        )
        return mean


@dataclass(frozen=True, slots=True)
class Joining:
    """Make a tile from those of its four children that there are."""

    folder: Path
    tile: Tile
    unit: str

    def __call__(self) -> bool:
        """Write it."""
        paths = {child: self.folder / f"{child.path}.fits" for child in self.tile.children}
        children = {child: read_tile(path) for child, path in paths.items() if path.exists()}
        pixels = combined(children, self.tile)
        write(self.folder / f"{self.tile.path}.fits", tile_file(pixels, self.tile, self.unit))
        return True


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draw a tile."""

    folder: Path
    tile: Tile
    form: str
    cut: Cut

    def __call__(self) -> bool:
        """Write the picture."""
        pixels = read_tile(self.folder / f"{self.tile.path}.fits")
        write(self.folder / f"{self.tile.path}.{ENDINGS[self.form]}", picture(pixels, self.form, self.cut))
        return True


def run(pieces: list[Callable[[], bool]], workers: int) -> Iterator[bool]:
    """Yield what each piece of work returns, in order; stopping the iteration stops the rest."""
    if workers == 1 or len(pieces) <= _ALONE:
        for piece in pieces:
            yield piece()
        return
    # not forked: the parent may have threads, and a fork would take their locks along
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield from pool.map(_called, pieces, chunksize=max(1, min(16, len(pieces) // (4 * workers))))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _called(piece: Callable[[], bool]) -> bool:
    return piece()


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)


class _Open:
    """A file that is kept open while its neighbours' tiles are made."""

    def __init__(self, path: Path) -> None:
        self._stack = ExitStack()
        self.hdus: FitsFile = self._stack.enter_context(open_fits(path))
        self.images: list[ScienceImage] = science_images(self.hdus)

    def close(self) -> None:
        self._stack.close()


_open: dict[Path, _Open] = {}


def _opened(path: Path) -> tuple[FitsFile, list[ScienceImage]]:
    found = _open.pop(path, None) or _Open(path)
    _open[path] = found  # the last one used is the last one closed
    while len(_open) > _OPEN_FILES:
        _open.pop(next(iter(_open))).close()
    return found.hdus, found.images
