"""Formats: a million rows of twelve columns written and read, beside astropy and stilts."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from astropy.table import Table
from frame import AbsentError, Case, Job, Peer, Timed
from sky import Sky

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS

__all__ = ["jobs"]

_ROWS = 1_000_000
_ASTROPY = {
    "votable/b2": {"format": "votable", "tabledata_format": "binary2"},
    "votable": {"format": "votable", "tabledata_format": "tabledata"},
    "fits": {"format": "fits"},
    "csv": {"format": "ascii.csv"},
}
_STILTS = {
    "votable/b2": "votable-binary2-inline",
    "votable": "votable-tabledata",
    "fits": "fits-basic",
    "csv": "csv",
}
_GOALS = {
    "votable/b2": {"astropy": 150, "stilts": 2.5},
    "votable": {"astropy": 60, "stilts": 3},
    "fits": {"astropy": 3, "stilts": 4},
    "csv": {"astropy": 25, "stilts": 8},
}


def jobs(sky: Sky) -> Iterable[Job]:
    """Writing, and reading what was written."""
    rows = _table(min(_ROWS, sky.rows))
    written = [Case(name, (name,) * sky.times(5)) for name in _ASTROPY]
    read = [Case(name, (name,) * sky.times(1)) for name in _ASTROPY]
    yield Job(
        "write",
        f"{rows.num_rows:,} rows of {rows.num_columns} columns to a new file; the start of stilts is deducted.",
        (
            Peer("awe", lambda: _writing(rows), _read),
            Peer("astropy", lambda: _astropy_writing(rows), _read),
            Peer("stilts", lambda: _stilts_writing(rows), _read),
        ),
        written,
        same=_differ,
        goals={(peer, name): goal for name, goals in _GOALS.items() for peer, goal in goals.items()},
        unit="s",
    )
    yield Job(
        "read",
        "The same files read.",
        (
            Peer("awe", lambda: _reading(rows), lambda table: table.num_rows),
            Peer("astropy", lambda: _astropy_reading(rows), len),
        ),
        read,
        goals={("astropy", "votable/b2"): 20, ("astropy", "votable"): 20},
        unit="s",
    )


def _table(rows: int) -> pa.Table:
    rng = np.random.default_rng(1)
    columns: dict[str, object] = {
        "source_id": rng.integers(0, 1 << 60, rows),
        "name": [f"star {i}" for i in range(rows)],
    }
    columns |= {f"d{i}": rng.random(rows) * 360 for i in range(5)}
    columns |= {f"f{i}": rng.random(rows).astype("f4") for i in range(4)}
    columns["n"] = rng.integers(0, 99, rows).astype("i4")
    return pa.table(columns)


def _new(path: Path) -> Path:
    """Return a path where no file is: one cut to nothing and written again is flushed to the disk by ext4, when it is closed."""
    path.unlink(missing_ok=True)
    return path


def _write(name: str, rows: pa.Table, path: Path) -> Path:
    with _new(path).open("wb") as out:
        for chunk in FORMATS[name].write(TableStream.from_table(rows)):
            out.write(chunk)
    return path


def _suffix(name: str) -> str:
    return FORMATS[name].extensions[0]


def _read(path: Path) -> pa.Table:
    form = next(form for form in FORMATS.values() if path.suffix in form.extensions)
    with form.read(path) as stream:
        return stream.to_table()


def _differ(ours: pa.Table, theirs: pa.Table) -> str:
    if ours.num_rows != theirs.num_rows:
        return f"{ours.num_rows} and {theirs.num_rows} rows"
    for name in ours.column_names:
        one, other = (t[name].combine_chunks() for t in (ours, theirs))
        if pa.types.is_floating(one.type):
            equal = np.allclose(one.to_numpy(), other.to_numpy(), rtol=1e-7, atol=0)
        else:
            equal = one.to_pylist() == other.to_pylist()
        if not equal:
            return f"{name} differs"
    return ""


@contextmanager
def _writing(rows: pa.Table) -> Iterator[Callable[[str], Path]]:
    with TemporaryDirectory() as folder:
        yield lambda name: _write(name, rows, Path(folder) / f"awe{_suffix(name)}")


@contextmanager
def _astropy_writing(rows: pa.Table) -> Iterator[Callable[[str], Path]]:
    table = Table({name: rows[name].to_numpy() for name in rows.column_names if name != "name"})
    table.add_column(np.array(rows["name"].to_pylist()), 1, "name")

    def write(name: str) -> Path:
        path = _new(Path(folder) / f"astropy{_suffix(name)}")
        table.write(path, **_ASTROPY[name])
        return path

    with TemporaryDirectory() as folder:
        yield write


@contextmanager
def _stilts_writing(rows: pa.Table) -> Iterator[Callable[[str], Timed]]:
    stilts = shutil.which("stilts")
    if stilts is None:
        raise AbsentError("install the Debian package stilts")
    with TemporaryDirectory() as folder:
        source = _write("fits", rows, Path(folder) / "source.fits")
        one = _write("fits", rows.slice(0, 1), Path(folder) / "one.fits")

        def seconds(read: Path, name: str, path: Path) -> float:
            begun = time.perf_counter()
            subprocess.run(
                [stilts, "tcopy", f"in={read}", f"out={_new(path)}", f"ofmt={_STILTS[name]}"], check=True
            )
            return time.perf_counter() - begun

        def write(name: str) -> Timed:
            path = Path(folder) / f"stilts{_suffix(name)}"
            start = seconds(one, name, path)
            return Timed(path, max(1e-3, seconds(source, name, path) - start))

        yield write


@contextmanager
def _reading(rows: pa.Table) -> Iterator[Callable[[str], pa.Table]]:
    with TemporaryDirectory() as folder:
        paths = {name: _write(name, rows, Path(folder) / f"rows{_suffix(name)}") for name in _ASTROPY}
        yield lambda name: FORMATS[name].read(paths[name]).to_table()


@contextmanager
def _astropy_reading(rows: pa.Table) -> Iterator[Callable[[str], Table]]:
    with TemporaryDirectory() as folder:
        paths = {name: _write(name, rows, Path(folder) / f"rows{_suffix(name)}") for name in _ASTROPY}
        yield lambda name: Table.read(paths[name], format=_ASTROPY[name]["format"])
