"""Names: every spelling, positions that SIMBAD gives, what is not known, and the network only where allowed."""

import gc
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord, get_constellation
from hypothesis import given
from hypothesis import strategies as st

from awe.core.sky import separation
from awe.errors import AweError, NotFoundError, ParameterError, PositionError, UnavailableError
from awe.services.names import NamedObject, NameService, NameStore
from awe.services.names.famous import OTHER_NAMES, famous_sources
from awe.services.names.sesame import Sesame
from awe.services.names.stars import bright_stars
from awe.services.system import SystemDatabase

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemDatabase]:
    opened = SystemDatabase.in_folder(tmp_path_factory.mktemp("names"))
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def names(system: SystemDatabase) -> NameService:
    return NameService(NameStore(system, 30))


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (("M87", "m 87", "M 087", "messier 87", "NGC4486", "ngc 4486", "NGC 04486", "n g c 4486"), "M 87"),
        (("Virgo A", "vir a", "3C274", "PGC 41361", "UGC 7654", "MCG +02-32-105", "M87*"), "M 87"),
        (("Spica", "alf Vir", "alpha Virginis", "α Vir", "ALPHA VIR", "alp vir", "67 Vir"), "Spica"),
        (("alpha-1 Centauri", "Alpha Centauri", "alf Cen A", "rigil kent"), "Rigil Kentaurus"),
        (("alpha Ursae Majoris", "alf UMa", "Dubhe"), "Dubhe"),
        (("Sgr A*", "sgr a *", "Sagittarius A*", "Galactic Centre"), "Sgr A*"),
        (("LMC", "Large Magellanic Cloud", "the Large Magellanic Cloud", "ESO 056-115"), "ESO 56-115"),
        (("Andromeda Galaxy", "M31", "NGC 224", "andromeda"), "M 31"),
        (("Crab Nebula", "M1", "Taurus A", "NGC 1952"), "M 1"),
        (("Caldwell 9", "C9", "Cave Nebula"), "C 9"),
        (("M 102", "M 101", "NGC 5457", "Pinwheel Galaxy"), "M 101"),
        (("IC 11", "IC0011", "NGC 281"), "NGC 281"),
        (("Omega Centauri", "omega Cen", "ω Cen", "NGC 5139"), "NGC 5139"),
        (("Barnard's Star", "barnards star", "BARNARD’S STAR"), "Barnard's Star"),
        (("Melotte 22", "Pleiades", "M45"), "M 45"),
        (("3C273", "3c 273", "PG 1226+023"), "3C 273"),
    ],
)
def test_spellings_of_one_name_mean_one_object(
    names: NameService, spellings: tuple[str, ...], name: str
) -> None:
    assert {names.resolve(spelling).name for spelling in spellings} == {name}


# SIMBAD's positions (ICRS, degrees).
SIMBAD = {
    "M 87": (187.7059308, 12.3911233), "M 31": (10.6847083, 41.2687500), "M 33": (23.4620690, 30.6601750),
    "M 51": (202.4695750, 47.1952583), "M 101": (210.8022670, 54.3489500), "M 104": (189.9976330, -11.6230540),
    "M 82": (148.9684583, 69.6797028), "M 81": (148.8882217, 69.0652947), "M 13": (250.4234750, 36.4613194),
    "NGC 1068": (40.6696292, -0.0132806), "NGC 1275": (49.9506671, 41.5116961),
    "NGC 4151": (182.6357450, 39.4057306), "NGC 5128": (201.3650633, -43.0191125),
    "NGC 253": (11.8880580, -25.2882830), "47 Tuc": (6.0223292, -72.0814444),
    "Vega": (279.2347348, 38.7836889), "Sirius": (101.2871553, -16.7161159), "Polaris": (37.9545607, 89.2641090),
    "Spica": (201.2982474, -11.1613195), "Betelgeuse": (88.7929390, 7.4070640),
    "3C 273": (187.2779154, 2.0523883), "Sgr A*": (266.4168371, -29.0078106), "Cygnus A": (299.8681523, 40.7339156),
}  # fmt: skip


@pytest.mark.parametrize("name", SIMBAD)
def test_positions_are_those_of_simbad(names: NameService, name: str) -> None:
    found = names.resolve(name)
    apart_arcsec = 3600 * float(separation(found.ra, found.dec, *SIMBAD[name]))
    # stars and radio sources to 0.1 arcsec; OpenNGC's positions are those of NED, up to 2 arcsec away
    assert apart_arcsec < (2.5 if found.source == "OpenNGC" else 0.1)


def test_designations_of_stars_name_the_constellation_they_stand_in() -> None:
    wrong = []
    for star in (*bright_stars(), *famous_sources()):
        where = get_constellation(SkyCoord(star.ra, star.dec, unit="deg"), short_name=True)
        said = {alias.split()[1] for alias in star.aliases if len(alias.split()) == 2}
        designated = said & {name.split()[-1] for name in star.aliases if name.split()[0].islower()}
        wrong += [(star.name, where, designated)] if designated - {str(where)} else []
    assert not wrong


def test_every_other_name_means_something(names: NameService) -> None:
    for other, meant in OTHER_NAMES.items():
        found = names.resolve(other)
        assert found.name == meant
        assert other in found.aliases


