"""Bad files are named with the place where they are bad, never with a stack trace."""

import base64
import bz2
import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, format_of
from awe.errors import InputFileError


def votable(fields: str, data: str) -> bytes:
    return (
        '<?xml version="1.0"?>\n<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
        f"<RESOURCE><TABLE>\n{fields}\n<DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>"
    ).encode()


FITS = FORMATS["fits"]
INT = '<FIELD name="n" datatype="int"/>'
PAIR = '<FIELD name="p" datatype="float" arraysize="2"/>'
TEXT = '<FIELD name="s" datatype="char" arraysize="*"/>'
FLAG = '<FIELD name="b" datatype="boolean"/>'


def rows(*cells: str) -> str:
    return "<TABLEDATA>\n" + "".join(f"<TR><TD>{cell}</TD></TR>\n" for cell in cells) + "</TABLEDATA>"


def stream(data: bytes, kind: str = "BINARY2", attributes: str = 'encoding="base64"') -> str:
    return f"<{kind}><STREAM {attributes}>{base64.b64encode(data).decode()}</STREAM></{kind}>"


def fits_table(**columns: list[object]) -> bytes:
    return b"".join(FORMATS["fits"].write(TableStream.from_table(pa.table(columns))))


VOTABLES = {
    "not xml": (b"<VOTABLE><TABLE></VOTABLE>", "line 1.*not well-formed"),
    "cut": (votable(INT, rows("1", "2"))[:-90], "not well-formed"),
    "html": (b"<html><body>502 Bad Gateway</body></html>", "not a VOTable"),
    "empty": (b"", "not a VOTable|not well-formed"),
    "no table": (b"<VOTABLE><RESOURCE/></VOTABLE>", "no TABLE"),
    "no field": (votable("", rows("1")), "line 3.*no FIELD"),
    "datatype": (votable('<FIELD name="n" datatype="integer"/>', rows()), "line 4, FIELD n.*'integer'"),
    "arraysize": (votable('<FIELD name="n" datatype="int" arraysize="two"/>', rows()), "FIELD n.*'two'"),
    "null": (
        votable('<FIELD name="n" datatype="int"><VALUES null="none"/></FIELD>', rows()),
        "FIELD n.*null='none'",
    ),
    "letters": (votable(INT, rows("1", "x2")), "line 7, row 2, column n.*'x2'"),
    "range": (votable(INT, rows("1", "2147483648")), "row 2, column n"),
    "fraction": (votable(INT, rows("1.5")), "row 1, column n"),
    "flag": (votable(FLAG, rows("true", "maybe")), "row 2, column b.*'maybe'"),
    "array too short": (votable(PAIR, rows("1 2", "1")), "row 2, column p: 1 elements"),
    "array letters": (votable(PAIR, rows("1 2", "1 b")), "row 2, column p.*'b'"),
    "too many cells": (votable(INT, rows("1", "2</TD><TD>3")), "line 7.*row 2 has 2 cells"),
    "too few cells": (votable(INT + FLAG, rows("1")), "row 1 has 1 cells"),
    "bad base64": (votable(INT, "<BINARY2><STREAM encoding='base64'>AA!A</STREAM></BINARY2>"), "base64"),
    "cut base64": (votable(INT, "<BINARY2><STREAM encoding='base64'>AAAAA</STREAM></BINARY2>"), "base64"),
    "cut row": (votable(INT, stream(bytes(5 + 3))), "row 2.*inside a row"),
    "cut row of text": (votable(TEXT, stream(b"\0" + struct.pack(">i", 9) + b"abc")), "row 1.*inside a row"),
    "negative count": (votable(TEXT, stream(b"\0" + struct.pack(">i", -2))), "row 1.*-2 elements"),
    "not utf-8": (votable(TEXT, stream(b"\0" + struct.pack(">i", 1) + b"\xff")), "row 1.*not utf-8"),
    "encoding": (votable(INT, stream(b"", attributes='encoding="dynamic"')), "encoding='dynamic'"),
    "no encoding": (votable(INT, stream(b"", attributes="")), "encoding=None is not read"),
    "no gzip": (votable(INT, stream(bytes(9), attributes='encoding="gzip"')), "gzip data.*damaged"),
    "cut gzip stream": (
        votable(INT, stream(gzip.compress(bytes(5000))[:-9], attributes='encoding="gzip"')),
        "gzip data.*end early",
    ),
    "elsewhere": (votable(INT, stream(b"", attributes='href="http://x/y"')), "elsewhere.*http://x/y"),
    "a file of ours": (votable(INT, stream(b"", attributes='href="file:///etc/passwd"')), "not opened"),
    "no fits inside": (votable(INT, stream(b"nothing", "FITS")), "not a FITS file"),
    "other columns in fits": (
        votable(INT, stream(fits_table(a=[1], b=[2]), "FITS")),
        "2 columns, there are 1 FIELDs",
    ),
    "other types in fits": (votable(INT, stream(fits_table(n=["x"]), "FITS")), "column n.*FIELD says int32"),
    "states an error": (
        (
            b'<VOTABLE><RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">no such table</INFO>'
            b"</RESOURCE></VOTABLE>"
        ),
        "states an error: no such table",
    ),
    "fails behind the rows": (
        votable(INT, rows("1")).replace(
            b"</TABLE>", b'</TABLE><INFO name="QUERY_STATUS" value="ERROR">time is up</INFO>'
        ),
        "time is up",
    ),
    "damage behind rows": (
        votable(INT, rows("1", "2") + "</DATA>\n<DATA></TABLE>"),
        r"line 9, column \d+: not well-formed[^,]*$",
    ),
    "a table behind lines of base64": (
        votable(INT, "<BINARY2><STREAM encoding='base64'>\n\nAAAAAAE=\n</STREAM></BINARY2>").replace(
            b"</DATA></TABLE>", b"</DATA></TABLE>\n<TABLE><FIELD name='x' datatype='float'/></TABLE>"
        ),
        "line 9: there are several tables",
    ),
    "entity": (
        b'<!DOCTYPE VOTABLE [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + votable(TEXT, rows("&e;"))[22:],
        "entit|not well-formed",
    ),
    "cut gzip": (gzip.compress(votable(INT, rows(*map(str, range(999)))))[:-30], "compressed data"),
}

