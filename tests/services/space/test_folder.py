"""The folder store beside programs that see the folder: links, odd names, killed writers, full disks."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from awe.errors import AweError, ConflictError, NotFoundError, UnavailableError
from awe.services.space import Key, NodeKind
from awe.services.space.backends import folder
from awe.services.space.backends.folder import FolderStore

WRITER = """
import sys
from pathlib import Path
from awe.services.space.backends.folder import FolderStore
store = FolderStore(Path(sys.argv[1]))
with store.write(("ada", "a"), replace=True) as draft:
    while True:
        draft.write(b"half" * 100_000)
        print(".", flush=True)
"""


def put(store: FolderStore, key: Key, data: bytes) -> None:
    with store.write(key, replace=True) as draft:
        draft.write(data)
        draft.done()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "space"


@pytest.fixture
def store(root: Path) -> FolderStore:
    made = FolderStore(root)
    for key in (("ada",), ("ada", "dir"), ("bob",)):
        made.make(key)
    for whose in ("ada", "bob"):
        put(made, (whose, "a"), f"{whose}'s".encode())
    return made


def test_no_link_leads_anywhere(store: FolderStore, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("closed")
    (root / "ada" / "out").symlink_to(secret)
    (root / "ada" / "file").symlink_to(secret / "key")
    (root / "ada" / "neighbour").symlink_to("../bob")
    (root / "ada" / "dangling").symlink_to(secret / "made")
    assert {one.name: one.kind for one in store.list(("ada",))} == {
        "a": NodeKind.FILE,
        "dir": NodeKind.CONTAINER,
        **dict.fromkeys(["out", "file", "neighbour", "dangling"], NodeKind.LINK),
    }
    for wrong in (
        lambda: store.open(("ada", "file")),
        lambda: store.open(("ada", "out", "key")),
        lambda: store.open(("ada", "neighbour", "a")),
        lambda: list(store.list(("ada", "out"))),
        lambda: list(store.list(("ada", "neighbour"))),
        lambda: store.local(("ada", "file")).__enter__(),
        lambda: store.make(("ada", "out", "made")),
        lambda: store.remove(("ada", "out", "key")),
        lambda: store.move(("ada", "a"), ("ada", "neighbour", "b")),
        lambda: store.move(("ada", "neighbour", "a"), ("ada", "b")),
    ):
        with pytest.raises(NotFoundError):
            wrong()
    assert store.stat(("ada", "out", "key")) is None
    for name in ("file", "dangling"):
        put(store, ("ada", name), b"my own")
        assert not (root / "ada" / name).is_symlink()
    store.move(("ada", "neighbour"), ("ada", "dir", "n"))
    store.remove(("ada", "dir"))
    store.remove(("ada", "out"))
    assert (secret / "key").read_text() == "closed"
    assert not (secret / "made").exists()
    assert (root / "bob" / "a").read_text() == "bob's"


def test_what_is_no_file_is_not_read(store: FolderStore, root: Path) -> None:
    os.mkfifo(root / "ada" / "pipe")
    (root / "ada" / b"\xff\xfe".decode("utf-8", "surrogateescape")).write_text("odd")
    (root / "ada" / "line\nbreak").write_text("odd")
    assert {one.name for one in store.list(("ada",))} == {"a", "dir"}
    with pytest.raises(NotFoundError):
        store.open(("ada", "pipe"))
    with pytest.raises((NotFoundError, ConflictError)):
        store.local(("ada", "pipe")).__enter__()


def test_nobody_else_on_the_machine_reads_it(store: FolderStore, root: Path) -> None:
    modes = {path.relative_to(root).as_posix(): path.stat().st_mode & 0o077 for path in root.rglob("*")}
    assert {name: mode for name, mode in modes.items() if mode} == {}
    assert {one.name for one in store.list(("ada",))} == {"a", "dir"}


@pytest.mark.slow
def test_a_killed_writer_leaves_the_file_as_it_was(store: FolderStore, root: Path) -> None:
    parts = root / ".parts" / "ada"
    for _ in range(3):
        writing = subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE)
        assert writing.stdout is not None
        for _ in range(5):
            assert writing.stdout.read(2) == b".\n"
        assert len(list(parts.iterdir())) == 1
        FolderStore(root)._sweep()
        assert len(list(parts.iterdir())) == 1, "it is locked"
        os.kill(writing.pid, signal.SIGKILL)
        writing.communicate()
        with store.open(("ada", "a")) as content:
            assert content.read() == b"ada's"
        left = next(parts.iterdir())
        FolderStore(root)._sweep()
        assert left.exists(), "it is young: its maker may not have locked it yet"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(folder, "_YOUNG_S", -1.0)
            FolderStore(root)._sweep()
        assert list(parts.iterdir()) == []


def test_a_full_disk_leaves_the_file_as_it_was(store: FolderStore, root: Path) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("write", "fsync"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"os.{name}", full)
            with pytest.raises(UnavailableError, match="No space left") as refused:
                put(store, ("ada", "a"), b"new")
        assert "was there is there still" in str(refused.value)
        with store.open(("ada", "a")) as content:
            assert content.read() == b"ada's"
        assert list((root / ".parts" / "ada").iterdir()) == []


def test_a_folder_goes_at_once(store: FolderStore, root: Path) -> None:
    for n in range(20):
        put(store, ("ada", "dir", str(n)), b"")
    with store.open(("ada", "dir", "7")) as content:
        store.remove(("ada", "dir"))
        assert content.read() == b""
    assert store.stat(("ada", "dir")) is None
    assert list((root / ".parts" / "ada").iterdir()) == []


def test_it_is_dated_when_it_was_written(store: FolderStore) -> None:
    found = store.stat(("ada", "a"))
    assert found is not None
    assert abs(found.modified.timestamp() - time.time()) < 3600
    with pytest.raises(AweError):
        store.make(("ada", "x" * 300))
