"""SQL: what parsing and compiling cost, and whether scans and group-bys run at DuckDB's own speed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlglot
from frame import Case, Job, Peer
from sky import CATALOGUE, Sky

from awe.core.sql import Parameter, TableDef, TableFunction, compile_query
from awe.core.sql.dialects.adql import parse_adql
from awe.core.tables import Column, Schema
from awe.platform import Platform

__all__ = ["jobs"]

_PARSED = {
    "cone": """
        SELECT TOP 100 MatchID, MatchRA, MatchDec, W2_F606W - W2_F814W AS v_i FROM hsc.SumCat
        WHERE 1 = CONTAINS(POINT('ICRS', MatchRA, MatchDec), CIRCLE('ICRS', 187.706, 12.391, 0.14))
          AND CI BETWEEN 1.05 AND 1.5 AND NumImages > 50 ORDER BY MatchID""",
    "crossmatch": """
        WITH bright AS (SELECT source_id, ra, dec, phot_g_mean_mag FROM gaiadr3.gaia_source
                        WHERE phot_g_mean_mag < 12 AND parallax / parallax_error > 10)
        SELECT b.source_id, x.MatchID, DISTANCE(b.ra, b.dec, x.MatchRA, x.MatchDec) * 3600 AS sep_arcsec
        FROM bright AS b JOIN hsc.SumCat AS x ON DISTANCE(b.ra, b.dec, x.MatchRA, x.MatchDec) < 1 / 3600.0
        LEFT OUTER JOIN TAP_UPLOAD.mine AS u USING (MatchID)
        WHERE COALESCE(u.flag, 0) = 0 ORDER BY sep_arcsec DESC""",
    "histogram": """
        SELECT FLOOR(mag / 0.5) * 0.5 AS bin, COUNT(*) AS n, AVG(colour) AS mean_colour FROM photometry.stars
        WHERE colour IS NOT NULL AND name NOT LIKE 'test%' GROUP BY FLOOR(mag / 0.5) * 0.5
        HAVING COUNT(*) > 10 ORDER BY 1 OFFSET 2""",
    "1000 numbers": "SELECT * FROM t WHERE id IN (" + ", ".join(str(10**15 + i) for i in range(1000)) + ")",
}

_NAMES = ("MatchRA", "MatchDec", "CI", "W2_F606W", "W2_F814W", "NumImages", *(f"c{i}" for i in range(40)))
_COLUMNS = Schema((Column("MatchID", pa.int64()), *(Column(n, pa.float64()) for n in _NAMES)))
_SUMCAT = TableDef("hsc", "SumCat", _COLUMNS, "MatchRA", "MatchDec", "_healpix_29")
_SEARCH = TableFunction(
    "hsc",
    "SearchSumCatalog",
    tuple(Parameter(n) for n in ("ra", "dec", "r", "magtype")),
    "SELECT * FROM hsc.SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(:ra, :dec, :r / 3600.0))",
)
_COMPILED = {
    "founding": (
        "tsql",
        (
            "select MatchRA, MatchDEC, MatchID, CI, V_I=W2_F606W - W2_F814W from SearchSumCatalog(187.706, 12.351, 500.0, 1)"
            " where CI > 1.05 and CI < 1.5 and (W2_F606W - W2_F814W) > 0.0 and numimages > 50 order by matchID"
        ),
    ),
    "plain": ("adql", "SELECT TOP 10 MatchID, CI FROM SumCat WHERE CI > 1.05 ORDER BY CI"),
    "cone": (
        "adql",
        "SELECT MatchID FROM SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(187.7, 12.35, 0.1))",
    ),
    "crossmatch": (
        "postgres",
        (
            "select a.MatchID, b.MatchID, q3c_dist(a.MatchRA, a.MatchDec, b.MatchRA, b.MatchDec) * 3600"
            " from SumCat a, SumCat b where q3c_join(a.MatchRA, a.MatchDec, b.MatchRA, b.MatchDec, 0.001)"
        ),
    ),
}
_SCANS = {
    "histogram": "SELECT FLOOR(mag_g * 4) AS bin, COUNT(*) AS n FROM {t} GROUP BY FLOOR(mag_g * 4) ORDER BY bin",
    "colour cut": "SELECT COUNT(*) AS n, AVG(parallax) AS p FROM {t} WHERE mag_bp - mag_rp > 1.5 AND mag_g < 19",
    "density map": "SELECT {cell} AS cell, COUNT(*) AS n FROM {t} GROUP BY {cell} ORDER BY cell",
    "brightest": "SELECT TOP 100 source_id, mag_g FROM {t} ORDER BY mag_g, source_id",
    "aggregates": "SELECT n_obs, COUNT(*) AS n, AVG(pmra) AS a, MAX(pmdec) AS b FROM {t} GROUP BY n_obs ORDER BY n_obs",
    "one value": "SELECT COUNT(*) AS n FROM {t}",
}


def jobs(sky: Sky) -> Iterable[Job]:
    """Parsing beside sqlglot's own parser (lenient, without ADQL); compiling; whole-table queries beside DuckDB."""
    rounds = sky.times(200)
    yield Job(
        "parse",
        "Parsing a query, strictly and with places, beside sqlglot's T-SQL, the dialect of its that reads TOP.",
        (
            Peer("awe", lambda: nullcontext(parse_adql)),
            # It does not read OFFSET alone, as ADQL has it.
            Peer("sqlglot", lambda: nullcontext(_sqlglot)),
        ),
        [Case(name, (text,) * rounds) for name, text in _PARSED.items()],
        compared=0,
    )
    yield Job(
        "compile",
        "Compiling a query and lowering it to DuckDB's SQL.",
        (Peer("awe", lambda: nullcontext(_compile)),),
        [Case(name, (asked,) * rounds) for name, asked in _COMPILED.items()],
        compared=0,
    )
    yield Job(
        "scans",
        "Queries over the whole table, through awe and as DuckDB runs the same SQL over the same files; Arrow out.",
        (Peer("awe", lambda: _awe(sky)), Peer("DuckDB", lambda: _duckdb(sky))),
        [Case(name, (name,) * sky.times(9)) for name in _SCANS],
        same=_tables_differ,
        goals={("DuckDB", name): 0.95 for name in _SCANS},
    )


