import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from awe.core.sky import parse_position
from awe.errors import PositionError


@pytest.mark.parametrize(
    ("text", "ra", "dec"),
    [
        ("187.7 12.39", 187.7, 12.39),
        ("187.7,12.39", 187.7, 12.39),
        ("187.7, +12.3", 187.7, 12.3),
        ("187.7-12.3", 187.7, -12.3),
        ("  1.5e2\t-1e-5 ", 150, -1e-5),
        ("(10, -20)", 10, -20),
        ("10. .5", 10, 0.5),
        ("RA=187.7 Dec=-12.3", 187.7, -12.3),
        ("ICRS 187.7 12.3", 187.7, 12.3),
        ("187.7d 12.3d", 187.7, 12.3),
        ("187.7° −12.3°", 187.7, -12.3),
        ("187.7 deg, 12.3 deg", 187.7, 12.3),
        ("360 -90", 0, -90),
        ("187d42m21s 12d23m28s", 187 + 42 / 60 + 21 / 3600, 12 + 23 / 60 + 28 / 3600),
    ],
)
def test_degrees(text: str, ra: float, dec: float) -> None:
    assert parse_position(text) == pytest.approx((ra, dec), rel=1e-15, abs=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "12:30:49.4 +12:23:28",
        "12:30:49.4+12:23:28",
        "12:30:49.4, 12:23:28",
        "12 30 49.4 +12 23 28",
        "12 30 49.4, 12 23 28",
        "12h30m49.4s +12d23m28s",
        "12h30m49.4s+12d23m28s",
        "12H 30M 49.4S  +12D 23M 28S",
        "12h 30m 49.4s, +12° 23′ 28″",
        "12h30m49.4s 12°23'28\"",
        "J2000 12:30:49.4 +12:23:28",
        "RA: 12:30:49.4 Dec: +12:23:28",
    ],
)
def test_sexagesimal(text: str) -> None:
    wanted = SkyCoord("12h30m49.4s +12d23m28s")
    assert parse_position(text) == pytest.approx((wanted.ra.deg, wanted.dec.deg), abs=1e-12)


def test_short_and_southern_forms() -> None:
    assert parse_position("12:30 -00:30") == (187.5, -0.5)
    assert parse_position("12 30 -00 30") == (187.5, -0.5)
    assert parse_position("12h30m -0d30m") == (187.5, -0.5)
    assert parse_position("24:00:00 0:0:0") == (0, 0)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(ra=st.floats(0, 359.999999), dec=st.floats(-90, 90), sep=st.sampled_from([":", " ", "fromunit"]))
def test_what_astropy_writes(ra: float, dec: float, sep: str) -> None:
    there = SkyCoord(ra, dec, unit=u.deg)
    text = there.to_string("hmsdms", sep=sep, precision=9)
    found = SkyCoord(*parse_position(text), unit=u.deg)
    assert found.separation(there).deg < 1e-10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a position"),
        ("M87", "not a position"),
        ("NGC 4486", "not a position"),
        ("12", "not a position"),
        ("1 2 3", "not a position"),
        ("nan 3", "not a position"),
        ("12:30:49.4", "not a position"),
        ("370 0", "write 10"),
        ("-5 3", "write 355"),
        ("0 91", "declination"),
        ("25:00:00 0:0:0", "right ascension"),
        ("12:61:00 3:0:0", "61 minutes"),
        ("12:10:60 3:0:0", "60 seconds"),
        ("12:30.5:10 3:0:0", "finer part"),
        ("187.7 12:23:28", "hours or degrees"),
        ("12:30:00 3h", "declination in hours"),
        ("1e400 0", "finite"),
    ],
)
def test_what_is_no_position(text: str, message: str) -> None:
    with pytest.raises(PositionError, match=message):
        parse_position(text)
