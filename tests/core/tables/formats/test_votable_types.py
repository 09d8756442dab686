"""Every datatype of VOTable in every serialisation: kept exactly, and as astropy writes and reads it."""

import io
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.io.votable import parse, parse_single_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awe.core.tables import Column, Schema, TableStream, votable_type
from awe.core.tables.formats import VOTABLE_B, VOTABLE_B2, VOTABLE_TD, VOTableOptions
from awe.core.tables.formats._votable_rows import RowSplitter
from awe.core.tables.formats.votable import VOTableFormat
from awe.errors import UsageError

EVERY = pytest.mark.parametrize("made", [VOTABLE_TD, VOTABLE_B, VOTABLE_B2], ids=lambda m: m.serialization)
BOOL, FLOAT, DOUBLE = pa.bool_(), pa.float32(), pa.float64()

# name, datatype, arraysize, and what a FIELD of these becomes, with two values of it
COLUMNS: tuple[tuple[str, str, str, pa.DataType, list[object]], ...] = (
    ("boolean", "boolean", "", BOOL, [True, False]),
    ("booleans", "boolean", "3", pa.list_(BOOL, 3), [[True, False, True], [False, False, True]]),
    ("boolean_any", "boolean", "*", pa.list_(BOOL), [[True], [False, True]]),
    ("bit", "bit", "", BOOL, [True, False]),
    ("bits", "bit", "11", pa.list_(BOOL, 11), [[True] * 11, [False, True] * 5 + [True]]),
    ("bits_any", "bit", "*", pa.list_(BOOL), [[True, False, True], [True] * 9]),
    ("byte", "unsignedByte", "", pa.uint8(), [0, 254]),
    ("bytes_any", "unsignedByte", "*", pa.list_(pa.uint8()), [[1, 2], [255]]),
    ("short", "short", "", pa.int16(), [-32767, 32767]),
    ("int", "int", "", pa.int32(), [-(2**31) + 1, 2**31 - 1]),
    ("ints", "int", "2x3", pa.list_(pa.int32(), 6), [[1, 2, 3, 4, 5, 6], [-1, 0, 0, 0, 0, 9]]),
    ("ints_some", "int", "2x*", pa.list_(pa.int32()), [[1, 2, 3, 4], [5, 6]]),
    ("long", "long", "", pa.int64(), [-(2**63) + 1, 2**63 - 1]),
    ("float", "float", "", FLOAT, [1.5, float("-inf")]),
    ("double", "double", "", DOUBLE, [0.1, 5e-324]),
    ("doubles_most", "double", "4*", pa.list_(DOUBLE), [[0.1, 1e308], [2.5]]),
    ("complex", "floatComplex", "", pa.list_(FLOAT, 2), [[1.5, -2.5], [0.0, 1.0]]),
    ("complexes", "doubleComplex", "2", pa.list_(DOUBLE, 4), [[0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0]]),
    ("complex_any", "doubleComplex", "*", pa.list_(DOUBLE), [[0.1, 0.2], [1.0, 2.0, 3.0, 4.0]]),
    ("letter", "char", "", pa.string(), ["x", "y"]),
    ("text", "char", "*", pa.string(), ["a <b> & 'c'", "z"]),
    ("text_5", "char", "5", pa.string(), ["abcde", "ab"]),
    ("text_most", "char", "9*", pa.string(), ["abcde", "ab"]),
    ("texts", "char", "3x2", pa.string(), ["ab cde", "abcdef"]),
    ("unicode", "unicodeChar", "*", pa.string(), ["α Cen", "\N{TELESCOPE}x"]),
    ("unicode_4", "unicodeChar", "4", pa.string(), ["αβγδ", "é"]),
)
SCHEMA = Schema(
    tuple(
        Column(
            name,
            arrow,
            datatype=word if word in {"bit", "unicodeChar", "floatComplex", "doubleComplex"} else "",
            arraysize={"*": "", "": "1"}.get(size, size)
            if pa.types.is_string(arrow)
            else (size if "x" in size or size == "4*" else ""),
        )
        for name, word, size, arrow, _ in COLUMNS
    )
)


