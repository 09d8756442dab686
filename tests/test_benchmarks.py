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


_ASKED = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from asking import ask

class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *_: None

    def do_GET(self):
        said = self.path[1:].encode()
        self.send_response(200)
        if said.endswith(b"0"):
            self.send_header("Transfer-Encoding", "chunked")
            said = b"".join(b"%x\\r\\n%s\\r\\n" % (len(part), part) for part in (said, b"more")) + b"0\\r\\n\\r\\n"
        else:
            self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
Thread(target=server.serve_forever, daemon=True).start()
requests = [f"GET /{i} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode() for i in range(31)]
for clients in (1, 4, 50):
    print(*(answer.partition(b"\\r\\n\\r\\n")[2] for answer in ask(*server.server_address, requests, clients).answers))
"""


@pytest.mark.slow
def test_clients_read_whole_answers_and_keep_their_order() -> None:
    """However many clients share the requests, and however an answer says where it ends."""
    done = subprocess.run(
        [sys.executable, "-c", _ASKED], cwd=_BENCHMARKS, check=True, capture_output=True, text=True
    )
    chunked = "{0:x}\\r\\n{1}\\r\\n4\\r\\nmore\\r\\n0\\r\\n\\r\\n"
    bodies = [chunked.format(len(str(i)), i) if i % 10 == 0 else str(i) for i in range(31)]
    expected = " ".join(f"b'{body}'" for body in bodies)
    assert done.stdout.splitlines() == [expected] * 3


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
