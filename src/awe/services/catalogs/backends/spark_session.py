"""A session with a cluster: made once for each cluster and process, hardened, and shared by the engines that use it.

pyspark is imported when a session is made: it is an extra, and takes a second.
"""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from awe.core.sql import SCATTERED
from awe.errors import AweError, MissingExtraError, UnavailableError, UsageError
from awe.settings import SparkSettings

__all__ = ["SparkCluster"]

_OWN = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.variable.substitute": "false",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.topKSortFallbackThreshold": "100000",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
}
"""What no operator changes: what queries mean, and that their text reads no file and no variable."""
_USUAL = {
    "spark.app.name": "awe",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.scheduler.mode": "FAIR",
    # larger methods are never compiled by the Java machine
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # a loop over pairs does not look whether it was stopped: its worker is begun again
    "spark.task.reaper.enabled": "true",
    "spark.task.reaper.killTimeout": "30s",
}
"""What an operator may change."""


_ANY_PYTHON = "python3"
"""Spark's word for the workers' Python where nobody says which."""


@dataclass(slots=True)
class _Link:
    """A session, and how many engines share it."""

    session: Any
    users: int = 0


_links: dict[str, _Link] = {}
_lock = threading.Lock()


class SparkCluster:
    """A cluster, joined when a session with it is first asked for.

    Raises
    ------
    UsageError
        If none is configured.
    MissingExtraError
        If pyspark is not installed.
    """

    def __init__(self, settings: SparkSettings) -> None:
        if not settings.url:
            raise UsageError(
                "no cluster is configured for the engine 'spark'",
                hint="set spark.url, for example to spark://host:7077",
            )
        if find_spec("pyspark") is None:
            raise MissingExtraError("pyspark", "spark")
        self._settings = settings
        self._link: _Link | None = None

    def session(self) -> Any:
        """Return the session.

        Raises
        ------
        UnavailableError
            If the cluster cannot be reached, or there is no Java for a driver.
        """
        with _lock:
            if self._link is None:
                url = self._settings.url
                if url not in _links:
                    _links[url] = _Link(_opened(self._settings))
                self._link = _links[url]
                self._link.users += 1
            return self._link.session

    def leave(self) -> None:
        """Leave the session; the last one ends it."""
        with _lock:
            link, self._link = self._link, None
            if link is None:
                return
            link.users -= 1
            if not link.users:
                del _links[self._settings.url]
                link.session.stop()


def _opened(settings: SparkSettings) -> Any:
    from pyspark.sql import SparkSession  # noqa: PLC0415  an extra, and slow to import

    builder = SparkSession.builder
    remote = settings.url.startswith("sc://")
    builder = builder.remote(settings.url) if remote else builder.master(settings.url)
    for name, value in {**_USUAL, **settings.options, **_OWN}.items():
        if not remote or name in _OWN:
            builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
        if not remote:
            session.sparkContext.setLogLevel("ERROR")
        if settings.url.startswith("local") and session.sparkContext.pythonExec == _ANY_PYTHON:
            session.sparkContext.pythonExec = sys.executable  # which has awe
        for name, value in _OWN.items():
            session.conf.set(name, value)
        _add_functions(session)
    except AweError:
        raise
    except Exception as error:
        raise UnavailableError(
            "the cluster of Apache Spark cannot be reached",
            hint=f"spark.url says {settings.url.split(';')[0]}; a master needs Java on this machine, too",
        ) from error
    return session


def _add_functions(session: Any) -> None:
    """Make what Spark cannot compute itself known to the session: its workers run awe's own code for it."""
    from pyspark.sql.pandas import functions  # noqa: PLC0415  an extra, and slow to import

    make: Callable[..., Any] = functions.arrow_udf

    for function in SCATTERED:
        session.udf.register(function.name, make(_plain(function), _name(function.result)))


def _name(kind: str) -> str:
    return f"ARRAY<{kind[:-2]}>" if kind.endswith("[]") else kind


def _plain(function: Callable[..., pa.Array]) -> Callable[..., pa.Array]:
    """Return a function of the shape that Spark reads from its annotations."""

    def compute(*columns: pa.Array) -> pa.Array:
        return function(*columns)

    return compute
