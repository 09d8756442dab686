"""How long a query takes to compile and lower: run ``python benchmarks/bench_sql_compile.py``."""

import time
import timeit
from collections.abc import Iterable
from functools import partial

import pyarrow as pa

from awe.core.sql import Parameter, TableDef, TableFunction, compile_query
from awe.core.tables import Column, Schema

_NAMES = ("MatchRA", "MatchDec", "CI", "W2_F606W", "W2_F814W", "NumImages", *(f"c{i}" for i in range(40)))
_COLUMNS = Schema((Column("MatchID", pa.int64()), *(Column(n, pa.float64()) for n in _NAMES)))
_SUMCAT = TableDef("hsc", "SumCat", _COLUMNS, "MatchRA", "MatchDec", "_healpix_29")
_SEARCH = TableFunction(
    "hsc",
    "SearchSumCatalog",
    tuple(Parameter(n) for n in ("ra", "dec", "r", "magtype")),
    "SELECT * FROM hsc.SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(:ra, :dec, :r / 3600.0))",
)
QUERIES = {
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


class _Names:
    def table(self, _schema: str | None, name: str) -> TableDef | None:
        return _SUMCAT if name.casefold() == "sumcat" else None

    def table_function(self, _schema: str | None, name: str) -> TableFunction | None:
        return _SEARCH if name.casefold() == "searchsumcatalog" else None

    def spellings(self) -> Iterable[str]:
        return ["hsc.SumCat"]


def once(dialect: str, text: str) -> str:
    """Compile and lower one query."""
    query = compile_query(text, _Names(), dialect=dialect, context="hsc")
    return query.lower("duckdb", {use.key: "x" for use in query.uses})


def main() -> None:
    """Print milliseconds of processor time for each query, the best of five rounds."""
    for name, (dialect, text) in QUERIES.items():
        best = (
            min(timeit.repeat(partial(once, dialect, text), timer=time.process_time, number=50, repeat=5))
            / 50
        )
        print(f"{name:12s} {dialect:9s} {best * 1e3:6.2f} ms")


if __name__ == "__main__":
    main()
