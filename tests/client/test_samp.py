"""SAMP with a real hub and real clients in other processes: what arrives, as files that can be read."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from mocpy import MOC

from awe.client import connect
from awe.client.samp import broadcast, wait_for_listeners
from awe.errors import NotFoundError, ParameterError, UnavailableError
from awe.testing import TINY_IMAGES, TINY_TABLE, tiny_archive

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PEER = Path(__file__).with_name("samp_peer.py")
TABLES, IMAGES, MOCS = "table.load.votable", "image.load.fits", "coverage.load.moc.fits"


class Peer:
    """A program in another process."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PEER), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("> "):
                return line[2:].strip()
        raise AssertionError("the program ended")

    def received(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._line())
        return found

    def file(self) -> Path:
        return Path(unquote(urlparse(self.received()["params"]["url"]).path))

    def stop(self) -> None:
        self._process.communicate("\n", timeout=30)


Start = Callable[..., AbstractContextManager[Peer]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Return what runs a program while a block lasts; they find each other by a lock file of this test."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp-hub').as_uri()}")
    monkeypatch.setenv("AWE_CACHE", str(tmp_path / "cache"))

    @contextmanager
    def run(*arguments: str) -> Iterator[Peer]:
        peer = Peer(*arguments)
        try:
            yield peer
        finally:
            peer.stop()

    return run


def test_a_table_a_moc_and_files_arrive(start: Start, tmp_path: Path) -> None:
    with start("TOPCAT", "--hub", TABLES, MOCS, "table.load.fits") as topcat, start("DS9", IMAGES) as ds9:
        table = Table({"ra": [1.0, 2.0], "name": ["a", "b"]})
        assert broadcast(table, name="two rows") == ["TOPCAT"]
        message = topcat.received()
        assert (message["mtype"], message["params"]["name"], message["from"]) == (TABLES, "two rows", "awe")
        found = Table.read(unquote(urlparse(message["params"]["url"]).path), format="votable")
        assert found["ra"].tolist() == [1.0, 2.0]
        assert broadcast(MOC.from_string("5/1-3 8/")) == ["TOPCAT"]
        assert MOC.from_fits(topcat.file()).to_string().split() == ["5/1-3", "8/"]
        (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
        assert broadcast(tmp_path / "rows.csv") == ["TOPCAT"]
        assert Table.read(topcat.file(), format="votable")["b"].tolist() == [2]
        table.write(tmp_path / "rows.fits")
        assert broadcast(str(tmp_path / "rows.fits"), "top") == ["TOPCAT"]
        assert topcat.received()["mtype"] == "table.load.fits"
        image = fits.HDUList([fits.PrimaryHDU(np.eye(4, dtype=np.float32))])
        assert broadcast(image) == ["DS9"]
        assert np.array_equal(fits.getdata(ds9.file()), np.eye(4))
        with pytest.raises(NotFoundError, match=r"called 'aladin'.*connected are DS9, TOPCAT"):
            broadcast(image, "aladin")
        with pytest.raises(ParameterError, match="int"):
            broadcast(3)
        with pytest.raises(NotFoundError, match="no file"):
            broadcast(tmp_path / "nothing.fits")


def test_refusals_are_told(start: Start) -> None:
    table = Table({"a": [1]})
    with start("Aladin", "--hub", TABLES, "--refuse"):
        with pytest.raises(UnavailableError, match="Aladin: too large"):
            broadcast(table)
        with start("TOPCAT", TABLES):
            assert broadcast(table) == ["TOPCAT"]  # one of the two took it


def test_the_archives_data_by_their_names(start: Start, tmp_path: Path) -> None:
    with tiny_archive(tmp_path / "tiny"):
        pass
    with start("Everything", "--hub", TABLES, IMAGES, MOCS) as peer, connect(tmp_path / "tiny") as archive:
        assert archive.broadcast(TINY_IMAGES[0]) == ["Everything"]
        message = peer.received()
        assert message["params"]["name"] == TINY_IMAGES[0]
        with fits.open(unquote(urlparse(message["params"]["url"]).path)) as hdus:
            assert hdus[0].header["FILTER"] == "F606W"
        archive.broadcast(archive.query(f"SELECT * FROM {TINY_TABLE}"), name="all")
        assert len(Table.read(peer.file(), format="votable")) == 500
        archive.broadcast(archive.coverage(TINY_TABLE))
        assert MOC.from_fits(peer.file()) == archive.coverage(TINY_TABLE)
        with pytest.raises(NotFoundError, match="tiny_acs_f606"):
            archive.broadcast("tiny_acs_f606")


def test_without_a_hub_one_is_started_and_programs_may_come(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys, awe, awe.client.samp as s; from astropy.table import Table\n"
        "t = Table({'a': [1]})\n"
        "try: awe.broadcast(t)\n"
        "except awe.errors.NotFoundError as e: print(e, flush=True)\n"
        "print(s.wait_for_listeners(60), flush=True)\n"
        "print(awe.broadcast(t), flush=True)\n"
    )
    alone = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert alone.stdout is not None
    said = alone.stdout.readline()
    assert "one was started in this program" in said
    assert "start TOPCAT" in said
    with start("TOPCAT", TABLES) as topcat:
        assert alone.stdout.readline() == "True\n"
        assert topcat.received()["mtype"] == TABLES
        assert alone.stdout.readline() == "['TOPCAT']\n"
        assert alone.wait(30) == 0


def test_the_command(start: Start, tmp_path: Path) -> None:
    with tiny_archive(tmp_path / "tiny"):
        pass

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "awe", "samp", *arguments, "--at", str(tmp_path / "tiny")],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    with start("TOPCAT", "--hub", TABLES, IMAGES) as topcat:
        done = run(TINY_IMAGES[1], f"SELECT TOP 3 * FROM {TINY_TABLE}", "--to", "topcat")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == f"{TINY_IMAGES[1]}: TOPCAT"
        assert topcat.received()["mtype"] == IMAGES
        assert len(Table.read(topcat.file(), format="votable")) == 3
        assert wait_for_listeners(0)
    nobody = run(TINY_IMAGES[1], "--wait", "0")
    assert nobody.returncode == 1
    assert "start TOPCAT" in nobody.stderr
