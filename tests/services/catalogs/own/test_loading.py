"""Files that become tables: what is refused, what a caller may keep, what is done once, and what a killed process leaves."""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.errors import (
    AuthenticationError,
    ConflictError,
    LimitError,
    NotFoundError,
    ParameterError,
    QuotaError,
)
from awe.platform import Platform
from awe.services.catalogs import LoadOrder, Upload, UploadPhase
from awe.services.catalogs.own.incoming import Incoming
from awe.services.identity import ANONYMOUS, Identity, Measure
from awe.testing import tiny_archive

ROOT = Path(__file__).resolve().parents[4]
BOUNDS = {"uploads": {"file_bytes": 10_000_000, "files": 3}}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with tiny_archive(tmp_path / "sky", **BOUNDS) as opened:
        opened.accounts.add("ada", by="local:test")
        yield opened


@pytest.fixture
def ada(platform: Platform) -> Identity:
    return platform.identity.known("ada")


def sent(platform: Platform, who: Identity, data: bytes, file: str = "stars.csv") -> str:
    made = platform.uploads.begin(who, file, len(data))
    with platform.uploads.receive(made.id, who, 0) as piece:
        piece.write(data)
        piece.done()
    return made.id


def loaded(platform: Platform, who: Identity, upload_id: str, order: LoadOrder) -> Upload:
    platform.uploads.load(upload_id, who, order)
    while (found := platform.uploads.upload(upload_id, who)).phase is UploadPhase.LOADING:
        time.sleep(0.01)
    return found


def rows(platform: Platform, who: Identity, table: str) -> int:
    with platform.catalogs.query(f"SELECT COUNT(*) AS n FROM {table}", identity=who) as stream:
        return int(stream.to_table()["n"][0].as_py())


def test_what_is_refused(platform: Platform, ada: Identity) -> None:
    uploads = platform.uploads
    with pytest.raises(AuthenticationError):
        uploads.begin(ANONYMOUS, "stars.csv", 1)
    with pytest.raises(ParameterError, match="size"):
        uploads.begin(ada, "stars.csv", 0)
    with pytest.raises(ParameterError, match="64 hexadecimal digits"):
        uploads.begin(ada, "stars.csv", 1, "x")
    with pytest.raises(LimitError, match="a file may have 10,000,000"):
        uploads.begin(ada, "stars.csv", 10_000_001)
    platform.tables.write("mydb.taken", _stream(1), ada)
    with pytest.raises(ConflictError, match="There is already an object named 'taken'"):
        uploads.begin(ada, "stars.csv", 1, new_table="mydb.taken")
    made = sent(platform, ada, b"n\n1\n")
    with pytest.raises(ParameterError, match="mode"):
        uploads.load(made, ada, LoadOrder("mydb.t", "merge"))  # type: ignore[arg-type]
    for _ in range(2):
        uploads.begin(ada, "stars.csv", 1)
    with pytest.raises(LimitError, match="3 of your files wait for their rest"):
        uploads.begin(ada, "stars.csv", 1)


def _stream(n: int) -> TableStream:
    return TableStream.from_table(pa.table({"n": np.arange(n)}))


def test_files_count_until_they_are_tables(platform: Platform, ada: Identity) -> None:
    def used() -> int:
        return platform.quotas.used(ada, Measure.STORAGE_BYTES)

    assert used() == 0
    data = b"n\n" + b"1\n" * 100_000
    platform.quotas.set("user:ada", "storage_bytes", 250_000, by="local:test")
    made = sent(platform, ada, data)
    assert used() == len(data)
    with pytest.raises(QuotaError, match="bytes of files kept"):
        platform.uploads.begin(ada, "more.csv", 100_000)
    assert loaded(platform, ada, made, LoadOrder("mydb.t")).error is None
    assert used() == platform.tables.table("mydb.t", ada).bytes < len(data)
    platform.quotas.set("user:ada", "table_rows", 150_000, by="local:test")
    more = sent(platform, ada, data)
    failed = loaded(platform, ada, more, LoadOrder("mydb.t", "append"))
    assert failed.phase is UploadPhase.RECEIVING
    assert failed.error is not None
    assert "rows of tables" in json.dumps(failed.error)
    assert rows(platform, ada, "mydb.t") == 100_000


def test_what_failed_can_be_loaded_otherwise_without_sending_it_again(
    platform: Platform, ada: Identity
) -> None:
    made = sent(platform, ada, b"ra,dec\n1,2\n3,99\n")
    failed = loaded(platform, ada, made, LoadOrder("mydb.t", ra="ra", dec="dec"))
    assert "not a position on the sky" in json.dumps(failed.error)
    assert loaded(platform, ada, made, LoadOrder("mydb.t", ra="", dec="")).phase is UploadPhase.LOADED
    assert platform.tables.table("mydb.t", ada).ra is None
    with pytest.raises(ConflictError, match=r"is user_ada\.t already"):
        platform.uploads.load(made, ada, LoadOrder("mydb.other"))


def test_a_small_file_may_hold_no_large_one(platform: Platform, ada: Identity) -> None:
    made = sent(platform, ada, gzip.compress(b"n\n" + b"1\n" * 6_000_000), "stars.csv.gz")
    failed = loaded(platform, ada, made, LoadOrder("mydb.t"))
    assert "more than 10,000,000 bytes when it is unpacked" in json.dumps(failed.error)
    fine = sent(platform, ada, gzip.compress(b"n\n1\n"), "stars.csv.gz")
    assert loaded(platform, ada, fine, LoadOrder("mydb.t")).table == "user_ada.t"


