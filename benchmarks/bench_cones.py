"""Cones: the rows around a position, all columns, in process, beside PostgreSQL with q3c and with pgSphere, and DuckDB."""

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from frame import Case, Job, Peer
from postgres import postgresql
from sky import CATALOGUE, Sky

from awe.core.sky import Circle

__all__ = ["duckdb_cones", "jobs"]

Cone = tuple[float, float, float]
"""Right ascension, declination and radius in degrees."""
Positions = Sequence[tuple[float, float]]
"""Right ascensions and declinations in degrees."""
Sized = tuple[int, Cone]
"""The rows of the table, and the cone."""
Cones = AbstractContextManager[Callable[[Cone], pa.Table]]

_RADII = {"1 arcmin": 1 / 60, "10 arcmin": 1 / 6, "1 degree": 1.0}
_MOST = 10_000_000
_Q3C = "SELECT * FROM sources WHERE q3c_radial_query(ra, dec, %s, %s, %s)"
_PG_SPHERE = (
    "SELECT * FROM sources WHERE spoint(radians(ra), radians(dec))"
    " <@ scircle(spoint(radians(%s::float8), radians(%s::float8)), radians(%s::float8))"
)
_MANY_Q3C = (
    "SELECT target, sources.* FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS asked (a, d, target),"
    " sources WHERE q3c_join(a, d, ra, dec, %s)"
)
_MANY_PG_SPHERE = (
    "SELECT target, sources.* FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS asked (a, d, target),"
    " sources WHERE spoint(radians(ra), radians(dec))"
    " <@ scircle(spoint(radians(a), radians(d)), radians(%s::float8) - 1e-9)"
)
"""pgSphere takes what is 1e-9 radians beyond an edge for inside; of many thousand rows some are."""
_TARGETS = 1000


