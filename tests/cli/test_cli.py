"""The command line: help that teaches, errors that are sentences."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from awe.cli import COMMANDS, main
from awe.testing import TINY_IMAGES, tiny_archive


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `awe` in this process, in an empty folder, away from any service."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))

    def awe(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["awe", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return awe


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 5


def test_help_lists_every_command(tmp_path: Path) -> None:
    src = Path(__file__).resolve().parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-m", "awe", "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(src)},
    )
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_no_service_is_a_sentence_with_a_hint(run: Run) -> None:
    done = run("status")
    assert done.returncode == 1
    assert "no answer from http://127.0.0.1:9" in done.stderr
    assert "awe up" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_archive_is_a_sentence_with_a_hint(run: Run) -> None:
    done = run("tables", "ls", "--at", "nowhere")
    assert done.returncode == 1
    assert "no archive in" in done.stderr
    assert "--demo" in done.stderr


def test_errors_for_programs_are_json(run: Run) -> None:
    done = run("status", "--json")
    assert done.returncode == 1
    assert json.loads(done.stderr)["error"]["code"] == "unavailable"


def test_a_wrong_option_is_told_as_click_tells_it(run: Run) -> None:
    done = run("query")
    assert done.returncode == 2
    assert "Missing argument 'SQL'" in done.stderr


@pytest.mark.slow
def test_an_archive_without_a_server(run: Run, tmp_path: Path) -> None:
    (tmp_path / "stars.csv").write_text("name,ra,dec\nVega,279.2347,38.7837\nSirius,101.2872,-16.7161\n")
    done = run("publish", "table", "bright.stars", "stars.csv", "--data", "sky")
    assert done.returncode == 0, done.stderr
    assert "bright.stars: 2 rows, 3 columns, positions in ra, dec" in done.stdout
    found = run("cone", "bright.stars", "18:36:56.3 +38:47:01", "1 arcmin", "--at", "sky", "--json")
    assert found.returncode == 0, found.stderr
    assert [row["name"] for row in json.loads(found.stdout)["rows"]] == ["Vega"]
    named = run("cone", "bright.stars", "alpha Lyrae", "1 arcmin", "--at", "sky", "--json")
    assert named.stdout == found.stdout
    vega = json.loads(run("resolve", "vega", "--at", "sky", "--json").stdout)
    assert (vega["name"], vega["kind"], round(vega["ra"], 4)) == ("Vega", "Star", 279.2347)
    assert "18:36:56.34" in run("resolve", "alf Lyr", "--at", "sky").stdout
    assert "did you mean Vega" in run("cone", "bright.stars", "Vegas", "1 arcmin", "--at", "sky").stderr
    empty = run("cone", "bright.stars", "0 0", "1", "--at", "sky", "--json")
    assert json.loads(empty.stdout) == {"rows": [], "overflow": False}
    cut = run("query", "SELECT name FROM bright.stars", "--max-rows", "1", "--save", "cut.csv", "--at", "sky")
    assert cut.returncode == 0, cut.stderr
    assert "warning: cut.csv was cut at the row limit" in cut.stderr


def test_a_bad_row_is_named_and_nothing_is_published(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("name,ra,dec\nVega,279.2347,38.7837\nNowhere,10,99\n")
    done = run("publish", "table", "bright.stars", "bad.csv", "--data", "sky")
    assert done.returncode == 1
    assert "bad.csv" in done.stderr
    assert "99" in done.stderr
    listed = run("tables", "ls", "--at", "sky", "--json")
    assert "bright.stars" not in listed.stdout


@pytest.mark.slow
def test_a_table_is_removed_when_that_is_confirmed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    (tmp_path / "stars.csv").write_text("name,ra,dec\nVega,279.2347,38.7837\n")
    assert run("publish", "table", "bright.stars", "stars.csv", "--data", "sky").returncode == 0
    asked = run("remove", "table", "bright.stars", "--data", "sky")
    assert asked.returncode == 130
    assert "bright.stars" in run("tables", "ls", "--at", "sky", "--json").stdout
    assert run("remove", "table", "Bright.Stars", "--yes", "--data", "sky").returncode == 0
    assert "bright.stars" not in run("tables", "ls", "--at", "sky", "--json").stdout
    index = run("remove", "table", "ivoa.obscore", "--yes", "--data", "sky")
    assert index.returncode == 1
    assert "awe remove observations" in index.stderr


def test_a_mistyped_command_and_a_negative_radius_are_told(run: Run) -> None:
    assert "did you mean query?" in run("quer", "SELECT 1").stderr
    assert "radius=-3 arcsec" in run("cone", "a.b", "10 10", "-3 arcsec").stderr


@pytest.mark.slow
def test_a_cutout_outside_the_image_is_a_sentence_and_no_file(run: Run, tmp_path: Path) -> None:
    with tiny_archive(tmp_path / "tiny"):
        pass
    done = run("cutout", TINY_IMAGES[0], "10 12", "20 arcsec", "out.fits", "--at", "tiny")
    assert done.returncode == 1
    assert "has no pixel within 20 arcsec" in done.stderr
    assert not (tmp_path / "out.fits").exists()
    none = run("images", "--instrument", "ACIS", "--at", "tiny")
    assert "instrument_name is ACS" in none.stderr


@pytest.mark.slow
def test_a_login_prints_the_token_and_nothing_else(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("admin", "user", "add", "maria", "--password", "correct horse", "--data", "sky")
    assert made.returncode == 0, made.stderr
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: "correct horse")
    done = run("login", "maria", "--at", "sky")
    assert re.fullmatch(r"[0-9a-f]{32}\n", done.stdout)
    wrong = run("login", "maria", "--password", "guessed", "--at", "sky")
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr


@pytest.mark.slow
def test_the_keys_that_sign_are_changed(run: Run, tmp_path: Path) -> None:
    assert (
        run("admin", "user", "add", "maria", "--password", "correct horse", "--data", "sky").returncode == 0
    )
    first = run("admin", "keys", "rotate", "--data", "sky").stdout.split()[4]
    second = run("admin", "keys", "rotate", "--data", "sky").stdout.split()[4]
    listed = json.loads(run("admin", "keys", "ls", "--json", "--data", "sky").stdout)["rows"]
    assert [row["key"] for row in listed] == [second, first]
    third = run("admin", "keys", "rotate", "--forget", "--data", "sky").stdout.split()[4]
    assert third in (done := run("admin", "keys", "ls", "--data", "sky").stdout)
    assert first not in done
    assert run("admin", "audit", "--action", "keys", "--data", "sky").stdout.count("keys.rotated") == 3
