"""The notebooks, the README's lines and the tutorial run as they stand, against `awe up`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from PIL import Image
from scipy.spatial import cKDTree

from awe.core.sky import unit_vector

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

# The rows that the founding document prints: MatchID, and the colour that its query computes.
FOUNDING = {250841: 0.309488, 250963: 0.289303, 250964: 0.360063, 250982: 0.385685, 251022: 0.585642,
            251325: 0.544552, 251397: 0.545039, 251476: 0.442541, 251487: 0.494334, 251499: 0.419823}  # fmt: skip


def _blocks(page: str, language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL))


def _assert_picture(path: Path) -> None:
    with Image.open(path) as picture:
        assert min(picture.size) > 300
        grey = np.asarray(picture.convert("L"))
        assert np.ptp(grey.astype(int)) > 200, f"{path.name} is blank"


def _run_python(code: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path, service: Any) -> Path:
    """Return a folder laid out as a checkout after `make up`: examples/ beside sky/."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "sky").symlink_to(service.folder)
    return tmp_path


def _execute(
    name: str,
    checkout: Path,
    service: Any,
    environment: Callable[..., dict[str, str]],
    patch: pytest.MonkeyPatch,
) -> tuple[str, list[str]]:
    """Execute a notebook; return what it printed and its pictures (PNG, base64)."""
    for variable, value in environment(AWE_URL=service.url).items():
        patch.setenv(variable, value)
    patch.delenv("MPLBACKEND")
    book = nbformat.read(checkout / "examples" / name, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(book, timeout=180, resources={"metadata": {"path": str(checkout / "examples")}}).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    text = "\n".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)
    return text, [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})]


def test_the_main_job_notebook(
    checkout: Path, service: Any, environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, pictures = _execute("m87_globular_clusters.ipynb", checkout, service, environment, monkeypatch)
    assert all(str(match_id) in text for match_id in FOUNDING)
    assert "hst_9401_02_acs_wfc_total" in text
    assert len(pictures) == 2
    _assert_picture(checkout / "examples" / "m87_globular_clusters.png")


def test_the_notebook_of_2016(
    checkout: Path, service: Any, environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, pictures = _execute("m87_as_in_2016.ipynb", checkout, service, environment, monkeypatch)
    printed = [line.split() for line in text.splitlines()]
    for row, (match_id, colour) in enumerate(FOUNDING.items()):
        line = next(words for words in printed if words[:1] == [str(row)] and str(match_id) in words)
        assert line[-1] == f"{colour:.6f}"
    assert "MatchRA   MatchDEC  MatchID" in text
    assert "-> Dataset: hst_9401_02_acs_wfc_total" in text
    assert "Longest exposure time in subselection: 1960.0" in text
    assert len(pictures) == 1


def test_the_three_archives(
    checkout: Path, service: Any, environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, pictures = _execute("three_archives.ipynb", checkout, service, environment, monkeypatch)
    assert len(pictures) == 3
    # CAOM: the nucleus's spectrum and the four images that cover the centre
    assert "5 files of 5 observations" in text
    assert "hst_9401_02_acs_wfc_total_drz.fits" in text
    demo = service.folder / "demo"
    photo = pd.read_parquet(demo / "sdss.PhotoObjAll.parquet")
    primary = photo[photo["mode"] == 1]
    sources = pd.read_parquet(demo / "galex.photoobjall.parquet")
    deep = sources[(sources["mpstype"] == "MIS") & (sources["nuv_artifact"] == 0)]
    tree = cKDTree(unit_vector(primary["ra"], primary["dec"]))
    near = tree.query_ball_point(unit_vector(deep["ra"], deep["dec"]), 2 * np.sin(np.radians(3 / 3600) / 2))
    types = np.concatenate([primary["type"].to_numpy()[found] for found in near])
    assert f"{len(types)} pairs, {(types == 3).sum()} with galaxies" in text
    spectra = pd.read_parquet(demo / "sdss.SpecObjAll.parquet")
    best = spectra[spectra["sciencePrimary"] == 1]
    chosen = best[(best["class"] == "QSO") | ((best["class"] == "GALAXY") & (best["z"] < 0.02))]
    assert f"{len(chosen)} spectra; the largest identifier is {chosen['specObjID'].max()}" in text


def test_the_eight_lines_of_the_readme(tmp_path: Path, service: Any, environment: Any) -> None:
    code = _blocks("README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) == 8
    _run_python(code, tmp_path, environment(AWE_URL=service.url))
    _assert_picture(tmp_path / "m87.png")
    assert (tmp_path / "core.fits").stat().st_size > 10_000


def test_the_readme_without_a_server(tmp_path: Path, demo_folder: Path, environment: Any) -> None:
    code = _blocks("README.md", "python").replace("awe.connect()", f"awe.connect({str(demo_folder)!r})")
    _run_python(code, tmp_path, environment())
    _assert_picture(tmp_path / "m87.png")


def test_the_tutorial(tmp_path: Path, service: Any, environment: Any) -> None:
    _run_python(_blocks("docs/tutorial/m87.md", "python"), tmp_path, environment(AWE_URL=service.url))
    _assert_picture(tmp_path / "m87.png")
    _assert_picture(tmp_path / "m87_core.png")


def test_the_commands_of_the_pages(service: Any, awe: Callable[..., Any], tmp_path: Path) -> None:
    mine = tmp_path / "candidates.vot"
    some = "SELECT TOP 5 MatchRA AS ra, MatchDec AS dec FROM hsc.SumCat"
    assert awe("query", some, "--save", str(mine), AWE_URL=service.url).returncode == 0
    pages = "\n".join(_blocks(page, "sh") for page in ("README.md", "docs/howto/query.md"))
    commands = [line.removeprefix(".venv/bin/") for line in pages.splitlines()]
    asked = [line for line in commands if line.startswith("awe ") and "--save" not in line]
    assert len(asked) >= 6
    for line in asked:
        words = _words(line.replace(mine.name, str(mine)))[1:]
        done = awe(*words, AWE_URL=service.url)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert words[0] not in {"query", "cone", "images", "crossmatch"} or "row" in done.stderr


def _words(line: str) -> list[str]:
    import shlex

    return shlex.split(line, comments=True)
