"""Publish folders: look at the files, name the datasets, write the index, all of it or nothing."""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.science.obscore import OBSCORE_SCHEMA
from awe.core.science.observation import split_name
from awe.core.tables import TableStream
from awe.errors import ConflictError, InputFileError, ParameterError
from awe.services.identity import Policy
from awe.services.observations.copies import Copies
from awe.services.observations.coverage import covered
from awe.services.observations.describe import Description, read_description
from awe.services.observations.interface import Index
from awe.services.observations.model import COLLECTION, INDEX_TABLE, Dataset, PublishReport, Rejected
from awe.services.observations.objects import is_object
from awe.services.observations.scanning import Journal, Part, Scanned, find_files, scan, stem
from awe.services.observations.storage import Storage
from awe.services.observations.store import ObservationStore, in_batches
from awe.services.system import Connection

__all__ = ["Publisher"]

_COLLECTION = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Publisher:
    """Write collections into the index.

    Attributes
    ----------
    store, index
        Where datasets are remembered, and who keeps the index table.
    folder
        Where journals of unfinished publications are kept.
    authority
        The IVOA authority in the datasets' identifiers.
    policy
        Where it is written who may see a collection.
    copies
        Of images that are packed in large tiles.
    storage
        Reads the files.
    """

    store: ObservationStore
    index: Index
    folder: Path
    authority: str
    policy: Policy
    copies: Copies
    storage: Storage

    def publish(
        self, collection: str, folder: Path, describe: Path | None, progress: Progress, *, replaces: bool
    ) -> PublishReport:
        """Publish a folder; `ObservationService.publish` says how."""
        if not _COLLECTION.fullmatch(collection):
            hint = "letters, digits, _ . and -, beginning with a letter, at most 64"
            raise ParameterError("collection", collection, "not the name of a collection", hint=hint)
        folder = folder if is_object(folder) else folder.expanduser().absolute()
        self._check_case(collection)
        files = self._files(folder)
        description = read_description(describe)
        with self._alone():
            journal = Journal(self.folder / f"{collection}.journal", description.digest, self.storage)
            old = list(self.store.datasets(collection))
            scanned, unchanged = _scan(files, old, description, journal, progress, self.storage)
            datasets, clashes = self._identify(collection, scanned, description, folder)
            new = {dataset.publisher_did for dataset in datasets}
            kept = (
                []
                if replaces
                else [d for d in old if d.publisher_did not in new and not _below(d.path, folder)]
            )
            self._copy(scanned, progress)
            declared = self.policy.declare(COLLECTION, collection, description.readers, file=description.file)
            self._write(collection, [*kept, *datasets], declared)
            journal.remove()
        left = {dataset.publisher_did for dataset in kept} | new
        return PublishReport(
            collection=collection,
            found=len(files),
            published=len(datasets),
            unchanged=unchanged,
            removed=sum(dataset.publisher_did not in left for dataset in old),
            rejected=(*(entry for one in scanned if (entry := one.rejected(folder))), *clashes),
        )

    def _copy(self, scanned: list[Scanned], progress: Progress) -> None:
        large = [one for one in scanned if one.large_tiles and one.parts] if self.copies.made else []
        for number, one in enumerate(large):
            progress("copying images in smaller tiles", number, len(large))
            self.copies.make(Path(one.path), one.size, one.mtime)
        if large:
            progress("copying images in smaller tiles", len(large), len(large))

    def _files(self, folder: Path) -> list[Path]:
        if not is_object(folder) and not folder.is_dir():
            raise InputFileError(folder, "there is no such folder")
        files = find_files(folder, self.storage)
        if not files:
            raise InputFileError(
                folder,
                "it holds no files of images, spectra or time series",
                hint="names end in .fits, .fit, .fts (also .gz, .bz2, .fz), .vot, .xml, .dat, .txt, .csv, .ecsv",
            )
        return files

    def _check_case(self, collection: str) -> None:
        """Refuse a name that differs from another's only in case: who may see the one could see the other."""
        for name in self.store.sizes():
            if name != collection and name.casefold() == collection.casefold():
                raise ConflictError(
                    f"there is a collection {name} already", hint="use its name, or another one"
                )

    def drop(self, collection: str) -> None:
        """Take a collection out of the index."""
        with self._alone():
            self._write(collection, [], self.policy.forget(COLLECTION, collection))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Publish one collection at a time: the index holds all of them, and each writes it whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "publishing.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _identify(
        self, collection: str, scanned: list[Scanned], description: Description, folder: Path
    ) -> tuple[list[Dataset], list[Rejected]]:
        found: dict[str, Dataset] = {}
        clashes: list[Rejected] = []
        for one in scanned:
            path = Path(one.path)
            obs_id, _ = split_name(stem(path))
            for part in one.parts:
                did = f"ivo://{self.authority}/{collection}?{quote(obs_id, safe='-_.~+')}"
                did += f"#{part.part}" if part.part else ""
                if did.lower() in found:
                    reason = f"{did} is the identifier of {found[did.lower()].path.name} already"
                    clashes.append(
                        Rejected(os.path.relpath(path, folder), next(iter(part.hdus), None), reason)
                    )
                    continue
                found[did.lower()] = Dataset(
                    did, obs_id, collection, path, part.hdus, one.size, one.mtime, part.row,
                    description.about, description.digest, description.reading, one.large_tiles,
                )  # fmt: skip
        return list(found.values()), clashes

    def _write(
        self, collection: str, datasets: Sequence[Dataset], access: Callable[[Connection], None]
    ) -> None:
        sky = covered(datasets)

        def also(connection: Connection) -> None:
            self.store.replace(connection, collection, datasets, sky)
            access(connection)

        about = {one.name: one.about for one in self.store.collections()}
        about[collection] = datasets[-1].about if datasets else {}
        said = {f"{name} {key}": text for name, texts in about.items() for key, text in texts.items()}
        self.index.publish_stream(
            INDEX_TABLE,
            TableStream(
                replace(OBSCORE_SCHEMA, metadata=said),
                _batches(chain(self.store.others(collection), datasets)),
            ),
            ra="s_ra",
            dec="s_dec",
            replace=True,
            unplaced=True,
            internal=True,
            also=also,
        )
        every = chain(self.store.others(collection), datasets)
        self.copies.keep((one.path, one.size, one.mtime) for one in every if one.large_tiles)


