"""The server is killed while it receives and loads a file, at random places: the sender goes on, and every row is there once."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.systems.mortal import mortal

from awe.client import connect
from awe.client._sending import Sender
from awe.client._transport import Params, Transport
from awe.errors import UnavailableError
from awe.testing import log_in, tiny_archive

pytestmark = pytest.mark.slow

ROWS = 500_000
SEED = 20261129
PIECE = 1 << 22
UNWRITTEN = 1 << 21
"""More than the server keeps in memory before it writes."""
STEPS = 12
"""So many things are done with the files of a table before it is there, and more."""
Up = Callable[..., AbstractContextManager[Any]]
ORDER = {"table": "mydb.large", "mode": "create"}


class Breaking(Transport):
    """Sends a file as far as a byte of it, and kills the service when it has come."""

    def __init__(self, service: Any, token: str, at: int) -> None:
        super().__init__(service.url, token=token)
        self._at = at
        self._service = service

    def put_bytes(
        self,
        path: str,
        content: bytes,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        assert params is not None
        offset = int(str(params["offset"]))
        if not offset <= self._at < offset + len(content):
            return super().put_bytes(path, content, params, headers)
        (parts,) = (self._service.folder / "uploads").glob("*/*/content/*")
        connection = HTTPConnection(self.url.removeprefix("http://"))
        connection.putrequest("PUT", f"{path}?offset={offset}")
        for name, value in {
            **self.authorization(),
            **(headers or {}),
            "Content-Length": str(len(content)),
        }.items():
            connection.putheader(name, value)
        connection.endheaders(content[: self._at - offset])
        while parts.stat().st_size < self._at - UNWRITTEN:
            time.sleep(0.001)
        os.kill(self._service.pid, signal.SIGKILL)
        connection.close()
        raise UnavailableError("it was killed")


def _send(transport: Transport, path: Path) -> None:
    with path.open("rb") as content:
        Sender(transport, lambda _: None).send(path.name, content, ORDER)


def _stands(transport: Transport) -> tuple[int, str] | None:
    """Return how many bytes the service has, and what it does with them; None where it has heard of no file."""
    found: Any = transport.get_json("/api/uploads")
    stands = [(one["offset"], one["phase"]) for one in found["uploads"]]
    assert len(stands) <= 1
    return stands[0] if stands else None


def test_a_large_file_comes_through_five_kills(tmp_path: Path, up: Up) -> None:
    folder, chance = tmp_path / "sky", random.Random(SEED)
    with tiny_archive(folder) as platform:
        platform.accounts.add("ada", by="local:test")
        token = log_in(platform, "ada")
    path = tmp_path / "large.csv"
    values = np.random.default_rng(SEED).integers(0, 2**60, ROWS)
    with path.open("w") as out:
        out.write("n,word\n")
        out.writelines(f"{n},{'w' * 20}\n" for n in values)
    size = path.stat().st_size
    serving = {"AWE_LIMITS__UPLOAD_BYTES": str(PIECE)}
    stands: tuple[int, str] | None = None
    for at in sorted(chance.randrange(size) for _ in range(3)):
        with up(folder, **serving) as service, Breaking(service, token, at) as breaking:
            assert _stands(breaking) == stands
            with pytest.raises(UnavailableError):
                _send(breaking, path)
        stands = at // PIECE * PIECE, "receiving"
    for steps, name in ((chance.randint(1, STEPS), "/.staging-"), (1, "/about.part")):
        dying = mortal(tmp_path / f"mortal{name[1:]}", folder, "awe-loading", steps, name)
        with up(folder, **serving, **dying) as service, Transport(service.url, token=token) as transport:
            assert _stands(transport) == stands
            with pytest.raises(UnavailableError):
                _send(transport, path)
        stands = size, "receiving"
    with up(folder) as service, connect(service.url, token=token) as archive:
        assert _stands(archive.transport) == stands
        assert "mydb.large" in {table.name for table in archive.tables.list("own")}
        _send(archive.transport, path)
        assert _stands(archive.transport) == (size, "loaded")
        found = archive.query("SELECT COUNT(*) AS n, SUM(CAST(n AS DOUBLE PRECISION)) AS s FROM mydb.large")
        assert int(found["n"][0]) == ROWS
        assert float(found["s"][0]) == pytest.approx(float(values.astype(float).sum()))
        assert len(archive.tables.versions("mydb.large")) == 1
