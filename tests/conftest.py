"""Fixtures that every test may use."""

import gc
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# no time is asserted: what takes long now and then does so because something else runs on the machine
settings.register_profile("awe", deadline=None)
settings.load_profile("awe")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real astronomical data; skip where it is absent."""
    folder = Path(os.environ.get("AWE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real test data are not here")
    return folder


def _program(package: str, *names: str) -> str:
    """Return the path of a program that the set-up installs; where it is absent: fail under CI, else skip."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        said = f"{names[0]} is not installed (Debian package {package})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
    return found


@pytest.fixture(scope="session")
def stilts() -> str:
    """Return the path of STILTS, the Virtual Observatory's validator."""
    return _program("stilts", "stilts")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium."""
    return _program("chromium", "chromium", "chromium-browser", "google-chrome")


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
def session(request: pytest.FixtureRequest, vocabulary: None) -> Iterator[Any]:  # pyvo asks for it
    """Return a session for pyvo's services, closed afterwards.

    pyvo leaves an answer that it refuses unread, and so a socket open: its ResourceWarning is not ours.
    """
    from pyvo.utils.http import create_session

    request.node.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
    made = create_session()
    yield made
    made.close()
    del made
    gc.collect()