CSVS = {
    "empty": (b"", "empty"),
    "header in a comment": (b"#name,mag\nM 87,8.6\n", r"line 2.*'8\.6' is a value"),
    "no header": (b"1,2\n3,4\n", "'1' is a value"),
    "no header, signs": (b"a,-4361\nb,5\n", "'-4361' is a value"),
    "only comments": (b"# a\n# b\n", "empty"),
    "too many": (b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells, the header has 2"),
    "too few": (b"# c\na,b\n1,2\n\n1\n", "1 cells, the header has 2"),
    "twice": (b"a,b,a\n1,2,3\n", "line 1.*'a' stands twice"),
    "no name": (b"a,,c\n1,2,3\n", "line 1.*column 2 has no name"),
    "latin-1": ("naïve,b\n1,2\n".encode("latin-1"), "line 1.*not UTF-8"),
    "latin-1 below": ("a,b\nn\xef,2\n".encode("latin-1"), "UTF8|UTF-8"),
    "binary": (b"\x00\x01\x02\n", "line 1.*not a text file"),
    "cut bzip2": (bz2.compress(b"a,b\n" + b"1,2\n" * 99999)[:-9], "compressed data|ended"),
}

JSONS = {
    "not json": (b'{"metadata": [}', "line 1, column 15"),
    "not a table": (b"[1, 2]", "not a table"),
    "no datatype": (b'{"metadata": [{"name": "x"}], "data": []}', "metadata, column 1"),
    "row": (b'{"metadata": [{"name": "x", "datatype": "int"}], "data": [[1], [1, 2]]}', "row 2"),
    "value": (b'{"metadata": [{"name": "x", "datatype": "int"}], "data": [["a"]]}', "column x"),
}


def check(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / f"bad{FORMATS[name].extensions[0]}"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=f"(?s)bad.*({message})"):
        FORMATS[name].read(path).to_table()


@pytest.mark.parametrize("case", VOTABLES)
def test_votable(tmp_path: Path, case: str) -> None:
    check(tmp_path, "votable", *VOTABLES[case])


@pytest.mark.parametrize("case", CSVS)
def test_csv(tmp_path: Path, case: str) -> None:
    check(tmp_path, "csv", *CSVS[case])


@pytest.mark.parametrize("case", JSONS)
def test_json(tmp_path: Path, case: str) -> None:
    check(tmp_path, "json", *JSONS[case])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all"])
def test_parquet(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, "parquet", content, "cannot be read as Parquet")


@pytest.mark.parametrize("content", [b"", b"a b\n1 2\n", b"# %ECSV 1.0\n# ---\n# datatype: [\na\n1\n"])
def test_ecsv(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, "ecsv", content, "cannot be read as ECSV")


def good_fits() -> bytes:
    table = pa.table({"n": pa.array(range(2000), pa.int32()), "v": [[1.0] * (i % 3) for i in range(2000)]})
    return b"".join(FITS.write(TableStream.from_table(table)))


def test_fits(tmp_path: Path) -> None:
    good = good_fits()
    check(tmp_path, "fits", b"hello", "not a FITS file")
    check(tmp_path, "fits", good[: 2880 * 3], r"row \d+: the file ends")
    check(tmp_path, "fits", good[: 2880 * 2 + 2000 * 12 + 20], "ends inside the heap|the file ends")
    check(tmp_path, "fits", good.replace(b"'1J      '", b"'1D      '"), "HDU 1: the TFORMs make rows of")
    check(tmp_path, "fits", good.replace(b"'1J      '", b"'wrong   '"), "TFORM1='wrong'")


def test_fits_without_a_table(tmp_path: Path) -> None:
    image = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(np.zeros((2, 2)))]).writeto(image)
    check(tmp_path, "fits", image.getvalue(), r"no binary table in it .its HDUs: 0 \(PRIMARY\)")


