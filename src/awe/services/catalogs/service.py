"""Use cases of the catalogues: what is there, queries, publishing, dropping."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from awe.core.progress import Progress, silent
from awe.core.sky import Moc
from awe.core.sql import ParsedQuery, Resolve, ScalarFunction, TableFunction
from awe.core.suggestions import did_you_mean
from awe.core.tables import Column, TableStream
from awe.core.waiting import waits
from awe.errors import NotFoundError, QueryError
from awe.services.catalogs._cones import ConeSearches, FloatArray, cone_query, cone_text, cones_query
from awe.services.catalogs._coverages import Coverages
from awe.services.catalogs._made import MadeTables
from awe.services.catalogs._many_cones import ManyCones
from awe.services.catalogs._published import PublishedTables
from awe.services.catalogs._queries import Queries, Question
from awe.services.catalogs.estimates import Estimate
from awe.services.catalogs.in_place import HatsFolder, InPlace, split_tag
from awe.services.catalogs.interface import Engine
from awe.services.catalogs.memory import BatchScope, MemorySchema, RowGuard
from awe.services.catalogs.model import TABLE, SchemaRecord, TableRecord, View
from awe.services.catalogs.own.reading import OwnTables
from awe.services.catalogs.publishing import Publisher
from awe.services.catalogs.routing import ENGINE
from awe.services.catalogs.store import Also, CatalogStore
from awe.services.catalogs.uploads import HeldTable, SentFile, Uploads
from awe.services.history import HistoryService
from awe.services.identity import ANONYMOUS, Identity, Policy, Remembered, Resource
from awe.settings import FileSettings, LimitSettings, UploadSettings

__all__ = ["CatalogService"]

_NO_BATCH = BatchScope()
_CALLERS = 200
"""So many callers' readable tables are known."""
_NO_UPLOADS: Mapping[str, Path] = MappingProxyType({})


