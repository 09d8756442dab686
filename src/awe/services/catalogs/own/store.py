"""Users' schemas and the versions of their tables, in the system database.

A version is current until it has ended. Rows are the truth: files that no row names are nobody's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import (
    Column as SqlColumn,
)

from awe.errors import ConflictError
from awe.services.catalogs.interface import StoredTable
from awe.services.catalogs.model import TableRecord
from awe.services.catalogs.own._rows import SAID, record_of, row_of, version_of
from awe.services.catalogs.own.keeping import Ended
from awe.services.catalogs.own.model import TableVersion, UserSchema, schema_stem
from awe.services.system import Connection, SystemDatabase, UtcDateTime, metadata

__all__ = ["CheckRoom", "Holdings", "OwnStore", "taken"]

_schemas = Table(
    "user_schemas",
    metadata,
    SqlColumn("name", String(128), primary_key=True),
    SqlColumn("owner", String(255), nullable=False, unique=True),
    SqlColumn("revision", BigInteger, nullable=False),
)
_versions = Table(
    "table_versions",
    metadata,
    SqlColumn("id", Integer, primary_key=True),
    SqlColumn("schema", String(128), ForeignKey(_schemas.c.name), nullable=False),
    SqlColumn("folded", String(128), nullable=False),
    SqlColumn("name", String(128), nullable=False),
    SqlColumn("number", Integer, nullable=False),
    SqlColumn("revision", BigInteger, nullable=False),
    SqlColumn("location", String(255), nullable=False, unique=True),
    SqlColumn("rows", BigInteger, nullable=False),
    SqlColumn("bytes", BigInteger, nullable=False),
    SqlColumn("title", Text, nullable=False),
    SqlColumn("description", Text, nullable=False),
    SqlColumn("columns", JSON, nullable=False),
    SqlColumn("metadata", JSON, nullable=False),
    SqlColumn("ra", Text),
    SqlColumn("dec", Text),
    SqlColumn("id_column", Text),
    SqlColumn("origin", Text, nullable=False),
    SqlColumn("created", UtcDateTime, nullable=False),
    SqlColumn("ended", UtcDateTime),
    SqlColumn("statistics", JSON),
    UniqueConstraint("schema", "folded", "number"),
)

Also = Callable[[Connection], None]
"""What else belongs into the same transaction."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a user has: current tables, their rows and their bytes."""

    tables: int
    rows: int
    bytes: int


CheckRoom = Callable[[Holdings, Holdings], None]
"""Told within a transaction what a user had before it and has after it; raises what refuses that."""


