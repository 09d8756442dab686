"""The pages about catalogues in place and about scale: every command and every piece of Python of them."""

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from awe.cli import load_command
from awe.core.tables import Column, Schema, TableStream
from awe.platform import Platform
from awe.settings import Settings
from awe.testing import tiny_archive

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROWS = 2000
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]  # LSDB's own dependencies deprecate things


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def publish(platform: Platform, name: str, seed: int) -> None:
    placed, other = np.random.default_rng(1), np.random.default_rng(seed)
    rows = pa.table(
        {
            "id": np.arange(ROWS),
            "ra": 187.7 + placed.uniform(-0.2, 0.2, ROWS),
            "dec": 12.4 + placed.uniform(-0.2, 0.2, ROWS),
            "mag": other.uniform(15, 25, ROWS),
        }
    )
    schema = Schema(tuple(Column(field.name, field.type) for field in rows.schema), name)
    platform.catalogs.publish_stream(name, TableStream.from_table(rows, schema), ra="ra", dec="dec")


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, serving: Callable[..., AbstractContextManager[str]]
) -> Iterator[str]:
    with tiny_archive(tmp_path_factory.mktemp("sky")) as platform:
        publish(platform, "survey.stars", 1)
        publish(platform, "survey.galaxies", 2)
        with serving(platform) as url:
            yield url


@pytest.fixture
def here(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWE_URL", address)
    monkeypatch.delenv("AWE_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return address


def executed(page: str, address: str) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(block.replace("http://127.0.0.1:8765", address), known)  # the page's own code
    return known


def test_catalogues_in_place(here: str) -> None:
    known = executed("howto/in-place.md", here)
    assert 0 < len(known["bright"]) < ROWS
    assert (known["bright"]["mag"] < 20).all()
    assert (known["pairs"]["id_star"] == known["pairs"]["id_galaxy"]).mean() > 0.9
    assert len(known["pairs"]) == ROWS
    assert len(known["stars"]) == ROWS
    known["archive"].close()


def test_scale(here: str) -> None:
    known = executed("explanation/scale.md", here)
    assert known["told"].rows == ROWS
    known["archive"].close()
    lines = [line for block in blocks("explanation/scale.md", "sh") for line in block.splitlines()]
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)
        done = CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        assert done.output.startswith("reads ")


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    for block in blocks("explanation/scale.md", "toml"):
        said = tomllib.loads(block)
        (tmp_path / "awe.toml").write_text(block)
        read = Settings.load(tmp_path)
        assert read.scale.engine == said["scale"]["engine"]
        assert read.scale.bytes == said["scale"]["bytes"]


def test_the_plan_is_the_laws_applied() -> None:
    """The table of the plan is computed here again, from the constants of the page's first table."""
    page = (DOCS / "explanation/scale.md").read_text()
    law = {
        name: float(value) for name, value in re.findall(r"^\| `(\w+)` \|.*?\| ([\d.]+) ", page, re.MULTILINE)
    }
    plan = re.findall(
        r"^\| 10\^(\d+) \| ([\d.,]+) \| ([\d.,]+) TB \| ([\d.,]+) MB \| ([\d.,]+) s \| ([\d.,]+) s \| ([\d.,]+) s \|$",
        page,
        re.MULTILINE,
    )
    assert len(plan) == 4
    for power, partitions, size, directory, listing, opening, scan in plan:
        rows = 10.0 ** int(power)
        files = rows / law["filled"]
        wanted = {
            partitions: files,
            size: rows * law["row"] / 1e12,
            directory: files * law["listed"] / 1e6,
            listing: files * law["listing"] / 1e6,
            opening: files * law["opening"] / 1e3,
            scan: rows * law["scan"] / 1e9,
        }
        for written, value in wanted.items():
            assert float(written.replace(",", "")) == pytest.approx(value, rel=0.06), (power, written)