def table(*, nulls: bool = False) -> pa.Table:
    rows = [[*values, None] if nulls else values for *_, values in COLUMNS]
    arrays = [pa.array(values, column.type) for values, column in zip(rows, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA.to_arrow())


def written(made: VOTableFormat, rows: pa.Table, schema: Schema = SCHEMA) -> bytes:
    return b"".join(made.write(TableStream.from_table(rows, schema)))


def test_what_is_announced() -> None:
    found = [(column.name, *votable_type(column)[:2]) for column in SCHEMA]
    assert found == [(name, word, size) for name, word, size, *_ in COLUMNS]


@EVERY
def test_every_type_comes_back(made: VOTableFormat, tmp_path: Path) -> None:
    path = tmp_path / "t.vot"
    path.write_bytes(written(made, table()))
    stream = made.read(path)
    without = [(c.name, c.type, c.datatype, c.arraysize) for c in stream.schema]
    assert without == [(c.name, c.type, c.datatype, c.arraysize) for c in SCHEMA]
    assert stream.to_table().to_pydict() == table().to_pydict()


def test_every_null_comes_back_from_binary2(tmp_path: Path) -> None:
    path = tmp_path / "t.vot"
    path.write_bytes(written(VOTABLE_B2, table(nulls=True)))
    assert VOTABLE_B2.read(path).to_table().to_pydict() == table(nulls=True).to_pydict()


# What stilts 3.4 fails at, or counts by numbers (complex), or takes for an array of one.
NOT_STILTSES = {"bit", "bits_any", "complex", "complexes", "complex_any", "letter"}
# What astropy 8 reads and writes otherwise than VOTable 1.5 says: arrays of texts are refused, in BINARY the elements
# of a variable array of several dimensions or of bits are counted by their last dimension, or take a byte each.
NOT_ASTROPYS = {"texts", "ints_some", "bits_any", "bit"}


@EVERY
@pytest.mark.filterwarnings("ignore")
def test_astropy_reads_the_same(made: VOTableFormat) -> None:
    kept = Schema(tuple(column for column in SCHEMA if column.name not in NOT_ASTROPYS))
    found = parse_single_table(io.BytesIO(written(made, table().select(list(kept.names)), kept))).array
    for name, word, _, _, values in COLUMNS:
        for row, wanted in enumerate(values if name not in NOT_ASTROPYS else []):
            value = np.asarray(np.ma.getdata(found[name][row]))
            if "omplex" in word:
                value = value.reshape(-1).view("f4" if word[0] == "f" else "f8")
            if isinstance(wanted, list):
                assert value.reshape(-1).tolist() == wanted, name
            elif isinstance(wanted, str):
                assert str(value).rstrip("\0") == wanted, name
            else:
                assert value.item() == wanted, name


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("answer", ["tabledata", "binary-inline", "binary2-inline"])
def test_stilts_reads_and_writes_the_same(
    made: VOTableFormat, answer: str, stilts: str, tmp_path: Path
) -> None:
    kept = Schema(tuple(column for column in SCHEMA if column.name not in NOT_STILTSES))
    path, copy = tmp_path / "t.vot", tmp_path / "copy.vot"
    path.write_bytes(written(made, table().select(list(kept.names)), kept))
    lint = subprocess.run([stilts, "votlint", str(path)], capture_output=True, text=True, check=False)
    assert (lint.stdout, lint.stderr) == ("", "")
    command = [stilts, "tcopy", f"in={path}", f"out={copy}", f"ofmt=votable-{answer}"]
    subprocess.run(command, check=True, capture_output=True)
    found = VOTABLE_TD.read(copy).to_table().to_pydict()
    wanted = table().select(list(kept.names)).to_pydict()
    for name in wanted.keys() - {"unicode"}:  # a character beyond 16 bits becomes two
        assert [_plain(value) for value in found[name]] == [_plain(value) for value in wanted[name]], name


def _plain(value: object) -> object:
    return value.rstrip() if isinstance(value, str) else value


@pytest.mark.filterwarnings("ignore")
def test_astropys_regression_table_is_read_as_astropy_reads_it(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "h_vo/astropy__astropy/astropy/io/votable/tests/data"
    document = parse(folder / "regression.xml")
    truth = document.get_first_table()
    path = tmp_path / "t.vot"
    document.to_xml(str(path), tabledata_format="tabledata")
    found = VOTABLE_TD.read(path).to_table()
    assert found.column_names == [field.name or field.ID for field in truth.fields]
    for field, column in zip(truth.fields, found.columns, strict=True):
        if (
            field.precision is None
            and field.datatype in {"double", "float", "int", "short", "long", "unsignedByte"}
            and not field.arraysize
        ):
            data, mask = np.ma.getdata(truth.array[field.ID]), np.ma.getmaskarray(truth.array[field.ID])
            for value, wanted, gone in zip(column.to_pylist(), data.tolist(), mask.tolist(), strict=True):
                nothing = gone or (isinstance(wanted, float) and np.isnan(wanted))
                assert (value is None or value != value) if nothing else value == wanted, field.name  # noqa: PLR0124


def test_a_text_longer_than_its_arraysize_is_no_other_text() -> None:
    schema = Schema((Column("t", pa.string(), arraysize="3"),))
    rows = pa.table({"t": ["abc", "abcd"]})
    with pytest.raises(UsageError, match="'abcd' is longer than its arraysize 3"):
        list(VOTABLE_B2.write(TableStream.from_table(rows, schema), VOTableOptions(on_error="raise")))


def test_binary_has_no_value_for_some_nulls(tmp_path: Path) -> None:
    path = tmp_path / "t.vot"
    rows = pa.table({"n": pa.array([1, None, 3], pa.int32())})
    path.write_bytes(b"".join(VOTABLE_B.write(TableStream.from_table(rows))))
    assert VOTABLE_B.read(path).to_table()["n"].to_pylist() == [1, None, 3]
    for values, arrow, reason in (
        ([None], pa.uint8(), "no value"),
        ([None, -(2**31)], pa.int32(), "read as null"),
    ):
        data = b"".join(VOTABLE_B.write(TableStream.from_table(pa.table({"n": pa.array(values, arrow)}))))
        assert reason.encode() in data
        assert b'value="ERROR"' in data


# -- rows that are split, and rows that are parsed

PIECES = st.sampled_from(
    [
        "1", "-2", "+3", " 4 ", "\n5\n", "0x1F", "", "NaN", "-Inf", "+Inf", "1e5", ".5", "nan", "a", "&amp;", "&lt;b&gt;",
        "&#945;", "&#x3b1;", "é", "\t", "\r\n", "x\ny", "<![CDATA[<TD>]]>", "<!-- no -->", "?", "t", "]]", '"', "'", ">",
    ]
)  # fmt: skip
TAGS = st.sampled_from(["", "", "", "", " ", "\n", "\n  ", "<!-- <TR><TD>9</TD></TR> -->", "<?pi x?>"])
FIELDS = {"int": "a", "double": "b", "boolean": "c", "char": "d"}


@st.composite
def documents(draw: st.DrawFn) -> str:
    kinds = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3))
    size = {"char": ' arraysize="*"'}
    fields = "".join(
        f'<FIELD name="{FIELDS[kind]}{i}" datatype="{kind}"{size.get(kind, "")}/>'
        for i, kind in enumerate(kinds)
    )
    good = {
        "int": st.sampled_from(["1", "-2", "+3", " 4 ", "0x1F", ""]),
        "double": st.sampled_from(["1.5", "NaN", "-Inf", "+Inf", " 2 ", "", "1e5", ".5"]),
        "boolean": st.sampled_from(["t", "F", "true", "0", "?", "", " 1 "]),
        "char": st.lists(PIECES, max_size=2).map("".join),
    }
    between = draw(TAGS)
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        cells = [draw(good[kind] if draw(st.integers(0, 9)) else PIECES) for kind in kinds]
        told = [
            draw(st.sampled_from(["<TD/>", "<TD />", "<TD></TD>"])) if c == "" else f"<TD>{c}</TD>"
            for c in cells
        ]
        rows.append(f"<TR>{between}{between.join(told)}{between}</TR>{draw(TAGS)}")
    return f"<VOTABLE><RESOURCE><TABLE>{fields}<DATA><TABLEDATA>\n{''.join(rows)}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"


