"""The benchmark suite: one command makes its data, compares answers, and writes the page."""

import subprocess
import sys
from pathlib import Path

import pytest

_BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

_WRONG = """
from contextlib import nullcontext
from frame import AbsentError, Case, Job, Peer, measure
from results import section

def absent():
    raise AbsentError("install something")

job = Job("sum", "Sums.", (
    Peer("awe", lambda: nullcontext(lambda n: sum(range(n)))),
    Peer("wrong", lambda: nullcontext(lambda n: n)),
    Peer("right", lambda: nullcontext(lambda n: n * (n - 1) // 2)),
    Peer("nowhere", absent),
), [Case("few", (10, 10, 10), 10), Case("many", (200_000,) * 3, 200_000)], per="numbers")
print(section(measure(job)))
"""


def test_answers_are_compared_and_who_is_absent_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WRONG], cwd=_BENCHMARKS, check=True, capture_output=True, text=True
    )
    assert "- nowhere is not here: install something" in done.stdout
    differing = [line for line in done.stdout.splitlines() if "answers differ" in line]
    assert differing == [
        "- **answers differ**: few, awe and wrong: 45 and 10",
        "- **answers differ**: many, awe and wrong: 19999900000 and 200000",
    ]
    assert "grows with numbers" in done.stdout


_SLOW = """
from contextlib import nullcontext
from frame import Case, Job, Peer, Timed, measure

asked = []

def slow(given):
    asked.append(given)
    return Timed(given, 31.0, 5.0)

job = Job("wait", "Waits.", (
    Peer("awe", lambda: nullcontext(lambda n: n)), Peer("slow", lambda: nullcontext(slow)),
), [Case("one", (1,) * 3)])
measured = measure(job)
print(asked, measured.seconds["slow", "one"], measured.peak_mb["slow", "one"], len(measured.seconds["awe", "one"]))
"""


def test_who_takes_long_is_asked_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SLOW], cwd=_BENCHMARKS, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[1] [31.0] 5.0 3"


@pytest.mark.slow
def test_one_command_measures_and_writes_the_page(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    made = f"--rows 3000 --rounds 1 --data {tmp_path} --out {page}"
    command = [sys.executable, str(_BENCHMARKS / "run.py"), "sql", *made.split()]
    subprocess.run(command, check=True, capture_output=True)
    first = page.read_text()
    assert "\n## sql\n" in first
    assert "- The answers are equal." in first
    assert "answers differ" not in first
    subprocess.run(command, check=True, capture_output=True)
    assert page.read_text().count("\n## ") == first.count("\n## ")
