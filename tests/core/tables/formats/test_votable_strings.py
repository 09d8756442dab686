"""Characters of binary rows become the texts that Python's own codecs find in them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awe.core.tables.formats._votable_fields import Cell, cell_of
from awe.core.tables.formats._votable_strings import texts
from awe.core.tables.formats._votable_text import CellError

TEXT = st.text(st.sampled_from("ab \0é€𝄞"), max_size=6)


def cell(datatype: str, arraysize: str) -> Cell:
    return cell_of({"name": "t", "datatype": datatype, "arraysize": arraysize}, "", None, "t.vot", 1)


def cut(text: str) -> str:
    return text.partition("\0")[0]


@settings(deadline=None)
@given(st.lists(TEXT, max_size=8), st.sampled_from(["char", "unicodeChar"]), st.booleans())
def test_texts_of_any_length(words: list[str], datatype: str, masked: bool) -> None:
    encoded = [word.encode("utf-8" if datatype == "char" else "utf-16-be") for word in words]
    counts = np.array([len(data) // (2 if datatype == "unicodeChar" else 1) for data in encoded], np.int64)
    null = np.array([len(word) % 3 == 0 for word in words], bool) if masked else None
    found = texts(cell(datatype, "*"), np.frombuffer(b"".join(encoded), np.uint8), counts, null)
    missing = [cut(word) == "" for word in words] if null is None else null
    assert found.type == pa.string()
    assert found.to_pylist() == [
        None if none else cut(word) for word, none in zip(words, missing, strict=True)
    ]


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("ab é"), max_size=4), min_size=1, max_size=8))
def test_texts_of_one_length(words: list[str]) -> None:
    for datatype, encoding, width in (("char", "utf-8", 8), ("unicodeChar", "utf-16-be", 8)):
        encoded = [word.encode(encoding).ljust(width, b"\0") for word in words]
        data = np.frombuffer(b"".join(encoded), np.uint8).reshape(len(words), width)
        assert texts(cell(datatype, "8"), data, None, None).to_pylist() == [word or None for word in words]


def test_several_texts_in_a_cell_keep_their_places() -> None:
    data = np.frombuffer(b"a\0\0bcdef\0", np.uint8).reshape(1, 9)
    assert texts(cell("char", "3x3"), data, None, None).to_pylist() == ["a  bcdef "]


@pytest.mark.parametrize(("datatype", "data"), [("char", b"ab\xff"), ("unicodeChar", b"\0a\xd8\x00")])
def test_what_is_no_text_is_told_with_its_row(datatype: str, data: bytes) -> None:
    size = 2 if datatype == "unicodeChar" else 1
    good = "x".encode("utf-16-be" if size == 2 else "utf-8")
    counts = np.array([1, len(data) // size], np.int64)
    with pytest.raises(CellError, match="is not utf") as error:
        texts(cell(datatype, "*"), np.frombuffer(good + data, np.uint8), counts, None)
    assert error.value.index == 1
