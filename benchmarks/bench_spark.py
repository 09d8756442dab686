"""One machine and a cluster: the same queries over the same files, on DuckDB and on Spark with as many threads here.

It says what a cluster costs where it is not needed, and how much of the work Spark does as well; how many machines do more
than one is a matter of their number. What only looks rows up by their place is not asked: awe answers that itself on both.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import pyarrow as pa
from frame import AbsentError, Case, Job, Peer
from sky import CATALOGUE, PARTNER, Sky

__all__ = ["jobs"]

_NEAR = "DISTANCE(p.ra, p.dec, c.ra, c.dec) < 1 / 3600.0"
_QUERIES = {
    "group-by": f"SELECT FLOOR(mag_g * 4) AS bin, COUNT(*) AS n FROM {CATALOGUE} GROUP BY FLOOR(mag_g * 4) ORDER BY bin",
    "cone of a degree": (
        f"SELECT n_obs, COUNT(*) AS n FROM {CATALOGUE}"
        " WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(187.7, 12.4, 1)) GROUP BY n_obs ORDER BY n_obs"
    ),
    "cross-match": f"SELECT COUNT(*) AS n FROM {PARTNER} AS p JOIN {CATALOGUE} AS c ON {_NEAR}",
}


def jobs(sky: Sky) -> Iterable[Job]:
    """Whole-table group-by, a cone that prunes partitions, a cross-match."""
    yield Job(
        "cluster",
        "Queries over the same files by both engines, in one process each with all cores; Spark as `local[cores]`.",
        (Peer("DuckDB", lambda: _asked(sky)), Peer("Spark", lambda: _on_spark(sky))),
        [Case(name, (text,) * sky.times(3)) for name, text in _QUERIES.items()],
        same=lambda one, other: "" if one.equals(other) else "other rows",
        unit="s",
    )


@contextmanager
def _asked(sky: Sky, **settings: object) -> Iterator[Callable[[str], pa.Table]]:
    with sky.platform(**settings) as platform:
        yield lambda text: platform.catalogs.query(text, asked=False).to_table().replace_schema_metadata()


@contextmanager
def _on_spark(sky: Sky) -> Iterator[Callable[[str], pa.Table]]:
    if find_spec("pyspark") is None:
        raise AbsentError("pyspark is not installed")
    options = {
        "spark.driver.memory": "4g",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "8",
    }
    spark = {"url": f"local[{os.cpu_count()}]", "options": options}
    with _asked(sky, engine="spark", spark=spark) as ask:
        yield ask