def test_fits_hdu_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "x.fits").write_bytes(good_fits())
    for name in ("7", "EVENTS", "0"):
        with pytest.raises(InputFileError, match=rf"no HDU {name}|not a binary table"):
            FITS.read(tmp_path / f"x.fits[{name}]")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for made in FORMATS.values():
        with pytest.raises(InputFileError, match=r"No such file|cannot be read"):
            made.read(tmp_path / "none.x")


def test_a_file_of_no_format(tmp_path: Path) -> None:
    (tmp_path / "x.doc").write_bytes(b"hello")
    with pytest.raises(InputFileError, match="the format is not known"):
        format_of(tmp_path / "x.doc")


def entity(declared: str, cell: str) -> bytes:
    document = votable(TEXT, rows(cell)).replace(b"?>\n", b"?>\n" + declared.encode(), 1)
    assert declared.encode() in document
    return document


LAUGHS = "".join(f'<!ENTITY {n} "{10 * f"&{m};"}">' for m, n in zip("abcdefghij", "bcdefghijk", strict=True))


@pytest.mark.parametrize(
    "document",
    [
        entity(f'<!DOCTYPE VOTABLE [<!ENTITY a "ha">{LAUGHS}]>', "&k;"),
        entity('<!DOCTYPE VOTABLE [<!ENTITY x SYSTEM "file:///etc/hostname">]>', "&x;"),
        entity('<!DOCTYPE VOTABLE [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>', "1"),
        entity('<!DOCTYPE VOTABLE SYSTEM "http://127.0.0.1:9/x.dtd">', "&x;"),
    ],
    ids=["laughs", "file", "parameter", "elsewhere"],
)
def test_entities_are_refused_and_nothing_is_opened_for_them(tmp_path: Path, document: bytes) -> None:
    check(tmp_path, "votable", document, "entit")


def test_an_old_document_with_a_doctype_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.vot"
    path.write_bytes(entity('<!DOCTYPE VOTABLE SYSTEM "http://us-vo.org/xml/VOTable.dtd">', "a&amp;b"))
    assert format_of(path).read(path).to_table()["s"].to_pylist() == ["a&b"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "start", "says"),
    [
        ("bomb.vot.gz", votable(TEXT, "<TABLEDATA><TR><TD>").partition(b"</DATA>")[0], "64 MiB"),
        ("bomb.csv.gz", b"a,b\n1,", "4 MiB"),
        ("head.csv.gz", b"a,", "line 1.*4 MiB"),
    ],
)
def test_compressed_bombs_end_in_bounded_memory(tmp_path: Path, name: str, start: bytes, says: str) -> None:
    path = tmp_path / name
    with gzip.open(path, "wb", 1) as bomb:
        bomb.write(start)
        for _ in range(80):
            bomb.write(b"a" * (1 << 20))
    with pytest.raises(InputFileError, match=says):
        format_of(path).read(path).to_table()


@pytest.mark.parametrize(
    ("keyword", "value", "says"),
    [
        ("NAXIS2", "-5", "negative"),
        ("NAXIS2", "999999999999999", "FITS"),
        ("PCOUNT", "-8", "negative|FITS"),
        ("TFORM1", "'999999999999D'", "damaged"),
    ],
)
def test_absurd_sizes_of_a_table(tmp_path: Path, keyword: str, value: str, says: str) -> None:
    good = b"".join(FITS.write(TableStream.from_table(pa.table({"x": [1.0]}))))
    place = good.rindex(keyword.encode().ljust(8) + b"=")
    card = f"{keyword:<8}= {value:>20}".ljust(80).encode()
    check(tmp_path, "fits", good[:place] + card + good[place + 80 :], says)


def test_an_array_descriptor_that_asks_for_all_memory(tmp_path: Path) -> None:
    path = tmp_path / "heap.fits"
    fits.BinTableHDU.from_columns([fits.Column("v", "PD()", array=np.array([[1.0]], object))]).writeto(path)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"END" + b" " * 77) // 2880 * 2880 + 2880
    data[place : place + 8] = struct.pack(">ii", (1 << 31) - 1, (1 << 31) - 1)
    check(tmp_path, "fits", bytes(data), "beyond the heap")
