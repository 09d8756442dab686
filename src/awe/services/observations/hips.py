"""HiPS made from published images (Hierarchical Progressive Surveys 1.0): made, listed, read, removed.

A HiPS is a folder of tiles. It is made beside the others, in a hidden folder, and then switched to by a
symbolic link: whoever reads has the old one or the new one. Making it again after an interruption goes on
with the tiles that are there, if the images are the same.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from awe.core.progress import Progress, silent
from awe.core.science.hips import MAX_TILE_ORDER, WIDTH, Tile, native_order, parents
from awe.core.science.hips_files import (
    ALLSKY_ORDER,
    ENDINGS,
    Cut,
    allsky,
    metadata_file,
    picture,
    properties,
    read_properties,
    read_tile,
    tile_file,
)
from awe.core.sky import MAX_ORDER, Moc, moc_to_fits, parse_stcs
from awe.core.suggestions import did_you_mean
from awe.errors import ConflictError, NotFoundError, ParameterError
from awe.services.identity import ANONYMOUS, MACHINE, Identity, Names, Policy
from awe.services.observations._tiling import Drawing, Joining, Sampling, Source, run, write
from awe.services.observations.model import COLLECTION, Dataset
from awe.services.observations.store import ObservationStore
from awe.services.system import SystemDatabase

__all__ = ["Hips", "HipsService"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_FILE = re.compile(
    r"properties|Moc\.fits|metadata\.fits"
    r"|Norder[0-9]{1,2}/(Allsky|Dir[0-9]{1,20}/Npix[0-9]{1,20})\.(fits|png|jpg)"
)
_VERSIONS = ".versions"
_MAKING = ".making-"
_DEEPEST_SAMPLING = 3
"""Coarser tiles than the images' pixels average at most 8 by 8 samples."""
_SAMPLES = 400_000
_TILES_LOOKED_AT = 64


@dataclass(frozen=True, slots=True)
class Hips:
    """A HiPS that is there: its name and its properties (HiPS 1.0 section 4.4.1)."""

    name: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Plan:
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


