"""Statements, uploads and restoring, killed at random steps: what was done stays done, the rest is not there."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.services.catalogs.own.conftest import ADA, stream
from tests.systems.mortal import ROOT

from awe.platform import Platform
from awe.settings import Settings

pytestmark = pytest.mark.slow

ROWS = 3000
KILLS = 30
MOST_STEPS = 100
"""More steps than most changes of a table have."""
# It starts children, each of which changes tables at random until it ends itself, and tells what it does.
NURSERY = """
import os, random, sys
from pathlib import Path
from sqlalchemy import Engine, event
from tests.systems.mortal import Steps
import awe.platform
from awe.core.tables.formats import format_of
from awe.services.catalogs.backends import duckdb
from awe.services.jobs.backends import process
from awe.services.identity import Identity
from awe.settings import Settings
ADA = Identity("ada")
folder, url, csv = sys.argv[1:]
steps = Steps(folder)
event.listen(Engine, "before_cursor_execute", steps.take)
event.listen(Engine, "commit", steps.take)

def work(seed, changes, last):
    chance = random.Random(seed)
    with awe.platform.Platform.open(Settings.load(Path(folder), database_url=url or None)) as platform:
        tables = platform.tables
        def run(text, **more):
            for result in platform.batches.run(text, identity=ADA, **more):
                result.stream.to_table()
        there = {record.name for record in tables.tables(ADA)}
        versions = platform.versions
        gone = {version.record.name for version in versions.dropped(ADA)}
        for generation in range(seed * 1000, seed * 1000 + 1000):
            name = chance.choice("abc")
            what = chance.choice(["into", "upload", "rewrite", "append", "drop", "restore"])
            if what in ("rewrite", "append", "drop") and name not in there: continue
            if what == "restore" and (name in there or name not in gone): continue
            rows = f"SELECT n, ra, dec, {generation} AS g"
            say("begin", what, name, str(generation))
            changes -= 1
            if changes == 0: steps.end_in(last)
            if what == "into":
                if name in there: run(f"{rows} FROM x.src", into=f"mydb.{name}", replace=True)
                else: run(f"{rows} INTO mydb.{name} FROM x.src")
            elif what == "upload":
                Path(csv).write_text("n,g\\n" + "".join(f"{n},{generation}\\n" for n in range(3000)))
                tables.write(name, format_of(Path(csv)).read(Path(csv)), ADA, mode="replace")
            elif what == "rewrite":
                run(f"UPDATE mydb.{name} SET g = {generation}")
            elif what == "append":
                run(f"INSERT INTO mydb.{name} (n, g) SELECT TOP 1 n, g FROM mydb.{name}")
            elif what == "drop":
                run(f"DROP TABLE mydb.{name}"); there.discard(name); gone.add(name)
            else:
                versions.restore(name, ADA)
            if what != "drop": there.add(name); gone.discard(name)
            say("done")

