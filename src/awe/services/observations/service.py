"""The use cases: publish, find, open, cut, draw."""

import fcntl
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace as changed
from difflib import get_close_matches
from itertools import batched, chain
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
from astropy.io import fits

from awe.core.science.celestial import quiet
from awe.core.science.cutout import Cutout, cut
from awe.core.science.observation import split_name
from awe.core.science.obscore import OBSCORE_SCHEMA
from awe.core.science.preview import Stretch, preview
from awe.core.sky import Region
from awe.core.tables import Schema, TableStream
from awe.errors import InputFileError, NotFoundError, ParameterError
from awe.services.observations.describe import Description, read_description
from awe.services.observations.finding import to_adql, touching
from awe.services.observations.interface import Index, Progress
from awe.services.observations.model import (
    INDEX_TABLE,
    Collection,
    Criteria,
    Dataset,
    Interval,
    PublishReport,
    Rejected,
)
from awe.services.observations.scanning import Journal, Scanned, find_files, open_fits, scan, stem
from awe.services.observations.store import ObservationStore
from awe.services.system import Connection, SystemDatabase

__all__ = ["ObservationService"]

_COLLECTION = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_BATCH = 5000


class ObservationService:
    """Publish images, find them, and take pieces of them.

    Parameters
    ----------
    system
        Where the datasets' files are remembered.
    index
        Who keeps the index table: the catalogue service.
    folder
        Where journals of unfinished publications are kept.
    authority
        The IVOA authority in the datasets' identifiers.
    max_pixels
        The largest cutout.
    max_rows
        The largest answer of the index.
    """

    def __init__(
        self,
        system: SystemDatabase,
        index: Index,
        *,
        folder: Path,
        authority: str,
        max_pixels: int,
        max_rows: int,
    ) -> None:
        self._store = ObservationStore(system)
        self._index = index
        self._folder = folder
        self._authority = authority
        self._max_pixels = max_pixels
        self._max_rows = max_rows
        self._widest: tuple[int, float] = (-1, 0.0)

    def publish(
        self,
        collection: str,
        folder: Path,
        *,
        describe: Path | None = None,
        progress: Progress | None = None,
        replace: bool = False,
    ) -> PublishReport:
        """Publish the FITS images below a folder, or bring what was published of it up to date.

        Files that have not changed are not read again, datasets whose files are gone from the folder
        leave the index, files that cannot be used are reported. Nothing is visible before all of it is.

        Parameters
        ----------
        collection
            Its name: letters, digits, ``_ . -``, beginning with a letter.
        folder
            Searched with its subfolders.
        describe
            A TOML file (`awe.services.observations.describe`).
        progress
            Told of every file.
        replace
            Whether the collection shall hold this folder alone. Otherwise what it holds of other
            folders stays.

        Raises
        ------
        ParameterError
            If the collection cannot be called so.
        InputFileError
            If the folder is not there or holds no FITS file, or the describe file is wrong.
        """
        if not _COLLECTION.fullmatch(collection):
            hint = "letters, digits, _ . and -, beginning with a letter, at most 64"
            raise ParameterError("collection", collection, "not the name of a collection", hint=hint)
        folder = folder.expanduser().absolute()
        description = read_description(describe)
        with self._alone():
            files = _files(folder)
            journal = Journal(self._folder / f"{collection}.journal", description.digest)
            old = list(self._store.datasets(collection))
            scanned, unchanged = self._scan(files, old, description, journal, progress or _silent)
            datasets, clashes = self._identify(collection, scanned, description)
            kept = [] if replace else _elsewhere(old, folder, {d.publisher_did for d in datasets}, description)
            self._write(collection, [*kept, *datasets])
            journal.remove()
        rejected = [entry for one in scanned if (entry := one.rejected(folder))]
        now = {dataset.publisher_did for dataset in (*kept, *datasets)}
        return PublishReport(
            collection=collection,
            found=len(files),
            published=len(datasets),
            unchanged=unchanged,
            removed=sum(dataset.publisher_did not in now for dataset in old),
            rejected=(*rejected, *(changed_file(clash, folder) for clash in clashes)),
        )

    def drop(self, collection: str) -> None:
        """Take a collection out of the index; its files stay where they are.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        known = [one.name for one in self.collections()]
        if collection not in known:
            raise NotFoundError(f"no collection is called {collection!r}", hint=_suggest(collection, known))
        with self._alone():
            self._write(collection, [])

    def collections(self) -> list[Collection]:
        """Return what is published, by name."""
        return self._store.collections()

    def find(self, criteria: Criteria, *, max_rows: int | None = None) -> TableStream:
        """Find datasets.

        Parameters
        ----------
        criteria
            What is wanted; all datasets when it says nothing.
        max_rows
            Rows at the most; the stream says `overflow` when there are more.

        Returns
        -------
        TableStream
            Rows of the index (`awe.core.science.obscore`), by identifier.
        """
        limit = self._max_rows if max_rows is None else min(max_rows, self._max_rows)
        widest = self._largest()
        if widest is None:
            return TableStream(OBSCORE_SCHEMA, ())
        stream = self._index.query(to_adql(criteria, widest), max_rows=self._max_rows)
        return touching(stream, criteria.regions).limit(limit)

    def dataset(self, name: str) -> Dataset:
        """Return a dataset by its publisher DID or its ``obs_id``, ignoring case.

        Raises
        ------
        NotFoundError
            If there is none: with the nearest names.
        ParameterError
            If an ``obs_id`` means several datasets, none of which is the principal one.
        """
        found = self._store.named(name.strip())
        if not found:
            raise NotFoundError(f"no dataset is called {name!r}", hint=self._near(name))
        principal = [dataset for dataset in found if "#" not in dataset.publisher_did]
        choice = found if len(found) == 1 else principal
        if len(choice) != 1:
            some = ", ".join(dataset.publisher_did for dataset in found[:5])
            raise ParameterError("dataset", name, f"{len(found)} datasets are called so", hint=f"name one: {some}")
        return choice[0]

    def file(self, name: str) -> Path:
        """Return the file of a dataset.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone.
        """
        dataset = self.dataset(name)
        if not dataset.path.is_file():
            raise NotFoundError(
                f"the file {dataset.path.name} of {dataset.obs_id} is not there any more",
                hint=f"publish the collection {dataset.collection} again",
            )
        return dataset.path

    def cutout(
        self, name: str, *, region: Region | None = None, band: Interval | None = None
    ) -> Cutout | None:
        """Cut a region of the sky and a range of wavelengths (metres) out of a dataset.

        Returns
        -------
        Cutout or None
            None where no pixel of the dataset lies in the region and the band.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone.
        LimitError
            If the cutout is larger than the operator allows.
        """
        with self._open(name) as (dataset, hdus):
            return cut(
                hdus,
                dataset.obs_id,
                region=region,
                band=band,
                coverage=dataset.coverage,
                only=dataset.hdus,
                max_pixels=self._max_pixels,
            )

    def preview(
        self, name: str, *, region: Region | None = None, size: int = 512, stretch: Stretch = "linear"
    ) -> bytes | None:
        """Draw a dataset, z-scaled, as PNG; None where the region misses it.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone.
        ParameterError
            If the size or the stretch is not offered.
        """
        with self._open(name) as (dataset, hdus):
            return preview(
                hdus, dataset.obs_id, region=region, size=size, stretch=stretch, only=dataset.hdus
            )

    @contextmanager
    def _open(self, name: str) -> Iterator[tuple[Dataset, fits.HDUList]]:
        path = self.file(name)
        dataset = self.dataset(name)
        try:
            hdus = open_fits(path)
        except OSError as error:
            raise InputFileError(path.name, f"it cannot be opened: {error}") from None
        with hdus:
            yield dataset, hdus

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Publish one collection at a time: the index holds all of them, and each writes it whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "publishing.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _scan(
        self,
        files: list[Path],
        old: list[Dataset],
        description: Description,
        journal: Journal,
        progress: Progress,
    ) -> tuple[list[Scanned], int]:
        published = _scanned_before(old, description)
        found: list[Scanned] = []
        unchanged = 0
        for number, path in enumerate(files):
            progress("reading headers", number, len(files))
            known = _still(published.get(str(path)), path) or journal.get(path)
            unchanged += known is not None
            if known is None:
                known = scan(path, description.rules)
                journal.add(known)
            found.append(known)
        progress("reading headers", len(files), len(files))
        return found, unchanged

    def _identify(
        self, collection: str, scanned: list[Scanned], description: Description
    ) -> tuple[list[Dataset], list[Rejected]]:
        found: dict[str, Dataset] = {}
        clashes: list[Rejected] = []
        for one in scanned:
            obs_id, _ = split_name(stem(Path(one.path)))
            for part in one.parts:
                did = f"ivo://{self._authority}/{collection}?{quote(obs_id, safe='-_.~+')}"
                did += f"#{part.part}" if part.part else ""
                if did in found:
                    other = found[did].path.name
                    clashes.append(Rejected(one.path, part.hdus[0], f"it has the identifier of {other}: {did}"))
                    continue
                found[did] = Dataset(
                    did, obs_id, collection, Path(one.path), part.hdus, one.size, one.mtime, part.row,
                    description.about, description.digest,
                )  # fmt: skip
        return list(found.values()), clashes

    def _write(self, collection: str, datasets: list[Dataset]) -> None:
        def also(connection: Connection) -> None:
            self._store.replace(connection, collection, datasets)

        rows = chain(self._store.others(collection), datasets)
        about = {one.name: one.about for one in self.collections()}
        about[collection] = datasets[0].about if datasets else {}
        said = {f"{name} {key}": text for name, texts in about.items() for key, text in texts.items()}
        self._index.publish_stream(
            INDEX_TABLE,
            TableStream(changed(OBSCORE_SCHEMA, metadata=said), _batches(rows)),
            ra="s_ra",
            dec="s_dec",
            replace=True,
            internal=True,
            also=also,
        )

    def _largest(self) -> float | None:
        """Return the diameter of the largest dataset in degrees; None when there is no index yet."""
        try:
            version = self._index.table(INDEX_TABLE).version
        except NotFoundError:
            return None
        if self._widest[0] != version:
            query = f"SELECT MAX(s_fov) AS widest FROM {INDEX_TABLE}"
            with self._index.query(query, max_rows=1) as stream:
                values = [value for batch in stream for value in batch.column(0).to_pylist()]
            self._widest = (version, float(values[0]) if values and values[0] is not None else 0.0)
        return self._widest[1]

    def _near(self, name: str) -> str | None:
        for length in range(min(len(name), 12), 0, -1):
            known = self._store.like(name[:length], 500)
            if known:
                return _suggest(name, known)
        return None
