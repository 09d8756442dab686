"""Files that come in pieces: what counts, what is refused, and what a killed process leaves."""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from awe.errors import ConflictError, InputFileError, LimitError, NotFoundError
from awe.services.catalogs.own.incoming import Incoming
from awe.services.catalogs.own.upload import LoadOrder, Upload, UploadPhase

ROOT = Path(__file__).resolve().parents[4]
DAY_S = 86_400.0


@pytest.fixture
def incoming(tmp_path: Path) -> Incoming:
    return Incoming(tmp_path / "incoming", 7 * DAY_S)


def send(incoming: Incoming, upload_id: str, offset: int, data: bytes, digest: bytes = b"") -> int:
    with incoming.piece("ada", upload_id, offset) as piece:
        for start in range(0, len(data), 7):
            piece.write(data[start : start + 7])
        return piece.done(digest).offset


def test_a_file_comes_in_pieces(incoming: Incoming) -> None:
    data = os.urandom(100)
    made = incoming.make("ada", "stars.csv", len(data), hashlib.sha256(data).hexdigest())
    assert send(incoming, made.id, 0, data[:40]) == 40
    assert send(incoming, made.id, 40, data[40:], hashlib.sha256(data[40:]).digest()) == 100
    whole = incoming.one("ada", made.id)
    assert whole.whole
    assert incoming.content(whole).read_bytes() == data
    incoming.check(whole)
    assert [one.id for one in incoming.all("ada")] == [made.id]


def test_what_is_not_done_does_not_count(incoming: Incoming) -> None:
    made = incoming.make("ada", "stars.csv", 10, "")
    with incoming.piece("ada", made.id, 0) as piece:
        piece.write(b"01234")
    assert incoming.one("ada", made.id).offset == 0
    with pytest.raises(InputFileError, match="byte 0: a piece was changed on its way"):
        send(incoming, made.id, 0, b"01234", hashlib.sha256(b"x").digest())
    assert send(incoming, made.id, 0, b"abc") == 3
    assert incoming.content(made).read_bytes() == b"abc"


def test_what_is_refused(incoming: Incoming) -> None:
    made = incoming.make("ada", "stars.csv", 10, "")
    with pytest.raises(ConflictError, match="stands at byte 0, not at 3") as refused:
        send(incoming, made.id, 3, b"abc")
    assert refused.value.fields["offset"] == 0
    with pytest.raises(LimitError, match="more has come than the 10 bytes"):
        send(incoming, made.id, 0, b"x" * 11)
    for owner, upload_id in (("eve", made.id), ("ada", "f" * 24), ("ada", "../ada"), ("ada", "")):
        with pytest.raises(NotFoundError):
            incoming.one(owner, upload_id)
    with incoming.piece("ada", made.id, 0), pytest.raises(ConflictError, match="sent at this moment"):
        send(incoming, made.id, 0, b"abc")
    send(incoming, made.id, 0, b"0123456789")
    wrong = incoming.make("ada", "stars.csv", 10, "0" * 64)
    send(incoming, wrong.id, 0, b"0123456789")
    with pytest.raises(InputFileError, match="SHA-256 differs"):
        incoming.check(incoming.one("ada", wrong.id))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", ".hidden", "a/b\\c.csv", "x" * 300 + ".csv", "größe.csv", "..."]
)
def test_names_stay_in_their_folder(incoming: Incoming, tmp_path: Path, name: str) -> None:
    for owner in ("ada", "../eve", "x" * 300):
        made = incoming.make(owner, name, 1, "")
        path = incoming.content(made)
        assert path.is_file()
        assert path.resolve().is_relative_to(tmp_path / "incoming")
        assert not path.name.startswith(".")
        assert path.suffix == (".csv" if name.endswith(".csv") else "")


def test_uploads_end(incoming: Incoming, tmp_path: Path) -> None:
    old, new = (incoming.make("ada", "stars.csv", 10, "") for _ in range(2))
    about = next((tmp_path / "incoming").glob(f"*/{old.id}/about.json"))
    about.write_text(json.dumps(json.loads(about.read_text()) | {"touched": time.time() - 8 * DAY_S}))
    incoming.sweep()
    assert [one.id for one in incoming.all("ada")] == [new.id]
    incoming.remove(new)
    assert incoming.all("ada") == ()
    assert not list((tmp_path / "incoming").glob("*/*"))


