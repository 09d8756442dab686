"""Which file a dataset is: the table ``datasets`` of the system database.

The index row of a dataset is kept here too, as JSON: the index can be written again without opening
any file, and a file that has not changed need not be read twice.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)

from awe.core.science.spectra import Reading
from awe.core.sky import Moc
from awe.services.observations.model import Collection, Dataset
from awe.services.system import Condition, Connection, SqlValue, SystemDatabase, metadata

__all__ = ["ObservationStore", "in_batches"]

T = TypeVar("T")

_datasets = Table(
    "datasets",
    metadata,
    Column("publisher_did", String(512), primary_key=True),
    Column("obs_id", String(255), nullable=False, index=True),
    Column("collection", String(128), nullable=False, index=True),
    Column("path", Text, nullable=False),
    Column("hdu", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime", Float, nullable=False),
    Column("header", Text, nullable=False),
)
_coverages = Table(
    "collection_coverages",
    metadata,
    Column("collection", String(128), primary_key=True),
    Column("moc", Text, nullable=False),
)
_BATCH = 1000
Seen = Callable[[SqlValue], Condition]
"""From the column with a collection's name to the condition under which somebody may see it."""


class ObservationStore:
    """Read and write the datasets' records."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def stamp(self) -> object:
        """Return the state of the whole system database; see `SystemDatabase.stamp`."""
        return self._system.stamp()

    def named(self, name: str, seen: Seen) -> list[Dataset]:
        """Return the datasets of a publisher DID or an ``obs_id``; exact case first, then ignoring it.

        Parameters
        ----------
        seen
            From the column with the collection to the condition under which the caller may see it.
        """
        did, obs_id = _datasets.c.publisher_did, _datasets.c.obs_id
        for condition in (
            did == name,
            obs_id == name,
            func.lower(did) == name.lower(),
            func.lower(obs_id) == name.lower(),
        ):
            with self._system.reading() as connection:
                rows = connection.execute(
                    select(_datasets).where(condition, seen(_datasets.c.collection)).order_by(did).limit(100)
                ).all()
            if rows:
                return [_dataset(row) for row in rows]
        return []

    def relatives(self, dataset: Dataset) -> list[Dataset]:
        """Return the other datasets of the same observation in the same collection."""
        same = (_datasets.c.collection == dataset.collection) & (_datasets.c.obs_id == dataset.obs_id)
        other = _datasets.c.publisher_did != dataset.publisher_did
        query = select(_datasets).where(same & other).order_by(_datasets.c.publisher_did).limit(_BATCH)
        with self._system.reading() as connection:
            return [_dataset(row) for row in connection.execute(query)]

    def like(self, prefix: str, limit: int, seen: Seen) -> list[str]:
        """Return some names that begin like this, ignoring case, of what the caller may see."""
        query = (
            select(_datasets.c.obs_id)
            .where(
                func.lower(_datasets.c.obs_id).startswith(prefix.lower(), autoescape=True),
                seen(_datasets.c.collection),
            )
            .distinct()
            .limit(limit)
        )
        with self._system.reading() as connection:
            return [str(row.obs_id) for row in connection.execute(query)]

    def collections(self) -> list[Collection]:
        """Return what is published, by name."""
        name = _datasets.c.collection
        query = select(name, func.count(), func.sum(_datasets.c.size), func.min(_datasets.c.publisher_did))
        with self._system.reading() as connection:
            found = []
            for row in connection.execute(query.group_by(name).order_by(name)).all():
                header = connection.scalar(
                    select(_datasets.c.header).where(_datasets.c.publisher_did == row[3])
                )
                found.append(Collection(row[0], int(row[1]), int(row[2]), json.loads(str(header))["about"]))
        return found

    def sizes(self) -> dict[str, int]:
        """Return how many datasets each collection has."""
        name = _datasets.c.collection
        with self._system.reading() as connection:
            return {
                row[0]: int(row[1]) for row in connection.execute(select(name, func.count()).group_by(name))
            }

    def datasets(self, collection: str) -> Iterator[Dataset]:
        """Yield the datasets of a collection, by file."""
        query = select(_datasets).where(_datasets.c.collection == collection)
        yield from self._stream(query.order_by(_datasets.c.path, _datasets.c.publisher_did))

    def others(self, collection: str) -> Iterator[Dataset]:
        """Yield the datasets of all other collections."""
        query = select(_datasets).where(_datasets.c.collection != collection)
        yield from self._stream(query.order_by(_datasets.c.publisher_did))

    def _stream(self, query: object) -> Iterator[Dataset]:
        with self._system.reading() as connection:
            result = connection.execution_options(yield_per=_BATCH).execute(query)  # type: ignore[call-overload]
            for row in result:
                yield _dataset(row)

    def coverage(self, collection: str) -> Moc | None:
        """Return the part of the sky that was kept with a collection."""
        query = select(_coverages.c.moc).where(_coverages.c.collection == collection)
        with self._system.reading() as connection:
            found = connection.scalar(query)
        return Moc.from_json(found) if found else None

    @staticmethod
    def replace(connection: Connection, collection: str, datasets: Sequence[Dataset], covered: Moc) -> None:
        """Make these the datasets of a collection and this the sky they cover, within a transaction."""
        connection.execute(delete(_coverages).where(_coverages.c.collection == collection))
        if datasets:
            connection.execute(insert(_coverages).values(collection=collection, moc=covered.to_json()))
        connection.execute(delete(_datasets).where(_datasets.c.collection == collection))
        for some in in_batches(datasets, _BATCH):
            connection.execute(insert(_datasets), [_row(dataset) for dataset in some])


def in_batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield things in lists of `size`."""
    left = iter(things)
    while some := list(islice(left, size)):
        yield some


def _row(dataset: Dataset) -> dict[str, object]:
    said = {
        "row": dict(dataset.header),
        "hdus": dataset.hdus,
        "about": dict(dataset.about),
        "rules": dataset.rules,
        "large_tiles": dataset.large_tiles,
        "reading": {k: v for k, v in asdict(dataset.reading).items() if v is not None},
    }
    return {
        "publisher_did": dataset.publisher_did,
        "obs_id": dataset.obs_id,
        "collection": dataset.collection,
        "path": str(dataset.path),
        "hdu": next(iter(dataset.hdus), 0),
        "size": dataset.size,
        "mtime": dataset.mtime,
        "header": json.dumps(said),
    }


def _dataset(row: Row[tuple[object, ...]]) -> Dataset:
    said: Mapping[str, object] = json.loads(row.header)
    return Dataset(
        publisher_did=row.publisher_did,
        obs_id=row.obs_id,
        collection=row.collection,
        path=Path(row.path),
        hdus=tuple(said["hdus"]),  # type: ignore[arg-type]
        size=row.size,
        mtime=row.mtime,
        header=said["row"],  # type: ignore[arg-type]
        about=said["about"],  # type: ignore[arg-type]
        rules=str(said["rules"]),
        reading=Reading(**said.get("reading", {})),  # type: ignore[arg-type]
        large_tiles=said.get("large_tiles"),  # type: ignore[arg-type]
    )
