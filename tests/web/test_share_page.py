"""The page about groups and sharing: every command of it, by the people whom it speaks to, against a running service."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from click.testing import CliRunner

from awe.cli import load_command
from awe.client import Job, connect
from awe.errors import AuthenticationError, NotFoundError
from awe.platform import Platform
from awe.testing import TINY_TABLE, log_in, tiny_archive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "share.md"
pytestmark = pytest.mark.slow
WHO = {"Join one": "bob"}
"""Who follows a section; ann the others."""


def sections() -> dict[str, str]:
    """Return the text of each section of the page by its heading."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


class Site:
    """An archive that runs, and the tokens of its people."""

    def __init__(self, platform: Platform, address: str) -> None:
        self.address = address
        self.tokens = {name: log_in(platform, name) for name in ("ann", "bob")}
        with connect(address, token=self.tokens["ann"]) as archive:
            job = archive.submit(f"SELECT TOP 3 * FROM {TINY_TABLE}")
            job.wait(60)
            self.job = job.id
        self.link = ""

    def run(self, line: str, who: str) -> str:
        """Run a command of the page; what stands in capitals for something is put in."""
        words = shlex.split(line)
        if "ID" in words:
            listed = "invitations" if words[1] == "group" else "shares"
            with connect(self.address, token=self.tokens[who]) as archive:
                found = archive.invitations() if listed == "invitations" else archive.shares().given
            words[words.index("ID")] = found[-1].id
        words = [word.replace("job:ID", f"job:{self.job}") for word in words]
        environment = {"AWE_URL": self.address, "AWE_TOKEN": self.tokens[who]}
        done = CliRunner().invoke(load_command(words[1]), words[2:], env=environment, catch_exceptions=False)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        return done.stdout


@pytest.fixture
def site(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serving: Callable[[Platform], AbstractContextManager[str]],
) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    with tiny_archive(tmp_path / "sky") as platform:
        for name in ("ann", "bob"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        with serving(platform) as address:
            yield Site(platform, address)


def test_every_command_of_the_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, str] = {}
    for heading, text in sections().items():
        for block in blocks(text, "sh"):
            for line in block.splitlines():
                said[line] = site.run(line, WHO.get(heading, "ann"))
    assert "survey" in said["awe group ls"]
    assert "bob" in said["awe group show survey"]
    assert "user:bob" in said["awe share ls job:ID"]
    link = said['awe share link job:ID --days 14 --label "for the referee"'].strip()
    assert link.startswith(f"{site.address}/shared#")
    assert (
        "pipeline" in said["awe admin group ls --data sky"]
        or "survey" in said["awe admin group ls --data sky"]
    )
    assert "group.added" in said["awe admin audit --action group --data sky"]
    assert "grant.made" in said["awe admin audit --action grant --data sky"]
    with connect(site.address, token=link.partition("#")[2]) as visitor, pytest.raises(AuthenticationError):
        visitor.job(site.job)  # taken back: it was the last that was shared
    with connect(site.address, token=site.tokens["bob"]) as archive:
        assert isinstance(archive.job(site.job), Job)
        with pytest.raises(NotFoundError):
            archive.group("survey")
    (program,) = blocks(sections()["In Python"], "python")
    monkeypatch.setenv("AWE_URL", site.address)
    monkeypatch.setenv("AWE_TOKEN", site.tokens["ann"])
    names: dict[str, object] = {}
    with connect(site.address, token=site.tokens["ann"]) as archive:
        names["job"] = archive.job(site.job)
        exec(program, names)  # it is ours
    opened = names["archive"]
    opened.close()  # type: ignore[attr-defined]  # a client
