"""Fixtures that every test may use."""

import gc
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from tests.systems.datalab import datalab_client
from tests.systems.keystone import keystone
from tests.systems.ldap import directory
from tests.systems.openid import openid_provider
from tests.systems.programs import program
from tests.systems.spark import spark_cluster, spark_connect

import awe.platform
from awe.services.system import SystemDatabase
from awe.testing import with_schema

__all__ = ["datalab_client", "directory", "keystone", "openid_provider", "spark_cluster", "spark_connect"]

assert awe.platform.__all__  # importing it declares every service's tables

# no time is asserted: what takes long now and then does so because something else runs on the machine
settings.register_profile("awe", deadline=None)
settings.load_profile("awe")

ROOT = Path(__file__).resolve().parents[1]
SLOW = "\npytestmark = pytest.mark.slow\n"
"""By this line a module says that all of it is slow."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a slow module out unread where nothing slow is wanted: many import much that nothing else needs."""
    if config.getoption("markexpr") != "not slow" or collection_path.suffix != ".py":
        return None
    return SLOW in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what asks a cluster first, side by side: it is started by one of several test processes then."""

    def asks_none(item: pytest.Item) -> bool:
        return (
            "spark_cluster" not in getattr(item, "fixturenames", ())
            and "spark" not in item.name.partition("[")[2]
        )

    items.sort(key=asks_none)


def pytest_collection_finish() -> None:
    """Keep what was collected out of later collections of garbage: thousands of tests and all modules stay."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Let all go at the end."""
    gc.unfreeze()


gc.disable()  # until all is collected


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real astronomical data; skip where it is absent."""
    folder = Path(os.environ.get("AWE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real test data are not here")
    return folder


@pytest.fixture(scope="session")
def stilts() -> str:
    """Return the path of STILTS, the Virtual Observatory's validator."""
    return program("stilts", "stilts")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium."""
    return program("chromium", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def nginx() -> str:
    """Return the path of nginx."""
    return program("nginx-light", "nginx", path=os.pathsep.join(["/usr/sbin", os.environ.get("PATH", "")]))


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[Callable[[], str]]:
    """Return what makes an empty database in a PostgreSQL server of this test session; its address.

    The server keeps its files in a folder of its own, listens at a socket in there only, and is not root, which it
    refuses to be.
    """
    binaries = Path("/usr/lib/postgresql/15/bin")
    search = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    initdb = program("postgresql-15", "initdb", path=search)
    postgres = program("postgresql-15", "postgres", path=search)
    folder = Path(tempfile.mkdtemp(prefix="awe-pg-"))  # short: it becomes part of a socket's name
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    made = [
        initdb,
        "-D",
        str(folder / "data"),
        "-U",
        "awe",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "-N",
    ]
    subprocess.run(made, check=True, capture_output=True, cwd=folder, **user)
    options = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
    started = [
        postgres,
        "-D",
        str(folder / "data"),
        *(f"-c{name}={value}" for name, value in options.items()),
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(started, cwd=folder, stdout=log, stderr=log, **user)
    numbers = count()

    def make() -> str:
        name = f"awe{next(numbers)}"
        with psycopg.connect(host=str(folder), user="awe", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://awe@/{name}?host={folder}"

    try:
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            try:
                psycopg.connect(host=str(folder), user="awe", dbname="postgres").close()
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        yield make
    finally:
        server.send_signal(signal.SIGINT)  # "fast": whoever is connected is cut off
        server.wait(30)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty system database: the test runs on every kind of database that awe knows."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'awe.db'}"
    make: Callable[[], str] = request.getfixturevalue("new_postgresql")
    return make()


@pytest.fixture
def system(database_url: str, tmp_path: Path) -> Iterator[SystemDatabase]:
    """Return a system database of each kind, with this version's schema."""
    if database_url.startswith("sqlite"):
        with_schema(tmp_path)
    database = SystemDatabase(database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give pyvo the vocabulary of links, which it fetches from ivoa.net before it opens a dataset by its links."""
    from astropy.config.paths import set_temp_cache
    from astropy.utils.data import import_file_to_cache

    folder = tmp_path_factory.mktemp("vocabulary")
    narrower = {"preview": ["preview-image", "preview-plot", "thumbnail"], "proc": ["cutout"]}
    words = ("this", "auxiliary", "cutout", "derivation", "documentation", "error", "preview", "proc",
             "progenitor", "weight")  # fmt: skip
    terms = {word: {"label": word, "wider": [], "narrower": narrower.get(word, [])} for word in words}
    (folder / "core.json").write_text(json.dumps({"terms": terms}))
    with set_temp_cache(folder):
        import_file_to_cache("http://www.ivoa.net/rdf/datalink/core", str(folder / "core.json"))
        yield


@pytest.fixture
def session(vocabulary: None) -> Iterator[Any]:  # pyvo asks for it
    """Return a session for pyvo's services, closed afterwards.

    pyvo leaves answers unread, those of jobs that it polls and those that it refuses, and so sockets open: they are
    kept here and closed, so that none is found open whenever memory is collected.
    """
    from pyvo.utils.http import create_session

    made, answers = create_session(), []
    made.hooks["response"].append(lambda answer, **_: answers.append(answer))
    yield made
    for answer in answers:
        answer.close()
    made.close()
