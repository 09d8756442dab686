"""Other people's clients against a real server: pyvo's classes, STILTS' cone and validators."""

import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import pyvo
from pyvo.dal import exceptions

from awe.testing import TINY_CENTRE, TINY_IMAGES, TINY_TABLE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.VOWarning"),  # UCD1, as SIA 1.0 wants
]

RA, DEC = TINY_CENTRE


def test_pyvo_cone(server: str, session: Any) -> None:
    found = pyvo.dal.SCSService(f"{server}/scs/{TINY_TABLE}", session=session).search(
        pos=(RA, DEC), radius=0.1, verbosity=3
    )
    assert 100 < len(found) < 150
    assert found[0].pos.separation(found[0].pos).deg == 0
    assert int(found[0].id) > 0


def test_pyvo_cone_error(server: str, session: Any) -> None:
    with pytest.raises(exceptions.DALQueryError, match="RA=400"):
        pyvo.dal.SCSService(f"{server}/scs/{TINY_TABLE}", session=session).search(
            pos=(RA, DEC), radius=0.1, RA=400
        )


def test_pyvo_sia1(server: str, tmp_path: Path, session: Any) -> None:
    found = pyvo.dal.SIAService(f"{server}/sia", session=session).search(
        pos=(RA, DEC), size=0.01, format="image/fits"
    )
    assert sorted(record["Dataset"] for record in found) == list(TINY_IMAGES)
    record = found[0]
    assert record.format == "image/fits"
    assert record.instr == "ACS/WFC"
    assert [int(length.value) for length in record.naxis] == [64, 48]
    record.cachedataset(filename=str(tmp_path / "image.fits"))
    assert (tmp_path / "image.fits").read_bytes()[:6] == b"SIMPLE"


def test_pyvo_sia2(server: str, session: Any) -> None:
    service = pyvo.dal.SIA2Service(f"{server}/sia2", session=session)
    assert len(service.search()) == 2
    assert len(service.search(maxrec=0)) == 0
    found = service.search(pos=(RA, DEC, 0.01), band=(5e-7, 5.5e-7), instrument="ACS/WFC", calib_level=3)
    assert [record.obs_id for record in found] == [TINY_IMAGES[0]]
    with pytest.raises(exceptions.DALQueryError, match="UsageFault"):
        service.search(pos=(RA, DEC, 0.01), POL="Z")


def test_pyvo_cuts_what_sia2_found(server: str, session: Any) -> None:
    found = pyvo.dal.SIA2Service(f"{server}/sia2", session=session).search(pos=(RA, DEC, 0.01))
    assert found.get_adhocservice_by_ivoid("ivo://ivoa.net/std/SODA#sync-1")
    piece = found[0].processed(circle=(RA, DEC, 0.001))
    with closing(piece):
        assert piece.read(6) == b"SIMPLE"


def test_pyvo_tap(server: str, session: Any) -> None:
    service = pyvo.dal.TAPService(f"{server}/tap", session=session)
    assert len(service.search(f"SELECT * FROM {TINY_TABLE}", maxrec=10)) == 10
    assert service.maxrec == 100_000
    assert service.hardlimit == 20_000_000
    assert {TINY_TABLE, "ivoa.obscore", "TAP_SCHEMA.columns"} <= set(service.tables.keys())
    assert [column.name for column in service.tables[TINY_TABLE].columns][:3] == ["id", "ra", "dec"]
    assert service.get_tap_capability().get_adql().get_udf("ivo_string_agg") is not None
    assert service.examples
    with pytest.raises(exceptions.DALQueryError, match="line 1"):
        service.search("SELECT nix FROM tiny.sources")


@pytest.mark.parametrize(
    ("kind", "path", "more"),
    [
        ("cone", f"/scs/{TINY_TABLE}", []),
        ("sia1", "/sia", ["dataformat=image/fits"]),
        ("sia2", "/sia2/query", []),
    ],
)
def test_stilts_asks(server: str, stilts: str, tmp_path: Path, kind: str, path: str, more: list[str]) -> None:
    out = tmp_path / "out.csv"
    place = [f"lon={RA}", f"lat={DEC}", "radius=0.05"]
    command = [stilts, "cone", f"servicetype={kind}", f"serviceurl={server}{path}", *place, *more]
    subprocess.run([*command, f"out={out}", "ofmt=csv"], check=True, capture_output=True)
    assert len(out.read_text().splitlines()) >= 3


VOTABLES = [
    f"/scs/{TINY_TABLE}?" + urlencode({"RA": RA, "DEC": DEC, "SR": 0.1, "VERB": 3}),
    f"/scs/{TINY_TABLE}?RA=1",
    f"/sia?POS={RA},{DEC}&SIZE=0.1",
    "/sia?FORMAT=METADATA",
    "/sia2/query?MAXREC=1",
    "/sia2/query?POS=x",
    "/tap/sync?" + urlencode({"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_SCHEMA.columns"}),
    "/tap/sync?"
    + urlencode({"LANG": "ADQL", "QUERY": f"SELECT * FROM {TINY_TABLE}", "RESPONSEFORMAT": "votable/b2"}),
    "/tap/sync?LANG=ADQL&QUERY=DUFF",
    "/tap/sync?" + urlencode({"LANG": "ADQL", "QUERY": "SELECT * FROM ivoa.obscore"}),
    "/datalink/links",
    "/datalink/links?" + urlencode({"ID": [f"ivo://tiny.test/tiny?{TINY_IMAGES[0]}", "nix"]}, doseq=True),
    "/datalink/links?MAXREC=x",
]


@pytest.mark.parametrize("address", VOTABLES)
def test_votlint_has_nothing_to_say(server: str, stilts: str, tmp_path: Path, address: str) -> None:
    document = tmp_path / "answer.vot"
    document.write_bytes(httpx.get(server + address).content)
    done = subprocess.run(
        [stilts, "votlint", f"votable={document}"], check=False, capture_output=True, text=True
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "UCD" not in line and line.strip()]
    assert said == []


DOCUMENTS = [
    "/tap/capabilities",
    "/tap/availability",
    "/tap/tables",
    "/tap/tables?detail=min",
    f"/tap/tables/{TINY_TABLE}",
    "/sia2/capabilities",
    "/soda/capabilities",
    "/datalink/capabilities",
]


@pytest.mark.parametrize("address", DOCUMENTS)
def test_documents_obey_their_schemas(server: str, stilts: str, tmp_path: Path, address: str) -> None:
    document = tmp_path / "document.xml"
    document.write_bytes(httpx.get(server + address).content)
    command = [stilts, "xsdvalidate", f"doc={document}", "uselocals=true"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_taplint_finds_no_error_in_the_metadata(server: str, stilts: str) -> None:
    command = [
        stilts,
        "taplint",
        f"tapurl={server}/tap",
        "stages=TMV TME TMS TMC CPV CAP AVV QGE QPO MDQ OBS EXA",
    ]
    done = subprocess.run([*command, "report=E"], check=False, capture_output=True, text=True)
    assert [line for line in done.stdout.splitlines() if line.startswith("E-")] == []
