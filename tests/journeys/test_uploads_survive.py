"""The server is killed while it receives and loads a file, at random moments: the sender goes on, and every row is there once."""

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from awe.client import connect
from awe.client._sending import Sender
from awe.errors import AweError
from awe.testing import log_in, tiny_archive

pytestmark = pytest.mark.slow

ROWS = 1_000_000
SEED = 20261129
Up = Callable[..., AbstractContextManager[Any]]


def test_a_large_file_comes_through_five_kills(tmp_path: Path, up: Up) -> None:
    with tiny_archive(tmp_path / "sky") as platform:
        platform.accounts.add("ada", by="local:test")
        token = log_in(platform, "ada")
    numbers = np.random.default_rng(SEED)
    path = tmp_path / "large.csv"
    values = numbers.integers(0, 2**60, ROWS)
    with path.open("w") as out:
        out.write("n,word\n")
        out.writelines(f"{n},{'w' * 20}\n" for n in values)
    order = {"table": "mydb.large", "mode": "create"}
    chance = random.Random(SEED)
    places = []
    for _ in range(5):
        with up(tmp_path / "sky") as service, connect(service.url, token=token) as archive:
            before = cast("dict[str, list[dict[str, int]]]", archive.transport.get_json("/api/uploads"))[
                "uploads"
            ]
            places += [one["offset"] for one in before]
            killer = threading.Timer(chance.uniform(0.1, 2.0), os.kill, (service.pid, signal.SIGKILL))
            killer.start()
            try:
                with path.open("rb") as content:
                    Sender(archive.transport, lambda _: None).send(path.name, content, order)
            except AweError:
                pass
            else:
                break
            finally:
                killer.join()
    with up(tmp_path / "sky") as service, connect(service.url, token=token) as archive:
        if "mydb.large" not in {table.name for table in archive.tables.list("own")}:
            with path.open("rb") as content:
                Sender(archive.transport).send(path.name, content, order)
        found = archive.query("SELECT COUNT(*) AS n, SUM(CAST(n AS DOUBLE PRECISION)) AS s FROM mydb.large")
        assert int(found["n"][0]) == ROWS
        assert float(found["s"][0]) == pytest.approx(float(values.astype(float).sum()))
        assert len(archive.tables.versions("mydb.large")) == 1
    assert places == sorted(places)
    assert any(places), "nothing had come before a kill"
