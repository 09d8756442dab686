"""The page about moving from CasJobs: every command of it, on a small archive."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.web.skies import publish_release

from awe.platform import Platform
from awe.testing import log_in, tiny_archive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "moving-from-casjobs.md"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the clients leave their connections open
]

Serving = Callable[[Platform], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, serving: Serving) -> Iterator[tuple[str, str]]:
    """Return the address of an archive with a release ``sdss``, and a token of maria's."""
    folder = tmp_path_factory.mktemp("sdss")
    with tiny_archive(folder) as platform:
        publish_release(platform, folder, "sdss")
        platform.accounts.add("maria", by="local:test", password="correct horse")
        with serving(platform) as address:
            yield address, log_in(platform, "maria")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_older_clients(archive: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address, token = archive
    older, other, _ = blocks("python")
    names: dict[str, object] = {"token": token}
    exec(older.replace("https://archive.example.org", address), names)  # the page's own code
    assert len(names["bright"]) == 5  # type: ignore[arg-type]
    assert len(names["table"]) > 5  # type: ignore[arg-type]
    exec(other, names)
    assert Path("targets.fits").stat().st_size > 2880


def test_sciservers_library(archive: tuple[str, str]) -> None:
    pytest.importorskip("SciServer", reason="SciServer's library is not here: it is on no package index")
    address, token = archive
    names: dict[str, object] = {"token": token, "archive": address}
    exec(blocks("python")[2], names)
    assert len(names["bright"]) == 5  # type: ignore[arg-type]
    assert len(names["near"]) >= 1  # type: ignore[arg-type]


def test_curl(archive: tuple[str, str], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    address, token = archive
    (tmp_path / "targets.csv").write_text("id,ra,dec\n1,187.7,12.3\n")
    said = []
    for line in "".join(blocks("sh")).splitlines():
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=tmp_path,
            env={"ARCHIVE": address, "TOKEN": token, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "ErrorMessage" not in done.stdout, line
        said.append(done.stdout)
    contexts, count, uploaded, searched = said
    assert '"MyDB"' in contexts
    assert count == "n\n400\n"
    assert '"Rows":1' in uploaded
    assert searched.startswith("#Table1\nobjID\n")
