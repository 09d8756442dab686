"""The collections that a caller may see, and the rows of the index that belong to them: what is not there for others."""

from dataclasses import replace

from awe.core.sky import Moc
from awe.core.suggestions import did_you_mean
from awe.errors import NotFoundError
from awe.services.catalogs import RowFilter, TableRecord
from awe.services.identity import Identity, Policy, Resource
from awe.services.observations.coverage import covered
from awe.services.observations.model import COLLECTION, Collection
from awe.services.observations.store import ObservationStore, Seen

__all__ = ["VisibleCollections", "suggested"]


class VisibleCollections:
    """Ask the policy about collections; a `awe.services.catalogs.RowGuard` of the index.

    Parameters
    ----------
    store
        The collections and their datasets.
    policy
        Who may see which.
    """

    def __init__(self, store: ObservationStore, policy: Policy) -> None:
        self._store = store
        self._policy = policy
        self._sizes: tuple[int, dict[str, int]] = (-1, {})

    def all(self, identity: Identity) -> list[Collection]:
        """Return the collections that a caller may see, by name."""
        seen = self._policy.names(identity, COLLECTION)
        return [one for one in self._store.collections() if one.name in seen]

    def check(self, collection: str, identity: Identity) -> None:
        """Raise `NotFoundError` if the caller may see no collection of that name."""
        known = [one.name for one in self.all(identity)]
        if collection not in known:
            raise _not_found(collection, known)

    def resource(self, collection: str, identity: Identity) -> Resource:
        """Return a collection as something that can be shared, ignoring case; `NotFoundError` as `check`."""
        known = {one.name.casefold(): one.name for one in self.all(identity)}
        if collection.casefold() not in known:
            raise _not_found(collection, list(known.values()))
        return Resource(COLLECTION, known[collection.casefold()])

    def condition(self, identity: Identity) -> Seen:
        """Return what makes, of the column with a collection's name, the condition that the caller may see it."""
        return lambda name: self._policy.visible(identity, COLLECTION, name=name)

    def coverage(self, collection: str, identity: Identity) -> Moc:
        """Return the cells around a collection's datasets; `NotFoundError` as `check`."""
        self.check(collection, identity)
        kept = self._store.coverage(collection)
        return covered(self._store.datasets(collection)) if kept is None else kept

    # What guards the rows of the index

    def seen(self, table: TableRecord, identity: Identity) -> TableRecord:
        """Return the index as a caller may see it: the rows of some collections, how many, what is said of them."""
        seen = self._policy.names(identity, COLLECTION)
        if seen.only is None:
            return table
        if self._sizes[0] != table.version:
            self._sizes = (table.version, self._store.sizes())
        sizes = self._sizes[1]
        open_ = {name: size for name, size in sizes.items() if name in seen}
        if len(open_) == len(sizes):
            return table
        rows = sum(open_.values())
        size = table.bytes * rows // max(1, table.rows)
        said = {key: text for key, text in table.metadata.items() if key.partition(" ")[0] in open_}
        stored = replace(
            table.stored, rows=rows, bytes=size, only=RowFilter("obs_collection", frozenset(open_))
        )
        return replace(table, stored=stored, metadata=said, columns=replace(table.columns, metadata=said))

    def seen_sky(self, identity: Identity) -> Moc:
        """Return the sky that the collections cover which a caller may see."""
        return Moc.union([self.coverage(one.name, identity) for one in self.all(identity)])


def suggested(name: str, known: list[str]) -> str:
    """Return the names that were perhaps meant, or some that there are."""
    return did_you_mean(name, known, cutoff=0.5) or f"known: {', '.join(sorted(known)[:5])}"


def _not_found(collection: str, known: list[str]) -> NotFoundError:
    return NotFoundError(f"no collection is called {collection!r}", hint=suggested(collection, known))