def _scan(
    files: list[Path],
    old: list[Dataset],
    description: Description,
    journal: Journal,
    progress: Progress,
    storage: Storage,
) -> tuple[list[Scanned], int]:
    published = _scanned_before(old, description)
    found: list[Scanned] = []
    unchanged = 0
    for number, path in enumerate(files):
        progress("reading headers", number, len(files))
        known = _same(published.get(str(path)), path, storage)
        unchanged += known is not None
        known = known or journal.get(path)
        if known is None:
            known = scan(path, description.rules, description.reading, storage=storage)
            journal.add(known)
        found.append(known)
    progress("reading headers", len(files), len(files))
    return found, unchanged


def _scanned_before(old: list[Dataset], description: Description) -> dict[str, Scanned]:
    found: dict[str, Scanned] = {}
    for dataset in old:
        if dataset.rules == description.digest and dataset.large_tiles is not None:
            path = str(dataset.path)
            part = Part(dataset.hdus, dataset.publisher_did.partition("#")[2] or None, dataset.header)
            before = found.get(path) or Scanned(
                path, dataset.size, dataset.mtime, large_tiles=dataset.large_tiles
            )
            found[path] = replace(before, parts=(*before.parts, part))
    return found


def _same(known: Scanned | None, path: Path, storage: Storage) -> Scanned | None:
    if known is None:
        return None
    try:
        return known if (known.size, known.mtime) == storage.stat(path) else None
    except InputFileError:
        return None


def _below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _batches(datasets: Iterable[Dataset]) -> Iterator[pa.RecordBatch]:
    schema = OBSCORE_SCHEMA.to_arrow()
    for some in in_batches(datasets, _BATCH):
        rows = [dataset.to_row() for dataset in some]
        columns = [pa.array([row.get(f.name) for row in rows], f.type) for f in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
