import pytest

from awe.core.tables import ucd_fault, unit_fault


@pytest.mark.parametrize(
    "unit", ["", "%", "deg", "mag", "km/s", "mas.yr**-1", "10**-3.Jy", "Angstrom", "kbyte", "m.s**-2"]
)
def test_units_of_the_standard(unit: str) -> None:
    assert unit_fault(unit) is None


@pytest.mark.parametrize(
    ("unit", "meant"), [("erg/s/cm2", "erg"), ("km s-1", "km"), ("ABmag", ""), ("parsecs per fortnight", "")]
)
def test_other_units_are_told_with_what_was_meant(unit: str, meant: str) -> None:
    fault = unit_fault(unit)
    assert fault is not None
    assert fault.meant.startswith(meant)
    if meant:
        assert unit_fault(fault.meant) is None


@pytest.mark.parametrize("ucd", ["", "pos.eq.ra;meta.main", "phot.mag;em.opt.V", "meta.id;meta.main"])
def test_ucds_of_the_list(ucd: str) -> None:
    assert ucd_fault(ucd) is None


@pytest.mark.parametrize(
    "ucd", ["POS_EQ_RA_MAIN", "phot.magnitude", "meta.main;pos.eq.ra", "pos.eq.ra,meta.main"]
)
def test_other_ucds_are_told(ucd: str) -> None:
    fault = ucd_fault(ucd)
    assert fault is not None
    assert fault.reason
