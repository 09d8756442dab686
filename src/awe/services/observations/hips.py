"""HiPS made from published images (Hierarchical Progressive Surveys 1.0): made, listed, read, removed.

A HiPS is a folder of tiles. It is made beside the others, in a hidden folder, and then switched to by a
symbolic link: whoever reads has the old one or the new one. Making it again after an interruption goes on
with the tiles that are there, if the images are the same.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from awe.core.progress import Progress, silent
from awe.core.science.hips import MAX_TILE_ORDER, native_order
from awe.core.science.hips_files import (
    ENDINGS,
    read_properties,
)
from awe.core.suggestions import did_you_mean
from awe.errors import ConflictError, InputFileError, NotFoundError, ParameterError
from awe.services.identity import ANONYMOUS, MACHINE, Identity, Names, Policy
from awe.services.observations._hips_making import HipsMaker, HipsPlan
from awe.services.observations._tiling import write
from awe.services.observations.model import COLLECTION, Dataset
from awe.services.observations.objects import is_object
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


@dataclass(frozen=True, slots=True)
class Hips:
    """A HiPS that is there: its name and its properties (HiPS 1.0 section 4.4.1)."""

    name: str
    properties: Mapping[str, str]


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
            HipsMaker(folder, plan, workers or os.cpu_count() or 1, progress or silent).make(
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
    ) -> HipsPlan:
        if order is not None and not 0 <= order <= MAX_TILE_ORDER:
            raise ParameterError("order", order, f"a HiPS has orders 0 to {MAX_TILE_ORDER}")
        if not formats or set(formats) - ENDINGS.keys():
            raise ParameterError("formats", " ".join(formats), f"tiles are {', '.join(ENDINGS)}")
        every = [d for d in self._store.datasets(collection) if d.hdus and d.header.get("s_region")]
        if any(is_object(dataset.path) for dataset in every):
            hint = "copy them into a folder of this machine and publish that"
            raise InputFileError(collection, "its images are in an object store", hint=hint)
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
        return HipsPlan(
            collection, tuple(filters), deepest, depth, tuple(dict.fromkeys(formats)), blank, chosen
        )

    @contextmanager
    def _making(self, name: str, plan: HipsPlan) -> Iterator[Path]:
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
