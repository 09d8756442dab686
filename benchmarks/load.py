"""Many clients at once against one service: cones, synchronous and asynchronous queries, mixed, for a while.

Run: ``python benchmarks/load.py [--clients 200] [--seconds 300] [--data FOLDER] [--greedy 100]``. It starts ``awe up`` over a
data folder (one with a simulated table of a million rows is made when none is named), lets every client make one
request after another over loopback, and prints what was answered, how quickly, and what the server's memory did.
It exits with 1 when an answer was neither right nor an honest 429 or 503 with ``Retry-After``.

With ``--greedy N`` it shows what one caller can do to the others: the clients, each with an address of its own and a second
between its requests, ask for half of the time alone, and for the other half beside one caller who keeps N connections busy
with queries.
"""

import argparse
import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import pyarrow as pa

from awe.core.tables import Column, Schema, TableStream
from awe.platform import Platform
from awe.settings import Settings

TABLE = "load.sources"
_ROWS = 1_000_000
_WAIT_S = 120.0
_PAUSE_S = 1.0
_GREEDY = "127.0.0.2"
"""Callers without an account are told apart by their addresses, and all that begin with 127 are this machine's."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Report:
    """What happened."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    def count(self, kind: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.answers[f"{kind} {status}"] += 1
        self.seconds.setdefault(kind, []).append(seconds)

    def __str__(self) -> str:
        lines = [f"{'':8}{'answers':>9}{'median':>10}{'95 %':>10}{'slowest':>10}   (seconds)"]
        for kind, taken in sorted(self.seconds.items()):
            middle, most = np.percentile(taken, [50, 95])
            lines.append(f"{kind:8}{len(taken):9}{middle:10.3f}{most:10.3f}{max(taken):10.3f}")
        lines.append("by status: " + ", ".join(f"{k}: {v}" for k, v in sorted(self.answers.items())))
        if self.memory_mb:
            lines.append(self._memory())
        lines.append(f"faults: {len(self.faults)} {self.faults[:3] if self.faults else ''}")
        return "\n".join(lines)

    def _memory(self) -> str:
        tenth = max(1, len(self.memory_mb) // 10)
        early, late = np.mean(self.memory_mb[tenth : 2 * tenth]), np.mean(self.memory_mb[-tenth:])
        return f"memory: {early:.0f} MB early, {late:.0f} MB late, {max(self.memory_mb):.0f} MB at the most"


class Connection:
    """One client's connection: requests one after another, and nothing between us and the socket."""

    def __init__(self, host: str, port: int, own: str | None = None) -> None:
        self._place = (host, port)
        self._own = (own, 0) if own else None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """Make a request."""
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(*self._place, local_addr=self._own)
        body = urlencode(form).encode() if form else b""
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if form else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: load\r\n{kind}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        answer = await self._answer(self._reader)
        if answer.headers.get("connection") == "close":
            await self.close()
        return answer

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        parts = []
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                parts.append(await reader.readexactly(size))
                await reader.readline()
            await reader.readline()
        else:
            parts.append(await reader.readexactly(int(headers.get("content-length", 0))))
        return Answer(int(lines[0].split()[1]), headers, b"".join(parts))

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
        self._reader = self._writer = None


class Load:
    """Clients of one service."""

    def __init__(self, url: str, report: Report, seed: int = 1) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self._place = (parts.hostname, parts.port)
        self._report = report
        self._random = random.Random(seed)

    async def run(self, clients: int, seconds: float) -> None:
        """Let the clients ask until the time is over."""
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._client(end) for _ in range(clients)))

    async def modest(self, clients: int, seconds: float) -> None:
        """Let clients with addresses of their own ask, each with a pause between its requests."""
        end = time.monotonic() + seconds
        own = (f"127.1.{number // 250}.{number % 250 + 1}" for number in range(clients))
        await asyncio.gather(*(self._client(end, address, _PAUSE_S) for address in own))

    async def greedy(self, connections: int, seconds: float) -> None:
        """Let one caller ask queries on many connections, one after another on each."""
        end = time.monotonic() + seconds
        asking = (self._client(end, _GREEDY, shares=(0, 1, 0)) for _ in range(connections))
        await asyncio.gather(*asking)

    async def _client(
        self,
        end: float,
        own: str | None = None,
        pause_s: float = 0.0,
        shares: tuple[float, ...] = (0.75, 0.2, 0.05),
    ) -> None:
        connection = Connection(*self._place, own)
        kinds = (self._cone, self._sync, self._async)
        while time.monotonic() < end:
            (ask,) = self._random.choices(kinds, shares)
            begun = time.perf_counter()
            try:
                await ask(connection)
            except (OSError, EOFError, ValueError) as error:
                self._report.faults.append(f"{ask.__name__}: {error!r}")
                await connection.close()
            self._report.seconds.setdefault(ask.__name__[1:], []).append(time.perf_counter() - begun)
            await asyncio.sleep(pause_s)
        await connection.close()

    async def _cone(self, connection: Connection) -> None:
        ra, dec = self._random.uniform(0, 360), self._random.uniform(-80, 80)
        where = urlencode({"RA": ra, "DEC": dec, "SR": 0.5, "VERB": 2})
        answer = await connection.ask("GET", f"/scs/{TABLE}?{where}")
        self._judge("cone", answer, b"</VOTABLE>")

    async def _sync(self, connection: Connection) -> None:
        query = self._random.choice(
            (
                f"SELECT TOP 200 * FROM {TABLE} WHERE mag < 16",
                f"SELECT COUNT(*) AS n, AVG(mag) AS m FROM {TABLE}",
                f"SELECT ROUND(mag) AS bin, COUNT(*) AS n FROM {TABLE} GROUP BY ROUND(mag) ORDER BY bin",
                "SELECT * FROM tap_schema.columns",
            )
        )
        answer = await connection.ask("POST", "/tap/sync", {"LANG": "ADQL", "QUERY": query})
        self._judge("sync", answer, b"</VOTABLE>")

    async def _async(self, connection: Connection) -> None:
        query = f"SELECT TOP 1000 * FROM {TABLE} WHERE mag BETWEEN 18 AND 18.01"
        made = await connection.ask("POST", "/tap/async", {"LANG": "ADQL", "QUERY": query, "PHASE": "RUN"})
        if not self._judge("async", made, expected=303):
            return
        job = urlsplit(made.headers["location"]).path
        end, phase = time.monotonic() + _WAIT_S, "QUEUED"
        while phase in {"PENDING", "QUEUED", "EXECUTING"}:
            if time.monotonic() > end:
                self._report.faults.append(f"{job} was {phase} for {_WAIT_S} s")
                return
            answer = await connection.ask("GET", f"{job}?WAIT=20&PHASE={phase}")
            if not self._judge("wait", answer, b"</uws:job>"):
                await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
                continue
            phase = re.search(rb"<uws:phase>(\w+)</uws:phase>", answer.body)[1].decode()  # type: ignore[index]
        if phase != "COMPLETED":
            self._report.faults.append(f"{job} ended as {phase}")
            return
        result = await connection.ask("GET", f"{job}/results/result")
        self._judge("result", result, b"</VOTABLE>")
        self._judge("delete", await connection.ask("DELETE", job), expected=303)

    def _judge(self, kind: str, answer: Answer, end: bytes = b"", expected: int = 200) -> bool:
        self._report.answers[f"{kind} {answer.status}"] += 1
        if answer.status in {429, 503} and "retry-after" in answer.headers:
            return False
        right = answer.status == expected and answer.body.rstrip().endswith(end)
        if not right or b'value="ERROR"' in answer.body:
            self._report.faults.append(f"{kind} {answer.status} {answer.body[:200]!r}")
            return False
        return True


