import pytest

from awe.core.tables import position_names


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("id", "RA", "Dec"), ("RA", "Dec")),
        (("ra_deg", "dec_deg", "strader_id"), ("ra_deg", "dec_deg")),
        (("RAJ2000", "DEJ2000", "ra", "dec"), ("ra", "dec")),
        (("NUMBER", "ALPHA_J2000", "DELTA_J2000"), ("ALPHA_J2000", "DELTA_J2000")),
        (("_RA", "_DE", "RAJ2000", "DEJ2000"), ("RAJ2000", "DEJ2000")),
        (("ra", "dec_deg"), None),
        ((), None),
    ],
)
def test_positions_are_known_by_pairs_of_names(names: tuple[str, ...], found: tuple[str, str] | None) -> None:
    assert position_names(names) == found
