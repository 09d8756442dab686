"""Measure awe beside its peers: all jobs, or those named, and write ``RESULTS.md``.

Run as ``python benchmarks/run.py [cones crossmatch ...] [--rows 2e6] [--data FOLDER]``. What is measured is made
once and kept in the data folder. The files ``bench_*.py`` say what is measured: each has a function ``jobs``.
"""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from frame import measure
from results import section, write
from sky import Sky

_HERE = Path(__file__).parent
_PEERS = Path(sys.prefix) / "peers"
"""Where `make bench` puts the peers that nothing else needs; what both have is taken from awe's environment."""


def main(arguments: list[str] | None = None) -> int:
    """Run them; 1 when answers differ."""
    every = sorted(path.stem.removeprefix("bench_") for path in _HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", choices=[*every, []], help="which, all when none is named")
    parser.add_argument(
        "--rows", type=float, default=20e6, help="rows of the catalogue; its partner has a tenth"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each case, in place of each job's own number")
    parser.add_argument("--pixels", type=int, default=10_000, help="the side of the image")
    folder = Path(tempfile.gettempdir()) / "awe-benchmarks"
    parser.add_argument("--data", type=Path, default=folder, help=f"where the data are kept ({folder})")
    parser.add_argument("--out", type=Path, default=_HERE / "RESULTS.md", help="the page")
    options = parser.parse_args(arguments)
    sys.path.append(str(_PEERS))
    sky = Sky(options.data.resolve(), int(options.rows), options.pixels, options.rounds)
    different = 0
    for name in options.names or every:
        sections = []
        for job in import_module(f"bench_{name}").jobs(sky):
            measured = measure(job, lambda said: print(f"  {said}", file=sys.stderr, flush=True))
            sections.append(section(measured))
            different += bool(measured.differ)
            print(sections[-1], flush=True)
        write(options.out, name, sections, f"{sky.rows:,} rows, their partner {sky.partner_rows:,}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
