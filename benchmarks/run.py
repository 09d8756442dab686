"""Run every benchmark, one after another, and print what they measured.

A benchmark is a script ``bench_*.py`` that prints a table; peers are measured in the same run, on the same
data. Figures mean something only side by side.
"""

import platform
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run them; the number of those that failed is the exit code."""
    here = Path(__file__).parent
    print(f"Python {platform.python_version()}, {platform.machine()}")
    failed = 0
    for script in sorted(here.glob("bench_*.py")):
        print(f"\n== {script.stem.removeprefix('bench_')}", flush=True)
        failed += subprocess.run([sys.executable, str(script), *sys.argv[1:]], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