def publish(folder: Path) -> None:
    """Publish a simulated table with positions all over the sky."""
    rng = np.random.default_rng(1)
    columns = (
        Column("id", pa.int64(), ucd="meta.id;meta.main", principal=True),
        Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main", principal=True),
        Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main", principal=True),
        Column("mag", pa.float32(), unit="mag", ucd="phot.mag", principal=True),
    )
    schema = Schema(columns, name="sources", description="Simulated sources for a load test")
    arrays = [
        np.arange(_ROWS),
        rng.random(_ROWS) * 360,
        np.degrees(np.arcsin(rng.random(_ROWS) * 2 - 1)),
        (15 + 10 * rng.random(_ROWS)).astype(np.float32),
    ]
    rows = pa.Table.from_arrays([pa.array(a) for a in arrays], schema=schema.to_arrow())
    with Platform.open(Settings.load(folder)) as platform:
        platform.catalogs.publish_stream(TABLE, TableStream.from_table(rows, schema), ra="ra", dec="dec")


def memory_mb(process: int) -> float:
    """Return the resident memory of a process and of those it started; pages that several have count once."""
    total = 0.0
    for number in [process, *_children(process)]:
        with suppress(OSError):
            found = re.search(
                r"^Pss:\s+(\d+)", Path(f"/proc/{number}/smaps_rollup").read_text(), re.MULTILINE
            )
            total += int(found[1]) / 1024 if found else 0.0
    return total


def _children(process: int) -> list[int]:
    listed = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                listed += [child, *_children(child)]
    return listed


async def watch(process: int, report: Report) -> None:
    """Note the memory every second, until cancelled."""
    while True:
        report.memory_mb.append(memory_mb(process))
        await asyncio.sleep(1)


async def drive(url: str, process: int, clients: int, seconds: float) -> Report:
    """Run the clients and watch the server."""
    report = Report()
    watching = asyncio.create_task(watch(process, report))
    await Load(url, report).run(clients, seconds)
    watching.cancel()
    return report


async def beside(url: str, clients: int, connections: int, seconds: float) -> dict[str, Report]:
    """Let clients ask alone, and then beside a greedy one."""
    alone, others, greedy = Report(), Report(), Report()
    await Load(url, alone).modest(clients, seconds / 2)
    await asyncio.gather(
        Load(url, others).modest(clients, seconds / 2), Load(url, greedy, 2).greedy(connections, seconds / 2)
    )
    return {"alone": alone, "beside a greedy one": others, "the greedy one": greedy}


def main() -> int:
    """Start a service, load it, and print the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--greedy", type=int, default=0, metavar="CONNECTIONS")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = given.data or Path(made)
        if not given.data:
            publish(folder)
        command = [sys.executable, "-u", "-m", "awe", "up", "--data", str(folder), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
            assert server.stdout
            url = next(m[1] for line in server.stdout if (m := re.search(r"awe is up at (http://\S+)", line)))
            try:
                if given.greedy:
                    reports = asyncio.run(beside(url, given.clients, given.greedy, given.seconds))
                else:
                    told = asyncio.run(drive(url, server.pid, given.clients, given.seconds))
                    reports = {f"{given.clients} clients, {given.seconds:g} s": told}
            finally:
                server.terminate()
    for title, report in reports.items():
        print(f"{title}\n{report}\n")
    return 1 if any(report.faults for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
