"""STREAMs in every encoding of VOTable 1.5 section 5.5, and FITS inside a VOTable; astropy reads the file inside, STILTS all of it."""

import base64
import gzip
import io
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import VOTABLE_B2, VOTABLE_FITS, VOTABLE_TD

ROWS = {
    "id": pa.array([1, None, 3], pa.int32()),
    "ra": pa.array([187.7, None, 0.1], pa.float64()),
    "name": pa.array(["M 87", None, "x"], pa.string()),
    "short": pa.array(["x", None, ""], pa.string()),
    "ok": pa.array([True, None, False], pa.bool_()),
    "pair": pa.array([[1.5, 2.5], [3.5, 4.5], [5.5, 6.5]], pa.list_(pa.float32(), 2)),
    "some": pa.array([[1], [2, 3], [4, 5, 6]], pa.list_(pa.int16())),
}
TABLE = pa.table(ROWS)


def blank_is_null(table: pa.Table) -> list[dict[str, object]]:
    """Return the rows as FITS has them: a text of no characters is null."""
    return [{key: None if value == "" else value for key, value in row.items()} for row in table.to_pylist()]


def written(table: pa.Table = TABLE) -> bytes:
    return b"".join(VOTABLE_FITS.write(TableStream.from_table(table)))


def read(tmp_path: Path, document: bytes) -> pa.Table:
    path = tmp_path / "t.vot"
    path.write_bytes(document)
    return VOTABLE_TD.read(path).to_table()


@given(st.lists(st.binary(max_size=9)))
def test_base64_goes_on_from_piece_to_piece(pieces: list[bytes]) -> None:
    assert VOTABLE_B2.encoder is not None
    encoder = VOTABLE_B2.encoder(Schema.from_arrow(TABLE.schema))
    lines = [encoder.written(memoryview(piece)) for piece in pieces] + [encoder.finish()]
    assert b"".join(lines).replace(b"\n", b"") == base64.b64encode(b"".join(pieces))


def test_fits_inside_comes_back(tmp_path: Path) -> None:
    back = read(tmp_path, written())
    assert back.to_pylist() == blank_is_null(TABLE)
    assert back.schema.types == TABLE.schema.types


def test_a_long_fits_inside_comes_back(tmp_path: Path) -> None:
    table = pa.table({"n": pa.array(range(70_000), pa.int64()), "x": np.random.default_rng(1).random(70_000)})
    assert read(tmp_path, written(table)).equals(table)


def test_the_file_inside_is_fits(tmp_path: Path) -> None:
    text = written().partition(b"<STREAM")[2].partition(b">")[2].partition(b"</STREAM>")[0]
    with fits.open(io.BytesIO(base64.b64decode(text))) as hdus:
        hdus.verify("exception")
        assert [str(name).strip() for name in hdus[1].data["name"]] == ["M 87", "", "x"]
        assert hdus[1].data["ra"][0] == 187.7


def test_fits_of_another_writer(tmp_path: Path) -> None:
    inside = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(name="A"), fits.BinTableHDU.from_columns(
        [fits.Column("n", "J", null=-99, array=np.array([1, -99])), fits.Column("t", "5A", array=["ab", "c"])]
    )])  # fmt: skip
    content = io.BytesIO()
    inside.writeto(content)
    data = base64.b64encode(gzip.compress(content.getvalue())).decode()
    document = f"""<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>
    <FIELD name="number" datatype="long"/><FIELD name="text" datatype="unicodeChar" arraysize="*"/>
    <DATA><FITS extnum="2"><STREAM encoding="gzip,base64">{data}</STREAM></FITS></DATA></TABLE></RESOURCE></VOTABLE>"""
    back = read(tmp_path, document.encode())
    assert back.to_pylist() == [{"number": 1, "text": "ab"}, {"number": None, "text": "c"}]
    assert back.schema.field("number").type == pa.int64()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["inline", "data", "data base64", "data percent"])
def test_streams_in_every_encoding(tmp_path: Path, place: str, packed: bool) -> None:
    document = b"".join(VOTABLE_B2.write(TableStream.from_table(TABLE)))
    before, _, rest = document.partition(b'<STREAM encoding="base64">')
    text, _, behind = rest.partition(b"</STREAM>")
    data = base64.b64decode(text)
    data = gzip.compress(data[:20]) + gzip.compress(data[20:]) if packed else data
    coded, word = base64.b64encode(data).decode(), "gzip" if packed else "base64"
    percent = "".join(f"%{byte:02x}" for byte in data)
    stream = {
        "inline": f'<STREAM encoding="{word}">{coded}</STREAM>',
        "data": f'<STREAM encoding="{word} base64" href="data:application/octet-stream,{coded}"/>',
        "data base64": f'<STREAM encoding="{"gzip" if packed else "none"}" href="data:;base64,{coded}"/>',
        "data percent": f'<STREAM encoding="{"gzip" if packed else "none"}" href="data:,{percent}"></STREAM>',
    }[place]
    back = read(tmp_path, before + stream.encode() + behind)
    assert back.to_pylist() == TABLE.to_pylist()


def test_a_failure_is_stated_without_rows() -> None:
    limits = pa.table({"n": pa.array([None, (1 << 63) - 1, -(1 << 63)], pa.int64())})
    document = written(limits)
    assert b"<DATA>" not in document
    assert b'value="ERROR"' in document


@pytest.mark.slow
def test_stilts_reads_it(tmp_path: Path, stilts: str) -> None:
    file, out = tmp_path / "t.vot", tmp_path / "t.csv"
    table = TABLE.drop_columns(["some"])  # STILTS reads no variable arrays from a FITS stream
    columns = tuple(Column(f.name, f.type, unit="deg" if f.name == "ra" else "") for f in table.schema)
    file.write_bytes(b"".join(VOTABLE_FITS.write(TableStream.from_table(table, Schema(columns)))))
    lint = subprocess.run([stilts, "votlint", str(file)], check=False, capture_output=True, text=True)
    assert lint.stdout + lint.stderr == ""
    subprocess.run(
        [stilts, "tpipe", f"in={file}", "ifmt=votable", f"out={out}", "ofmt=csv"],
        check=True,
        capture_output=True,
    )
    assert out.read_text().splitlines()[1] == '1,187.7,M 87,x,true,"(1.5, 2.5)"'
