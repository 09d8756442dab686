from typing import Any

import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from awe.core.science.cards import Cards


def header() -> fits.Header:
    found = fits.Header()
    found["CRPIX1"] = (5.25, "reference pixel")
    found["CRPIX2"] = 7
    found["OBJECT"] = ("M 87", "= 3C 274")
    found["WCSNAME"] = "a / b"
    found["EXTEND"] = True
    found["HIERARCH ESO OBS ID"] = 12
    found["LONG"] = "x" * 150
    found["COMMENT"] = "= 5"
    found["CRPIX1A"] = fits.Card.fromstring("CRPIX1A = 1.5D3 / old").value
    return found


def reread(raw: bytes) -> fits.Header:
    assert len(raw) % 2880 == 0
    return fits.Header.fromstring(raw.decode("ascii"))


def test_nothing_changed_is_the_header() -> None:
    assert Cards.of(header()).write({}) == header().tostring().encode()


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**62), 2**62)))
def test_numbers_are_read_as_they_were_written(value: float) -> None:
    found = reread(Cards.of(header()).write({"CRPIX1": value}))
    assert found["CRPIX1"] == value
    assert found.comments["CRPIX1"] in {"reference pixel", "reference pix"[: len(found.comments["CRPIX1"])]}
    rest = header()
    del rest["CRPIX1"], found["CRPIX1"]
    assert found == rest


@pytest.mark.parametrize(("key", "value"), [("CRPIX1", 5.25), ("CRPIX2", 7), ("CRPIX1A", 1500.0)])
def test_numbers_are_known(key: str, value: Any) -> None:
    numbers = Cards.of(header()).numbers
    assert numbers[key] == value
    assert type(numbers[key]) is type(value)
    assert not {"OBJECT", "WCSNAME", "EXTEND", "LONG", "COMMENT"} & set(numbers)


def test_logical_values_and_history() -> None:
    sentence = f"cut from {'m' * 150}é~"
    found = reread(Cards.of(header()).write({"EXTEND": False}, sentence))
    assert found["EXTEND"] is False
    assert "".join(found["HISTORY"]) == sentence.replace("é", "?")
