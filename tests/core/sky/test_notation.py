import math

import pytest

from awe.core.sky import (
    Box,
    Circle,
    Polygon,
    Range,
    Region,
    parse_circle,
    parse_dali,
    parse_polygon,
    parse_stcs,
)
from awe.errors import PositionError

TRIANGLE = Polygon(((10, 20), (11, 20), (10.5, 21.25)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("CIRCLE 12.0 34.0 0.5", Circle(12, 34, 0.5)),
        ("  circle\t12,34,  5e-1 ", Circle(12, 34, 0.5)),
        ("RANGE 12.0 12.5 34.0 36.0", Range(12, 12.5, 34, 36)),
        ("RANGE 0 360.0 -2.0 2.0", Range(0, 360, -2, 2)),
        ("RANGE 0 360.0 89.0 +Inf", Range(0, 360, 89, 90)),
        ("RANGE -Inf +Inf -Inf +Inf", Range(0, 360, -90, 90)),
        ("RANGE 350 10 -1 1", Range(350, 10, -1, 1)),
        ("POLYGON 10 20 11 20 10.5 21.25", TRIANGLE),
    ],
)
def test_dali(text: str, wanted: Region) -> None:
    assert parse_dali(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a region"),
        ("SQUARE 1 2 3", "CIRCLE, RANGE, POLYGON"),
        ("1 2 3", "is not a region"),
        ("CIRCLE 1 2", "3 are needed: ra dec radius"),
        ("CIRCLE 1 2 three", "'three'.* is not a number"),
        ("CIRCLE 1 2 Inf", "finite"),
        ("CIRCLE NaN 2 1", "finite"),
        ("CIRCLE 1 2 -1", "radius"),
        ("CIRCLE 1 95 1", "declination"),
        ("RANGE 1 2 3", "4 are needed"),
        ("RANGE NaN 2 3 4", "finite"),
        ("RANGE 1 2 4 3", "above"),
        ("RANGE -10 10 0 1", "350"),
        ("POLYGON 1 2 3 4 5", "pairs"),
        ("POLYGON 1 2 3 4", "needs three"),
    ],
)
def test_text_that_is_no_dali(text: str, message: str) -> None:
    with pytest.raises(PositionError, match=message):
        parse_dali(text)


def test_circle_and_polygon_parameters() -> None:
    assert parse_circle("12.0 34.0 0.5") == Circle(12, 34, 0.5)
    assert parse_polygon("10 20 11 20 10.5 21.25") == TRIANGLE
    with pytest.raises(PositionError, match="needed"):
        parse_circle("12 34")
    with pytest.raises(PositionError, match="pairs"):
        parse_polygon("1 2 3")
    with pytest.raises(PositionError, match="number"):
        parse_circle("CIRCLE 12 34 1")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Circle ICRS 12 34 0.5", Circle(12, 34, 0.5)),
        ("CIRCLE ICRS TOPOCENTER SPHERICAL2 12 34 0.5", Circle(12, 34, 0.5)),
        ("circle 12 34 0.5", Circle(12, 34, 0.5)),
        ("POLYGON J2000 10 20 11 20 10.5 21.25", TRIANGLE),
        ("Polygon FK5 10 20 11 20 10.5 21.25 10 20", TRIANGLE),
        ("Polygon UNKNOWNFrame 10 20 11 20 10.5 21.25", TRIANGLE),
        ("Box ICRS 10 20 2 1", Box(10, 20, 2, 1)),
        ("PositionInterval ICRS 10 -5 20 5", Range(10, 20, -5, 5)),
        ("Position ICRS 10 20", Circle(10, 20, 0)),
        ("AllSky ICRS", Range(0, 360, -90, 90)),
    ],
)
def test_stcs(text: str, wanted: Region) -> None:
    found = parse_stcs(text)
    if isinstance(wanted, Polygon):
        assert isinstance(found, Polygon)
        assert set(found.vertices) == set(wanted.vertices)
    else:
        assert found == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "STC-S"),
        ("Ellipse ICRS 1 2 3 4 5", "none of CIRCLE, POLYGON, BOX"),
        ("Circle GALACTIC 1 2 3", "frame GALACTIC"),
        ("Polygon FK4 1 2 3 4 5 6", "frame FK4"),
        ("Circle ICRS 1 2", "needed"),
        ("Circle ICRS unit arcsec 1 2 3", "'unit'"),
        ("Polygon ICRS 0 0 1 0 0 1 Polygon ICRS 2 2 3 3 4 2", "'Polygon'"),
    ],
)
def test_text_that_is_no_stcs(text: str, message: str) -> None:
    with pytest.raises(PositionError, match=message):
        parse_stcs(text)


@pytest.mark.parametrize(
    "region",
    [Circle(12.1, -34.2, 1 / 3), Range(350, 10, -90, 1e-7), TRIANGLE, Circle(0, 90, 180)],
    ids=lambda r: type(r).__name__,
)
def test_round_trip(region: Region) -> None:
    assert parse_dali(region.to_dali()) == region
    assert parse_stcs(region.to_stcs()) == region


def test_written_notation() -> None:
    assert Circle(12, -34.5, 0.1).to_dali() == "CIRCLE 12 -34.5 0.1"
    assert Circle(12, -34.5, 0.1).to_stcs() == "CIRCLE ICRS 12 -34.5 0.1"
    assert Range(350, 10, -1, math.inf).to_dali() == "RANGE 350 10 -1 90"
    assert Box(10, 20, 2, 1).to_stcs() == "BOX ICRS 10 20 2 1"


def test_box_is_a_polygon_in_dali() -> None:
    box = Box(10, 20, 2, 1)
    found = parse_dali(box.to_dali())
    assert isinstance(found, Polygon)
    assert found.area == pytest.approx(box.area, rel=1e-9)
    assert parse_stcs(box.to_stcs()) == box
