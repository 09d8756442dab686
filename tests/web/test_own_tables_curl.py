"""The requests that the page about one's own tables gives to curl, against a real server."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.systems.programs import program

from awe.platform import Platform

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "tables.md"
pytestmark = pytest.mark.slow


def test_the_requests_of_the_page(server: str, token: str, platform: Platform, tmp_path: Path) -> None:
    program("curl", "curl")
    text = "name,ra,dec\nM87,187.7059,12.3911\n"
    (tmp_path / "targets.csv").write_text(text)
    lines = [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("    curl ")]
    assert len(lines) == 3
    upload, answer = "", {}
    for line in lines:
        command = re.sub(r"\bID\b", upload, line.replace("1234", str(len(text))))
        done = subprocess.run(
            ["sh", "-c", f"{command} --silent --show-error --noproxy '*'"],
            env={**os.environ, "AWE_URL": server, "AWE_TOKEN": token}, cwd=tmp_path, capture_output=True, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout)
        upload = answer["id"]
    assert (answer["phase"], answer["table"], answer["error"]) == ("loaded", "user_ada.targets", None)
    record = platform.tables.table("mydb.targets", platform.identity.known("ada"))
    assert (record.rows, record.ra) == (1, "ra")