class OwnStore:
    """Read and write the records of users' tables."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    # Schemas

    def schemas(self, owner: str, names: Iterable[str] = ()) -> tuple[UserSchema, ...]:
        """Return the schema of a user, if there is one yet, and those of these names."""
        wanted = or_(_schemas.c.owner == owner, _schemas.c.name.in_(sorted(names)))
        with self._system.reading() as connection:
            rows = connection.execute(select(_schemas).where(wanted).order_by(_schemas.c.name)).all()
        return tuple(UserSchema(row.name, row.owner, row.revision) for row in rows)

    def make_schema(self, owner: str) -> UserSchema:
        """Return the schema of a user; made where there is none, with a number where another's is called so."""
        with self._system.transaction() as connection:
            row = connection.execute(select(_schemas).where(_schemas.c.owner == owner)).first()
            if row is not None:
                return UserSchema(row.name, row.owner, row.revision)
            stem = schema_stem(owner)
            taken = set(
                connection.scalars(
                    select(_schemas.c.name).where(_schemas.c.name.startswith(stem[:58], autoescape=True))
                )
            )
            names = (stem, *()) if stem not in taken else (f"{stem[:58]}{number}" for number in count(2))
            name = next(name for name in names if name not in taken)
            connection.execute(insert(_schemas).values(name=name, owner=owner, revision=0))
        return UserSchema(name, owner, 0)

    # Tables

    def changed(
        self, schema: UserSchema, since: int
    ) -> tuple[int, frozenset[int], Mapping[int, TableRecord]]:
        """Return the revision, the numbers of the current versions' rows, and those changed after `since`, of one moment."""
        with self._system.reading() as connection:
            revision = connection.scalar(select(_schemas.c.revision).where(_schemas.c.name == schema.name))
            here = (_versions.c.schema == schema.name) & _versions.c.ended.is_(None)
            current = frozenset(connection.scalars(select(_versions.c.id).where(here)))
            rows = connection.execute(select(_versions).where(here & (_versions.c.revision > since))).all()
        return int(revision or 0), current, {row.id: record_of(row._asdict(), schema.owner) for row in rows}

    def current(self, schema: UserSchema, table: str) -> TableRecord | None:
        """Return the current version of a table, ignoring case."""
        with self._system.reading() as connection:
            row = _current(connection, schema.name, table)
        return record_of(row._asdict(), schema.owner) if row is not None else None

    def versions(self, schema: UserSchema, table: str) -> tuple[TableVersion, ...]:
        """Return all versions that are kept of a name, the oldest first."""
        wanted = (_versions.c.schema == schema.name) & (_versions.c.folded == table.casefold())
        return self._versions(schema, select(_versions).where(wanted))

    def currents(self, schema: UserSchema) -> tuple[TableVersion, ...]:
        """Return the current version of each table in a schema, by name."""
        here = (_versions.c.schema == schema.name) & _versions.c.ended.is_(None)
        return self._versions(schema, select(_versions).where(here))

    def dropped(self, schema: UserSchema) -> tuple[TableVersion, ...]:
        """Return the newest version of each name in a schema that has no current one."""
        here = _versions.c.schema == schema.name
        newest = (
            select(_versions.c.folded, func.max(_versions.c.ended).label("ended"))
            .where(here)
            .group_by(_versions.c.folded)
            .having(func.count() == func.count(_versions.c.ended))
            .subquery()
        )
        query = select(_versions).join(
            newest, (newest.c.folded == _versions.c.folded) & (newest.c.ended == _versions.c.ended)
        )
        return self._versions(schema, query.where(here))

    def _versions(self, schema: UserSchema, query: Any) -> tuple[TableVersion, ...]:
        with self._system.reading() as connection:
            rows = connection.execute(query.order_by(_versions.c.folded, _versions.c.number)).all()
        return tuple(version_of(row._asdict(), schema.owner) for row in rows)

    def holdings(self, owner: str) -> Holdings:
        """Return what a user has."""
        with self._system.reading() as connection:
            return _holdings(connection, owner)

    # Changes

    def keep(
        self,
        record: TableRecord,
        *,
        expects: str | None,
        origin: str,
        check: CheckRoom,
    ) -> TableRecord:
        """Make a version the current one.

        Parameters
        ----------
        expects
            Where the version lies that it replaces; None where there is none.

        Raises
        ------
        ConflictError
            If another version is current: somebody changed the table meanwhile.
        """
        now = datetime.now(UTC)
        with self._system.transaction() as connection:
            old = _current(connection, record.schema, record.name)
            _expect(record, old, expects)
            before = _holdings(connection, record.owner)
            revision = _advance(connection, record.schema)
            if old is not None:
                connection.execute(update(_versions).where(_versions.c.id == old.id).values(ended=now))
            of_name = (_versions.c.schema == record.schema) & (_versions.c.folded == record.name.casefold())
            number = (connection.scalar(select(func.max(_versions.c.number)).where(of_name)) or 0) + 1
            kept = replace(
                record, name=old.name if old is not None else record.name, version=number, created=now
            )
            values = row_of(kept) | {"revision": revision, "origin": origin}
            connection.execute(insert(_versions).values(values))
            check(before, _holdings(connection, record.owner))
        return kept

    def describe(self, record: TableRecord) -> None:
        """Change what is said of the current version; its rows stay as they are.

        Raises
        ------
        ConflictError
            If another version is current.
        """
        with self._system.transaction() as connection:
            old = _current(connection, record.schema, record.name)
            _expect(record, old, record.stored.location)
            revision = _advance(connection, record.schema)
            row = {key: value for key, value in row_of(record).items() if key in SAID} | {
                "revision": revision
            }
            connection.execute(update(_versions).where(_versions.c.id == old.id).values(row))  # type: ignore[union-attr]  # _expect

    def end(self, record: TableRecord, also: Also) -> None:
        """Drop a table: its current version ends.

        Raises
        ------
        ConflictError
            If another version is current.
        """
        with self._system.transaction() as connection:
            old = _current(connection, record.schema, record.name)
            _expect(record, old, record.stored.location)
            _advance(connection, record.schema)
            which = _versions.c.location == record.stored.location
            connection.execute(update(_versions).where(which).values(ended=datetime.now(UTC)))
            also(connection)

    def rename(self, record: TableRecord, name: str, also: Also) -> TableRecord:
        """Give a table another name, with all its versions; those that the other name had stand before them.

        Raises
        ------
        ConflictError
            If there is a table of that name.
        """
        folded, schema = name.casefold(), record.schema
        with self._system.transaction() as connection:
            _expect(record, _current(connection, schema, record.name), record.stored.location)
            same = folded == record.name.casefold()
            if not same and _current(connection, schema, name) is not None:
                raise taken(name)
            revision = _advance(connection, schema)
            of = (_versions.c.schema == schema) & (_versions.c.folded == record.name.casefold())
            there = (_versions.c.schema == schema) & (_versions.c.folded == folded)
            before = 0 if same else connection.scalar(select(func.max(_versions.c.number)).where(there)) or 0
            values = {
                "folded": folded,
                "name": name,
                "number": _versions.c.number + before,
                "revision": revision,
            }
            connection.execute(update(_versions).where(of).values(values))
            also(connection)
        return replace(record, name=name, version=record.version + before)

    def revive(self, version: TableVersion, check: CheckRoom) -> TableRecord:
        """Make an earlier version the current one again.

        Raises
        ------
        ConflictError
            If it is not there any more.
        """
        record = version.record
        with self._system.transaction() as connection:
            old = _current(connection, record.schema, record.name)
            before = _holdings(connection, record.owner)
            revision = _advance(connection, record.schema)
            if old is not None:
                connection.execute(
                    update(_versions).where(_versions.c.id == old.id).values(ended=datetime.now(UTC))
                )
            which = _versions.c.location == record.stored.location
            changed = connection.execute(update(_versions).where(which).values(ended=None, revision=revision))
            if changed.rowcount != 1:
                raise ConflictError(f"version {version.number} of {record.full_name} is not kept any more")
            check(before, _holdings(connection, record.owner))
        return record

    # Files

    def locations(self) -> frozenset[str]:
        """Return where all versions lie, current or kept."""
        with self._system.reading() as connection:
            return frozenset(connection.scalars(select(_versions.c.location)))

    def ended(self, owner: str | None = None) -> tuple[Ended, ...]:
        """Return the versions that are kept besides the current ones, of a user or of all, the newest first."""
        v = _versions.c
        query = (
            select(v.schema, v.folded, v.location, v.rows, v.bytes, v.ended, _schemas.c.owner)
            .join(_schemas, _schemas.c.name == v.schema)
            .where(v.ended.is_not(None))
            .order_by(v.ended.desc(), v.number.desc())
        )
        if owner is not None:
            query = query.where(_schemas.c.owner == owner)
        with self._system.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Ended(f"{r.schema}.{r.folded}", r.owner, StoredTable(r.location, r.rows, r.bytes), r.ended)
            for r in rows
        )

    def forget(self, location: str) -> bool:
        """Forget a version that has ended; False if it was restored meanwhile, or is forgotten already."""
        which = (_versions.c.location == location) & _versions.c.ended.is_not(None)
        with self._system.transaction() as connection:
            return connection.execute(delete(_versions).where(which)).rowcount > 0

    # Statistics

    def statistics(self, location: str) -> list[dict[str, Any]] | None:
        """Return what was computed of a version; None where nothing was."""
        query = select(_versions.c.statistics).where(_versions.c.location == location)
        with self._system.reading() as connection:
            found: list[dict[str, Any]] | None = connection.scalar(query)
        return found

    def keep_statistics(self, location: str, values: list[dict[str, Any]]) -> None:
        """Keep what was computed of a version."""
        which = _versions.c.location == location
        with self._system.transaction() as connection:
            connection.execute(update(_versions).where(which).values(statistics=values))