def _sqlglot(text: str) -> object:
    return sqlglot.parse_one(text.replace("OFFSET 2", "OFFSET 2 ROWS"), read="tsql")


class _Names:
    def table(self, _schema: str | None, name: str) -> TableDef | None:
        return _SUMCAT if name.casefold() == "sumcat" else None

    def table_function(self, _schema: str | None, name: str) -> TableFunction | None:
        return _SEARCH if name.casefold() == "searchsumcatalog" else None

    def scalar_function(self, _schema: str | None, _name: str) -> None:
        return None

    def spellings(self) -> Iterable[str]:
        return ["hsc.SumCat"]


def _compile(asked: tuple[str, str]) -> str:
    dialect, text = asked
    query = compile_query(text, _Names(), dialect=dialect, context="hsc")
    return query.lower("duckdb", {read.key: "x" for read in (*query.uses, *query.matches)})


@contextmanager
def _awe(sky: Sky) -> Iterator[Callable[[str], pa.Table]]:
    with sky.platform() as platform:
        yield lambda name: _asked(platform, _SCANS[name])


def _asked(platform: Platform, text: str) -> pa.Table:
    cell = "ivo_healpix_index(5, ra, dec)"
    return platform.catalogs.query(text.format(t=CATALOGUE, cell=cell), asked=False).to_table()


@contextmanager
def _duckdb(sky: Sky) -> Iterator[Callable[[str], pa.Table]]:
    with sky.platform() as platform:
        record = platform.catalogs.table(CATALOGUE)
        folder = platform.settings.folder / "tables" / record.stored.location
    rows = f"read_parquet([{_listed(folder)}], hive_partitioning = false)"
    connection = duckdb.connect(":memory:")
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET memory_limit = '2GB'")
    try:
        yield lambda name: _direct(connection, _SCANS[name], rows)
    finally:
        connection.close()


def _listed(folder: Path) -> str:
    return ", ".join(f"'{path}'" for path in sorted(folder.rglob("Npix=*.parquet")))


def _direct(connection: duckdb.DuckDBPyConnection, text: str, rows: str) -> pa.Table:
    if "TOP 100" in text:
        text = text.replace("TOP 100 ", "") + " LIMIT 100"
    # what our index says of a row already, theirs may read there too
    text = text.format(t=rows, cell="(_healpix_29 >> 48)")
    return connection.sql(text).to_arrow_reader(65_536).read_all()


def _tables_differ(ours: pa.Table, theirs: pa.Table) -> str:
    if ours.num_rows != theirs.num_rows:
        return f"{ours.num_rows} and {theirs.num_rows} rows"
    for name in ours.column_names:
        one, other = (t[name].to_pandas().to_numpy(float) for t in (ours, theirs))
        if not (abs(one - other) <= 1e-6 * abs(other)).all():
            return f"{name} differs"
    return ""