def jobs(sky: Sky) -> Iterable[Job]:
    """Cones that were asked for before, of which nothing is in memory yet, as the table grows, and many at once."""
    awe, duck = (
        Peer("awe", lambda: _awe(sky), _ids),
        Peer("DuckDB", lambda: duckdb_cones(sky), _ids),
    )
    peers = (
        awe,
        Peer("q3c, as clients call it", lambda: _postgresql(sky, _Q3C, prepared=False), _first_column),
        Peer("q3c, prepared", lambda: _postgresql(sky, _Q3C, prepared=True), _first_column),
        Peer("pgSphere, prepared", lambda: _postgresql(sky, _PG_SPHERE, prepared=True), _first_column),
        duck,
    )
    places = sky.positions(sky.times(40))
    cases = [Case(name, [(*p, r) for p in places], r * 60) for name, r in _RADII.items()]
    yield Job(
        "warm",
        "Rows of a cone, all twelve columns, asked for before; a table or rows in the client's memory. Each peer asks for all"
        " cones before the next one's turn, and comes after each of the others once.",
        peers,
        [replace(case, inputs=[*case.inputs] * len(peers)) for case in cases],
        same=_differ,
        goals={
            ("q3c, as clients call it", "1 arcmin"): 20,
            ("pgSphere, prepared", "1 arcmin"): 2,
            ("q3c, as clients call it", "10 arcmin"): 20,
            ("pgSphere, prepared", "10 arcmin"): 4,
            ("q3c, as clients call it", "1 degree"): 8,
            ("pgSphere, prepared", "1 degree"): 8,
        },
        per="arcmin",
        compared=len(places),
        together=len(places),
    )
    yield Job(
        "cold",
        "The same where nothing of the partition is decoded yet, but its footer was read; DuckDB is told the files and the index ranges.",
        (Peer("awe", lambda: _awe(sky, limits={"decoded_bytes": 0}), _ids), duck),
        cases,
        same=_differ,
        goals={("DuckDB", "1 arcmin"): 3},
        per="arcmin",
        compared=len(places),  # so that both have read the footers, and the system the files
    )
    sizes = [replace(sky, rows=rows) for rows in (sky.rows // 100, sky.rows // 10, sky.rows)]
    yield Job(
        "growing",
        "A cone of 10 arcmin, asked for before, as the table grows.",
        (
            Peer("awe", lambda: _by_size(sizes, _awe), _ids),
            Peer("DuckDB", lambda: _by_size(sizes, duckdb_cones), _ids),
        ),
        [Case(f"{s.rows:,} rows", [(s.rows, (*p, 1 / 6)) for p in places] * 2, s.rows) for s in sizes],
        same=_differ,
        per="rows",
        compared=len(places),
        together=len(places),
    )
    yield _many(sky)


def _many(sky: Sky) -> Job:
    """Return the job of many cones in one question."""
    radius = 1 / 60
    counts = (_TARGETS // 10, _TARGETS)
    asked = [[sky.positions(count, seed) for seed in range(sky.times(7))] for count in counts]
    return Job(
        "many",
        "Rows of the cones of 1 arcmin around many positions, in one question that was asked before, all twelve columns and the"
        " position's number.",
        (
            Peer("awe", lambda: _awe_many(sky, radius), _numbered),
            Peer("q3c", lambda: _postgresql_many(sky, _MANY_Q3C, radius), _numbered_rows),
            Peer("pgSphere", lambda: _postgresql_many(sky, _MANY_PG_SPHERE, radius), _numbered_rows),
        ),
        [Case(f"{n:,} positions", lists, n) for n, lists in zip(counts, asked, strict=True)],
        same=_differ,
        per="positions",
        compared=sky.times(7),
    )


@contextmanager
def _awe_many(sky: Sky, radius_deg: float) -> Iterator[Callable[[Positions], pa.Table]]:
    with sky.platform() as platform:
        yield lambda positions: platform.catalogs.cones(
            CATALOGUE, positions, radius_deg, max_rows=_MOST
        ).to_table()


@contextmanager
def _postgresql_many(sky: Sky, query: str, radius_deg: float) -> Iterator[Callable[[Positions], list[Any]]]:
    with psycopg.connect(postgresql(sky), autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        cursor = connection.cursor(binary=True)
        yield lambda positions: cursor.execute(
            query, (*map(list, zip(*positions, strict=True)), radius_deg), prepare=True
        ).fetchall()


@contextmanager
def _awe(sky: Sky, **settings: object) -> Iterator[Callable[[Cone], pa.Table]]:
    with sky.platform(**settings) as platform:
        yield lambda cone: platform.catalogs.cone(CATALOGUE, *cone, max_rows=_MOST).to_table()


@contextmanager
def _by_size(sizes: Sequence[Sky], opened: Callable[[Sky], Cones]) -> Iterator[Callable[[Sized], pa.Table]]:
    """Yield cones of tables of several sizes, by their number of rows."""
    with ExitStack() as stack:
        ask = {sky.rows: stack.enter_context(opened(sky)) for sky in sizes}
        yield lambda sized: ask[sized[0]](sized[1])


@contextmanager
def _postgresql(sky: Sky, query: str, *, prepared: bool) -> Iterator[Callable[[Cone], list[Any]]]:
    with psycopg.connect(postgresql(sky), autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0" if prepared else "SELECT 1")
        cursor = connection.cursor(binary=prepared)
        yield lambda cone: cursor.execute(query, cone, prepare=prepared).fetchall()


@contextmanager
def duckdb_cones(sky: Sky) -> Iterator[Callable[[Cone], pa.Table]]:
    """Yield cones by DuckDB alone: over the files that a cone touches, by the index's ranges and the exact test."""
    with sky.platform() as platform:
        folder = platform.settings.folder / "tables" / platform.catalogs.table(CATALOGUE).stored.location
    files = _files(folder)
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET parquet_metadata_cache = true")
        yield lambda cone: connection.sql(_direct(files, Circle(*cone))).to_arrow_reader(65_536).read_all()


def _files(folder: Path) -> list[tuple[int, int, str]]:
    """Return the files of a HATS catalogue with the cells, at order 29, that each holds."""
    with (folder / "partition_info.csv").open() as lines:
        partitions = [(int(line["Norder"]), int(line["Npix"])) for line in csv.DictReader(lines)]
    return [
        (
            pixel << 58 - 2 * order,
            pixel + 1 << 58 - 2 * order,
            f"{folder}/dataset/Norder={order}/Dir={pixel // 10_000 * 10_000}/Npix={pixel}.parquet",
        )
        for order, pixel in partitions
    ]


def _direct(files: Sequence[tuple[int, int, str]], cone: Circle) -> str:
    ranges = cone.covering().tolist()
    touched = [path for low, high, path in files if any(a < high and b > low for a, b in ranges)] or [
        files[0][2]
    ]
    listed = ", ".join(f"'{path}'" for path in touched)
    cells = " OR ".join(f"_healpix_29 BETWEEN {a} AND {b - 1}" for a, b in ranges)
    limit = math.sin(math.radians(cone.radius) / 2) ** 2
    return (
        f"SELECT * EXCLUDE _healpix_29 FROM read_parquet([{listed}], hive_partitioning = false) WHERE ({cells}) AND"
        f" sin(radians(dec - {cone.dec!r}) / 2) ** 2 + cos(radians({cone.dec!r})) * cos(radians(dec))"
        f" * sin(radians(ra - {cone.ra!r}) / 2) ** 2 <= {limit!r}"
    )


def _ids(table: pa.Table) -> list[int]:
    return sorted(table["source_id"].to_pylist())


def _first_column(rows: list[tuple[int, ...]]) -> list[int]:
    return sorted(row[0] for row in rows)


def _numbered(table: pa.Table) -> list[tuple[int, int]]:
    return sorted(zip(table["target"].to_pylist(), table["source_id"].to_pylist(), strict=True))


def _numbered_rows(rows: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    return sorted((row[0] - 1, row[1]) for row in rows)


def _differ(ours: list[Any], theirs: list[Any]) -> str:
    return (
        ""
        if ours == theirs
        else f"{len(ours)} and {len(theirs)} rows, {len(set(ours) ^ set(theirs))} of them only in one"
    )
