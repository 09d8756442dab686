"""What the values in a table's columns are like, computed once for each version."""

from collections import OrderedDict
from dataclasses import asdict

from awe.core.tables import ColumnStatistics, statistics_of
from awe.services.catalogs.model import TableRecord
from awe.services.catalogs.own.store import OwnStore
from awe.services.catalogs.service import CatalogService
from awe.services.identity import Identity

__all__ = ["Figures"]

_KEPT = 200
Found = tuple[ColumnStatistics, ...]


class Figures:
    """Compute statistics of columns, and keep them: of users' tables with the version, of published ones in memory.

    Parameters
    ----------
    store
        The records.
    catalogs
        Who reads the rows.
    """

    def __init__(self, store: OwnStore, catalogs: CatalogService) -> None:
        self._store = store
        self._catalogs = catalogs
        self._published: OrderedDict[str, Found] = OrderedDict()

    def of(self, record: TableRecord, identity: Identity) -> Found:
        """Return the statistics of a table's columns.

        Raises
        ------
        TimeLimitError
            If reading the table takes longer than a query may.
        """
        location = record.stored.location
        if record.owner:
            kept = self._store.statistics(location)
            if kept is not None:
                return tuple(ColumnStatistics(**values) for values in kept)
            found = self._computed(record, identity)
            self._store.keep_statistics(location, [asdict(one) for one in found])
            return found
        if record.stored.only is not None or not location:  # differs from caller to caller
            return self._computed(record, identity)
        if location not in self._published:
            self._published[location] = self._computed(record, identity)
            if len(self._published) > _KEPT:
                self._published.popitem(last=False)
        return self._published[location]

    def _computed(self, record: TableRecord, identity: Identity) -> Found:
        text = f'SELECT * FROM "{record.schema}"."{record.name}"'
        return statistics_of(self._catalogs.query(text, identity=identity, whole=True, asked=False))
