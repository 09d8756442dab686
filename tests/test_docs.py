"""The documentation says what the code does: reference pages, README lines, tutorial."""

import importlib.util
import re
from pathlib import Path

from fastapi.routing import iter_route_contexts

from awe.web import ROUTES
from awe.web.api import router

ROOT = Path(__file__).resolve().parents[1]


def _generate() -> dict[Path, str]:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[Path, str] = module.pages()
    return pages


def test_the_reference_pages_are_those_of_the_code() -> None:
    stale = [path.name for path, text in _generate().items() if not path.exists() or path.read_text() != text]
    assert not stale, f"run `make docs`: {', '.join(stale)}"


def test_every_address_says_who_may_use_it() -> None:
    tables = "".join(path.read_text() for path in sorted((ROOT / "tests/web/authorization").glob("*.txt")))
    said = {(method, path) for method, path in re.findall(r"^([A-Z]+) +(/\S*) +\|", tables, re.MULTILINE)}
    there = {(method, entry.path) for entry in ROUTES for method in entry.methods.split()}
    for route in iter_route_contexts(router.routes):
        there |= {(method, str(route.path)) for method in route.methods or () if method != "HEAD"}
    assert not there - said, "see tests/web/test_authorization.py"
    assert not said - there, "there is no such address any more"


def test_every_page_is_linked() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = [p.relative_to(ROOT / "docs").with_suffix("").as_posix() for p in (ROOT / "docs").rglob("*.md")]
    lost = [page for page in pages if page != "index" and page not in index]
    assert not lost


def _drawn() -> set[str]:
    """Return the paths that the architecture's tree draws, without those that a dagger marks as plan."""
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    tree = page.partition("    src/awe/\n")[2].partition("\n\n")[0]
    found: set[str] = set()
    parents = {4: "src/awe"}
    for line in tree.splitlines():
        drawn = re.match(r"( +)(† )?([\w.]+/?) ", line)
        assert drawn, line
        depth = len(drawn[1]) + len(drawn[2] or "")
        parents[depth] = f"{parents[depth - 2]}/{drawn[3]}".replace("//", "/") if depth > 4 else drawn[3]
        if not drawn[2]:
            found.add(parents[depth].rstrip("/"))
    return found


def test_the_architecture_draws_the_tree_that_is_there() -> None:
    drawn = _drawn()
    assert not [path for path in drawn if not (ROOT / path).exists()]
    for folder in ("src/awe", "src/awe/core", "src/awe/services", "src/awe/web"):
        there = {
            f"{folder}/{path.name}"
            for path in (ROOT / folder).iterdir()
            if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py"
            if not path.name.startswith("_")
        }
        assert there <= drawn, folder
