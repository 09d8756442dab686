"""The notebooks, the README's lines and the tutorial run as they stand, against `awe up`."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def _is_a_picture(path: Path) -> None:
    with Image.open(path) as picture:
        assert min(picture.size) > 300
        low, high = picture.convert("L").getextrema()
        assert high - low > 200, "the picture is blank"


def _run(notebook: str, service: Any, environment: Any, folder: Path) -> nbformat.NotebookNode:
    """Execute a notebook in a copy of the checkout's layout: examples/ beside sky/."""
    (folder / "examples").mkdir()
    (folder / "sky").symlink_to(service.folder)
    shutil.copy(ROOT / "examples" / notebook, folder / "examples")
    for name, value in environment(AWE_URL=service.url).items():
        pytest.MonkeyPatch().setenv(name, value)
    book = nbformat.read(folder / "examples" / notebook, as_version=4)
    client = NotebookClient(book, timeout=120, resources={"metadata": {"path": str(folder / "examples")}})
    client.execute()
    return book


def _text(book: nbformat.NotebookNode) -> str:
    found = []
    for cell in book.cells:
        for output in cell.get("outputs", []):
            found.append(output.get("text", "") + output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)
