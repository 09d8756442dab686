"""CSV files as people have them: what is read, what is refused, and which line is named."""

import csv
import gzip
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from awe.core.tables.formats import FORMATS, _csv_types, _spool
from awe.core.tables.formats import csv as csv_format
from awe.core.tables.formats._csv_types import Evidence
from awe.errors import InputFileError


def write(tmp_path: Path, text: str | bytes, name: str = "stars.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path) -> tuple[pa.Table, tuple[str, ...]]:
    stream = FORMATS["csv"].read(path)
    return stream.to_table(), stream.notes


def test_blanks_quotes_and_byte_order_mark(tmp_path: Path) -> None:
    text = '\ufeffname , ra,dec , n,seen\r\n"M 87, NGC 4486", 187.7059 , 12.3911,  7 , true\r\n\r\nM 49,"187.44", , null,FALSE \r\n'
    table, notes = read(write(tmp_path, text))
    assert table.to_pylist() == [
        {"name": "M 87, NGC 4486", "ra": 187.7059, "dec": 12.3911, "n": 7, "seen": True},
        {"name": "M 49", "ra": 187.44, "dec": None, "n": None, "seen": False},
    ]
    assert table.schema.field("n").type == pa.int64()
    assert notes == ()


def test_blanks_are_kept_in_text(tmp_path: Path) -> None:
    table, _ = read(write(tmp_path, 'a,b\n" x",1\n"  ",2\n'))
    assert table["a"].to_pylist() == [" x", "  "]


def test_long_identifiers_keep_every_digit(tmp_path: Path) -> None:
    ids = [1237648720693755918, 18446744073709551615, 99999999999999999999]
    for n in range(1, 4):
        table, _ = read(write(tmp_path, "objid\n" + "\n".join(f" {i} " for i in ids[:n]) + "\n"))
        assert [int(v) for v in table["objid"].to_pylist()] == ids[:n]


@pytest.mark.parametrize("blank_lines", [0, 3])
def test_a_word_among_numbers_is_told_with_its_line(tmp_path: Path, blank_lines: int) -> None:
    lines = ["# from the telescope", "name,mag"] + [f'"two\nlines, {i}",{i / 7}' for i in range(50)]
    lines[2:2] = [""] * blank_lines
    lines += ["last,n/a", "really last,"]
    path = write(tmp_path, "\n".join(lines) + "\n")
    with path.open(newline="") as opened:
        line = next(i for i, text in enumerate(opened, 1) if "n/a" in text)
    table, (note,) = read(path)
    assert note.startswith(f"column mag is text, because 'n/a' in line {line} is no number")
    assert table["mag"].to_pylist()[-2:] == ["n/a", None]


@pytest.mark.slow
def test_a_late_word_is_found_behind_many_blocks(tmp_path: Path) -> None:
    rows = [f"{i},{i}.5" for i in range(900_000)]
    rows[800_000] = "800000,--"
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress(("n,mag\n" + "\n".join(rows) + "\n").encode(), 1))
    stream = FORMATS["csv"].read(path)
    stream.close()
    assert [note[:60] for note in stream.notes] == [
        "column mag is text, because '--' in line 800002 is no number"
    ]


@pytest.mark.parametrize(
    "words", [["3C 273", "NGC 1", "47"], ["a", "b"], ["1", "2", "3"], [], ["true", "false"]]
)
def test_names_are_no_surprise(tmp_path: Path, words: list[str]) -> None:
    assert read(write(tmp_path, "name,n\n" + "".join(f"{w},1\n" for w in words)))[1] == ()


def test_the_note_agrees_with_python(tmp_path: Path) -> None:
    numbers = random.Random(3)
    for case in range(30):
        cells = [f"{numbers.uniform(-9, 9):.3f}" for _ in range(numbers.randint(5, 40))]
        place = numbers.randrange(len(cells))
        cells[place] = "?"
        path = write(
            tmp_path,
            "x,y\n"
            + "".join(
                f"{numbers.choice(['a', chr(10) * 2])!r},{c}\n".replace("'", '"').replace("\\n", "\n")
                for c in cells
            ),
            f"{case}.csv",
        )
        with path.open(newline="") as opened:
            reader = csv.reader(opened)
            before = 0
            for row in reader:
                if row[1:] == ["?"]:
                    break
                before = reader.line_num
        assert f"in line {before + 1} is" in read(path)[1][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'ra,dec\n1.5,2.5\n"187,70",12\n',
            r"line 3, column ra: 187,70 is a number with a decimal comma.*write 187\.70",
        ),
        ("ra;dec\n187,70;12,39\n", "line 1: its columns are separated by semicolons"),
        ("ra\tdec\n187.70\t12.39\n", r"separated by tabs.*\.tsv"),
        ("ra|dec\n1|2\n", "separated by bars"),
        ("ra,dec\n1,2\nn\xefve,3\n".encode("latin-1"), "line 3: not UTF-8.*save it in UTF-8"),
        ('ra,dec\n1,2\n"3,4\n', "quotation mark never closed|cells"),
        ("ra,dec\n1,2\n3\n", "line 3: 1 cells, the header has 2"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputFileError) as refused:
        read(write(tmp_path, text))
    assert re.search(message, str(refused.value)), refused.value


