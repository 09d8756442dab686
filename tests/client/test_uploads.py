"""Tables that the client sends with a query."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table

from awe.client import Client, connect
from awe.errors import InputFileError, ParameterError
from awe.testing import TINY_TABLE, tiny_archive


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sky")
    tiny_archive(made).close()
    return made


@pytest.fixture(scope="module")
def archive(folder: Path) -> Iterator[Client]:
    with connect(folder) as opened:
        yield opened


def test_an_astropy_table_comes_back_with_units_and_masks(archive: Client) -> None:
    mine = Table(
        {
            "n": MaskedColumn([1, 2, 2**53 + 1], mask=[False, True, False]),
            "text": np.array(["a", "β", ""]),
            "flux": u.Quantity(np.array([1.5, np.nan, -1.0], ">f4"), u.mJy),
            "pair of": np.arange(6).reshape(3, 2),
            "z": np.array([1 + 2j, 0, -1j]),
        }
    )
    mine["flux"].meta["ucd"] = "phot.flux"
    found = archive.query("SELECT * FROM TAP_UPLOAD.mine", uploads={"mine": mine})
    assert found.colnames == mine.colnames
    assert [None if v is np.ma.masked else int(v) for v in found["n"]] == [1, None, 2**53 + 1]
    assert list(found["text"]) == ["a", "β", ""]
    assert np.array_equal(np.ma.filled(found["flux"], np.nan), mine["flux"], equal_nan=True)
    assert (found["flux"].unit, found["flux"].meta["ucd"]) == (u.mJy, "phot.flux")
    assert np.array_equal(found["pair of"], mine["pair of"])


def test_positions_of_a_qtable_are_joined(archive: Client) -> None:
    some = archive.query(f"SELECT TOP 3 id, ra, dec FROM {TINY_TABLE} ORDER BY id")
    mine = QTable({"where": SkyCoord(some["ra"], some["dec"], unit="deg"), "seen": [1, 2, 3] * u.s})
    query = (
        f"SELECT s.id FROM TAP_UPLOAD.m AS m JOIN {TINY_TABLE} AS s"
        ' ON DISTANCE(m."where.ra", m."where.dec", s.ra, s.dec) < 0.000001 ORDER BY s.id'
    )
    assert list(archive.query(query, uploads={"m": mine})["id"]) == list(some["id"])


def test_other_tables_and_files(archive: Client, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", None]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for mine in (
        frame,
        pa.table({"x": [1, 2], "y": ["a", None]}),
        tmp_path / "t.csv",
        str(tmp_path / "t.parquet"),
    ):
        for lang in ("adql", "tsql", "postgres"):
            found = archive.query("SELECT x, y FROM TAP_UPLOAD.t ORDER BY x", lang=lang, uploads={"t": mine})
            assert list(found["x"]) == [1, 2]
            assert [v is np.ma.masked for v in found["y"]] == [False, True]
    saved = archive.query("SELECT x FROM TAP_UPLOAD.t", uploads={"t": frame}, save=tmp_path / "s.csv")
    assert saved.read_text().split() == ["x", "1", "2"]


def test_what_is_no_table_is_said(archive: Client, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="No such file"):
        archive.query("SELECT 1 AS one", uploads={"t": tmp_path / "none.vot"})
    with pytest.raises(ParameterError, match="t: list"):
        archive.query("SELECT 1 AS one", uploads={"t": [1, 2]})
    with pytest.raises(ParameterError, match="not the name of a table"):
        archive.query("SELECT 1 AS one", uploads={"a b": Table({"x": [1]})})


@pytest.mark.slow
def test_the_command(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x\n1\n41\n")

    def run(upload: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "awe",
            "query",
            "SELECT SUM(x) AS s FROM TAP_UPLOAD.t",
            "--at",
            str(folder),
        ]
        return subprocess.run([*command, "--upload", upload], capture_output=True, text=True, check=False)

    assert "42" in run(f"t={tmp_path}/t.csv").stdout
    wrong = run("t")
    assert wrong.returncode != 0
    assert "is not NAME=FILE" in wrong.stderr


def test_one_table_of_several_is_sent(archive: Client, tmp_path: Path) -> None:
    one = '<TABLE name="{0}"><FIELD name="{0}" datatype="int"/><DATA><TABLEDATA><TR><TD>{1}</TD></TR></TABLEDATA></DATA></TABLE>'
    tables = one.format("a", 1) + one.format("b", 2)
    (tmp_path / "t.vot").write_text(f"<VOTABLE><RESOURCE>{tables}</RESOURCE></VOTABLE>")
    found = archive.query("SELECT b FROM TAP_UPLOAD.t", uploads={"t": tmp_path / "t.vot[b]"})
    assert found["b"].tolist() == [2]
    with pytest.raises(InputFileError, match="several tables"):
        archive.query("SELECT a FROM TAP_UPLOAD.t", uploads={"t": tmp_path / "t.vot"})
