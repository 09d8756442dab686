"""Cross-matches: all pairs of a catalogue and its partner within a radius, beside everything that astronomers use for it.

Who does it is a process of its own, which has imported what it needs and opened what it reads before the clock starts;
its highest memory is noted. Each reads its own kind of store: awe and LSDB the HATS catalogues, PostgreSQL its tables,
the others the Parquet files. What is given is the numbers of both rows of each pair and their separation.
"""

import json
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from frame import AbsentError, Case, Job, Peer, Timed
from sky import CATALOGUE, PARTNER, Sky, kept

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS

__all__ = ["jobs"]

Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Of each pair: the partner's number, the catalogue's, and their separation in arcseconds."""
Work = Callable[[], Found]

_ARCSEC = 1 / 3600
_LOST = 2e-5
"""The share of pairs that an answer may lack: LSDB loses a few at the borders of partitions."""


def jobs(sky: Sky) -> Iterable[Job]:
    """All pairs at one arcsecond; pairs as the radius grows; as the table grows."""
    best = ("q3c_join", "LSDB", "stilts tskymatch2", "astropy", "k-d tree")
    yield Job(
        "all pairs",
        "A tenth of the rows, 0.3 arcsec away, against all: numbers and separations of all pairs; seconds, in processes of their own.",
        [Peer(name, lambda n=name: _running(sky, n), _pairs) for name in _WORKERS],
        [Case("1 arcsec", [_ARCSEC] * sky.times(3))],
        same=_differ,
        goals={(name, "1 arcsec"): 6 for name in best},
        unit="s",
    )
    yield Job(
        "wider",
        "The same as the radius grows.",
        [
            Peer(name, lambda n=name: _running(sky, n), _pairs)
            for name in ("awe", "q3c_join", "DuckDB on cells")
        ],
        [Case(f"{r} arcsec", [r * _ARCSEC] * sky.times(2), r) for r in (0.1, 1, 5)],
        same=_differ,
        per="arcsec",
        unit="s",
    )


@contextmanager
def _running(sky: Sky, name: str) -> Iterator[Callable[[float], Timed]]:
    """Yield a cross-match in a process of its own."""
    if name == "q3c_join":
        from postgres import postgresql  # noqa: PLC0415  # a server of its own, which need not be there

        address = postgresql(sky)
    else:
        address = ""
    if name.startswith("stilts") and shutil.which("stilts") is None:
        raise AbsentError("install the Debian package stilts")
    if name == "LSDB" and find_spec("lsdb") is None:
        raise AbsentError("install lsdb from PyPI")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "pairs.npz"

        def match(radius_deg: float) -> Timed:
            command = [
                sys.executable,
                __file__,
                name,
                str(sky.folder),
                str(sky.rows),
                repr(radius_deg),
                str(out),
                address,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr)
            said = json.loads(done.stdout.strip().splitlines()[-1])
            with np.load(out) as found:
                pairs = found["one"], found["other"], found["arcsec"]
            return Timed(pairs, said["seconds"], said["peak_mb"])

        yield match


def _pairs(found: Found) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    order = np.lexsort((found[1], found[0]))
    return np.stack([found[0][order], found[1][order]]), found[2][order]


def _differ(
    ours: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]],
    theirs: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]],
) -> str:
    """Say how answers differ; a pair whose separation is the radius up to rounding may be in one alone."""
    if ours[0].shape == theirs[0].shape and (ours[0] == theirs[0]).all():
        worst = float(np.abs(ours[1] - theirs[1]).max(initial=0))
        return "" if worst < 1e-6 else f"separations differ by {worst} arcsec"
    keys = [{*zip(*answer[0].tolist(), strict=True)} for answer in (ours, theirs)]
    apart = len(keys[0] ^ keys[1])
    return (
        ""
        if apart <= _LOST * len(keys[0])
        else f"{len(keys[0]):,} and {len(keys[1]):,} pairs, {apart:,} not in both"
    )


# In the other process


@contextmanager
def _awe(sky: Sky, radius_deg: float, _: str) -> Iterator[Work]:
    text = (
        f"SELECT a.id, b.source_id, DISTANCE(a.ra, a.dec, b.ra, b.dec) * 3600 AS arcsec FROM {PARTNER} AS a"
        f" JOIN {CATALOGUE} AS b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) <= {radius_deg!r}"
    )
    limits = {"memory": "1GB", "rows": 1 << 40, "seconds": 3600}
    with sky.platform(limits=limits) as platform:

        def work() -> Found:
            table = platform.catalogs.query(text, max_rows=1 << 40, seconds=3600).to_table()
            one, other, arcsec = (column.to_numpy() for column in table.columns)
            return one, other, arcsec

        yield work


@contextmanager
def _q3c(_sky: Sky, radius_deg: float, address: str) -> Iterator[Work]:
    import psycopg  # noqa: PLC0415

    text = (
        "COPY (SELECT p.id, s.source_id, q3c_dist(p.ra, p.dec, s.ra, s.dec) * 3600 FROM partner p, sources s"
        f" WHERE q3c_join(p.ra, p.dec, s.ra, s.dec, {radius_deg!r})) TO STDOUT (FORMAT binary)"
    )
    row = np.dtype(
        [
            ("n", ">i2"),
            ("l1", ">i4"),
            ("one", ">i8"),
            ("l2", ">i4"),
            ("other", ">i8"),
            ("l3", ">i4"),
            ("d", ">f8"),
        ]
    )
    with psycopg.connect(address, autocommit=True) as connection:

        def work() -> Found:
            with connection.cursor().copy(text) as out:
                data = b"".join(out)
            rows = np.frombuffer(data, row, count=(len(data) - 21) // row.itemsize, offset=19)
            return rows["one"].astype("i8"), rows["other"].astype("i8"), rows["d"].astype("f8")

        yield work


@contextmanager
def _duckdb(sky: Sky, radius_deg: float, _: str) -> Iterator[Work]:
    """Join on HEALPix cells, the partner listed in the cells around: what one writes who knows how."""
    import duckdb  # noqa: PLC0415
    from cdshealpix import nested  # noqa: PLC0415

    order = min(14, int(math.log2(0.5 / math.radians(radius_deg))))
    with sky.platform() as platform:
        root = platform.settings.folder / "tables"
        one, other = (
            root / platform.catalogs.table(name).stored.location / "dataset" for name in (PARTNER, CATALOGUE)
        )
    limit = math.sin(math.radians(radius_deg) / 2) ** 2
    distance = (
        "(pow(sin(radians(a.dec - b.dec) / 2), 2) + cos(radians(a.dec)) * cos(radians(b.dec))"
        " * pow(sin(radians(a.ra - b.ra) / 2), 2))"
    )
    connection = duckdb.connect(":memory:")

    def work() -> Found:
        rows = pq.read_table(one, columns=["id", "ra", "dec", "_healpix_29"], partitioning=None)
        cells = rows["_healpix_29"].to_numpy() >> (2 * (29 - order))
        around = nested.neighbours(cells, order)
        numbers = np.repeat(np.arange(len(cells)), around.shape[1])
        good = around.ravel() >= 0
        listed = rows.take(pa.array(numbers[good])).append_column("cell", pa.array(around.ravel()[good]))
        connection.register("listed", listed)
        found = connection.sql(
            f"SELECT a.id, b.source_id, degrees(2 * asin(sqrt({distance}))) * 3600 AS arcsec FROM listed AS a"
            f" JOIN read_parquet('{other}/**/*.parquet', hive_partitioning = false) AS b"
            f" ON a.cell = b._healpix_29 >> {2 * (29 - order)} WHERE {distance} <= {limit!r}"
        ).to_arrow_table()
        return tuple(column.to_numpy() for column in found.columns)

    yield work


@contextmanager
def _lsdb(sky: Sky, radius_deg: float, _: str) -> Iterator[Work]:
    import lsdb  # noqa: PLC0415
    from dask.distributed import Client  # noqa: PLC0415

    with sky.platform() as platform:
        root = platform.settings.folder / "tables"
        one, other = (root / platform.catalogs.table(name).stored.location for name in (PARTNER, CATALOGUE))
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:

        def work() -> Found:
            left = lsdb.open_catalog(one, columns=["id", "ra", "dec"])
            right = lsdb.open_catalog(other, columns=["source_id", "ra", "dec"], margin_cache=None)
            made = left.crossmatch(
                right,
                radius_arcsec=radius_deg * 3600,
                n_neighbors=20,
                require_right_margin=False,
                suffixes=("_a", "_b"),
            ).compute()
            return (
                made["id_a"].to_numpy("i8"),
                made["source_id_b"].to_numpy("i8"),
                made["_dist_arcsec"].to_numpy("f8"),
            )

        yield work
        client.close()


def _as_fits(sky: Sky, folder: Path) -> None:
    """Write what stilts reads: the numbers and positions as FITS tables."""
    for path, number in ((sky.partner, "id"), (sky.catalogue, "source_id")):
        table = pq.read_table(path, columns=[number, "ra", "dec"])
        with (folder / f"{path.stem}.fits").open("wb") as out:
            out.writelines(FORMATS["fits"].write(TableStream.from_table(table)))


@contextmanager
def _stilts(sky: Sky, radius_deg: float, _: str) -> Iterator[Work]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "pairs.fits"
        fits = kept(sky.folder, f"{sky.rows}-positions", lambda made: _as_fits(sky, made))
        places = [
            f"in1={fits}/partner.fits",
            f"in2={fits}/catalogue.fits",
            "ra1=ra",
            "dec1=dec",
            "ra2=ra",
            "dec2=dec",
        ]
        what = [f"error={radius_deg * 3600!r}", "find=all", "ifmt1=fits", "ifmt2=fits", "join=1and2"]
        keep = [f"out={out}", "ofmt=fits-basic"]

        def work() -> Found:
            subprocess.run(["stilts", "-J-Xmx8g", "tskymatch2", *places, *what, *keep], check=True)
            with FORMATS["fits"].read(out) as stream:
                found = dict(zip(stream.schema.names, stream.to_table().columns, strict=True))
            return tuple(found[name].to_numpy() for name in ("id", "source_id", "Separation"))

        yield work


def _read(sky: Sky) -> tuple[list[npt.NDArray[np.float64]], list[npt.NDArray[np.float64]]]:
    one, other = (
        pq.read_table(sky.partner, columns=["id", "ra", "dec"]),
        pq.read_table(sky.catalogue, columns=["source_id", "ra", "dec"]),
    )
    return [c.to_numpy() for c in one.columns], [c.to_numpy() for c in other.columns]


@contextmanager
def _astropy(sky: Sky, radius_deg: float, _: str) -> Iterator[Work]:
    from astropy import units as u  # noqa: PLC0415
    from astropy.coordinates import SkyCoord, search_around_sky  # noqa: PLC0415

    def work() -> Found:
        a, b = _read(sky)
        i, j, apart, _ = search_around_sky(
            SkyCoord(a[1], a[2], unit="deg"), SkyCoord(b[1], b[2], unit="deg"), radius_deg * u.deg
        )
        return a[0][i], b[0][j], apart.arcsec

    yield work


@contextmanager
def _kd_tree(sky: Sky, radius_deg: float, _: str) -> Iterator[Work]:
    from scipy.spatial import cKDTree  # noqa: PLC0415

    def vectors(ra: npt.NDArray[np.float64], dec: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        ra, dec = np.radians(ra), np.radians(dec)
        return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)

    def work() -> Found:
        a, b = _read(sky)
        one, other = vectors(a[1], a[2]), vectors(b[1], b[2])
        near = cKDTree(other).query_ball_point(one, 2 * math.sin(math.radians(radius_deg) / 2), workers=2)
        count = np.fromiter(map(len, near), np.int64, len(near))
        i, j = (
            np.repeat(np.arange(len(near)), count),
            np.concatenate([np.asarray(n, np.int64) for n in near if n]),
        )
        chord = np.linalg.norm(one[i] - other[j], axis=1)
        return a[0][i], b[0][j], np.degrees(2 * np.arcsin(chord / 2)) * 3600

    yield work


_WORKERS: Mapping[str, Callable[[Sky, float, str], object]] = {
    "awe": _awe, "q3c_join": _q3c, "LSDB": _lsdb, "stilts tskymatch2": _stilts, "astropy": _astropy,
    "k-d tree": _kd_tree, "DuckDB on cells": _duckdb,
}  # fmt: skip


def main(name: str, folder: str, rows: str, radius_deg: str, out: str, address: str) -> int:
    """Do one cross-match; print what it took."""
    sky = Sky(Path(folder), int(rows))
    with _WORKERS[name](sky, float(radius_deg), address) as work:
        begun = time.perf_counter()
        one, other, arcsec = work()
        seconds = time.perf_counter() - begun
    np.savez(out, one=one, other=other, arcsec=arcsec)
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"seconds": seconds, "peak_mb": most / 1024}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
