"""Use cases of batches: run one, or say what it would touch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace as replaced
from pathlib import Path
from types import MappingProxyType

from awe.core.sql.batches import Select, Statement, read_batch
from awe.core.tables import TableStream
from awe.errors import QueryError
from awe.services.catalogs.batches._run import Asked, Run
from awe.services.catalogs.batches.model import Results, ResultSet
from awe.services.catalogs.own.service import TableService
from awe.services.catalogs.service import CatalogService
from awe.services.history import HistoryService, Recording
from awe.services.identity import Identity

__all__ = ["BatchRun", "BatchService"]

_NO_UPLOADS: Mapping[str, Path] = MappingProxyType({})


class BatchService:
    """Batches of statements over published tables and the caller's own.

    Parameters
    ----------
    catalogs
        Who answers the queries.
    tables
        Who keeps the tables that statements make and change.
    history
        Where it is remembered what people asked.
    longest_s
        The time of a batch where its caller sets none.
    """

    def __init__(
        self, catalogs: CatalogService, tables: TableService, history: HistoryService, longest_s: float
    ) -> None:
        self._history = history
        self._catalogs = catalogs
        self._tables = tables
        self._longest_s = longest_s

    def run(
        self,
        text: str,
        *,
        dialect: str = "tsql",
        context: str | None = None,
        identity: Identity,
        seconds: float | None = None,
        max_rows: int | None = None,
        into: str | None = None,
        replace: bool = False,
        uploads: Mapping[str, Path] = _NO_UPLOADS,
        address: str = "",
        asked: bool = True,
    ) -> "BatchRun":
        """Run the statements of a batch, one after the other, each when its result is asked for.

        Parameters
        ----------
        text, dialect
            ``tsql`` and ``postgres`` have statements; ``adql`` is one query.
        context
            The schema whose tables are known by their name alone.
        seconds
            Time of all statements together; never more than the operator allows for one.
        max_rows
            Rows of each result at most, as `CatalogService.query`. What goes into a table is never cut.
        into
            The table that the batch's one query makes, such as ``mydb.x``.
        replace
            Whether a table `into` that is there already is replaced.
        uploads, address, asked
            As `CatalogService.query`.

        Returns
        -------
        BatchRun
            An iterator, at least one `ResultSet` long. Each must be read or closed before the next comes: asking
            for the next one closes it.

        Raises
        ------
        QueryError
            With line and column: at once for what is no batch, from the iterator for what a statement means.
        NotFoundError, ForbiddenError, ConflictError, LimitError, QuotaError, TimeLimitError
            From the iterator. What statements before have done stays done.
        """
        recording = Recording()
        if asked:
            recording = self._history.begin(identity, text, dialect=dialect, context=context, into=into or "")
        try:
            statements = read_batch(text, dialect=dialect)
            if into is not None:
                _only_query(statements)
        except BaseException as error:
            recording.fail(error)
            raise
        wanted = Asked(
            identity,
            context,
            seconds or self._longest_s,
            max_rows,
            into,
            replace=replace,
            uploads=uploads,
            address=address,
        )
        return BatchRun(Run(self._catalogs, self._tables, wanted), statements, recording)

    def check(self, text: str, *, dialect: str = "tsql") -> tuple[str, ...]:
        """Return the names of the tables that a batch would make, change or remove, as it names them.

        Raises
        ------
        QuerySyntaxError, NotOfferedError
            If it is no batch.
        """
        found = (
            target for s in read_batch(text, dialect=dialect) for target in s.targets if not target.temporary
        )
        return tuple(dict.fromkeys(target.name for target in found))


class BatchRun(Results):
    """The results of a batch as they come."""

    def __init__(self, run: Run, statements: Sequence[Statement], recording: Recording) -> None:
        self._recording = recording
        self._run = run
        self._results = run.results(statements)
        self._last: TableStream | None = None

    def __next__(self) -> ResultSet:
        try:
            found = next(self._results)
        except StopIteration:
            self._recording.complete()
            raise
        except BaseException as error:
            self._recording.fail(error)
            raise
        self._recording.by(found.engine)
        if found.affected is None:
            found = replaced(found, stream=self._recording.count(found.stream))
        else:
            self._recording.add(found.affected)
        self._last = found.stream
        return found

    def close(self) -> None:
        """Stop; what has been done stays done. Closing twice is allowed."""
        last, self._last = self._last, None
        if last is not None:
            last.close()
        self._results.close()
        self._run.stop()
        self._recording.abandon()


def _only_query(statements: Sequence[Statement]) -> None:
    queries = [s for s in statements if isinstance(s, Select)]
    if len(queries) != 1 or queries[0].into is not None:
        place = (queries[1] if len(queries) > 1 else (queries or statements)[0]).place
        reason = "names its own table" if len(queries) == 1 else "is not one query"
        raise place.error(
            f"a table is made of the rows of one query, and this {reason}", "leave INTO out", QueryError
        )