def test_two_requests_for_one_file_are_one(platform: Platform, ada: Identity) -> None:
    platform.tables.write("mydb.t", _stream(0), ada)
    made = sent(platform, ada, b"n\n" + b"1\n" * 50_000)
    order = LoadOrder("mydb.t", "append")
    begin = threading.Barrier(4)

    def ask() -> None:
        begin.wait()
        with suppress(ConflictError):
            platform.uploads.load(made, ada, order)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert loaded(platform, ada, made, order).phase is UploadPhase.LOADED
    assert rows(platform, ada, "mydb.t") == 50_000
    assert len(platform.versions.kept("mydb.t", ada)) == 2


def test_rows_that_were_added_before_the_process_died_are_not_added_again(
    platform: Platform, ada: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.tables.write("mydb.t", _stream(0), ada)
    made = sent(platform, ada, b"n\n1\n2\n")
    order = LoadOrder("mydb.t", "append")
    save = Incoming.save

    def dies(self: Incoming, upload: Upload) -> None:
        if upload.phase is not UploadPhase.LOADED:  # what a process that is killed just then would have kept
            save(self, upload)

    monkeypatch.setattr(Incoming, "save", dies)
    assert loaded(platform, ada, made, order).phase is UploadPhase.RECEIVING
    monkeypatch.undo()
    assert rows(platform, ada, "mydb.t") == 2
    again = loaded(platform, ada, made, order)
    assert (again.phase, again.table) == (UploadPhase.LOADED, "user_ada.t")
    assert rows(platform, ada, "mydb.t") == 2


def test_loading_is_stopped(platform: Platform, ada: Identity, tmp_path: Path) -> None:
    made = sent(platform, ada, b"n,word\n" + b"".join(b"%d,%s\n" % (i, b"w" * 20) for i in range(300_000)))
    platform.uploads.load(made, ada, LoadOrder("mydb.t"))
    platform.uploads.remove(made, ada)
    with pytest.raises(NotFoundError):
        platform.uploads.upload(made, ada)
    assert not list((tmp_path / "sky" / "uploads").glob("*/*"))


# A child opens the archive, goes on with the file that is on its way, or begins the next one, and ends itself meanwhile
# before a step that was drawn among those that one file takes.
KILLING = """
import os, random, signal, sys, time
from pathlib import Path
from sqlalchemy import Engine, event
from awe.platform import Platform
from awe.services.catalogs import LoadOrder, UploadPhase
from awe.services.identity import Measure
from awe.settings import Settings
from tests.systems.mortal import Steps

folder, note, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
chance = random.Random(11)
steps = Steps(str(folder))
event.listen(Engine, "before_cursor_execute", steps.take)
event.listen(Engine, "commit", steps.take)
ROWS = 500

def content(number):
    return b"n\\n" + b"".join(b"%d\\n" % (number * ROWS + i) for i in range(ROWS))

def work():
    with Platform.open(Settings.load(folder)) as platform:
        ada = platform.identity.known("ada")
        mine = platform.uploads.uploads(ada)
        going = [one for one in mine if one.phase is not UploadPhase.LOADED]
        assert len(going) <= 1
        number = len(mine) - len(going)
        data = content(number)
        upload = going[0] if going else platform.uploads.begin(ada, f"part{number}.csv", len(data))
        while not upload.whole:
            with platform.uploads.receive(upload.id, ada, upload.offset) as piece:
                piece.write(data[upload.offset:upload.offset + 700])
                upload = piece.done()
        platform.uploads.load(upload.id, ada, LoadOrder("mydb.t", "append"))
        while (upload := platform.uploads.upload(upload.id, ada)).phase is UploadPhase.LOADING:
            time.sleep(0.01)
        assert upload.error is None, upload.error

def check():
    with Platform.open(Settings.load(folder)) as platform:
        ada = platform.identity.known("ada")
        with platform.catalogs.query("SELECT n FROM mydb.t ORDER BY n", identity=ada, whole=True) as stream:
            found = stream.to_table()["n"].to_pylist()
        assert found == list(range(len(found))), "rows are lost, or there twice"
        assert len(found) % ROWS == 0, "a file is there in part"
        mine = platform.uploads.uploads(ada)
        done = sum(one.phase is UploadPhase.LOADED for one in mine)
        assert len(found) in {done * ROWS, (done + 1) * ROWS}
        waiting = sum(one.size for one in mine if one.phase is not UploadPhase.LOADED)
        assert platform.quotas.used(ada, Measure.TABLE_ROWS) == len(found)
        assert platform.quotas.used(ada, Measure.STORAGE_BYTES) == platform.tables.table("t", ada).bytes + waiting

def child(function):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    return pid

def finished(pid):
    assert os.waitpid(pid, 0)[1] == 0

def working(last):
    def begin():
        steps.end_in(last)
        while True:
            work()
    return begin

def counted():
    work()
    note.write_text(str(steps.taken))

finished(child(work))
finished(child(counted))
most = int(note.read_text())
for number in range(kills):
    assert os.waitpid(child(working(chance.randint(1, most))), 0)[1] == signal.SIGKILL
    if number % 10 == 0:
        finished(child(check))
finished(child(work))
finished(child(check))
"""


@pytest.mark.slow
def test_killed_at_thirty_steps(tmp_path: Path) -> None:
    folder = tmp_path / "sky"
    with tiny_archive(folder) as platform:
        platform.accounts.add("ada", by="local:test")
        platform.tables.write("mydb.t", _stream(0), platform.identity.known("ada"))
    done = subprocess.run(
        [sys.executable, "-c", KILLING, str(folder), str(tmp_path / "steps"), "30"],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
