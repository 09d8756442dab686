"""RESULTS.md: one section for each benchmark file, replaced by a new run of it."""

import os
import platform
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from frame import Measured

__all__ = ["machine", "section", "write"]

_PACKAGES = (
    "numpy", "pyarrow", "duckdb", "astropy", "cdshealpix", "scipy", "lsdb", "psycopg", "sqlglot", "astrocut", "fitsio",
)  # fmt: skip
_HEAD = """# Measured

Written by `make bench`: every job is done by awe and by its peers in the same run, interleaved, after their answers
were compared. Times are medians; a ratio says how many times faster awe is. Figures of different sections may be of
different runs; each says when, where and with which versions it was made.
"""
_FORMS: dict[str, Callable[[float], str]] = {
    "ms": lambda seconds: f"{seconds * 1000:.3g}",
    "s": lambda seconds: f"{seconds:.3g}",
    "/s": lambda seconds: f"{1 / seconds:.4g}",
}


def machine() -> str:
    """Say what this was measured with."""
    known = []
    for name in _PACKAGES:
        try:
            known.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    where = f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"
    return f"{where}; Linux {platform.release()}; Python {platform.python_version()}; {', '.join(known)}"


def _processor() -> str:
    found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.machine()


def section(measured: Measured) -> str:
    """Return a job's table."""
    job = measured.job
    peers = [peer.name for peer in job.peers if peer.name not in measured.absent]
    grown = {name: measured.growth(name) for name in peers}
    head = [job.unit, *(c.name for c in job.cases)]
    rows = [[name, *(_cell(measured, name, case.name) for case in job.cases)] for name in peers]
    if any(grown.values()):
        head.append(f"grows with {job.per}" if job.per else "grows as")
        for row in rows:
            law = grown[row[0]]
            row.append("" if law is None else f"^{law:.2f}")
    lines = [f"### {job.name}", "", job.title, "", *_table(head, rows), ""]
    lines += [f"- {name} is not here: {why}" for name, why in measured.absent.items()]
    lines += [f"- **answers differ**: {said}" for said in measured.differ]
    if job.compared and len(peers) > 1 and not measured.differ:
        lines.append("- The answers are equal.")
    lines += [_reached(measured, *key, goal) for key, goal in job.goals.items() if key[0] in peers]
    return "\n".join(lines) + "\n"


def _cell(measured: Measured, peer: str, case: str) -> str:
    taken = measured.median(peer, case)
    if taken is None:
        return ""
    text = _FORMS[measured.job.unit](taken)
    ratio = measured.ratio(peer, case)
    if ratio is not None and peer != measured.job.peers[0].name:
        text += f" ({ratio:.3g}x)"
    peak = measured.peak_mb.get((peer, case))
    return f"{text}, {peak:.0f} MB" if peak else text


def _reached(measured: Measured, peer: str, case: str, goal: float) -> str:
    ratio = measured.ratio(peer, case)
    said = "not measured" if ratio is None else f"{ratio:.3g}x"
    return f"- {case} against {peer}: at least {goal:g}x wanted, {said}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rows)]


def write(path: Path, name: str, sections: Sequence[str], said: str) -> None:
    """Put a benchmark file's section into the page, in place of the one that was there."""
    known: dict[str, str] = {}
    if path.exists():
        for part in path.read_text(encoding="utf-8").split("\n## ")[1:]:
            title, _, body = part.partition("\n")
            known[title] = body.strip("\n")
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    known[name] = f"\n{when}, {said}.\n{machine()}.\n\n" + "\n".join(sections).strip("\n")
    text = _HEAD + "".join(f"\n## {title}\n{body}\n" for title, body in sorted(known.items()))
    path.write_text(text, encoding="utf-8")
