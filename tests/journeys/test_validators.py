"""The Virtual Observatory's own validators against a running archive: the demonstration sky and real data."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

pytestmark = pytest.mark.slow

REAL_TABLES = {
    "survey.gaia_47tuc": ("c_catalogues/gaia_dr3_47tuc_14530.csv.gz", "ra", "dec"),
    "survey.sdss_dr9": ("c_catalogues/sdss_dr9_12405.vot.gz", "RA_ICRS", "DE_ICRS"),
    "survey.tycho2": ("c_catalogues/tycho2_mag6.fits", "RA", "DEC"),
}
REAL_IMAGES = {"galaxies": "a2_galaxy_images", "hst": "a_hst_images"}
EXPLAINED = {
    "CAP-CULF": "COALESCE is declared under the key of ADQL 2.1, which this version of STILTS does not know",
}
"""Warnings of taplint that may stay, by code, each with its reason."""

REAL_SPECTRA = "e_spectra"
FORMATS = ("votable", "votable/b", "votable/b2", "votable/fits")


@pytest.fixture(scope="module")
def archive(
    demo_folder: Path,
    shared_data: Path,
    awe: Callable[..., "subprocess.CompletedProcess[str]"],
    up: Callable[..., object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Return the address of a server with the demonstration sky and some real catalogues and images."""
    folder = tmp_path_factory.mktemp("full") / "sky"
    shutil.copytree(demo_folder, folder, ignore=shutil.ignore_patterns("awe.db*"))
    with sqlite3.connect(demo_folder / "awe.db") as source, sqlite3.connect(folder / "awe.db") as copy:
        source.backup(copy)
    source.close()
    copy.close()
    for name, (file, ra, dec) in REAL_TABLES.items():
        done = awe(
            "publish", "table", name, str(shared_data / file), "--ra", ra, "--dec", dec, "--data", str(folder)
        )
        assert done.returncode == 0, done.stderr
    for name, images in REAL_IMAGES.items():
        done = awe("publish", "images", name, str(shared_data / images), "--data", str(folder))
        assert done.returncode == 0, done.stderr
    done = awe("publish", "spectra", "spectra", str(shared_data / REAL_SPECTRA), "--data", str(folder))
    assert done.returncode == 0, done.stderr
    with up(folder) as running:  # type: ignore[attr-defined]
        yield running.url


@pytest.fixture(scope="module")
def taplint(archive: str, stilts: str) -> str:
    """Return what taplint says of the archive, all of its stages."""
    command = [stilts, "taplint", f"tapurl={archive}/tap", "report=EWF"]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=600).stdout


def test_taplint_has_no_error_and_no_failure(taplint: str) -> None:
    assert re.search(r"Totals: Errors: 0; Warnings: \d+; Failures: 0", taplint), taplint


def test_taplint_warns_of_nothing_unexplained(taplint: str) -> None:
    warned = re.findall(r"^W-(\w+-\w+)-\d+ (.*)$", taplint, re.MULTILINE)
    assert [(code, text) for code, text in warned if code not in EXPLAINED] == []


def _answers() -> Iterator[tuple[str, str]]:
    sync = {"LANG": "ADQL"}
    for form in FORMATS:
        for what, query in (
            ("rows", "SELECT TOP 5 * FROM hsc.SumCat"),
            ("none", "SELECT * FROM hsc.SumCat WHERE MatchID < 0"),
            ("index", "SELECT TOP 5 * FROM ivoa.obscore"),
            ("schema", "SELECT * FROM TAP_SCHEMA.columns"),
        ):
            yield (
                f"tap {what} {form}",
                "/tap/sync?" + urlencode(sync | {"QUERY": query, "RESPONSEFORMAT": form}),
            )
    overflow = {"QUERY": "SELECT MatchID FROM hsc.SumCat", "MAXREC": "3"}
    yield "tap overflow", "/tap/sync?" + urlencode(sync | overflow)
    yield "tap error", "/tap/sync?" + urlencode(sync | {"QUERY": "DUFF"})
    cone = {"RA": 187.7, "DEC": 12.39, "SR": 0.01}
    yield "cone", "/scs/hsc.SumCat?" + urlencode(cone)
    yield "cone metadata", "/scs/hsc.SumCat?" + urlencode(cone | {"SR": 0})
    yield "cone error", "/scs/hsc.SumCat?" + urlencode(cone | {"SR": -1})
    yield "sia", "/sia?POS=187.7,12.39&SIZE=0.1"
    yield "sia metadata", "/sia?FORMAT=METADATA"
    yield "sia error", "/sia?POS=x"
    yield "ssa", "/ssa?REQUEST=queryData&POS=187.7,12.39&SIZE=1"
    yield "ssa metadata", "/ssa?REQUEST=queryData&FORMAT=METADATA"
    yield "ssa error", "/ssa?REQUEST=nix"
    yield "links", "/datalink/links"
    yield "sia2", "/sia2/query?POS=CIRCLE+187.7+12.39+0.1"
    yield "sia2 metadata", "/sia2/query?MAXREC=0"
    yield "sia2 error", "/sia2/query?POS=x"


@pytest.mark.parametrize(("what", "path"), list(_answers()), ids=[what for what, _ in _answers()])
def test_votlint_is_silent(archive: str, stilts: str, tmp_path: Path, what: str, path: str) -> None:
    file = tmp_path / "answer.vot"
    answer = httpx.get(archive + path, timeout=60)
    file.write_bytes(answer.content)
    done = subprocess.run([stilts, "votlint", str(file)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            (
                "coneskymatch serviceurl={url}/scs/hsc.SumCat in={mine} ifmt=csv ra=ra dec=dec sr=0.0002 find=each"
                " usefoot=false omode=count"
            ),
            "rows: 20",
        ),
        (
            (
                "tapskymatch tapurl={url}/tap taptable=hsc.SumCat taplon=MatchRA taplat=MatchDec in={mine} ifmt=csv"
                " inlon=ra inlat=dec sr=0.0001 find=best blocksize=7 omode=count"
            ),
            "rows: 20",
        ),
        (
            (
                "tapquery tapurl={url}/tap sync=false nupload=1 upload1={mine} ufmt1=csv upname1=mine"
                " adql=SELECT\u00a0COUNT(*)\u00a0AS\u00a0n\u00a0FROM\u00a0TAP_UPLOAD.mine omode=out ofmt=csv"
            ),
            "n 20",
        ),
    ],
    ids=lambda words: words.split()[0],
)
def test_stilts_matches_its_own_tables(
    archive: str, stilts: str, tmp_path: Path, arguments: str, told: str
) -> None:
    mine = tmp_path / "mine.csv"
    query = {"LANG": "ADQL", "RESPONSEFORMAT": "csv"} | {
        "QUERY": "SELECT TOP 20 MatchRA AS ra, MatchDec AS dec FROM hsc.SumCat"
    }
    mine.write_bytes(httpx.get(f"{archive}/tap/sync", params=query, timeout=60).content)
    words = [word.replace("\u00a0", " ").format(url=archive, mine=mine) for word in arguments.split(" ")]
    done = subprocess.run([stilts, *words], check=False, capture_output=True, text=True, timeout=300)
    assert told in " ".join((done.stdout + done.stderr).split())
