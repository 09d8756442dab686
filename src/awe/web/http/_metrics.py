"""Figures for Prometheus: what this process answered, and how the archive stands.

Counters are of one process; where several serve together, whichever is asked tells those of all (`SharedFigures`). What
is read from the system database (jobs, queries that run) is the same whichever process is asked.
"""

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from awe import __version__
from awe.platform import Platform
from awe.web.http._shared_figures import SharedFigures

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class Metrics:
    """The figures of one application, in a registry of its own.

    Parameters
    ----------
    platform
        Asked for the state of the archive when the figures are read.
    faces
        First parts of the addresses that there are; others are counted together.
    shared
        Where the figures of all processes are, where there are several.

    Attributes
    ----------
    in_hand
        Requests that are being answered; counted by the loop that serves.
    """

    def __init__(self, platform: Platform, faces: Iterable[str], shared: SharedFigures | None = None) -> None:
        self._faces = frozenset(faces)
        self._shared = shared
        own = self._registry = CollectorRegistry()
        self.in_hand = 0
        in_hand = Gauge("awe_requests_in_hand", "Requests that are being answered.", registry=own)
        in_hand.set_function(lambda: self.in_hand)
        self._requests = Histogram(
            "awe_request_seconds",
            "Time from a request to the end of its answer.",
            ("face", "method", "status"),
            buckets=_SECONDS,
            registry=own,
        )
        self._errors = Counter(
            "awe_errors", "Answers that are errors, by code.", ("face", "code"), registry=own
        )
        self._rows = Counter(
            "awe_query_rows", "Rows sent of queries that are answered at once.", registry=own
        )
        self._bytes = Counter(
            "awe_query_bytes", "Bytes sent of queries that are answered at once.", registry=own
        )
        self._queries = Histogram(
            "awe_query_seconds",
            "Time of queries that are answered at once, from their beginning to their end.",
            buckets=_SECONDS,
            registry=own,
        )
        Gauge("awe_info", "The version of awe; always 1.", ("version",), registry=own).labels(
            __version__
        ).set(1)
        Gauge("awe_start_time_seconds", "When the service was started.", registry=own).set(time.time())
        ProcessCollector(registry=own)
        self._archive = CollectorRegistry()
        self._archive.register(_State(platform))
        self._tell()

    def answered(self, path: str, method: str, status: int, code: str, seconds: float) -> None:
        """Count a request; `code` is that of its error, empty if it is none."""
        face = path.split("/", 2)[1] if path.startswith("/") else ""
        face = face if face in self._faces else "other"
        method = method if method in _METHODS else "other"
        self._requests.labels(face, method, str(status)).observe(seconds)
        if code:
            self._errors.labels(face, code).inc()
        self.in_hand -= 1
        if self._shared is not None and self._shared.is_due():
            self._tell()

    def queried(self, rows: int, size: int, seconds: float) -> None:
        """Count a query that was answered at once."""
        self._rows.inc(rows)
        self._bytes.inc(size)
        self._queries.observe(seconds)

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        self._tell()
        counted = generate_latest(self._registry) if self._shared is None else self._shared.text()
        return counted + generate_latest(self._archive)

    def _tell(self) -> None:
        if self._shared is not None:
            self._shared.tell(generate_latest(self._registry))


class _State(Collector):
    """What the system database says, when it is asked."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the figures of this moment."""
        jobs = GaugeMetricFamily("awe_jobs", "Jobs that are kept, by phase.", labels=["phase"])
        for phase, number in self._platform.jobs.counted().items():
            jobs.add_metric([str(phase)], number)
        yield jobs
        yield GaugeMetricFamily(
            "awe_queries_running",
            "Queries that are being answered at once, in all processes together.",
            value=self._platform.quotas.running(),
        )
        accounts = GaugeMetricFamily("awe_accounts", "Accounts, by state.", labels=["state"])
        states: dict[str, int] = {}
        for account in self._platform.identity.users():
            states[account.state.value] = states.get(account.state.value, 0) + 1
        for state, number in states.items():
            accounts.add_metric([state], number)
        yield accounts
