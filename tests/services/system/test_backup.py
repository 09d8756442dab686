"""A backup holds all that is no catalogue; restoring it gives the same archive, on every kind of database."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from awe.errors import ConflictError, InputFileError, UnavailableError, UsageError
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR
from awe.services.system import SystemDatabase, backup, metadata, restore
from awe.settings import Settings

pytestmark = pytest.mark.slow

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of the empty database to restore into."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'other.db'}"
    make: Callable[[], str] = request.getfixturevalue("new_postgresql")
    return make()


@pytest.fixture
def source(tmp_path: Path, database_url: str) -> Iterator[tuple[Platform, str]]:
    """Return an archive with an account and its token, a result of a job, and settings."""
    folder = tmp_path / "sky"
    settings = Settings.load(folder, database_url=database_url, token_hours=5)
    with Platform.open(settings) as platform:
        platform.accounts.add("ada", [ADMINISTRATOR], by="local:test", password="correct horse battery")
        token = platform.identity.login("ada", "correct horse battery")
        (folder / "jobs" / "j1" / "attempt-1").mkdir(parents=True)
        (folder / "jobs" / "j1" / "attempt-1" / "result").write_bytes(bytes(range(256)) * 9000)
        (folder / "jobs" / ".presence").write_text("of a process")
        (folder / "tables").mkdir(exist_ok=True)
        (folder / "tables" / "large.parquet").write_text("not in it")
        yield platform, token


def _rows(system: SystemDatabase) -> dict[str, list[tuple[object, ...]]]:
    with system.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def _restored(file: Path, folder: Path, url: str) -> dict[str, list[tuple[object, ...]]]:
    system = SystemDatabase(url)
    try:
        restore(file, system, folder, url)
        return _rows(system)
    finally:
        system.close()


def test_every_record_and_file_comes_back_and_tokens_stay_valid(
    source: tuple[Platform, str], other_url: str, tmp_path: Path
) -> None:
    platform, token = source
    file, new = tmp_path / "awe.backup", tmp_path / "new"
    manifest = backup(platform.system, platform.settings.folder, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert manifest.rows["users"] == manifest.rows["tokens"] == 1
    assert set(manifest.rows) == set(metadata.tables)
    assert [name for name in manifest.sha256 if name.startswith("files/")] == [
        "files/jobs/j1/attempt-1/result"
    ]
    assert _restored(file, new, other_url) == _rows(platform.system)
    result = Path("jobs", "j1", "attempt-1", "result")
    assert (new / result).read_bytes() == (platform.settings.folder / result).read_bytes()
    with Platform.open(Settings.load(new, database_url=other_url)) as restored:
        assert restored.identity.identify(token).name == "ada"
        assert restored.identity.login("ada", "correct horse battery")
        restored.accounts.add(
            "bob", by="local:test", password="correct horse battery"
        )  # counters go on where they were


def test_an_archive_that_is_there_is_not_overwritten(
    source: tuple[Platform, str], database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "awe.backup"
    backup(source[0].system, source[0].settings.folder, file)
    before = _rows(source[0].system)
    with pytest.raises(ConflictError, match="an archive already"):
        _restored(file, tmp_path / "sky", database_url)
    assert _rows(source[0].system) == before


def _edited(file: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    with zipfile.ZipFile(file) as parts:
        content = {name: parts.read(name) for name in parts.namelist()}
    change(content)
    with zipfile.ZipFile(file, "w") as parts:
        for name, data in content.items():
            parts.writestr(name, data)


def _manifest(content: dict[str, bytes], **changes: object) -> None:
    content["manifest.json"] = json.dumps(json.loads(content["manifest.json"]) | changes).encode()


def _escape(content: dict[str, bytes]) -> None:
    name = "files/jobs/../../stolen"
    content[name] = b""
    _manifest(content, sha256=json.loads(content["manifest.json"])["sha256"] | {name: ""})


DAMAGE: dict[str, tuple[Callable[[dict[str, bytes]], object], type[Exception], str]] = {
    "a changed row": (lambda c: c.update({"tables/users.jsonl": b"{}\n"}), InputFileError, "damaged"),
    "a part that is gone": (
        lambda c: c.pop("tables/users.jsonl"),
        InputFileError,
        "not those that it names",
    ),
    "no manifest": (lambda c: c.pop("manifest.json"), InputFileError, "no backup"),
    "another schema": (lambda c: _manifest(c, schema="0001"), UnavailableError, "has the schema 0001"),
    "a way out of the folder": (_escape, InputFileError, "no part of a backup"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_and_nothing_made(damage: str, tmp_path: Path) -> None:
    system = SystemDatabase.in_folder(tmp_path / "sky")
    system.migrate()
    file = tmp_path / "awe.backup"
    backup(system, tmp_path / "sky", file)
    system.close()
    change, error, said = DAMAGE[damage]
    _edited(file, change)
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with pytest.raises(error, match=said):
        _restored(file, tmp_path / "new", url)
    assert not (tmp_path / "new").exists()
    empty = SystemDatabase(url)
    empty.check_empty()
    empty.close()


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    system = SystemDatabase.in_folder(tmp_path / "sky")
    system.migrate()
    file = tmp_path / "awe.backup"
    backup(system, tmp_path / "sky", file)
    system.close()
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputFileError, match="not all of one"):
        _restored(file, tmp_path / "new", f"sqlite:///{tmp_path / 'new.db'}")


def test_settings_that_name_another_database_are_not_restored_silently(tmp_path: Path) -> None:
    system = SystemDatabase.in_folder(tmp_path / "sky")
    system.migrate()
    (tmp_path / "sky" / "awe.toml").write_text('database_url = "postgresql+psycopg://secret@db/awe"\n')
    file = tmp_path / "awe.backup"
    backup(system, tmp_path / "sky", file)
    system.close()
    url, new = f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "new"
    with pytest.raises(UsageError, match="another system database") as caught:
        _restored(file, new, url)
    assert "secret" not in str(caught.value)
    new.mkdir()
    (new / "awe.toml").write_text("port = 9000\n")
    assert _restored(file, new, url)
    assert (new / "awe.toml").read_text() == "port = 9000\n"


# A child of this process ends itself with SIGKILL before its n-th statement or write.
KILLED = """
import builtins, os, pathlib, signal, sys
import awe.platform
from awe.services.system import SystemDatabase, backup, restore
from sqlalchemy import event
what, url, file, folder, left = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])
def count(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
def watched(function):
    def run(*arguments, **options):
        count()
        done = function(*arguments, **options)
        count()
        return done
    return run
os.fsync, os.open, pathlib.Path.replace = watched(os.fsync), watched(os.open), watched(pathlib.Path.replace)
system = SystemDatabase(url)
event.listen(system.engine, "before_cursor_execute", count)
event.listen(system.engine, "commit", count)
if what == "backup":
    backup(system, pathlib.Path(folder), pathlib.Path(file))
else:
    restore(pathlib.Path(file), system, pathlib.Path(folder), url)
"""


def _run(what: str, url: str, file: Path, folder: Path, left: int) -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, what, url, str(file), str(folder), str(left)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return the data folder of an archive with some records and the files of a job."""
    folder = tmp_path / "small"
    system = SystemDatabase.in_folder(folder)
    system.migrate()
    row = {"ivoid": "ivo://x/1", "digest": "1", "deleted": False}
    with system.transaction() as connection:
        connection.execute(
            insert(metadata.tables["registry_records"]).values(created=MOMENT, changed=MOMENT, **row)
        )
    system.close()
    (folder / "jobs" / "j1").mkdir(parents=True)
    (folder / "jobs" / "j1" / "result").write_bytes(bytes(range(256)) * 9000)
    return folder


def test_killed_in_the_middle_of_a_backup_the_earlier_one_is_there(small: Path, tmp_path: Path) -> None:
    file, url = tmp_path / "awe.backup", f"sqlite:///{small / 'awe.db'}"
    system = SystemDatabase(url)
    backup(system, small, file)
    system.close()
    earlier = file.read_bytes()
    (small / "jobs" / "j1" / "more").write_text("more")
    for left in (0, 10, 17, 20):
        killed = _run("backup", url, file, small, left) != 0
        with zipfile.ZipFile(file) as parts:
            whole = parts.testzip() is None and "files/jobs/j1/more" in parts.namelist()
        assert whole or (killed and file.read_bytes() == earlier)
    assert _run("backup", url, file, small, 10_000) == 0
    with zipfile.ZipFile(file) as parts:
        assert "files/jobs/j1/more" in parts.namelist()


def test_killed_in_the_middle_of_a_restore_there_is_no_archive_or_all_of_it(
    small: Path, other_url: str, tmp_path: Path
) -> None:
    file, new, source = tmp_path / "awe.backup", tmp_path / "new", SystemDatabase.in_folder(small)
    backup(source, small, file)
    wanted = _rows(source)
    source.close()
    kills, there = 0, False
    while not there:
        killed = _run("restore", other_url, file, new, kills * 90) != 0
        kills += killed
        system = SystemDatabase(other_url)
        there = system.pending()[0] is not None
        assert there or killed
        if there:
            assert _rows(system) == wanted
            assert (new / "jobs" / "j1" / "result").stat().st_size == 256 * 9000
        system.close()
    assert kills >= 1
