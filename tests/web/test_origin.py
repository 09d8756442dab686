"""Where an answer comes from: astropy's reader of the note Data Origin finds it, and clients find frames and times."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from astropy.io import votable
from astropy.io.votable.dataorigin import extract_data_origin
from starlette.testclient import TestClient

from awe import __version__
from awe.testing import TINY_CENTRE, TINY_TABLE, tiny_archive
from awe.web import build_app

RA, DEC = TINY_CENTRE
ARCHIVE = {
    "title": "Tiny sky", "authority": "tiny.test", "organisation": "The Tiny Observatory", "contact": "sky@tiny.test",
    "rights": "CC BY 4.0", "rights_url": "https://spdx.org/licenses/CC-BY-4.0.html",
}  # fmt: skip


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("origin")
    with tiny_archive(folder, archive=ARCHIVE) as platform:
        describe, rows = folder / "d.toml", folder / "d.csv"
        rows.write_text(f"n,ra,dec\n1,{RA},{DEC}\n")
        describe.write_text(
            '[metadata]\ncreator = "Leavitt, H. S.; Cannon, A. J."\nreference = "1912HarCi.173....1L"\n'
            'doi = "10.1/x"\nversion = "2"\nepoch = "J2016.0"\n'
        )
        platform.catalogs.publish("s.stars", [rows], describe=describe)
        with TestClient(build_app(platform)) as client:
            yield client


def ask(web: TestClient, path: str, **params: Any) -> votable.tree.VOTableFile:
    answer = web.get(path, params=params)
    assert answer.status_code == 200
    return votable.parse(io.BytesIO(answer.content), verify="ignore")


def test_a_query_can_be_cited_and_asked_again(web: TestClient) -> None:
    text = "SELECT ra, dec FROM s.stars"
    found = ask(web, "/tap/sync", LANG="ADQL", QUERY=text, token="0" * 32)
    said = extract_data_origin(found)
    assert said.query.publisher == "The Tiny Observatory"
    assert said.query.contact == "sky@tiny.test"
    assert said.query.server_software == f"awe/{__version__}"
    assert said.query.service_protocol == "ivo://ivoa.net/std/TAP"
    assert said.query.service_ivoid == "ivo://tiny.test/services/tap"
    assert said.query.query == text
    assert "0" * 32 not in said.query.request
    again = votable.parse(io.BytesIO(web.get(said.query.request).content), verify="ignore")
    assert len(again.get_first_table().array) == 1
    then = datetime.strptime(said.query.request_date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - then).total_seconds()) < 60
    (origin,) = said.origin
    assert origin.data_ivoid == ["ivo://tiny.test/tables/s/stars"]
    assert origin.creator == ["Leavitt, H. S.", "Cannon, A. J."]
    assert origin.article == ["1912HarCi.173....1L"]
    assert origin.citation == ["doi:10.1/x"]
    assert origin.resource_version == ["2"]
    assert origin.rights_uri == ["https://spdx.org/licenses/CC-BY-4.0.html"]


@pytest.mark.parametrize(
    ("path", "params", "protocol", "service"),
    [
        (f"/scs/{TINY_TABLE}", {"RA": RA, "DEC": DEC, "SR": 0.1}, "ConeSearch", "tables/tiny/sources"),
        ("/sia", {"POS": f"{RA},{DEC}", "SIZE": 0.1}, "SIA", "services/images"),
        ("/sia2/query", {"POS": f"CIRCLE {RA} {DEC} 0.1"}, "SIA#query-2.0", "services/images"),
        ("/ssa", {"REQUEST": "queryData", "POS": f"{RA},{DEC}", "SIZE": 0.1}, "SSA", "services/images"),
    ],
)
def test_every_protocol_says_it(
    web: TestClient, path: str, params: dict[str, Any], protocol: str, service: str
) -> None:
    said = extract_data_origin(ask(web, path, **params)).query
    assert said.service_protocol == f"ivo://ivoa.net/std/{protocol}"
    assert said.service_ivoid == f"ivo://tiny.test/{service}"
    assert said.request.startswith(f"http://testserver{path}?")


def test_tables_that_are_joined_are_all_named(web: TestClient) -> None:
    text = f"SELECT s.ra, t.mag FROM s.stars AS s JOIN {TINY_TABLE} AS t ON s.n = t.id"
    found = ask(web, "/tap/sync", LANG="ADQL", QUERY=text)
    infos = [info.value for info in found.resources[0].infos if info.name == "data_ivoid"]
    assert sorted(infos) == ["ivo://tiny.test/tables/s/stars", "ivo://tiny.test/tables/tiny/sources"]


def test_a_wrong_query_is_told_as_before(web: TestClient) -> None:
    answer = web.get("/tap/sync", params={"LANG": "ADQL", "QUERY": "SELECT nix FROM s.stars"})
    assert answer.status_code == 400
    assert "no column nix" in answer.text


def test_positions_have_a_frame_and_its_epoch(web: TestClient) -> None:
    for path, params in (
        ("/tap/sync", {"LANG": "ADQL", "QUERY": "SELECT ra, dec FROM s.stars"}),
        ("/scs/s.stars", {"RA": RA, "DEC": DEC, "SR": 0.1}),
    ):
        found = ask(web, path, **params)
        (frame,) = found.resources[0].coordinate_systems
        assert (frame.system, frame.epoch) == ("ICRS", "J2016.0")
        refs = {field.name: field.ref for field in found.get_first_table().fields}
        assert refs["ra"] == refs["dec"] == frame.ID
    (frame,) = ask(web, f"/scs/{TINY_TABLE}", RA=RA, DEC=DEC, SR=0.1).resources[0].coordinate_systems
    assert not frame.epoch


def test_times_of_observations_have_a_scale_and_an_origin(web: TestClient) -> None:
    found = ask(web, "/sia2/query", POS=f"CIRCLE {RA} {DEC} 0.1")
    systems = {one.ID: one for one in found.resources[0].time_systems}
    refs = {field.name: field.ref for field in found.get_first_table().fields}
    assert refs["t_min"] == refs["t_max"]
    system = systems[refs["t_min"]]
    assert (system.timescale, system.timeorigin) == ("UTC", "MJD-origin")
    assert not refs["t_exptime"]
