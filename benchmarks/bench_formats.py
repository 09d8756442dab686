"""Write and read a million rows of twelve columns in every format, beside astropy and stilts.

Run: ``python benchmarks/bench_formats.py [ROWS]``. astropy writes and reads ``ROWS``, too; stilts, where it is
installed, converts the FITS file (its start counts: about 0.3 s).
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from astropy.table import Table

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS

PEERS = {
    "votable": ("votable", "tabledata"),
    "votable/b2": ("votable", "binary2"),
    "fits": ("fits", None),
    "csv": ("ascii.csv", None),
}
STILTS = {
    "votable": "votable-tabledata",
    "votable/b2": "votable-binary2-inline",
    "fits": "fits-basic",
    "csv": "csv",
}


def table(rows: int) -> pa.Table:
    rng = np.random.default_rng(1)
    columns: dict[str, object] = {
        "source_id": rng.integers(0, 1 << 60, rows),
        "name": [f"star {i}" for i in range(rows)],
    }
    columns |= {f"d{i}": rng.random(rows) * 360 for i in range(5)}
    columns |= {f"f{i}": rng.random(rows).astype("f4") for i in range(4)}
    columns["n"] = rng.integers(0, 99, rows).astype("i4")
    return pa.table(columns)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write(name: str, rows: pa.Table, path: Path) -> None:
    with path.open("wb") as out:
        for chunk in FORMATS[name].write(TableStream.from_table(rows)):
            out.write(chunk)


def main(count: int) -> None:
    rows = table(count)
    peer = Table({name: rows[name].to_numpy() for name in rows.column_names if name != "name"})
    peer["name"] = np.array(rows["name"].to_pylist())
    stilts = shutil.which("stilts")
    print(
        f"{count} rows x {rows.num_columns} columns, seconds\n{'format':12}{'write':>8}{'read':>8}{'astropy':>9}{'reads':>8}{'stilts':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.fits"
        write("fits", rows, source)
        for name, made in FORMATS.items():
            path = Path(folder) / f"awe{made.extensions[0]}"
            wrote = timed(lambda n=name, p=path: write(n, rows, p))
            read = timed(lambda m=made, p=path: [None for _ in m.read(p)])
            line = f"{name:12}{wrote:8.2f}{read:8.2f}"
            if name in PEERS:
                kind, serialization = PEERS[name]
                extra = {"tabledata_format": serialization} if serialization else {}
                line += f"{timed(lambda k=kind, e=extra: peer.write(Path(folder) / 'peer', format=k, overwrite=True, **e)):9.2f}"
                line += f"{timed(lambda k=kind: Table.read(Path(folder) / 'peer', format=k)):8.2f}"
                if stilts:
                    command = [stilts, "tcopy", f"in={source}", f"out={folder}/s", f"ofmt={STILTS[name]}"]
                    line += f"{timed(lambda c=command: subprocess.run(c, check=True)):8.2f}"
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