class HipsService:
    """Make HiPS and find their files.

    Parameters
    ----------
    system
        Where the datasets' files are remembered.
    folder
        One folder below it for each HiPS.
    authority
        The IVOA authority in their identifiers.
    policy
        Who may see the collection that a HiPS was made from, and so the HiPS.
    """

    def __init__(self, system: SystemDatabase, folder: Path, authority: str, policy: Policy) -> None:
        self._policy = policy
        self._store = ObservationStore(system)
        self._root = folder
        self._authority = authority

    def all(self, identity: Identity = ANONYMOUS) -> list[Hips]:
        """Return what there is and the caller may see, by name."""
        if not self._root.is_dir():
            return []
        seen = self._policy.names(identity, COLLECTION)
        names = [path.name for path in sorted(self._root.iterdir()) if _NAME.fullmatch(path.name)]
        return [one for one in map(self._read, names) if _open_to(one, seen)]

    def get(self, name: str, identity: Identity = ANONYMOUS) -> Hips:
        """Return one.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        self.file(name, "properties", identity)
        return self._read(name)

    def file(self, name: str, path: str, identity: Identity = ANONYMOUS) -> Path:
        """Return a file of a HiPS by its path in it.

        Raises
        ------
        NotFoundError
            If there is none: of a tile, that the HiPS covers nothing there.
        """
        found = self._root / name / path
        seen = self._policy.names(identity, COLLECTION)
        there = _NAME.fullmatch(name) and (self._root / name / "properties").is_file()
        if not there or not _open_to(self._read(name), seen):
            others = [one.name for one in self.all(identity)]
            raise NotFoundError(f"no HiPS is called {name!r}", hint=did_you_mean(name, others))
        if not (_FILE.fullmatch(path) and found.is_file()):
            raise NotFoundError(f"the HiPS {name} has no {path}")
        return found

    def _read(self, name: str) -> Hips:
        file = self._root / name / "properties"
        return Hips(name, read_properties(file.read_text(encoding="utf-8")))

    def drop(self, name: str) -> None:
        """Remove a HiPS.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        self.get(name, MACHINE)
        link = self._root / name
        version = link.resolve()
        link.unlink()
        shutil.rmtree(version, ignore_errors=True)

    def make(
        self,
        collection: str,
        *,
        name: str | None = None,
        filters: Sequence[str] = (),
        order: int | None = None,
        formats: Sequence[str] = ("png", "fits"),
        blank: float | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> Hips:
        """Make a HiPS of a collection's images, or make it anew.

        Parameters
        ----------
        collection
            What was published under this name.
        name
            Of the HiPS; the collection's and the filters' when None.
        filters
            Only images of one of these (column ``spectral_elt``, in any case); images of different filters
            are averaged otherwise.
        order
            The deepest order of tiles, 0..20; the one that keeps the images' pixels when None.
        formats
            ``fits``, ``png``, ``jpeg``: what is kept, the one that clients shall prefer first.
        blank
            The value of pixels without data, besides NaN: 0 in many mosaics.
        workers
            Processes; one for each processor when None.
        progress
            Told of every tile.

        Raises
        ------
        NotFoundError
            If there is no such collection, or none of its images has such a filter.
        ParameterError
            If the name, the order or a format cannot be used.
        ConflictError
            If another process is making it.
        InputFileError
            If an image cannot be read.
        """
        plan = self._plan(collection, filters, order, formats, blank)
        called = name or "-".join([collection, *plan.filters])
        called = called if name else re.sub(r"[^A-Za-z0-9_.-]", "-", called)
        if not _NAME.fullmatch(called):
            hint = "letters, digits, _ . and -, beginning with a letter, at most 100"
            raise ParameterError("name", called, "not the name of a HiPS", hint=hint)
        with self._making(called, plan) as folder:
            _Maker(folder, plan, workers or os.cpu_count() or 1, progress or silent).make(
                f"ivo://{self._authority}/hips/{called}"
            )
            self._switch(called, folder)
        return self.get(called, MACHINE)

    def _plan(
        self,
        collection: str,
        filters: Sequence[str],
        order: int | None,
        formats: Sequence[str],
        blank: float | None,
    ) -> _Plan:
        if order is not None and not 0 <= order <= MAX_TILE_ORDER:
            raise ParameterError("order", order, f"a HiPS has orders 0 to {MAX_TILE_ORDER}")
        if not formats or set(formats) - ENDINGS.keys():
            raise ParameterError("formats", " ".join(formats), f"tiles are {', '.join(ENDINGS)}")
        every = [d for d in self._store.datasets(collection) if d.hdus and d.header.get("s_region")]
        images = [d for d in every if d.header.get("dataproduct_type") in {"image", "cube"}]
        if not images:
            known = [one.name for one in self._store.collections()]
            raise NotFoundError(
                f"no images are in a collection {collection!r}", hint=did_you_mean(collection, known)
            )
        wanted = {one.casefold() for one in filters}
        chosen = tuple(d for d in images if not wanted or wanted & _filters(d))
        if not chosen:
            there = sorted({str(d.header.get("spectral_elt")) for d in images})
            raise NotFoundError(
                f"no image of {collection} has the filter {', '.join(filters)}",
                hint=f"there are {', '.join(there)}",
            )
        native = max(native_order(_scale(d)) for d in chosen)
        deepest = native if order is None else order
        depth = min(max(native - deepest, 0), _DEEPEST_SAMPLING)
        return _Plan(collection, tuple(filters), deepest, depth, tuple(dict.fromkeys(formats)), blank, chosen)

    @contextmanager
    def _making(self, name: str, plan: _Plan) -> Iterator[Path]:
        """Yield the folder in which a HiPS is made, with the tiles of an earlier try in it, and nobody else."""
        folder = self._root / _VERSIONS / f"{_MAKING}{name}"
        folder.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{folder.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(f"the HiPS {name} is being made by another process") from None
            told = folder / "plan"
            if not told.exists() or told.read_text(encoding="ascii") != plan.digest:
                shutil.rmtree(folder)
                folder.mkdir()
                write(told, plan.digest.encode())
            yield folder

    def _switch(self, name: str, made: Path) -> None:
        """Put what was made in the place of what there was: in one step, for whoever reads."""
        (made / "plan").unlink()
        version = made.with_name(f"{name}-{secrets.token_hex(4)}")
        made.rename(version)
        link = self._root / name
        before = link.resolve() if link.is_symlink() else None
        new = self._root / _VERSIONS / f".link-{version.name}"
        new.symlink_to(Path(_VERSIONS) / version.name)
        new.replace(link)
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)
        made.with_name(f"{made.name}.lock").unlink(missing_ok=True)


class _Maker:
    """Make the files of one HiPS in a folder."""

    def __init__(self, folder: Path, plan: _Plan, workers: int, progress: Progress) -> None:
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


def _open_to(hips: Hips, seen: Names) -> bool:
    """Tell whether somebody may see a HiPS: one that was made here follows its collection, also one that is gone."""
    ours = hips.properties.get("hips_builder") == "awe"
    return not ours or hips.properties.get("obs_collection", "") in seen


def _filters(dataset: Dataset) -> set[str]:
    whole = str(dataset.header.get("spectral_elt") or "").casefold()
    return {whole, *whole.split("/")}


def _scale(dataset: Dataset) -> float:
    """Return the size of a dataset's pixels in arcsec."""
    return float(str(dataset.header.get("s_pixel_scale") or 1.0))


def _only(values: Iterator[str]) -> str:
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _extreme(
    choose: Callable[[list[float]], float], rows: Sequence[Mapping[str, object]], name: str
) -> object:
    known = [float(str(row[name])) for row in rows if row.get(name) is not None]
    return choose(known) if known else ""
