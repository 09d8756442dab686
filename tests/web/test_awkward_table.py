"""A catalogue as people have them, with names that SQL must quote, read by other people's clients."""

import io
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pyvo
from astropy import units
from astropy.io import votable
from astropy.table import MaskedColumn, Table

from awe.platform import Platform
from awe.testing import tiny_settings

pytestmark = pytest.mark.slow

TABLE = "odd.things"
ROWS = 20
STAGES = "TMV TME TMS TMC CPV CAP AVV QGE QPO MDQ EXA"

Serving = Callable[[Platform], AbstractContextManager[str]]
Service = tuple[str, Table]


def _things() -> Table:
    number = np.arange(ROWS)
    return Table(
        {
            "objID": number + 2**53 + 1,
            "RA (J2000)": np.linspace(187.6, 187.8, ROWS) * units.deg,
            "dec-deg": np.linspace(12.3, 12.5, ROWS) * units.deg,
            "size": np.linspace(0, 1, ROWS).astype("f4") * units.arcsec,
            "when": [f"2003-01-{day + 1:02d}T04:05:06" for day in number],
            "remark": [f"star <{i}> & 'so on', \"quoted\"" for i in number],
            "flag": number % 2 == 0,
            "order": MaskedColumn(number.astype("i2"), mask=number % 3 == 0),
            "flux": MaskedColumn(number / 7.0, mask=number % 4 == 0, unit="Jy"),
            "2mass": [f"J{i}" for i in number],
            "spectrum": number[:, None] + np.array([0.25, 0.5, 0.75]),
        }
    )


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, serving: Serving) -> Iterator[Service]:
    """Return the address of an archive with the table, and the table."""
    folder = tmp_path_factory.mktemp("odd")
    things, file = _things(), folder / "things.fits"
    things.write(file)
    with Platform.open(tiny_settings(folder / "sky")) as platform:
        platform.catalogs.publish(TABLE, [file], ra="RA (J2000)", dec="dec-deg")
        with serving(platform) as address:
            yield address, things


def _query(address: str, form: str) -> httpx.Response:
    params = {"LANG": "ADQL", "QUERY": f'SELECT * FROM {TABLE} ORDER BY "objID"', "RESPONSEFORMAT": form}
    return httpx.get(f"{address}/tap/sync", params=params).raise_for_status()


def _votable(content: bytes) -> Table:
    return (
        votable.parse(io.BytesIO(content), verify="exception")
        .get_first_table()
        .to_table(use_names_over_ids=True)
    )


READERS: dict[str, Callable[[bytes], Table]] = {
    "votable": _votable,
    "votable/b2": _votable,
    "fits": lambda content: Table.read(io.BytesIO(content), format="fits"),
    "ecsv": lambda content: Table.read(content.decode(), format="ascii.ecsv"),
}


@pytest.mark.parametrize("form", READERS)
def test_astropy_reads_what_was_published(service: Service, form: str) -> None:
    address, things = service
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = READERS[form](_query(address, form).content)
    assert read.colnames == things.colnames
    for name in things.colnames:
        wanted, got = np.ma.asarray(things[name]), np.ma.asarray(read[name])
        assert read[name].unit == things[name].unit, name
        if wanted.dtype.kind == "f":
            filled = np.ma.filled(got.astype(float), np.nan)
            assert np.array_equal(filled, np.ma.filled(wanted.astype(float), np.nan), equal_nan=True), name
        else:
            assert [str(cell) for cell in got] == [str(cell) for cell in wanted], name


def test_pyvo_quotes_what_the_service_says(service: Service, session: Any) -> None:
    address, things = service
    found = pyvo.dal.SCSService(f"{address}/scs/{TABLE}", session=session).search(
        (187.7, 12.4), radius=1, verbosity=3
    )
    assert sorted(found["objID"]) == sorted(things["objID"])
    assert found[0].pos.dec.deg == pytest.approx(12.4, abs=0.2)
    tap = pyvo.dal.TAPService(f"{address}/tap", session=session)
    names = [column.name for column in tap.tables[TABLE].columns]
    assert {'"size"', '"RA (J2000)"', '"2mass"', "objID"} <= set(names)
    assert len(tap.search(f"SELECT {', '.join(names)} FROM {TABLE}")) == ROWS
    assert tap.examples
    for example in tap.examples:
        assert example.execute().query_status == "OK"


def test_stilts_has_nothing_to_say(service: Service, stilts: str, tmp_path: Path) -> None:
    address, _ = service
    for number, form in enumerate(("votable", "votable/b2")):
        document = tmp_path / f"{number}.vot"
        document.write_bytes(_query(address, form).content)
        command = [stilts, "votlint", f"votable={document}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert done.stdout + done.stderr == ""
    command = [stilts, "taplint", f"tapurl={address}/tap", f"stages={STAGES}", "report=EWF"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    # STILTS up to 3.4.7 does not know this feature of ADQL 2.1
    said = [line for line in done.stdout.splitlines() if line[:2] in {"E-", "W-", "F-"}]
    assert [line for line in said if "features-adql-conditional" not in line] == []
    assert "Totals" in done.stdout