def say(*words):
    os.write(1, (" ".join(words) + "\\n").encode())

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        work(*map(int, line.split()))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    say("dead" if os.WIFSIGNALED(status) else "failed")
"""


State = tuple[int, int, int] | None
"""Of a table: how many rows, and the least and the greatest generation in them; None where there is none."""


class Nursery:
    """Start children that change tables, each of which ends itself at a step that was drawn."""

    def __init__(self, folder: Path, url: str, csv: Path) -> None:
        command = [sys.executable, "-c", NURSERY, str(folder), url, str(csv)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)

    def kill_one(self, seed: int, changes: int, steps: int) -> list[list[str]]:
        """Return what a child said that ended itself so many steps behind the beginning of one of its changes."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seed} {changes} {steps}\n")
        self.process.stdin.flush()
        said = [self._heard()]
        while said[-1] not in (["dead"], ["failed"]):
            said.append(self._heard())
        assert said[-1] == ["dead"], said
        return said[:-1]

    def _heard(self) -> list[str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it ended"
        return line.split()

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Model:
    """What has to be there, by what was said."""

    def __init__(self) -> None:
        self.now: dict[str, State] = dict.fromkeys("abc")
        self.gone: dict[str, State] = dict.fromkeys("abc")

    def after(self, what: str, name: str, generation: int) -> State:
        """Return the state of a table when something has been done with it."""
        now = self.now[name]
        rows = now[0] if now else 0
        if what in {"into", "upload"}:
            return ROWS, generation, generation
        if what == "rewrite":
            return rows, generation, generation
        if what == "append":
            assert now is not None
            return rows + 1, now[1], now[2]
        return self.gone[name] if what == "restore" else None

    def set(self, name: str, state: State) -> None:
        """Say what is there now."""
        if state is None and self.now[name] is not None:
            self.gone[name] = self.now[name]
        self.now[name] = state


def _found(platform: Platform, name: str) -> State:
    if name not in {record.name for record in platform.tables.tables(ADA)}:
        return None
    text = f"SELECT COUNT(*) AS total, MIN(g) AS lo, MAX(g) AS hi FROM mydb.{name}"
    (row,) = platform.catalogs.query(text, identity=ADA).to_table().to_pylist()
    assert platform.tables.table(name, ADA).rows == row["total"]
    return row["total"], row["lo"], row["hi"]


def _check_sums(platform: Platform) -> None:
    records = platform.tables.tables(ADA)
    used = {usage.measure.value: usage.used for usage in platform.quotas.usage(ADA)}
    assert used["tables"] == len(records)
    assert used["table_rows"] == sum(record.rows for record in records)
    assert used["storage_bytes"] == sum(record.bytes for record in records)


def _kept(platform: Platform) -> set[str]:
    """Return where the versions lie that the records name."""
    listed = [*platform.tables.tables(ADA), *(version.record for version in platform.versions.dropped(ADA))]
    return {
        version.record.stored.location
        for name in {record.name for record in listed}
        for version in platform.versions.kept(name, ADA)
    }


def test_killed_at_random_steps(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(tmp_path / "sky", database_url=database_url)
    chance = random.Random(20261129)
    model = Model()
    cut = Counter[str]()
    with (
        Platform.open(settings) as platform,
        closing(Nursery(settings.folder, database_url, tmp_path / "t.csv")) as nursery,
    ):
        rng = np.random.default_rng(7)
        columns = {"n": np.arange(ROWS), "ra": rng.uniform(0, 360, ROWS), "dec": rng.uniform(-80, 80, ROWS)}
        platform.catalogs.publish_stream("x.src", stream(**columns))
        for seed in range(1, KILLS + 1):
            pending: list[str] = []
            for word, *rest in nursery.kill_one(seed, chance.randint(1, 3), chance.randint(1, MOST_STEPS)):
                if word == "begin":
                    pending = rest
                    continue
                model.set(pending[1], model.after(pending[0], pending[1], int(pending[2])))
                pending = []
            for name in "abc":
                found = _found(platform, name)
                allowed = [model.now[name]]
                if pending and pending[1] == name:
                    cut[pending[0]] += 1
                    allowed.append(model.after(pending[0], name, int(pending[2])))
                assert found in allowed, (seed, name, pending)
                model.set(name, found)
            _check_sums(platform)
            assert _kept(platform) <= set(platform.engine.tables())
        assert cut.total() > KILLS / 2, "hardly anything was killed in its middle"
        assert set(cut) >= {"into", "upload", "rewrite", "append"}
        later = time.time() + 2 * 86_400
        monkeypatch.setattr("awe.services.catalogs.publishing.time.time", lambda: later)
        platform.catalogs.clean()
        published = {record.stored.location for record in platform.catalogs.published()}
        assert set(platform.engine.tables()) == _kept(platform) | published
        assert [_found(platform, name) for name in "abc"] == [model.now[name] for name in "abc"]
    with Platform.open(settings):
        left = [
            path.name for path in (settings.folder / "tables").iterdir() if path.name.startswith(".staging-")
        ]
    assert all("scratch" in name for name in left)
