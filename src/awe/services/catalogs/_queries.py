"""One query from its text to its rows: what it may read is gathered, it is compiled, and the engine runs it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from awe.core.sql import ParsedQuery, Query, Resolve, compile_query
from awe.core.suggestions import did_you_mean
from awe.core.tables import TableStream
from awe.errors import NotFoundError
from awe.services.catalogs._made import MadeTables
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs._published import PublishedTables
from awe.services.catalogs._quick import quick_error
from awe.services.catalogs.estimates import Estimate
from awe.services.catalogs.interface import Engine, Limits
from awe.services.catalogs.memory import BatchScope
from awe.services.catalogs.model import MYDB, SchemaRecord, TableRecord
from awe.services.catalogs.own.reading import OwnTables
from awe.services.catalogs.uploads import Uploads
from awe.services.identity import Identity
from awe.settings import LimitSettings

__all__ = ["Queries", "Question"]

_EVERY = 2**62


@dataclass(frozen=True, slots=True)
class Question:
    """A query and what its caller said of it, as `CatalogService.query` takes it."""

    text: str | ParsedQuery
    dialect: str = "adql"
    context: str | None = None
    max_rows: int | None = None
    seconds: float | None = None
    uploads: Mapping[str, Path] = field(default_factory=dict)
    address: str = ""
    whole: bool = False
    scope: BatchScope = field(default_factory=BatchScope)


class Queries:
    """Compile queries and run them.

    Parameters
    ----------
    engine
        The rows.
    limits, longest_s
        What a query may use, and how long a job's may take.
    published, made, own, uploads
        The tables: published ones, those made for each query, users' own, and those that a query brings.
    resolve
        From the name of an object to its position.
    """

    def __init__(
        self,
        engine: Engine,
        limits: LimitSettings,
        longest_s: float,
        published: PublishedTables,
        made: MadeTables,
        own: OwnTables,
        uploads: Uploads,
        resolve: Resolve | None,
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._longest_s = longest_s
        self._published = published
        self._made = made
        self._own = own
        self._uploads = uploads
        self._resolve = resolve

    def run(self, question: Question, visible: Sequence[TableRecord], identity: Identity) -> TableStream:
        """Run a query over the tables that its caller may read; errors as `CatalogService.query`."""
        context = question.context
        if context is not None:
            _check_context(context, visible, identity)
        brought = self._uploads.store(question.uploads)
        try:
            tables = (*visible, *brought.records, *question.scope.tables)
            own = self._own.schema(identity)
            query = self.compiled(question, (*tables, *self._made.records()), own)
            wanted = question.max_rows if question.max_rows is not None else query.max_rows
            rows = self._limits.default_rows if wanted is None else wanted
            limits = Limits(
                _EVERY if question.whole else min(rows, self._limits.rows),
                min(question.seconds or self._limits.seconds, self._limits.seconds),
            )
            described = visible
            if (
                question.dialect == "tsql" and context is not None
            ):  # to CasJobs' users it describes one database
                described = _of_schema(visible, own if context.casefold() == MYDB else context)
            made = self._made.relations(
                _read(query),
                visible,
                partial(self.schemas_of, visible),
                described=described,
                address=question.address,
                own=own,
            )
            stored = {record.full_name: record.stored for record in tables}
            stream = self._engine.query(query, stored, limits, made)
        except BaseException:
            brought.close()
            raise
        stream = self._patient(stream, limits.seconds)
        return stream.then(brought.close) if question.uploads else stream

    def estimate(self, question: Question, visible: Sequence[TableRecord], identity: Identity) -> Estimate:
        """Return what a query would cost; errors as of `run`, but none of rows that are not read."""
        if question.context is not None:
            _check_context(question.context, visible, identity)
        with closing(self._uploads.store(question.uploads)) as brought:
            tables = (*visible, *brought.records)
            query = self.compiled(question, (*tables, *self._made.records()), self._own.schema(identity))
            stored = {table.full_name: table.stored for table in tables if table.stored.location}
            return self._engine.estimate(query, stored)

    def look_up(
        self, query: Query, record: TableRecord, max_rows: int | None, seconds: float | None = None
    ) -> TableStream:
        """Run a compiled query that reads one stored table, within some seconds or those that a query may take."""
        rows = self._limits.default_rows if max_rows is None else max_rows
        limits = Limits(min(rows, self._limits.rows), self._limits.seconds if seconds is None else seconds)
        stream = self._engine.query(query, {record.full_name: record.stored}, limits)
        return self._patient(stream, limits.seconds)

    def _patient(self, stream: TableStream, seconds: float) -> TableStream:
        """Return a stream that says, when its time is over, that the long queue has more of it."""
        if self._longest_s <= seconds:
            return stream
        return stream.failing(partial(quick_error, seconds, self._longest_s))

    def reads(
        self, question: Question, visible: Sequence[TableRecord], identity: Identity
    ) -> tuple[TableRecord, ...]:
        """Return the tables among the visible ones that a query reads; `QueryError` of one that cannot be run."""
        query = self.compiled(question, (*visible, *self._made.records()), self._own.schema(identity))
        used = _read(query)
        return tuple(table for table in visible if table.full_name in used)

    def compiled(self, question: Question, readable: Sequence[TableRecord], own: str | None = None) -> Query:
        """Return a query compiled for the tables that it may read; `own` is the caller's schema."""
        return compile_query(
            question.text,
            ReadableNames(readable, question.context, own),
            dialect=question.dialect,
            context=question.context,
            resolve=self._resolve,
            variables=question.scope.variables,
        )

    def schemas_of(self, tables: Sequence[TableRecord]) -> tuple[SchemaRecord, ...]:
        """Return the schemas of tables."""
        own = {
            t.schema: SchemaRecord(t.schema, description=f"Tables of {t.owner}.") for t in tables if t.owner
        }
        used = {record.schema for record in tables}
        return tuple(s for s in ({**self._published.schemas(), **own}).values() if s.name in used)


def _read(query: Query) -> set[str]:
    return {use.table.full_name for use in query.uses}


def _check_context(context: str, visible: Sequence[TableRecord], identity: Identity) -> None:
    if context.casefold() == MYDB and not identity.is_anonymous:
        return
    known = {record.schema.casefold(): record.schema for record in visible}
    if context.casefold() not in known:
        listed = f"there are {', '.join(known.values()) or 'none'}"
        hint = did_you_mean(context, known.values(), most=1) or listed
        raise NotFoundError(f"there is no context {context}", hint=hint)


def _of_schema(tables: Sequence[TableRecord], schema: str | None) -> tuple[TableRecord, ...]:
    return tuple(
        table for table in tables if schema is not None and table.schema.casefold() == schema.casefold()
    )
