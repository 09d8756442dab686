"""The documentation says what the code does: reference pages, README lines, tutorial."""

import importlib.util
from pathlib import Path

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


def test_every_page_is_linked() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = [p.relative_to(ROOT / "docs").with_suffix("").as_posix() for p in (ROOT / "docs").rglob("*.md")]
    lost = [page for page in pages if page != "index" and page not in index]
    assert not lost
