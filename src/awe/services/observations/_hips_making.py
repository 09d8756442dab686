"""Making the files of one HiPS: what is to be made, and the steps from images to tiles, pictures and properties."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from awe.core.progress import Progress
from awe.core.science.hips import WIDTH, Tile, parents
from awe.core.science.hips_files import (
    ALLSKY_ORDER,
    ENDINGS,
    Cut,
    allsky,
    metadata_file,
    picture,
    properties,
    read_tile,
    tile_file,
)
from awe.core.sky import MAX_ORDER, Moc, moc_to_fits, parse_stcs
from awe.errors import NotFoundError
from awe.services.observations._tiling import Drawing, Joining, Sampling, Source, run, write
from awe.services.observations.model import Dataset

__all__ = ["HipsMaker", "HipsPlan"]

_SAMPLES = 400_000
_TILES_LOOKED_AT = 64


@dataclass(frozen=True, slots=True)
class HipsPlan:
    """What is to be made; the same plan goes on with what is there already."""

    collection: str
    filters: tuple[str, ...]
    order: int
    depth: int
    formats: tuple[str, ...]
    blank: float | None
    datasets: tuple[Dataset, ...]

    @property
    def digest(self) -> str:
        """A text that differs when the tiles would."""
        said: list[object] = [self.order, self.depth, self.blank]
        said += [[d.publisher_did, str(d.path), d.size, d.mtime, *d.hdus] for d in self.datasets]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @property
    def unit(self) -> str:
        """The unit of the pixels, where all images have the same."""
        return _only(str(d.header.get("o_unit") or "") for d in self.datasets)


class HipsMaker:
    """Make the files of one HiPS in a folder."""

    def __init__(self, folder: Path, plan: HipsPlan, workers: int, progress: Progress) -> None:
        self._folder = folder
        self._plan = plan
        self._workers = workers
        self._progress = progress

    def make(self, did: str) -> None:
        tiles = self._sample()
        if not tiles:
            raise NotFoundError(f"the images of {self._plan.collection} hold no data", hint="is blank right?")
        levels = [tiles, *self._join(tiles)]
        cut = self._cut(levels)
        pictures = [form for form in self._plan.formats if form != "fits"]
        for form in pictures:
            self._do(
                f"drawing {form}",
                [
                    Drawing(self._folder, tile, form, cut)
                    for level in levels
                    for tile in sorted(level)
                    if not self._has(tile, ENDINGS[form])
                ],
            )
        self._pack(levels, pictures, cut)
        moc = Moc.of_cells(sorted(tile.npix for tile in tiles), self._plan.order)
        write(self._folder / "Moc.fits", moc_to_fits(moc))
        comment = f"HiPS of {len(self._plan.datasets)} images of {self._plan.collection}"
        history = (dataset.publisher_did for dataset in self._plan.datasets)
        write(self._folder / "metadata.fits", metadata_file(comment, history))
        if "fits" not in self._plan.formats:
            for path in [*self._folder.rglob("Npix*.fits"), *self._folder.rglob("Allsky.fits")]:
                path.unlink()
        write(self._folder / "properties", properties(self._said(did, moc, cut)).encode())

    def _sample(self) -> set[Tile]:
        """Make the tiles of the deepest order; return those that hold data."""
        plan = self._plan
        touching: dict[int, list[Source]] = {}
        for dataset in plan.datasets:
            region = parse_stcs(str(dataset.header["s_region"]))
            source = Source(dataset.path, dataset.hdus, region.bounding_circle())
            ranges = region.covering(plan.order)
            shift = 2 * (MAX_ORDER - plan.order)
            for low, high in ranges:
                for cell in range(int(low) >> shift, -(-int(high) >> shift)):
                    touching.setdefault(cell, []).append(source)
        tiles = [Tile(plan.order, cell) for cell in sorted(touching)]
        there = {tile for tile in tiles if self._has(tile, "fits")}
        todo = [tile for tile in tiles if tile not in there]
        pieces = [
            Sampling(
                self._folder, tile, plan.depth,
                tuple(touching[tile.npix]), plan.blank, plan.unit,
            )
            for tile in todo
        ]  # fmt: skip
        found = self._do(f"making tiles of order {plan.order}", pieces, before=len(there))
        return there | {tile for tile, made in zip(todo, found, strict=True) if made}

    def _join(self, tiles: set[Tile]) -> Iterator[set[Tile]]:
        while (tiles := parents(tiles)) and min(tiles).order >= 0:
            todo = sorted(tile for tile in tiles if not self._has(tile, "fits"))
            self._do("making coarser tiles", [Joining(self._folder, t, self._plan.unit) for t in todo])
            yield tiles

    def _cut(self, levels: Sequence[set[Tile]]) -> Cut:
        """Return the values to draw black and white: a little below the middle, and above nearly all."""
        level = sorted(next(tiles for tiles in levels if len(tiles) <= _TILES_LOOKED_AT or len(tiles) == 1))
        each = max(1, len(level) * WIDTH * WIDTH // _SAMPLES)
        values = np.concatenate([self._pixels(tile).ravel()[::each] for tile in level])
        values = values[np.isfinite(values)]
        middle, high = (float(v) for v in np.percentile(values, [50, 99.7]))
        noise = 1.4826 * float(np.median(np.abs(values - middle)))
        low = middle - 2 * noise
        return (low, high) if high > low else (low, low + (abs(low) or 1.0))

    def _pack(self, levels: Sequence[set[Tile]], pictures: Sequence[str], cut: Cut) -> None:
        level = next((tiles for tiles in levels if min(tiles).order == ALLSKY_ORDER), None)
        if level is None:
            return
        packed = allsky((tile, self._pixels(tile)) for tile in sorted(level))
        place = self._folder / f"Norder{ALLSKY_ORDER}"
        write(place / "Allsky.fits", tile_file(packed, None, self._plan.unit))
        for form in pictures:
            write(place / f"Allsky.{ENDINGS[form]}", picture(packed, form, cut))

    def _said(self, did: str, moc: Moc, cut: Cut) -> dict[str, object]:
        plan, rows = self._plan, [d.header for d in self._plan.datasets]
        about = plan.datasets[0].about
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        around = moc.bounding_circle()
        title = about.get("title") or plan.collection
        size = sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
        words = [
            about.get("description", ""),
            f"Simulated: {about['simulated']}" if about.get("simulated") else "",
        ]
        return {
            "creator_did": did,
            "obs_collection": plan.collection,
            "obs_title": f"{title}, {' '.join(plan.filters)}" if plan.filters else title,
            "obs_description": " ".join(filter(None, words)),
            "prov_progenitor": f"{len(rows)} images of {plan.collection}",
            "t_min": _extreme(min, rows, "t_min"),
            "t_max": _extreme(max, rows, "t_max"),
            "em_min": _extreme(min, rows, "em_min"),
            "em_max": _extreme(max, rows, "em_max"),
            "dataproduct_type": "image",
            "hips_version": "1.4",
            "hips_builder": "awe",
            "hips_creation_date": now,
            "hips_release_date": now,
            "hips_status": "public master clonableOnce",
            "hips_frame": "equatorial",
            "hips_order": plan.order,
            "hips_tile_width": WIDTH,
            "hips_tile_format": " ".join(plan.formats),
            "hips_pixel_bitpix": -32 if "fits" in plan.formats else "",
            "hips_pixel_cut": f"{cut[0]:.6g} {cut[1]:.6g}",
            "hips_bunit": plan.unit,
            "hips_initial_ra": f"{around.ra:.6f}",
            "hips_initial_dec": f"{around.dec:+.6f}",
            "hips_initial_fov": f"{min(180.0, max(2 * around.radius, 0.001)):.6g}",
            "hips_estsize": size // 1024,
            "moc_order": moc.order,
            "moc_sky_fraction": f"{moc.sky_fraction:.6g}",
        }

    def _do(self, what: str, pieces: Sequence[Callable[[], bool]], before: int = 0) -> list[bool]:
        total = before + len(pieces)
        done = []
        self._progress(what, before, total)
        for result in run(list(pieces), self._workers):
            done.append(result)
            self._progress(what, before + len(done), total)
        return done

    def _has(self, tile: Tile, ending: str) -> bool:
        return (self._folder / f"{tile.path}.{ending}").exists()

    def _pixels(self, tile: Tile) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return read_tile(self._folder / f"{tile.path}.fits")


def _only(values: Iterator[str]) -> str:
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _extreme(
    choose: Callable[[list[float]], float], rows: Sequence[Mapping[str, object]], name: str
) -> object:
    known = [float(str(row[name])) for row in rows if row.get(name) is not None]
    return choose(known) if known else ""
