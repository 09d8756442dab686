"""What the observations need of whoever keeps tables: `awe.services.catalogs.CatalogService` is one."""

from collections.abc import Callable
from typing import Protocol

from awe.core.tables import TableStream
from awe.services.catalogs import RowGuard
from awe.services.identity import ANONYMOUS, Identity
from awe.services.system import Connection

__all__ = ["Index", "IndexTable"]


class IndexTable(Protocol):
    """What is known of a published table."""

    @property
    def version(self) -> int:
        """Counts its publications."""


class Index(Protocol):
    """A keeper of published tables."""

    def table(self, full_name: str) -> IndexTable:
        """Return the record of a table.

        Raises
        ------
        NotFoundError
            If there is none.
        """

    def query(
        self,
        text: str,
        *,
        max_rows: int | None = None,
        identity: Identity = ANONYMOUS,
        asked: bool = True,
    ) -> TableStream:
        """Answer an ADQL query, from the rows that a caller may read; `asked` if the caller wrote it."""

    def guard(self, full_name: str, guard: RowGuard) -> None:
        """Let `guard` say which rows of a table a caller may read."""

    def publish_stream(
        self,
        full_name: str,
        stream: TableStream,
        *,
        ra: str | None,
        dec: str | None,
        replace: bool,
        unplaced: bool,
        internal: bool,
        also: Callable[[Connection], None],
    ) -> object:
        """Publish a table, whole or not at all.

        Parameters
        ----------
        unplaced
            Allows rows without a position.
        internal
            Allows the schemas that awe keeps for itself.
        also
            Called in the transaction that makes the new version visible.
        """
