"""The use cases: publish, find, open, read, cut, draw."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from awe.core.progress import Progress, silent
from awe.core.science.chart import Frame
from awe.core.science.cutout import Cutout, Wanted, cut
from awe.core.science.fitsfile import open_fits
from awe.core.science.layout import Layout, Reader
from awe.core.science.obscore import OBSCORE_SCHEMA
from awe.core.science.preview import MAX_SIZE, Stretch, preview
from awe.core.science.spectra import Spectrum, draw_spectrum
from awe.core.science.timeseries import draw_light_curve
from awe.core.sky import Moc, Region
from awe.core.tables import TableStream
from awe.errors import NotFoundError, ParameterError
from awe.services.identity import ANONYMOUS, MACHINE, Identity, Policy, Remembered, Resource
from awe.services.observations.charting import Chart, make_chart
from awe.services.observations.copies import Copies
from awe.services.observations.files import CollectionFiles
from awe.services.observations.finding import to_adql, touching
from awe.services.observations.interface import Index
from awe.services.observations.layouts import Layouts
from awe.services.observations.model import (
    INDEX_TABLE,
    PLOTTED,
    Collection,
    Criteria,
    Dataset,
    PublishReport,
)
from awe.services.observations.publishing import Publisher
from awe.services.observations.reading import file_of, read_datasets
from awe.services.observations.relations import Relative, relative
from awe.services.observations.storage import Storage
from awe.services.observations.store import ObservationStore, Seen, in_batches
from awe.services.observations.visible import VisibleCollections, suggested
from awe.services.system import SystemDatabase

__all__ = ["ObservationService"]

_CHARTED = 300
"""So many images are looked at for a chart, the nearest ones."""
_LAYOUT_BYTES = 64 << 20
"""Headers, coordinates and places of tiles of so many bytes are kept in memory."""
_DATASETS = 2_000
"""So many datasets are known by the name and the caller they were asked for last."""
_READ_TOGETHER = 500
"""So many spectra are read together: those of them that share a file are read from it at once."""


class ObservationService:
    """Publish images, spectra and time series, find them, and take pieces of them; `files` are theirs as they lie.

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
    policy
        Who may see which collection: what belongs to others is not there.
    copies
        Of images that are packed in large tiles.
    storage
        Reads the files, by their paths.
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
        policy: Policy,
        copies: Copies,
        storage: Storage,
    ) -> None:
        self._store = ObservationStore(system)
        self._visible = VisibleCollections(self._store, policy)
        index.guard(INDEX_TABLE, self._visible)
        self._index = index
        self.storage = storage
        self.files = CollectionFiles(self._store, self._visible, index)
        self._publisher = Publisher(self._store, index, folder, authority, policy, copies, storage)
        self._max_pixels = max_pixels
        self._max_rows = max_rows
        self._layouts = Layouts(_LAYOUT_BYTES, storage, copies)
        self._named = Remembered(self._found, self._store.stamp, policy, most=_DATASETS)
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
        """Publish the data below a folder, or bring what was published of it up to date.

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
            If the folder is not there or holds no file of data, or the describe file is wrong.
        """
        return self._publisher.publish(collection, folder, describe, progress or silent, replaces=replace)

    def drop(self, collection: str) -> None:
        """Take a collection out of the index; its files stay where they are.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        self._visible.check(collection, MACHINE)
        self._publisher.drop(collection)

    def collections(self, identity: Identity = ANONYMOUS) -> list[Collection]:
        """Return what is published and the caller may see, by name."""
        return self._visible.all(identity)

    def resource(self, collection: str, identity: Identity = ANONYMOUS) -> Resource:
        """Return a collection as something that can be shared, by its name, ignoring case.

        Raises
        ------
        NotFoundError
            If there is none of that name that the caller may see.
        """
        return self._visible.resource(collection, identity)

    def datasets(self, collection: str) -> Iterator[Dataset]:
        """Yield the datasets of a collection, by file."""
        return self._store.datasets(collection)

    def coverage(self, collection: str, identity: Identity = ANONYMOUS) -> Moc:
        """Return the part of the sky that a collection covers: the cells around its datasets' regions.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        return self._visible.coverage(collection, identity)

    def find(
        self,
        criteria: Criteria,
        *,
        max_rows: int | None = None,
        nearest_to: tuple[float, float] | None = None,
        identity: Identity = ANONYMOUS,
    ) -> TableStream:
        """Find datasets.

        Parameters
        ----------
        criteria
            What is wanted; all datasets when it says nothing.
        max_rows
            Rows at the most; the stream says `overflow` when there are more.
        nearest_to
            A position (ICRS degrees): the nearest datasets come first.

        Returns
        -------
        TableStream
            Rows of the index (`awe.core.science.obscore`), by distance or by identifier.
        """
        limit = self._max_rows if max_rows is None else min(max_rows, self._max_rows)
        widest = self._largest()
        if widest is None:
            return TableStream(OBSCORE_SCHEMA, ())
        stream = self._index.query(
            to_adql(criteria, widest, nearest_to), max_rows=self._max_rows, identity=identity, asked=False
        )
        return touching(stream, criteria.regions).limit(limit)

    def dataset(self, name: str, identity: Identity = ANONYMOUS) -> Dataset:
        """Return a dataset that the caller may see by its publisher DID or its ``obs_id``, ignoring case.

        Raises
        ------
        NotFoundError
            If there is none: with the nearest names.
        ParameterError
            If an ``obs_id`` means several datasets, none of which is the principal one.
        """
        return self._named.of((name, identity))

    def _found(self, named: tuple[str, Identity]) -> Dataset:
        name, identity = named
        seen = self._visible.condition(identity)
        found = self._store.named(name.strip(), seen)
        if not found:
            raise NotFoundError(f"no dataset is called {name!r}", hint=self._near(name, seen))
        principal = [dataset for dataset in found if "#" not in dataset.publisher_did]
        choice = found if len(found) == 1 else principal
        if len(choice) != 1:
            some = ", ".join(dataset.publisher_did for dataset in found[:5])
            raise ParameterError(
                "dataset", name, f"{len(found)} datasets are called so", hint=f"name one: {some}"
            )
        return choice[0]

    def file(self, name: str, identity: Identity = ANONYMOUS) -> Path:
        """Return the file of a dataset.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone.
        """
        return file_of(self.dataset(name, identity))

    def family(self, name: str, identity: Identity = ANONYMOUS) -> tuple[Dataset, list[Relative]]:
        """Return a dataset whose file is there, and the other datasets of the same observation.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone.
        """
        dataset = self.dataset(name, identity)
        file_of(dataset)
        return dataset, [relative(dataset, other) for other in self._store.relatives(dataset)]

    def cutout(
        self, name: str, wanted: Wanted | None = None, identity: Identity = ANONYMOUS
    ) -> Cutout | None:
        """Cut a piece out of a dataset; everything that it holds when nothing is said.

        Returns
        -------
        Cutout or None
            None where the dataset has no pixel of what is wanted.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone.
        ParameterError
            If it has no images of the sky, or what is wanted is not known of it.
        LimitError
            If the cutout is larger than the operator allows.
        """
        dataset = self.dataset(name, identity)
        self._check_cut(dataset)
        with self._layouts.open(file_of(dataset)) as (layout, reader):
            return cut(
                layout,
                reader,
                dataset.obs_id,
                wanted or Wanted(),
                dataset.known,
                only=dataset.hdus,
                max_pixels=self._max_pixels,
            )

    def chart(self, frame: Frame, identity: Identity = ANONYMOUS) -> Chart | None:
        """Fill a chart of a piece of the sky from images; see `make_chart`. None where no image has data."""
        wanted = Criteria(regions=(frame.around,), dataproduct_types=("image",))
        found = self.find(
            wanted, max_rows=_CHARTED, nearest_to=(frame.ra, frame.dec), identity=identity
        ).to_table()
        return make_chart(found.to_pylist(), lambda name: self._images(name, identity), frame)

    def preview(
        self,
        name: str,
        *,
        region: Region | None = None,
        size: int = 512,
        stretch: Stretch = "linear",
        identity: Identity = ANONYMOUS,
    ) -> bytes | None:
        """Draw a dataset as PNG: an image z-scaled, a spectrum as a line, a light curve as dots.

        None where the region misses the image.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone.
        ParameterError
            If the size or the stretch is not offered, or there is no picture of this kind of data.
        """
        dataset = self.dataset(name, identity)
        if dataset.dataproduct_type in PLOTTED:
            if not 1 <= size <= MAX_SIZE:
                raise ParameterError("size", size, f"a preview has 1 to {MAX_SIZE} pixels")
            title = str(dataset.header.get("target_name") or dataset.obs_id)
            if dataset.dataproduct_type == "spectrum":
                return draw_spectrum(self.spectrum(name, identity), title, size)
            with open_fits(file_of(dataset)) as hdus:
                return draw_light_curve(hdus, dataset.hdus[0], dataset.obs_id, title, size)
        self._check_cut(dataset)
        with self._layouts.open(file_of(dataset)) as (layout, reader):
            return preview(layout, reader, region=region, size=size, stretch=stretch, only=dataset.hdus)

    def spectrum(self, name: str, identity: Identity = ANONYMOUS) -> Spectrum:
        """Return the spectrum that a dataset is, with the values and units of its file.

        Raises
        ------
        NotFoundError
            If there is no such dataset, or its file is gone or no longer holds it.
        ParameterError
            If the dataset is no spectrum.
        """
        ((_, spectrum),) = read_datasets([self.dataset(name, identity)])
        return spectrum

    def spectra(
        self, names: Iterable[str], identity: Identity = ANONYMOUS
    ) -> Iterator[tuple[Dataset, Spectrum]]:
        """Yield several spectra, some hundred at a time by file, each file read once; errors as `spectrum`."""
        for some in in_batches(names, _READ_TOGETHER):
            yield from read_datasets([self.dataset(name, identity) for name in some])

    @staticmethod
    def _check_cut(dataset: Dataset) -> None:
        """Refuse to cut or draw what has no pixels of the sky."""
        if not dataset.has_images:
            reason = f"a {dataset.dataproduct_type} without images of the sky"
            raise ParameterError("dataset", dataset.obs_id, reason, hint="fetch the whole file")

    @contextmanager
    def _images(self, name: str, identity: Identity) -> Iterator[tuple[Dataset, Layout, Reader]]:
        dataset = self.dataset(name, identity)
        with self._layouts.open(file_of(dataset)) as (layout, reader):
            yield dataset, layout, reader

    def _largest(self) -> float | None:
        """Return the diameter of the largest dataset in degrees; None when there is no index yet."""
        try:
            version = self._index.table(INDEX_TABLE).version
        except NotFoundError:
            return None
        if self._widest[0] != version:
            query = f"SELECT MAX(s_fov) AS widest FROM {INDEX_TABLE}"
            with self._index.query(query, max_rows=1, identity=MACHINE) as stream:
                values = [value for batch in stream for value in batch.column(0).to_pylist()]
            self._widest = (version, float(values[0]) if values and values[0] is not None else 0.0)
        return self._widest[1]

    def _near(self, name: str, seen: Seen) -> str | None:
        for length in range(min(len(name), 12), 0, -1):
            known = self._store.like(name[:length], 500, seen)
            if known:
                return suggested(name, known)
        return None
