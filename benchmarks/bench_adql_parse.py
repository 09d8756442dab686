"""How long parsing takes, ours (strict, with places) beside sqlglot's own parser (lenient, without ADQL).

Run as ``python benchmarks/bench_adql_parse.py [rounds]``; prints the median of each in milliseconds.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import sqlglot

from awe.core.sql.dialects.adql import parse_adql

QUERIES = {
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
    "1000 identifiers": "SELECT * FROM t WHERE id IN ("
    + ", ".join(str(10**15 + i) for i in range(1000))
    + ")",
}


def milliseconds(parse: Callable[[str], object], text: str, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        parse(text)
        times.append((time.perf_counter() - begin) * 1000)
    return median(times)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{'query':18}{'ours':>8}{'sqlglot':>9}  ms, median of {rounds}")
    for name, text in QUERIES.items():
        ours = milliseconds(parse_adql, text, rounds)
        # T-SQL is the dialect of sqlglot that reads TOP; it does not read OFFSET alone, as ADQL has it.
        theirs = milliseconds(
            lambda q: sqlglot.parse_one(q, read="tsql"), text.replace("OFFSET 2", "OFFSET 2 ROWS"), rounds
        )
        print(f"{name:18}{ours:8.2f}{theirs:9.2f}")


if __name__ == "__main__":
    main()