class CatalogService:
    """Published tables and queries over them.

    Parameters
    ----------
    store
        The records.
    engine
        The rows.
    limits
        What a query may use.
    staging
        A folder for what is being published.
    uploads
        What a query may bring along.
    longest_s
        The time of a query at the most, whoever runs it: so long replaced files are kept; that of `limits`
        when None.
    resolve
        From the name of an object to its position, for ``ivo_simbadpoint``.
    views
        What there is besides, computed from published tables.
    policy
        Who may read which table.
    history
        Where it is remembered what people asked; nowhere when None.
    own
        Users' own tables.
    files
        What is given out of the files of tables.
    """

    def __init__(
        self,
        store: CatalogStore,
        engine: Engine,
        limits: LimitSettings,
        staging: Path,
        uploads: UploadSettings | None = None,
        *,
        longest_s: float | None = None,
        resolve: Resolve | None = None,
        views: Sequence[View] = (),
        policy: Policy,
        history: HistoryService | None = None,
        own: OwnTables,
        files: FileSettings | None = None,
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._history = history
        longest_s = longest_s or limits.seconds
        self._own = own
        self._publisher = Publisher(store, engine, staging, longest_s, policy, own.locations)
        self._uploads = Uploads(engine, staging / "uploads", uploads or UploadSettings(), limits)
        self._published = PublishedTables(store, policy, views)
        self._readable = Remembered(self._found, store.stamp, policy, most=_CALLERS)
        self._in_place = InPlace(engine.features, files or FileSettings())
        self._made = MadeTables()
        self._coverages = Coverages(engine)
        self._cones = ConeSearches()
        self._queries = Queries(
            engine,
            limits,
            longest_s,
            self._published,
            self._made,
            own,
            self._uploads,
            resolve,
        )

    def bring(self, schema: MemorySchema) -> None:
        """Let queries read the tables of another service, which are made when they are asked for."""
        self._made.bring(schema)

    def guard(self, full_name: str, guard: RowGuard) -> None:
        """Let `guard` say which rows of a table a caller may read, whichever way they are asked for."""
        self._published.guard(full_name, guard)

    # What is there

    def schemas(self, identity: Identity = ANONYMOUS) -> tuple[SchemaRecord, ...]:
        """Return the schemas that hold a table the caller may read, by name."""
        return self._queries.schemas_of(self.tables(identity))

    def tables(self, identity: Identity = ANONYMOUS) -> tuple[TableRecord, ...]:
        """Return the tables the caller may read: what is `published`, the caller's own, and what users granted."""
        return self._readable.of(identity)

    def _found(self, identity: Identity) -> tuple[TableRecord, ...]:
        return (*self.published(identity), *self._own.readable(identity))

    def published(self, identity: Identity = ANONYMOUS) -> tuple[TableRecord, ...]:
        """Return the published tables the caller may read, by schema and name; the views behind them."""
        return self._published.readable(identity)

    def table(self, full_name: str, identity: Identity = ANONYMOUS) -> TableRecord:
        """Return a table by its full name, ignoring case.

        Raises
        ------
        NotFoundError
            If there is none that the caller may read; it says which names are close.
        """
        wanted = self._own.spelled(full_name, identity).casefold()
        known = self.tables(identity)
        found = next((r for r in known if r.full_name.casefold() == wanted), None)
        if found is None:
            made = self._made.records()
            found = next((r for r in made if r.full_name.casefold() == wanted), None)
            names = (record.full_name for record in (*known, *made))
        if found is None:
            raise NotFoundError(f"there is no table {full_name}", hint=did_you_mean(full_name, names, most=1))
        return found

    def resource(self, full_name: str, identity: Identity) -> Resource:
        """Return a stored table as something that can be shared; `NotFoundError` as `table`.

        A view follows the table that it is computed from, and TAP_SCHEMA and its like are everybody's.
        """
        record = self.table(full_name, identity)
        if not record.stored.location:
            raise NotFoundError(f"{record.full_name} is no table that can be shared")
        return Resource(TABLE, record.full_name, record.owner)

    def lost(self) -> tuple[TableRecord, ...]:
        """Return the tables whose rows are not where their records say: somebody removed the files."""
        there = set(self._engine.tables())
        return tuple(table for table in self._published.every() if table.stored.location not in there)

    def functions(self, identity: Identity = ANONYMOUS) -> tuple[TableFunction | ScalarFunction, ...]:
        """Return the parametrised views and values of the tables the caller may read."""
        return tuple(function for record in self.tables(identity) for function in record.functions)

    def coverage(self, full_name: str, identity: Identity = ANONYMOUS) -> Moc:
        """Return the cells of the sky that hold rows of a table.

        Raises
        ------
        NotFoundError
            If there is no such table, or it has no positions.
        """
        record = self.table(full_name, identity)
        if record.stored.only is not None:
            return self._published.seen_sky(record.full_name, identity)
        found = self._coverages.of(record) if record.ra else None
        if found is None and record.sql:
            raise NotFoundError(
                f"{record.full_name} is a view, whose coverage nobody keeps",
                hint="ask for that of the table it reads",
            )
        if found is None:
            raise NotFoundError(f"{record.full_name} has no positions, so no coverage of the sky")
        return found

    def hats(self, name: str, identity: Identity = ANONYMOUS, *, margin: bool = False) -> HatsFolder:
        """Return the files of a table, ``schema.table`` or ``schema.table@tag``, or those of its `margin`.

        See `InPlace`, and `table`.
        """
        full_name, tag = split_tag(name)
        found = self._in_place.folder(self.table(full_name, identity), tag)
        return self._in_place.margin(found) if margin else found

    def make_margins(
        self, full_name: str, identity: Identity = ANONYMOUS, progress: Progress = silent
    ) -> HatsFolder:
        """Write the margin cache of a table beforehand, so that nobody waits for it; raises as `hats`."""
        found = self._in_place.folder(self.table(full_name, identity))
        self._in_place.make_margin(found, progress)
        return self._in_place.margin(found)

    def close(self) -> None:
        """Stop what is done besides answering."""
        self._in_place.close()

    # Queries

    def query(
        self,
        text: str | ParsedQuery,
        *,
        dialect: str = "adql",
        context: str | None = None,
        identity: Identity = ANONYMOUS,
        max_rows: int | None = None,
        seconds: float | None = None,
        uploads: Mapping[str, Path] = _NO_UPLOADS,
        address: str = "",
        asked: bool = True,
        whole: bool = False,
        scope: BatchScope = _NO_BATCH,
    ) -> TableStream:
        """Run one query.

        Parameters
        ----------
        text, dialect
            ``adql``, ``tsql`` or ``postgres``.
        context
            The schema whose tables are known by their name alone.
        max_rows
            Rows at most; the stream says `overflow` when there were more. When None: what the query's
            own TOP or LIMIT says, else the operator's default. Never more than the operator allows.
        seconds
            Time at most, from the first row asked for to the last one taken; never more than the
            operator allows.
        uploads
            Files, in any format of `awe.core.tables.formats`, that the query reads as ``TAP_UPLOAD.name``;
            they are read before this returns, and nobody else can. `receive` writes them.
        address
            Of the service as the caller knows it, for tables that hold its addresses (``rr.interface``).
        asked
            Whether the caller wrote it, so that it is remembered in the caller's history; False for a query of awe's
            own, and for one that is remembered already.
        whole
            Return every row, however many there are: for tables that are made of them, whose size the quotas limit.
        scope
            What the batch holds that the query stands in.

        Raises
        ------
        QueryError
            With line and column.
        InputFileError
            If an upload is no table.
        NotFoundError
            If there is no such context.
        TimeLimitError, LimitError, CancelledError
            From the stream.
        """
        question = Question(text, dialect, context, max_rows, seconds, uploads, address, whole, scope)
        if not asked or self._history is None:
            return self._queries.run(question, self.tables(identity), identity)
        said = text if isinstance(text, str) else text.text
        recording = self._history.begin(identity, said, dialect=dialect, context=context)
        try:
            stream = self._queries.run(question, self.tables(identity), identity)
        except BaseException as error:
            recording.fail(error)
            raise
        recording.by(self.engine_of(stream))
        return recording.watch(stream)

    def engine_of(self, stream: TableStream) -> str:
        """Return what makes the rows of a query: the engine, or one of those that it stands for."""
        return stream.schema.metadata.get(ENGINE) or self._engine.features.name

    def estimate(
        self,
        text: str,
        *,
        dialect: str = "adql",
        context: str | None = None,
        identity: Identity = ANONYMOUS,
        uploads: Mapping[str, Path] = _NO_UPLOADS,
    ) -> Estimate:
        """Return what a query would cost, before it is run; parameters and errors as of `query`."""
        question = Question(text, dialect, context, uploads=uploads)
        return self._queries.estimate(question, self.tables(identity), identity)

    def reads(
        self, text: str, *, dialect: str = "adql", identity: Identity = ANONYMOUS
    ) -> tuple[TableRecord, ...]:
        """Return the published tables that a query reads; none of a query that cannot be run."""
        try:
            return self._queries.reads(Question(text, dialect), self.tables(identity), identity)
        except QueryError:
            return ()

    def receive(
        self, wanted: Iterable[tuple[str, str]], parts: Mapping[str, SentFile], folder: Path
    ) -> dict[str, Path]:
        """Write the tables that a request brings or names as files; see `Uploads.receive`."""
        return self._uploads.receive(wanted, parts, folder)

    def cone(
        self,
        table: str | TableRecord,
        ra: float,
        dec: float,
        radius_deg: float,
        *,
        columns: Sequence[str] | None = None,
        verbosity: int = 3,
        identity: Identity = ANONYMOUS,
        max_rows: int | None = None,
    ) -> TableStream:
        """Return the rows within `radius_deg` (inclusive) of a position.

        Parameters
        ----------
        table
            Its full name, or what `table` has just given this caller.
        ra, dec
            ICRS degrees.
        columns
            What to return; by `verbosity` when None.
        verbosity
            As in Simple Cone Search 1.03 section 2.1: 1 the identifier and position, 2 the principal
            columns too, 3 all.

        Raises
        ------
        NotFoundError
            If there is no such table.
        ParameterError
            If the table has no positions.
        PositionError
            If the position or radius is not on the sky.
        UnknownNameError
            If a column is not there.
        """
        record = self.table(table, identity) if isinstance(table, str) else table
        if record.sql:
            waits()
            text = cone_text(record, columns, verbosity, ra, dec, radius_deg)
            return self.query(text, identity=identity, max_rows=max_rows, asked=False)
        query = cone_query(self._cones.of(record, columns, verbosity), ra, dec, radius_deg)
        return self._queries.look_up(query, record, max_rows)

    def cones(
        self,
        full_name: str,
        positions: Sequence[tuple[float, float]],
        radius_deg: float,
        *,
        columns: Sequence[str] | None = None,
        verbosity: int = 3,
        identity: Identity = ANONYMOUS,
        max_rows: int | None = None,
    ) -> TableStream:
        """Return the rows within `radius_deg` of each of many positions, with the number of the position before them.

        Parameters
        ----------
        positions
            Right ascensions and declinations, ICRS degrees; the rows come in this order.
        columns, verbosity, max_rows
            As for `cone`; rows of all cones together.

        Raises
        ------
        NotFoundError, ParameterError, PositionError, UnknownNameError, LimitError, TimeLimitError
            As from `cone` and `ManyCones`.
        """
        record = self.table(full_name, identity)

        def one(ra: float, dec: float, rows: int) -> TableStream:
            return self.cone(
                record, ra, dec, radius_deg,
                columns=columns, verbosity=verbosity, identity=identity, max_rows=rows,
            )  # fmt: skip

        def many(number: Column, places: FloatArray, rows: int, seconds: float) -> TableStream:
            query = cones_query(self._cones.of(record, columns, verbosity), number, places, radius_deg)
            return self._queries.look_up(query, record, rows, seconds)

        most = self._limits.default_rows if max_rows is None else max_rows
        rows = min(most, self._limits.rows)
        at_once = None if record.sql else many
        return ManyCones(one, at_once, positions, rows=rows, seconds=self._limits.seconds)

    def hold(self, schema: str, name: str, stream: TableStream) -> HeldTable:
        """Keep rows as a table that only a `BatchScope` reads, until it is closed; see `Uploads.hold`."""
        return self._uploads.hold(schema, name, stream)

    # Publishing

    def publish(
        self,
        full_name: str,
        files: Sequence[Path],
        *,
        ra: str | None = None,
        dec: str | None = None,
        describe: Path | None = None,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> TableRecord:
        """Publish files as one table; see `Publisher.publish`."""
        return self._publisher.publish(
            full_name, files, ra=ra, dec=dec, describe=describe, replaces=replace, progress=progress
        )

    def publish_stream(
        self,
        full_name: str,
        stream: TableStream,
        *,
        ra: str | None = None,
        dec: str | None = None,
        describe: Path | None = None,
        replace: bool = False,
        unplaced: bool = False,
        internal: bool = False,
        also: Also | None = None,
        progress: Progress | None = None,
    ) -> TableRecord:
        """Publish rows that come from a program; see `Publisher.publish_stream`."""
        return self._publisher.publish_stream(
            full_name,
            stream,
            ra=ra,
            dec=dec,
            describe=describe,
            replaces=replace,
            unplaced=unplaced,
            internal=internal,
            also=also,
            progress=progress,
        )

    def drop(self, full_name: str, *, also: Also | None = None) -> None:
        """Remove a table; see `Publisher.drop`."""
        self._publisher.drop(full_name, also=also)

    def clean(self, grace_s: float | None = None) -> None:
        """Remove files that nobody needs; see `Publisher.clean`."""
        self._uploads.sweep()
        self._publisher.clean(grace_s)
