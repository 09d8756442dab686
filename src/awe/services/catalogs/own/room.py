"""How many tables, rows and bytes a user may have, asked before and within the change that makes them more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple

from awe.services.catalogs.own.store import CheckRoom, Holdings, OwnStore
from awe.services.identity import Identity, Measure, QuotaService

__all__ = ["TableRoom"]

_MEASURES = (Measure.TABLES, Measure.TABLE_ROWS, Measure.STORAGE_BYTES)
"""What `Holdings` holds, in its order."""


class _TooMuch(Exception):  # noqa: N818  # raised and caught here: it ends a transaction
    """Somebody would have more than allowed."""


class TableRoom:
    """What users have of tables, and may have.

    Parameters
    ----------
    store
        The records.
    quotas
        What a user may have; told what each has.
    """

    def __init__(self, store: OwnStore, quotas: QuotaService) -> None:
        self._store = store
        self._quotas = quotas
        for measure, meter in {
            Measure.TABLES: lambda who: store.holdings(who.name).tables,
            Measure.TABLE_ROWS: lambda who: store.holdings(who.name).rows,
            Measure.STORAGE_BYTES: lambda who: store.holdings(who.name).bytes,
        }.items():
            quotas.bring(measure, meter)

    def check_one_more(self, identity: Identity) -> None:
        """Refuse a new table where its owner may not have one more."""
        self._refuse(identity, Measure.TABLES, self._store.holdings(identity.name).tables, 1)

    @contextmanager
    def allowed(self, owner: str) -> Iterator[CheckRoom]:
        """Yield what checks, within the transaction that changes what a user has, that it is not too much.

        Raises
        ------
        QuotaError
            When the block ends, if it was.
        """
        identity = self._quotas.owner(owner)
        most = {measure: self._quotas.limit(identity, measure) for measure in _MEASURES}
        elsewhere = self._quotas.used(identity, Measure.STORAGE_BYTES) - self._store.holdings(owner).bytes
        found: list[tuple[Measure, int, int]] = []

        def check(before: Holdings, after: Holdings) -> None:
            # the refusal is counted in the database, so it has to wait until this transaction has ended
            for measure, had, has in zip(_MEASURES, astuple(before), astuple(after), strict=True):
                others = elsewhere if measure is Measure.STORAGE_BYTES else 0
                limit = most[measure]
                if limit is not None and has > had and others + has > limit:
                    found.append((measure, others + had, has - had))
                    raise _TooMuch

        try:
            yield check
        except _TooMuch:
            self._refuse(identity, *found[0])

    def row_counter(self, owner: str, replaced: int) -> Callable[[int], None]:
        """Return what is told of rows as they are written for a user, and refuses those that are too many.

        Parameters
        ----------
        replaced
            How many rows the version has that these take the place of.
        """
        identity = self._quotas.owner(owner)
        most = self._quotas.limit(identity, Measure.TABLE_ROWS)
        others = self._store.holdings(owner).rows - replaced
        rows = 0

        def count(more: int) -> None:
            nonlocal rows
            rows += more
            if most is not None and others + rows > most:
                self._refuse(identity, Measure.TABLE_ROWS, others, rows)

        return count

    def _refuse(self, identity: Identity, measure: Measure, used: int, more: int) -> None:
        help_ = "drop tables that you do not need"
        self._quotas.check(identity, measure, used, more, retry_after=None, help_=help_)