def test_a_load_whose_process_is_dead_can_begin_again(incoming: Incoming) -> None:
    made = incoming.make("ada", "stars.csv", 1, "")
    send(incoming, made.id, 0, b"x")
    order = LoadOrder("mydb.t", "append", "ra", "dec")
    with incoming.held("ada", made.id) as held:
        incoming.save(replace(held, phase=UploadPhase.LOADING, order=order))
        assert incoming.one("ada", made.id).phase is UploadPhase.LOADING
    found = incoming.one("ada", made.id)
    assert (found.phase, found.order) == (UploadPhase.RECEIVING, order)


@pytest.mark.slow
def test_a_full_disk_is_said_and_costs_one_piece(tmp_path: Path) -> None:
    code = """
import resource, signal, sys
from pathlib import Path
from awe.errors import UnavailableError
from awe.services.catalogs.own.incoming import Incoming
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
incoming = Incoming(Path(sys.argv[1]), 1e6)
made = incoming.make("ada", "stars.csv", 1 << 20, "")
with incoming.piece("ada", made.id, 0) as piece:
    piece.write(b"a" * 5000)
    piece.done()
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
try:
    with incoming.piece("ada", made.id, 5000) as piece:
        piece.write(b"b" * 100_000)
        piece.done()
except UnavailableError as error:
    print(error)
print(incoming.one("ada", made.id).offset)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said, offset = done.stdout.splitlines()
    assert "the file cannot be kept" in said
    assert "the disk of the service is full" in said
    assert offset == "5000"


# Its children send a file by pieces of 20 kB; each ends itself before one of its next steps, which was drawn.
KILLING = """
import os, random, signal, sys
from pathlib import Path
from awe.services.catalogs.own.incoming import Incoming
from tests.systems.mortal import Steps
root, upload, source, kills = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
incoming, data, chance = Incoming(root, 1e6), source.read_bytes(), random.Random(5)
steps = Steps(str(root))

def send():
    while not (found := incoming.one("ada", upload)).whole:
        with incoming.piece("ada", upload, found.offset) as piece:
            for start in range(found.offset, min(found.offset + 20_000, len(data)), 1000):
                steps.take()
                piece.write(data[start:start + 1000])
            piece.done()

offset = 0
for _ in range(kills):
    last = chance.randint(1, 100)
    child = os.fork()
    if child == 0:
        try:
            steps.end_in(last)
            send()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    found = incoming.one("ada", upload)
    assert offset <= found.offset < found.size
    assert incoming.content(found).read_bytes()[:found.offset] == data[:found.offset]
    offset = found.offset
print(offset)
"""


@pytest.mark.slow
def test_killed_at_a_hundred_steps_nothing_is_lost(tmp_path: Path) -> None:
    data = os.urandom(8_000_000)
    source, root = tmp_path / "source", tmp_path / "incoming"
    source.write_bytes(data)
    incoming = Incoming(root, 1e6)
    made = incoming.make("ada", "stars.bin", len(data), hashlib.sha256(data).hexdigest())
    done = subprocess.run(
        [sys.executable, "-c", KILLING, str(root), made.id, str(source), "100"],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0, "no piece had come whole"
    while not (found := incoming.one("ada", made.id)).whole:
        send(incoming, made.id, found.offset, data[found.offset : found.offset + 1_000_000])
    incoming.check(found)
    assert len(list(root.glob("*/*"))) == 1


def test_what_became_of_a_file_is_told_when_its_loader_ends_just_while_somebody_looks(
    incoming: Incoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = incoming.make("ada", "stars.csv", 1, "")
    loading = replace(made, phase=UploadPhase.LOADING, order=LoadOrder("mydb.t"))
    for end in (
        replace(loading, phase=UploadPhase.LOADED, table="user_ada.t"),
        replace(loading, phase=UploadPhase.RECEIVING, error={"message": "no table"}),
    ):
        incoming.save(loading)

        def ends(lock: Path, end: Upload = end) -> bool:  # as what it stands for
            incoming.save(end)
            return False

        monkeypatch.setattr("awe.services.catalogs.own.incoming._busy", ends)
        assert incoming.one("ada", made.id) == end
