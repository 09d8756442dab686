"""Tables of every type, sent by pyvo, STILTS and plain HTTP to a real server, and what comes back."""

import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import pyvo
from astropy.table import Table

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import VOTABLE_B, VOTABLE_B2, VOTABLE_TD, format_of
from awe.core.tables.formats.votable import VOTableFormat

pytestmark = pytest.mark.slow

SCHEMA = Schema(
    (
        Column("b", pa.bool_()),
        Column("u", pa.uint8(), null=255),
        Column("n", pa.int64(), "m/s", "phys.veloc", "a:b.c", description="a <velocity>", null=-1),
        Column("f", pa.float32(), "mag"),
        Column("when was it", pa.string(), xtype="timestamp"),
        Column("select", pa.string(), datatype="unicodeChar"),
        Column("bits", pa.list_(pa.bool_(), 11), datatype="bit"),
        Column("grid", pa.list_(pa.int32(), 6), arraysize="2x3"),
        Column("z", pa.list_(pa.float64(), 2), datatype="doubleComplex"),
        Column("some", pa.list_(pa.float64())),
        Column("names", pa.string(), arraysize="3x2"),
    )
)
ROWS: dict[str, list[Any]] = {
    "b": [True, False, None],
    "u": [0, 254, None],
    "n": [2**62 + 1, -(2**62), None],
    "f": [1.5, float("-inf"), None],
    "when was it": ["2020-01-01T00:00:00", "1999-12-31", None],
    "select": ["α & <b>", "é", None],
    "bits": [[True] * 11, [False, True] * 5 + [True], [False] * 11],
    "grid": [[1, 2, 3, 4, 5, 6], [0] * 6, [-1, 0, 0, 0, 0, 9]],
    "z": [[0.1, -0.2], [1.0, 2.0], [0.0, 0.0]],
    "some": [[0.1, 1e308], [5e-324], [2.5]],
    "names": ["ab cde", "abcdef", "x  y  "],
}
EVERY = pytest.mark.parametrize("made", [VOTABLE_TD, VOTABLE_B, VOTABLE_B2], ids=lambda m: m.serialization)


def sent(made: VOTableFormat, *left_out: str) -> bytes:
    kept = Schema(tuple(column for column in SCHEMA if column.name not in left_out))
    arrays = [pa.array(ROWS[column.name], column.type) for column in kept]
    rows = pa.Table.from_arrays(arrays, schema=kept.to_arrow())
    return b"".join(made.write(TableStream.from_table(rows, kept)))


@EVERY
@pytest.mark.parametrize("answer", ["votable", "votable/b", "votable/b2", "parquet"])
def test_values_and_metadata_come_back_exactly(
    made: VOTableFormat, answer: str, server: str, tmp_path: Path
) -> None:
    fields = {"QUERY": "SELECT * FROM TAP_UPLOAD.t", "UPLOAD": "t,param:t", "RESPONSEFORMAT": answer}
    parts = [f'Content-Disposition: form-data; name="{k}"\r\n\r\n{v}'.encode() for k, v in fields.items()]
    parts.append(b'Content-Disposition: form-data; name="t"; filename="t.vot"\r\n\r\n' + sent(made))
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    request = urllib.request.Request(f"{server}/tap/sync", body)
    request.add_header("Content-Type", "multipart/form-data; boundary=edge")
    path = tmp_path / "answer"
    with urllib.request.urlopen(request) as found:
        path.write_bytes(found.read())
    stream = format_of(path).read(path)
    for column, wanted in zip(stream.schema, SCHEMA, strict=True):
        for said in ("name", "unit", "ucd", "utype", "xtype", "description", "datatype", "arraysize"):
            assert getattr(column, said) == getattr(wanted, said), (column.name, said)
        assert column.null == wanted.null or made is VOTABLE_B or answer == "votable/b"
    assert stream.to_table().to_pydict() == ROWS


@EVERY
def test_stilts_gets_what_it_sent(made: VOTableFormat, server: str, stilts: str, tmp_path: Path) -> None:
    path, back = tmp_path / "mine.vot", tmp_path / "back.vot"
    path.write_bytes(sent(made, "z"))  # stilts has arrays of two for complex numbers
    query = [
        "sync=true",
        "nupload=1",
        "upname1=mine",
        f"upload1={path}",
        "adql=SELECT * FROM TAP_UPLOAD.mine",
    ]
    command = [stilts, "tapquery", f"tapurl={server}/tap", *query, f"out={back}", "ofmt=votable-tabledata"]
    subprocess.run(command, check=True, capture_output=True)
    found = VOTABLE_TD.read(back).to_table().to_pydict()
    for name in ROWS.keys() - {"z", "names", "bits"}:
        # a number that is not known is NaN to stilts
        values = [None if value is None or value != value else value for value in found[name]]  # noqa: PLR0124
        assert values == ROWS[name], name
    assert [value.rstrip() for value in found["names"]] == [value.rstrip() for value in ROWS["names"]]


@pytest.mark.filterwarnings("ignore")
def test_pyvo_gets_what_it_sent(server: str, session: Any) -> None:
    mine = Table({"n": np.array([1, 2**53 + 1]), "s": ["a", "βü"], "v": np.arange(4.0).reshape(2, 2)})
    service = pyvo.dal.TAPService(f"{server}/tap", session=session)
    for run in (service.run_sync, service.run_async):
        found = run("SELECT * FROM TAP_UPLOAD.mine", uploads={"mine": mine}).to_table()
        assert list(found["n"]) == list(mine["n"])
        assert [str(text) for text in found["s"]] == list(mine["s"])
        assert np.array_equal(found["v"], mine["v"])


def test_taplint_finds_nothing_wrong_with_uploads(server: str, stilts: str) -> None:
    command = [stilts, "taplint", f"tapurl={server}/tap", "stages=CAP UPL", "report=EF"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Errors: 0" in done.stdout, done.stdout
    assert "Failures: 0" in done.stdout, done.stdout