def taken(name: str) -> ConflictError:
    """Return the error of a name that a table has already, in the words of SQL Server (its error 2714)."""
    return ConflictError(
        f"There is already an object named '{name}' in the database.", hint="drop it first, or replace it"
    )


def _expect(record: TableRecord, found: Row[tuple[object, ...]] | None, location: str | None) -> None:
    if found is not None and location is None:
        raise taken(record.name)
    if (found.location if found is not None else None) != location:
        raise ConflictError(f"{record.full_name} was changed by somebody else meanwhile", hint="do it again")


def _current(connection: Connection, schema: str, table: str) -> Row[tuple[object, ...]] | None:
    wanted = (_versions.c.schema == schema) & (_versions.c.folded == table.casefold())
    return connection.execute(select(_versions).where(wanted, _versions.c.ended.is_(None))).first()


def _advance(connection: Connection, schema: str) -> int:
    changed = update(_schemas).where(_schemas.c.name == schema).values(revision=_schemas.c.revision + 1)
    return int(connection.execute(changed.returning(_schemas.c.revision)).scalar_one())


def _holdings(connection: Connection, owner: str) -> Holdings:
    sums = (
        func.count(),
        func.coalesce(func.sum(_versions.c.rows), 0),
        func.coalesce(func.sum(_versions.c.bytes), 0),
    )
    query = (
        select(*sums)
        .join(_schemas, _schemas.c.name == _versions.c.schema)
        .where(_schemas.c.owner == owner, _versions.c.ended.is_(None))
    )
    return Holdings(*map(int, connection.execute(query).one()))
