"""A small published world: two schemas, three tables, a table function, all in memory."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from tests.core.sky.sky_samples import star
from tests.core.sql.sky_pairs import lowered

from awe.core.sky import healpix_index
from awe.core.sql import Parameter, ScalarFunction, TableDef, TableFunction, compile_query
from awe.core.tables import Column, Schema
from awe.services.catalogs.backends.duckdb import add_functions


def _table(
    schema: str,
    name: str,
    columns: str,
    *,
    ra: str | None = None,
    dec: str | None = None,
    reach: str | None = None,
) -> TableDef:
    types = {
        "i": pa.int32(),
        "l": pa.int64(),
        "f": pa.float32(),
        "d": pa.float64(),
        "s": pa.string(),
        "b": pa.bool_(),
        "point": pa.list_(pa.float64(), 2),
        "circle": pa.list_(pa.float64(), 3),
        "polygon": pa.list_(pa.float64()),
        "adql-REGION": pa.string(),
        "shape": pa.string(),
    }
    parts = [c.split(":") for c in columns.split()]
    made = tuple(
        Column(n, types[t], unit=u, description=f"{n} of {name}", xtype=t.replace("-", ":") * (len(t) > 1))
        for n, t, u in parts
    )
    healpix = "_healpix_29" if ra else None
    return TableDef(schema, name, Schema(made, name=name), ra, dec, healpix, reach=reach)


SUMCAT = _table(
    "hsc", "SumCat",
    "MatchID:l: MatchRA:d:deg MatchDec:d:deg CI:f: W2_F606W:f:mag W2_F814W:f:mag NumImages:i: Class:s:",
    ra="MatchRA", dec="MatchDec",
)  # fmt: skip
SPEC = _table("hsc", "Spec", "SpecID:l: MatchID:l: z:d: Class:s: good:b:")
STARS = _table("gaia", "stars", "id:l: ra:d:deg dec:d:deg g:f:mag", ra="ra", dec="dec")
DETAILED = _table("hsc", "Detailed", "MatchID:l: ra:d:deg dec:d:deg flux:d:Jy flags:l:")

OBS = _table(
    "ivoa", "obs",
    "id:l: s_ra:d:deg s_dec:d:deg s_fov:d:deg s_region:adql-REGION: pos:point:deg disc:circle:deg"
    " poly:polygon:deg shape:shape: note:s:",
    ra="s_ra", dec="s_dec", reach="s_fov",
)  # fmt: skip

SEARCH = TableFunction(
    "hsc", "SearchSumCatalog",
    (
        Parameter("ra_deg", "deg"), Parameter("dec_deg", "deg"), Parameter("radius_arcsec", "arcsec"),
        Parameter("magtype", default=1),
    ),
    "SELECT * FROM hsc.SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec),"
    " CIRCLE(:ra_deg, :dec_deg, :radius_arcsec / 3600.0))",
)  # fmt: skip
NEAREST = TableFunction(
    "gaia", "fGetNearestStar", (Parameter("ra"), Parameter("dec"), Parameter("r", "arcmin")),
    "SELECT TOP 1 id, DISTANCE(ra, dec, :ra, :dec) * 60 AS sep FROM gaia.stars"
    " WHERE DISTANCE(ra, dec, :ra, :dec) <= :r / 60.0 ORDER BY sep",
)  # fmt: skip


class World:
    """What the caller of the tests may read."""

    def __init__(self, context: str = "hsc") -> None:
        self.context = context
        self.all: tuple[TableDef, ...] = (SUMCAT, SPEC, STARS, DETAILED, OBS)
        self.functions = (SEARCH, NEAREST)
        self.values: tuple[ScalarFunction, ...] = ()

    def table(self, schema: str | None, name: str) -> TableDef | None:
        found: TableDef | None = self._find(self.all, schema, name)
        return found

    def table_function(self, schema: str | None, name: str) -> TableFunction | None:
        found: TableFunction | None = self._find(self.functions, schema, name)
        return found

    def scalar_function(self, schema: str | None, name: str) -> ScalarFunction | None:
        found: ScalarFunction | None = self._find(self.values, schema, name)
        return found

    def _find(self, items: tuple[Any, ...], schema: str | None, name: str) -> Any:
        named = [t for t in items if t.name.casefold() == name.casefold()]
        if schema is None:
            return next((t for t in named if t.schema == self.context), named[0] if len(named) == 1 else None)
        return next((t for t in named if t.schema.casefold() == schema.casefold()), None)

    def spellings(self) -> Iterable[str]:
        return [f"{t.schema}.{t.name}" for t in self.all] + [f"{f.schema}.{f.name}" for f in self.functions]


@pytest.fixture(scope="session")
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def compiled(world: Any) -> Any:
    """Compile in the context hsc."""

    def compile_(text: str, dialect: str = "tsql") -> Any:
        return compile_query(text, world, dialect=dialect, context="hsc")

    return compile_


def sphere(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random positions on the whole sky, and the places where spherical code breaks."""
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    special = [(0, 0), (0, 90), (0, -90), (123, 90), (360, 10), (0, 10), (359.9999, 10), (180, 0), (180, -10)]
    return np.append(ra, [s[0] for s in special]), np.append(dec, [s[1] for s in special])