def test_a_position_is_itself(names: NameService) -> None:
    found = names.resolve("12:30:49.4 +12:23:28")
    assert (found.ra, found.dec) == pytest.approx((187.705833, 12.391111), abs=1e-6)
    assert found.kind == "position"
    with pytest.raises(PositionError, match="400"):
        names.resolve("400 12")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_what_is_no_name_is_refused(names: NameService, name: str) -> None:
    with pytest.raises(ParameterError):
        names.resolve(name)


def test_an_unknown_name_gives_near_ones(names: NameService) -> None:
    with pytest.raises(NotFoundError, match="Betelgeuse"):
        names.resolve("betelgeuze")
    with pytest.raises(NotFoundError, match="network"):
        names.resolve("zzqqxx 17")
    with pytest.raises(NotFoundError):
        names.resolve("IC 1064")  # does not exist: a plate fault of a century ago


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_an_error_of_ours(text: str) -> None:
    try:
        found = _SHARED.resolve(text)
    except AweError:
        return
    assert 0 <= found.ra < 360
    assert -90 <= found.dec <= 90


class _Closed(NameStore):
    """Never asked: the network is not allowed."""

    def __init__(self) -> None:
        pass


_SHARED = NameService(_Closed())

ANSWER = """# {name}\t#Q1
#=S=Simbad (via url):    1     0ms (from cache)
%@ 3754378
%I.0 TOI-700
%C.0 PM*
%J 97.09677 -65.57859 = 06:28:23.22 -65:34:42.9
%J.E [0.01 0.01 90] A 2020yCat.1350....0G
#B 31

"""
NOTHING = "# {name}\t#Q1\n#=S=Simbad (via url):    0     9ms\n#!Simbad: No known catalog\n#! *** Nothing found ***\n"


class Cds(ThreadingHTTPServer):
    """A resolver that answers in Sesame's words, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.text = ANSWER
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Cds

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.text.format(name=self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cds() -> Iterator[Cds]:
    server = Cds()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
    gc.collect()


def _asking(tmp_path: Path, url: str, days: float = 30) -> tuple[SystemDatabase, NameService]:
    system = SystemDatabase.in_folder(tmp_path)
    system.migrate()
    return system, NameService(NameStore(system, days), Sesame(url, 5))


def test_sesame_is_asked_once_and_says_so(cds: Cds, tmp_path: Path) -> None:
    system, names = _asking(tmp_path, f"http://127.0.0.1:{cds.server_port}")
    expected = NamedObject("TOI-700", 97.09677, -65.57859, "PM*", (), "Sesame (Simbad)")
    assert names.resolve("TOI-700") == expected
    assert names.resolve("toi-700") == expected
    assert cds.asked == ["/-oI/SNV?TOI-700"]
    assert names.resolve("M87").source == "OpenNGC"  # what is known here does not go out
    assert len(cds.asked) == 1
    system.close()


def test_old_answers_are_asked_for_again(cds: Cds, tmp_path: Path) -> None:
    system, names = _asking(tmp_path, f"http://127.0.0.1:{cds.server_port}", days=0)
    names.resolve("TOI-700")
    names.resolve("TOI-700")
    assert len(cds.asked) == 2
    system.close()


def test_what_sesame_does_not_know_is_not_found(cds: Cds, tmp_path: Path) -> None:
    cds.text = NOTHING
    system, names = _asking(tmp_path, f"http://127.0.0.1:{cds.server_port}")
    with pytest.raises(NotFoundError):
        names.resolve("no such & thing?")
    assert cds.asked == ["/-oI/SNV?no%20such%20%26%20thing%3F"]
    cds.text = "<html>captive portal</html>"
    with pytest.raises(UnavailableError, match="cannot be read"):
        names.resolve("no such thing")
    system.close()


def test_a_resolver_that_is_not_there_is_said(tmp_path: Path) -> None:
    system, names = _asking(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="does not answer"):
        names.resolve("TOI-700")
    assert names.resolve("M87").name == "M 87"
    system.close()


VARIABLES = (
    "3C 120", "BL Lac", "Proxima Centauri", "Barnard's Star", "HD 209458", "HD 189733", "eps Eri", "61 Cyg",
    "TW Hya", "eta Car", "Mira", "del Cep", "RR Lyr", "T CrB", "Cyg X-1", "Her X-1", "Sco X-1", "SS 433",
    "GRS 1915+105", "Crab Pulsar", "Vela Pulsar",
)  # fmt: skip


def test_famous_variables_are_where_the_general_catalogue_has_them(
    names: NameService, shared_data: Path
) -> None:
    table = pq.read_table(shared_data / "d_lightcurves" / "gcvs.parquet", columns=["ra", "dec"])
    ra, dec = (np.asarray(table[column], float) for column in ("ra", "dec"))
    known = np.isfinite(ra) & np.isfinite(dec)
    catalogue = SkyCoord(ra[known], dec[known], unit="deg")
    far = {}
    for name in VARIABLES:
        found = names.resolve(name)
        nearest = float(SkyCoord(found.ra, found.dec, unit="deg").separation(catalogue).arcsec.min())
        if nearest > 1.5:  # it gives some positions in whole arcseconds
            far[name] = nearest
    assert far == {}


@pytest.mark.parametrize(("name", "latitude"), [("NGP", 90.0), ("SGP", -90.0)])
def test_galactic_poles_are_those_of_the_frame(names: NameService, name: str, latitude: float) -> None:
    found = names.resolve(name)
    pole = SkyCoord(0.0, latitude, unit="deg", frame="galactic")
    assert SkyCoord(found.ra, found.dec, unit="deg").separation(pole).arcsec < 0.02