def outcome(path: Path) -> object:
    try:
        return repr(VOTABLE_TD.read(path).to_table().to_pydict())
    except Exception as error:  # noqa: BLE001  # the same refusal is as good as the same rows
        return str(error)


@pytest.mark.slow
@settings(
    max_examples=300, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(documents())
def test_splitting_reads_what_parsing_reads(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.vot"
    path.write_bytes(text.encode())
    split = outcome(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RowSplitter, "reads", staticmethod(lambda _: False))
        assert outcome(path) == split


def test_plain_rows_are_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["plain", "a &amp; b", "", "x\ny"]
    rows = "".join(f"<v:TR>\n <v:TD>{t}</v:TD>\n <v:TD>{n}</v:TD>\n</v:TR>\n" for n, t in enumerate(texts))
    path = tmp_path / "t.vot"
    path.write_text(
        '<v:VOTABLE xmlns:v="http://www.ivoa.net/xml/VOTable/v1.3"><v:RESOURCE><v:TABLE><v:FIELD name="t" '
        'datatype="char" arraysize="*"/><v:FIELD name="n" datatype="int"/><v:DATA><v:TABLEDATA>\n'
        f"{rows}</v:TABLEDATA></v:DATA></v:TABLE></v:RESOURCE></v:VOTABLE>"
    )
    split = RowSplitter.split
    made: list[bool] = []

    def noted(self: RowSplitter, text: bytes) -> list[pa.Array] | None:
        made.append(True)
        return split(self, text)

    monkeypatch.setattr(RowSplitter, "split", noted)
    found = VOTABLE_TD.read(path).to_table().to_pydict()
    assert found == {"t": ["plain", "a & b", None, "x\ny"], "n": [0, 1, 2, 3]}
    assert made == [True]


@pytest.mark.filterwarnings("error")
def test_other_encodings_are_parsed(tmp_path: Path) -> None:
    text = written(VOTABLE_TD, pa.table({"t": ["é"]}), Schema((Column("t", pa.string()),))).decode()
    path = tmp_path / "t.vot"
    for encoding in ("iso-8859-1", "utf-16"):
        path.write_bytes(text.replace("encoding='utf-8'", f"encoding='{encoding}'").encode(encoding))
        with warnings.catch_warnings():
            assert VOTABLE_TD.read(path).to_table()["t"].to_pylist() == ["é"]