def fields(count: int = 90) -> Mapping[str, Any]:
    """Rows with shapes around random positions: polygons of any form, some of them circles in the text."""
    rng = np.random.default_rng(3)
    ra, dec = sphere(count, 4)
    ra, size = ra % 360, 10 ** rng.uniform(-2, 1, len(ra))
    polygons = []
    for lon, lat, radius in zip(ra, dec, size, strict=True):
        radii = (rng.uniform(0.3, 1, rng.integers(3, 8)) * radius).tolist()
        polygons.append(
            [x for v in star(float(lon), float(lat), radii, rng.uniform(0, 360)).vertices for x in v]
        )
    discs = [[float(a), float(d), float(s) / 2] for a, d, s in zip(ra, dec, size, strict=True)]
    stcs = [
        f"CIRCLE ICRS {' '.join(map(repr, disc))}"
        if i % 5 == 0
        else f"Polygon ICRS {' '.join(map(repr, polygon))}"
        for i, (disc, polygon) in enumerate(zip(discs, polygons, strict=True))
    ]
    stcs[7], stcs[8] = None, "not a region"  # type: ignore[call-overload]
    return {
        "id": np.arange(len(ra)), "s_ra": ra, "s_dec": dec,
        "s_fov": pa.array([None if i % 9 == 0 else float(s) for i, s in enumerate(size)]),
        "s_region": pa.array(stcs), "pos": pa.array([d[:2] for d in discs], pa.list_(pa.float64())),
        "disc": pa.array([None if i % 11 == 0 else d for i, d in enumerate(discs)], pa.list_(pa.float64())),
        "poly": pa.array(polygons, pa.list_(pa.float64())),
        "shape": pa.array([f"polygon {' '.join(map(repr, p))}" for p in polygons]),
        "note": pa.array([f"{d[0]!r} {d[1]!r}" for d in discs]), "_healpix_29": healpix_index(ra, dec),
    }  # fmt: skip


@pytest.fixture(scope="session")
def rows() -> Mapping[str, pa.Table]:
    """The rows of the world's tables, by full name."""
    return make_rows()


def make_rows() -> Mapping[str, pa.Table]:
    """Make the rows of the world's tables, by full name."""
    rng = np.random.default_rng(7)
    ra, dec = sphere(3000, 1)
    n = len(ra)
    blue = rng.uniform(18, 26, n).astype("f4")
    sumcat = {
        "MatchID": np.arange(n) + (1 << 60), "MatchRA": ra, "MatchDec": dec,
        "CI": rng.uniform(0.8, 2, n).astype("f4"), "W2_F606W": blue,
        "W2_F814W": (blue - rng.uniform(-0.2, 1.5, n)).astype("f4"),
        "NumImages": rng.integers(1, 100, n).astype("i4"), "Class": rng.choice(["QSO", "Star", "galaxy"], n),
        "_healpix_29": healpix_index(ra, dec),
    }  # fmt: skip
    spec = {
        "SpecID": np.arange(500), "MatchID": np.arange(500) * 3 + (1 << 60), "z": rng.uniform(-1, 5, 500),
        "Class": pa.array([None if i % 7 == 0 else "QSO" for i in range(500)]), "good": rng.random(500) > 0.5,
    }  # fmt: skip
    ra2, dec2 = sphere(2000, 2)
    stars = {
        "id": np.arange(len(ra2)), "ra": ra2, "dec": dec2, "g": rng.uniform(5, 20, len(ra2)).astype("f4"),
        "_healpix_29": healpix_index(ra2, dec2),
    }  # fmt: skip
    flux = np.array([-1.0, 0.0, 1.0, 10.0, np.nan, 100.0])
    detailed = {
        "MatchID": np.arange(6), "ra": np.arange(6.0), "dec": np.arange(6.0), "flux": flux,
        "flags": np.array([0, 1, 16, 17, 255, (5 << 32) + 3]),
    }  # fmt: skip
    found = {
        "ivoa.obs": fields(),
        "hsc.SumCat": sumcat,
        "hsc.Spec": spec,
        "gaia.stars": stars,
        "hsc.Detailed": detailed,
    }
    return {name: pa.table(columns) for name, columns in found.items()}


@pytest.fixture(scope="session")
def engine(rows: Mapping[str, pa.Table]) -> Any:
    """A DuckDB in memory that holds the rows."""
    with duckdb.connect() as connection:
        add_functions(connection)
        for name, table in rows.items():
            connection.register("incoming", table)
            connection.execute(f'create table "{name}" as select * from incoming')
        yield connection


@pytest.fixture(scope="session")
def answer(compiled: Any, engine: Any) -> Any:
    """Compile, lower, run: the rows as tuples."""

    def run(text: str, dialect: str = "tsql") -> Any:
        query = compiled(text, dialect)
        relations = {use.key: f'"{use.table.full_name}"' for use in query.uses}
        return engine.sql(lowered(query, engine, relations)).fetchall()

    return run