def test_lists_of_numbers_are_no_decimal_commas(tmp_path: Path) -> None:
    table, _ = read(write(tmp_path, 'ccds\n"1,2,3"\n"4,5"\n'))
    assert table["ccds"].to_pylist() == ["1,2,3", "4,5"]


@pytest.mark.parametrize("room", [True, False])
def test_columns_that_become_something_else_on_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, room: bool
) -> None:
    """Of many blocks, the types of whole columns: as pandas finds them in all lines at once."""
    monkeypatch.setattr(csv_format, "_BLOCK_BYTES", 4096)
    monkeypatch.setattr(_spool, "_HELD_BYTES", 20_000)

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if not room:
        monkeypatch.setattr(_spool, "TemporaryFile", no_room)
    rows = 3000
    late = rows - 100
    columns: dict[str, list[str]] = {
        "n": [str(i) for i in range(rows)],
        "whole_then_not": [str(i) if i < late else f"{i}.25" for i in range(rows)],
        "empty_then_number": ["" if i < late else str(i / 8) for i in range(rows)],
        "number_then_empty": [str(-i) if i < late else "" for i in range(rows)],
        "plain_then_not": [f"{i / 4}" if i < late else f" +{i / 4} " for i in range(rows)],
        "not_a_number": [f"{i / 4}" if i % 7 else "NaN" for i in range(rows)],
    }
    path = tmp_path / "t.csv"
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    with FORMATS["csv"].read(path) as stream:
        found = stream.to_table()
    wanted = pd.read_csv(path, keep_default_na=False, na_values=["", "NaN"], skipinitialspace=True)
    for name in columns:
        values = found[name].to_numpy(zero_copy_only=False).astype(float)
        np.testing.assert_array_equal(values, wanted[name].to_numpy(float), err_msg=name)
    assert [str(kind) for kind in found.schema.types] == ["int64", *["double"] * 2, "int64", *["double"] * 2]

    path.write_text("\n".join([*lines, ",".join(["x"] * len(columns))]) + "\n")
    with FORMATS["csv"].read(path) as stream:
        found = stream.to_table()
    for name, values in columns.items():
        assert found[name].to_pylist() == [*(value or None for value in values), "x"], name


_SPELLINGS = [
    *(
        "1",
        "-1",
        "0",
        "00",
        "-0",
        "007",
        "0.5",
        "-0.5",
        "00.5",
        ".5",
        "1.",
        "1e5",
        "1E-3",
        "0e1",
        "01e5",
        "1e400",
    ),
    *("1234567890123456", "-1234567890123456", "9223372036854775808", "1.2345678901234567", None),
    *("1e+05", "0x1F", "nan", "Infinity", "+007", "+.5", "-123456789012345"),
    *("e5", "-", "1-2", "1.2.3", ".", "1e", "+1", " 1", "x", "", "null"),
]


@pytest.mark.slow
def test_plain_numbers_are_what_looking_at_each_value_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Types are found from all bytes of a block where possible: the same as from every value."""
    rng = np.random.default_rng(5)
    blocks = [
        [rng.choice(np.array(_SPELLINGS[:most], object), rng.integers(1, 5)).tolist() for _ in range(2)]
        for most in (16, 21, 28, len(_SPELLINGS))
        for _ in range(300)
    ]

    def found() -> list[tuple[object, ...]]:
        seen = [Evidence() for _ in blocks]
        for evidence, pair in zip(seen, blocks, strict=True):
            for values in pair:
                evidence.see(pa.array(values, pa.string()))
        return [(e.type, e.odd, e.row) for e in seen]

    quick = found()
    monkeypatch.setattr(_csv_types, "_plain_numbers", lambda _: None)
    assert quick == found()
