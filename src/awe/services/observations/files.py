"""The published files of a collection as a tree of folders, to be looked through and read.

The tree is that of the folders that the files were published from, below the one that holds them all. Nothing is in it
that was not published, whatever else lies there.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from awe.errors import NotFoundError
from awe.services.identity import ANONYMOUS, Identity
from awe.services.observations.interface import Index
from awe.services.observations.model import INDEX_TABLE
from awe.services.observations.store import ObservationStore
from awe.services.observations.visible import VisibleCollections

__all__ = ["CollectionFiles", "PublishedFile"]

_KEPT = 8
"""Trees that are remembered, of the collections that were asked for last."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of a collection, or a folder of them.

    Attributes
    ----------
    name
        Its own name.
    path
        Where the file is; None of a folder.
    size
        Bytes of the file when it was published; 0 of a folder.
    modified
        When the file had changed last when it was published; of a folder, the newest of its files.
    """

    name: str
    path: Path | None
    size: int
    modified: datetime


@dataclass(slots=True)
class _Folder:
    about: PublishedFile
    inner: dict[str, "_Folder | PublishedFile"] = field(default_factory=dict)


class CollectionFiles:
    """Look through the files of collections.

    Parameters
    ----------
    store
        The datasets, and which file each is.
    visible
        Who may see which collection.
    index
        Says when something was published.
    """

    def __init__(self, store: ObservationStore, visible: VisibleCollections, index: Index) -> None:
        self._store = store
        self._visible = visible
        self._index = index
        self._trees: OrderedDict[str, tuple[int, _Folder]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, collection: str, parts: tuple[str, ...], identity: Identity = ANONYMOUS) -> PublishedFile:
        """Return what is at a place in a collection's tree, of which `parts` are the names.

        Raises
        ------
        NotFoundError
            If there is nothing, or no such collection that the caller may see.
        """
        found = self._at(collection, parts, identity)
        return found.about if isinstance(found, _Folder) else found

    def list(
        self, collection: str, parts: tuple[str, ...], identity: Identity = ANONYMOUS
    ) -> tuple[PublishedFile, ...]:
        """Return what is in a folder of a collection's tree, by name; errors as `find`, also if it is a file."""
        found = self._at(collection, parts, identity)
        if not isinstance(found, _Folder):
            raise _absent(collection, parts)
        inner = (one.about if isinstance(one, _Folder) else one for one in found.inner.values())
        return tuple(sorted(inner, key=lambda one: one.name))

    def _at(self, collection: str, parts: tuple[str, ...], identity: Identity) -> _Folder | PublishedFile:
        self._visible.check(collection, identity)
        here: _Folder | PublishedFile = self._tree(collection)
        for name in parts:
            inner: Mapping[str, _Folder | PublishedFile] = here.inner if isinstance(here, _Folder) else {}
            if name not in inner:
                raise _absent(collection, parts)
            here = inner[name]
        return here

    def _tree(self, collection: str) -> _Folder:
        version = self._index.table(INDEX_TABLE).version
        with self._lock:
            kept = self._trees.get(collection)
            if kept is not None and kept[0] == version:
                self._trees.move_to_end(collection)
                return kept[1]
        made = self._made(collection)
        with self._lock:
            self._trees[collection] = version, made
            if len(self._trees) > _KEPT:
                self._trees.popitem(last=False)
        return made

    def _made(self, collection: str) -> _Folder:
        files = {one.path: one for one in self._store.datasets(collection)}
        above = os.path.commonpath([path.parent for path in files])
        top = _folder("")
        for path, dataset in files.items():
            here = top
            *folders, name = path.relative_to(above).parts
            modified = datetime.fromtimestamp(dataset.mtime, UTC)
            here.about = _newer(here.about, modified)
            for folder in folders:
                inner = here.inner.setdefault(folder, _folder(folder))
                if not isinstance(inner, _Folder):  # a file was there when another was published
                    break
                here = inner
                here.about = _newer(here.about, modified)
            else:
                here.inner[name] = PublishedFile(name, path, dataset.size, modified)
        return top


def _folder(name: str) -> _Folder:
    return _Folder(PublishedFile(name, None, 0, datetime.fromtimestamp(0, UTC)))


def _newer(about: PublishedFile, modified: datetime) -> PublishedFile:
    return PublishedFile(about.name, None, 0, max(about.modified, modified))


def _absent(collection: str, parts: tuple[str, ...]) -> NotFoundError:
    return NotFoundError(f"there is no {'/'.join((collection, *parts))}", missing="node")
