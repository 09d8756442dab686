"""The Data Lab's own Python client, unmodified, in the Python and with the old packages that it needs."""

import fcntl
import hashlib
import json
import os
import subprocess
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.systems.programs import program

__all__ = ["DataLabClient", "datalab_client"]

_REQUIREMENTS = Path(__file__).with_name("datalab.txt")
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "awe-tests"
_BEFORE = """
import json, sys
from dl import authClient as ac, queryClient as qc, resClient as rc, storeClient as sc
B, _said = sys.argv[1] + "/datalab", {}
for _module, _name in ((ac, "auth"), (qc, "query"), (sc, "storage"), (rc, "res")):
    _module.set_svc_url(f"{B}/{_name}")
sc.sc_client.qm_svc_url = B + "/query"

def say(**values):
    _said.update(values)

def error(function, *args, **kw):
    try:
        return f"no error: {function(*args, **kw)}"
    except Exception as error:
        return str(error)
"""
_AFTER = """
with open(sys.argv[2], "w") as _out:
    json.dump(_said, _out, default=lambda value: value.item())
"""


@dataclass(frozen=True)
class DataLabClient:
    """Runs scripts that use the client; each has its own home folder, where the client keeps its logins.

    Attributes
    ----------
    programs
        The folder of ``python`` and of the command ``datalab``.
    folder
        Makes an empty folder.
    """

    programs: Path
    folder: Callable[[], Path]

    def run(self, server: str, script: str, home: Path | None = None) -> dict[str, Any]:
        """Run a script; return what it gave to ``say(name=value, ...)``.

        The script knows ``ac``, ``qc``, ``sc`` and ``rc``, which talk to `server`, its address ``B``, and
        ``error(function, ...)``, which returns the text of what is raised.
        """
        home = home or self.folder()
        file, said = home / "script.py", home / "said.json"
        file.write_text(f"{_BEFORE}\n{textwrap.dedent(script)}\n{_AFTER}")
        self.command(home, "python", str(file), server, str(said))
        found: dict[str, Any] = json.loads(said.read_text())
        return found

    def command(self, home: Path, name: str, *arguments: str) -> str:
        """Run one of its programs in a home folder; what it printed."""
        kept = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "TMPDIR"}}
        done = subprocess.run(
            [self.programs / name, *arguments], capture_output=True, text=True, check=False, timeout=300,
            cwd=home, env={**kept, "HOME": str(home), "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def datalab_client(tmp_path_factory: pytest.TempPathFactory) -> DataLabClient:
    """Return the client; what it needs is installed once, into a folder that is kept."""
    python = program("python3.11", "python3.11")
    folder = _CACHE / f"astro-datalab-{hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "astro-datalab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
            pip = [
                str(folder / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "-r",
                str(_REQUIREMENTS),
            ]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return DataLabClient(folder / "bin", lambda: tmp_path_factory.mktemp("datalab"))
