"""Use cases of other archives' TAP services: which there are, and queries of them."""

import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from awe.core.suggestions import did_you_mean
from awe.core.tables import TableStream
from awe.errors import BusyError, NotFoundError
from awe.services.catalogs.batches.model import ROWS_AFFECTED, Results, ResultSet
from awe.services.catalogs.external._exchange import Exchange
from awe.services.catalogs.external._query import ask, ask_job
from awe.services.catalogs.own.service import TableService
from awe.services.history import HistoryService, Recording
from awe.services.identity import Identity
from awe.settings import LimitSettings, TapSettings

__all__ = ["ExternalTap", "ExternalTapRun", "ExternalTapService"]

_SCHEMA_SECONDS = 30.0
_SCHEMA_ROWS = 100_000
_DESCRIBED_AT_ONCE = 4
_BUSY_S = 5


@dataclass(frozen=True, slots=True)
class ExternalTap:
    """Another archive's TAP service: the name that users know it by, its address, a sentence about it."""

    name: str
    url: str
    description: str


class ExternalTapService:
    """The TAP services that the operator named, and queries of them.

    Parameters
    ----------
    settings
        Which there are.
    limits
        What a query may use.
    tables
        Who keeps the tables that answers go into.
    history
        Where it is remembered what people asked.
    folder
        For answers while they are read; made when it is first needed.
    """

    def __init__(
        self,
        settings: TapSettings,
        limits: LimitSettings,
        tables: TableService,
        history: HistoryService,
        folder: Path,
    ) -> None:
        self._settings, self._limits = settings, limits
        self._tables, self._history = tables, history
        self._folder = folder
        self._describing = threading.BoundedSemaphore(_DESCRIBED_AT_ONCE)
        self._services: Mapping[str, ExternalTap] = {
            name: ExternalTap(name, one.url.rstrip("/"), one.description)
            for name, one in settings.profiles.items()
        }

    def services(self) -> tuple[ExternalTap, ...]:
        """Return the services, in the operator's order."""
        return tuple(self._services.values())

    def named(self, name: str) -> ExternalTap:
        """Return a service by its name, ignoring case; `NotFoundError` with those that there are."""
        found = self._services.get(name.casefold())
        if found is None:
            known = ["default", *self._services]
            hint = did_you_mean(name, known, most=1) or f"there are {', '.join(known)}"
            raise NotFoundError(f"there is no profile {name}", hint=hint)
        return found

    def run(
        self,
        name: str,
        text: str,
        *,
        identity: Identity,
        seconds: float | None = None,
        into: str | None = None,
        replace: bool = False,
        queued: bool = False,
        asked: bool = True,
    ) -> "ExternalTapRun":
        """Run a query there when its result is asked for.

        Parameters
        ----------
        text
            ADQL, as that service understands it.
        seconds
            Time at the most; never more than the operator allows.
        into
            The caller's table that the rows go into, such as ``mydb.x``.
        replace
            Whether a table `into` that is there already is replaced.
        queued
            Run it as a job there, which may take long.
        asked
            Whether it is remembered in the caller's history; False for what is remembered already.

        Returns
        -------
        ExternalTapRun
            An iterator of one result, to be closed; errors come from it as from `BatchRun`, and

            - `QueryError` with what the service says of the query
            - `LimitError` where rows were left out: never a part of an answer without a word
            - `UnavailableError` where nobody answers

        Raises
        ------
        NotFoundError
            If the operator named no such service.
        """
        service = self.named(name)
        recording = Recording()
        if asked:
            recording = self._history.begin(
                identity, text, dialect="adql", context=service.name, into=into or ""
            )
        exchange = self._exchange(service, seconds)
        target = _Target(self._tables, identity, into, replace=replace) if into is not None else None
        return ExternalTapRun(
            _Asked(service, text, self._limits.rows, queued=queued),
            exchange,
            target,
            recording,
            self._place(),
        )

    def schemas(self, name: str) -> Sequence[tuple[str, str]]:
        """Return the names and descriptions of a service's schemas; errors as those of `run`."""
        rows = self._described(name, "SELECT schema_name, description FROM TAP_SCHEMA.schemas")
        return [(row[0], row[1]) for row in rows]

    def tables_of(self, name: str, schema: str) -> Sequence[tuple[str, str]]:
        """Return the names and descriptions of the tables of a schema; errors as those of `run`."""
        where = f"schema_name = {_quoted(schema)}"
        rows = self._described(name, f"SELECT table_name, description FROM TAP_SCHEMA.tables WHERE {where}")
        return [(row[0], row[1]) for row in rows]

    def columns_of(self, name: str, table: str) -> Sequence[tuple[str, str, str]]:
        """Return the names, datatypes and descriptions of the columns of a table; errors as those of `run`."""
        wanted = "column_name, datatype, description, unit"
        where = f"table_name = {_quoted(table)}"
        rows = self._described(name, f"SELECT {wanted} FROM TAP_SCHEMA.columns WHERE {where}")
        return [(row[0], row[1], f"{row[2]} [{row[3]}]" if row[3] else row[2]) for row in rows]

    def _described(self, name: str, text: str) -> list[tuple[str, ...]]:
        service = self.named(name)
        if not self._describing.acquire(blocking=False):
            raise BusyError(f"too many ask what {name} has", _BUSY_S)
        try:
            exchange = self._exchange(service, _SCHEMA_SECONDS)
            asked = _Asked(service, text, _SCHEMA_ROWS, queued=False)
            with ExternalTapRun(asked, exchange, None, Recording(), self._place()) as run:
                return [
                    tuple("" if cell is None else str(cell).strip() for cell in row.values())
                    for result in run
                    for batch in result.stream
                    for row in batch.to_pylist()
                ]
        finally:
            self._describing.release()

    def _exchange(self, service: ExternalTap, seconds: float | None) -> Exchange:
        allowed = min(seconds or self._limits.seconds, self._limits.seconds)
        return Exchange(service.name, service.url, allowed, self._settings.bytes)

    def _place(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query, and who answers it."""

    service: ExternalTap
    text: str
    rows: int
    queued: bool


class _Target:
    """The table that rows go into."""

    def __init__(self, tables: TableService, identity: Identity, name: str, *, replace: bool) -> None:
        self._tables, self._identity, self._name = tables, identity, name
        self._replace = replace

    def check(self) -> None:
        """Refuse before anybody is asked what would be refused afterwards."""
        if not self._replace:
            self._tables.check_new(self._name, self._identity)

    def write(self, rows: TableStream, origin: str) -> int:
        """Make the table; how many rows it has."""
        mode: Literal["replace", "create"] = "replace" if self._replace else "create"
        return self._tables.write(self._name, rows, self._identity, mode=mode, origin=origin).rows


class ExternalTapRun(Results):
    """The one result of a query elsewhere, when it is asked for."""

    def __init__(
        self, asked: _Asked, exchange: Exchange, target: _Target | None, recording: Recording, folder: Path
    ) -> None:
        self._asked, self._exchange, self._target = asked, exchange, target
        self._recording = recording
        self._folder = tempfile.TemporaryDirectory(dir=folder)
        self._results = self._run()
        self._running = threading.Lock()

    def __next__(self) -> ResultSet:
        try:
            with self._running:
                return next(self._results)
        except StopIteration:
            self._recording.complete()
            raise
        except BaseException as error:
            self._recording.fail(error)
            raise

    def close(self) -> None:
        """Stop, from whichever thread; what is in a table stays there. Closing twice is allowed."""
        self._exchange.close()
        with self._running:
            self._results.close()
            self._recording.abandon()
            self._folder.cleanup()

    def _run(self) -> Generator[ResultSet, None, None]:
        asked = self._asked
        if self._target is not None:
            self._target.check()
        fetch = ask_job if asked.queued else ask
        rows = fetch(
            self._exchange,
            asked.service.name,
            asked.service.url,
            asked.text,
            asked.rows,
            Path(self._folder.name),
        )
        with rows:
            if self._target is None:
                yield ResultSet("Table1", self._recording.count(rows), None, asked.text, 1)
                return
            made = self._target.write(rows, asked.text)
            self._recording.add(made)
        told = TableStream.from_table(pa.table({ROWS_AFFECTED: pa.array([made], pa.int64())}))
        yield ResultSet("Table1", told, made, asked.text, 1)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
