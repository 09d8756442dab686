"""The publishing registry and the relations of RegTAP: they agree with the services and with each other."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import pyvo
from astropy.io import votable
from pyvo.registry import regtap, rtcons
from starlette.testclient import TestClient

from awe.testing import TINY_CENTRE, TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

OAI = "{http://www.openarchives.org/OAI/2.0/}"
RI = "{http://www.ivoa.net/xml/RegistryInterface/v1.0}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ROOT = "ivo://tiny.test"


def ask(web: TestClient, **arguments: str) -> ET.Element:
    answer = web.get("/oai", params=arguments)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    return ET.fromstring(answer.content)


def records(web: TestClient) -> dict[str, ET.Element]:
    root = ask(web, verb="ListRecords", metadataPrefix="ivo_vor")
    return {one.findtext("identifier") or "": one for one in root.iter(f"{RI}Resource")}


def query(web: TestClient, text: str) -> list[dict[str, Any]]:
    answer = web.get("/tap/sync", params={"LANG": "ADQL", "QUERY": text})
    assert answer.status_code == 200, answer.text
    table = votable.parse(io.BytesIO(answer.content)).get_first_table().to_table(use_names_over_ids=True)
    return [
        {name: None if row[name] in ("", None) else row[name] for name in table.colnames} for row in table
    ]


def test_what_is_published_has_a_record(web: TestClient) -> None:
    kinds = {ivoid: record.get(f"{XSI}type") for ivoid, record in records(web).items()}
    assert kinds == {
        ROOT: "vg:Authority",
        f"{ROOT}/services/publisher": "vr:Organisation",
        f"{ROOT}/services/registry": "vg:Registry",
        f"{ROOT}/services/tap": "vs:CatalogService",
        f"{ROOT}/services/groups": "vr:Service",
        f"{ROOT}/services/images": "vs:CatalogService",
        f"{ROOT}/tables/tiny": "vs:CatalogResource",
        f"{ROOT}/tables/caom2": "vs:CatalogResource",
        f"{ROOT}/tables/ivoa": "vs:CatalogResource",
        f"{ROOT}/tables/tiny/sources": "vs:CatalogService",
        f"{ROOT}/tables/ivoa/obscore": "vs:CatalogService",
        f"{ROOT}/tiny": "vs:DataResource",
    }


def test_a_record_tells_what_its_services_tell(web: TestClient) -> None:
    def told(element: ET.Element) -> set[tuple[str, str]]:
        found = element.iter("capability")
        return {(c.get("standardID") or "", c.findtext("interface/accessURL") or "") for c in found}

    known = records(web)
    for ivoid, services in {
        "services/tap": ["tap"],
        "services/groups": ["gms"],
        "services/images": ["sia", "sia2", "ssa", "soda", "datalink"],
        "services/registry": ["oai"],
        "tables/tiny/sources": [f"scs/{TINY_TABLE}"],
    }.items():
        record = known[f"{ROOT}/{ivoid}"]
        own = {pair for pair in told(record) if "aux" not in pair[0]}
        there = [told(ET.fromstring(web.get(f"/{name}/capabilities").content)) for name in services]
        alone = {("ivo://ivoa.net/std/hips#hipslist-1.0", "http://testserver/hipslist")}
        assert own == set.union(*there, alone if "images" in ivoid else set())
    # and the relations tell the same of every resource
    related = query(web, "SELECT ivoid, standard_id, access_url FROM rr.capability NATURAL JOIN rr.interface")
    rows = {(row["ivoid"], row["standard_id"], row["access_url"]) for row in related}
    assert rows == {
        (ivoid, standard.lower(), url) for ivoid, record in known.items() for standard, url in told(record)
    }


def test_a_record_has_the_tables_and_the_sky(web: TestClient) -> None:
    record = records(web)[f"{ROOT}/tables/tiny/sources"]
    assert [table.findtext("name") for table in record.iter("table")] == [TINY_TABLE]
    assert [c.findtext("name") for c in record.iter("column")][:3] == ["id", "ra", "dec"]
    assert (record.findtext("coverage/spatial") or "").startswith("6/")
    collection = records(web)[f"{ROOT}/tiny"]
    low, high = map(float, (collection.findtext("coverage/spectral") or "").split())
    # F606W and F814W: 470 to 960 nm and E = h c / wavelength
    assert 1.98644586e-25 / high == pytest.approx(4.7e-7, rel=0.05)
    assert 1.98644586e-25 / low == pytest.approx(9.6e-7, rel=0.05)
    assert [e.text for e in collection.iter("waveband")] == ["Optical"]
    assert collection.findtext("instrument") == "ACS/WFC"
    assert float((collection.findtext("coverage/temporal") or "").split()[0]) == pytest.approx(52658.2)


def test_identify_names_the_registry(web: TestClient) -> None:
    root = ask(web, verb="Identify")
    about = root.find(f".//{RI}Resource")
    assert about is not None
    assert about.findtext("identifier") == f"{ROOT}/services/registry"
    assert about.findtext("managedAuthority") == "tiny.test"
    assert root.findtext(".//{*}baseURL") == "http://testserver/oai"
    assert root.findtext(".//{*}request") == "http://testserver/oai"


def test_arguments_may_be_posted_and_case_of_identifiers_does_not_matter(web: TestClient) -> None:
    arguments = {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "IVO://tiny.test/tables/TINY"}
    root = ET.fromstring(web.post("/oai", data=arguments).content)
    assert root.findtext(".//{*}title") == "tiny: tables of Tiny sky"
    request = root.find("{*}request")
    assert request is not None
    assert request.get("verb") == "GetRecord"


def test_errors_are_answers(web: TestClient) -> None:
    for arguments, code in (
        ({"verb": "Nix"}, "badVerb"),
        (
            {"verb": "GetRecord", "metadataPrefix": "ivo_vor", "identifier": "ivo://tiny.test/nix"},
            "idDoesNotExist",
        ),
        ({"verb": "ListMetadataFormats", "identifier": "ivo://tiny.test/nix"}, "idDoesNotExist"),
        ({"verb": "ListRecords", "metadataPrefix": "ivo_vor", "from": "2999-01-01"}, "noRecordsMatch"),
    ):
        error = ask(web, **arguments).find("{*}error")
        assert error is not None
        assert error.get("code") == code
        assert error.text


def test_tap_tables_are_listed_once_with_their_fullest_record(web: TestClient) -> None:
    rows = query(web, "SELECT resid, svcid, table_name FROM rr.tap_table ORDER BY table_name")
    assert [(row["resid"], row["table_name"]) for row in rows] == [
        (f"{ROOT}/tables/caom2", "caom2.artifact"),
        (f"{ROOT}/tables/caom2", "caom2.observation"),
        (f"{ROOT}/tables/caom2", "caom2.plane"),
        (f"{ROOT}/tables/ivoa", "ivoa.obscore"),
        (f"{ROOT}/tables/ivoa", "ivoa.obsplan"),
        (f"{ROOT}/tables/tiny", TINY_TABLE),
    ]
    assert {row["svcid"] for row in rows} == {f"{ROOT}/services/tap"}


def test_the_schema_says_which_standard_it_follows(web: TestClient) -> None:
    (row,) = query(web, "SELECT utype FROM TAP_SCHEMA.schemas WHERE schema_name = 'rr'")
    assert row["utype"] == "ivo://ivoa.net/std/regtap#1.2"
    # who has not all of the Virtual Observatory must not declare the data model (RegTAP 1.2 section 5)
    assert "regtap" not in web.get("/tap/capabilities").text.lower()


def test_what_goes_is_remembered_and_what_is_closed_is_not_told(tmp_path: Path) -> None:
    with tiny_archive(tmp_path) as platform, TestClient(build_app(platform)) as web:
        describe, rows = tmp_path / "mine.toml", tmp_path / "mine.csv"
        platform.accounts.add("ada", by="local:test", password="correct horse")
        rows.write_text("n\n1\n")
        platform.catalogs.publish("free.numbers", [rows])
        describe.write_text('[table]\nreaders = ["ada"]\n')
        platform.catalogs.publish("mine.numbers", [rows], describe=describe)
        assert {f"{ROOT}/tables/free"} <= records(web).keys()
        assert not {ivoid for ivoid in records(web) if "mine" in ivoid}
        platform.catalogs.drop("free.numbers")
        platform.observations.drop("tiny")
        listed = ask(web, verb="ListIdentifiers", metadataPrefix="ivo_vor").iter(f"{OAI}header")
        gone = {one.findtext(f"{OAI}identifier") for one in listed if one.get("status") == "deleted"}
        assert {f"{ROOT}/tables/free", f"{ROOT}/tiny", f"{ROOT}/services/images"} <= gone
        record = ask(web, verb="GetRecord", metadataPrefix="ivo_vor", identifier=f"{ROOT}/tiny")
        assert record.find(".//{*}metadata") is None
        assert record.find(".//{*}error") is None


def test_statements_of_a_publisher_are_in_the_record(tmp_path: Path) -> None:
    archive = {
        "title": "Tiny sky", "authority": "tiny.test", "organisation": "The Tiny Observatory",
        "contact": "sky@tiny.test", "creator": "Leavitt, H. S.; Cannon, A. J.", "rights": "Use it, and say so.",
        "rights_url": "https://spdx.org/licenses/CC-BY-4.0.html",
    }  # fmt: skip
    with tiny_archive(tmp_path, archive=archive) as platform:
        describe, rows = tmp_path / "d.toml", tmp_path / "d.csv"
        rows.write_text("n\n1\n")
        describe.write_text(
            '[schema]\ntitle = "Numbers"\n[table]\ndescription = "One."\n[metadata]\nsubject = "cepheids; galaxies"\n'
            'creator = "Hubble, E."\nreference = "1929PNAS...15..168H"\ndoi = "10.1073/pnas.15.3.168"\n'
            'waveband = "Optical"\n'
        )
        platform.catalogs.publish("s.numbers", [rows], describe=describe)
        with TestClient(build_app(platform)) as web:
            record = records(web)[f"{ROOT}/tables/s"]
            tap = records(web)[f"{ROOT}/services/tap"]
            alternative = query(
                web, f"SELECT alt_identifier AS a FROM rr.alt_identifier WHERE ivoid = '{ROOT}/tables/s'"
            )
    assert record.findtext("title") == "Numbers"
    assert [e.text for e in record.iter("subject")] == ["cepheids", "galaxies"]
    assert [e.findtext("name") for e in record.iter("creator")] == ["Hubble, E."]
    assert [e.findtext("name") for e in tap.iter("creator")] == ["Leavitt, H. S.", "Cannon, A. J."]
    assert record.findtext("content/source") == "1929PNAS...15..168H"
    assert record.findtext("altIdentifier") == "doi:10.1073/pnas.15.3.168"
    assert record.findtext("curation/publisher") == "The Tiny Observatory"
    assert record.findtext("curation/contact/email") == "sky@tiny.test"
    assert record.findtext("rights") == "Use it, and say so."
    assert alternative == [{"a": "doi:10.1073/pnas.15.3.168"}]


@pytest.fixture(scope="module")
def registry(server: str) -> Iterator[str]:
    old = regtap.get_RegTAP_service_url()
    pyvo.registry.choose_RegTAP_service(f"{server}/tap")
    yield server
    pyvo.registry.choose_RegTAP_service(old)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # pyvo leaves its connections open
def test_pyvo_finds_our_own_records(registry: str) -> None:
    found = pyvo.registry.search(servicetype="conesearch")
    by_id = {record.ivoid: record for record in found}
    cone = by_id[f"{ROOT}/tables/tiny/sources"]
    assert cone.access_modes() >= {"conesearch"}
    service = cone.get_service("conesearch")
    assert service.baseurl.startswith(registry)
    assert len(service.search(pos=TINY_CENTRE, radius=0.05)) > 0
    images = {record.ivoid for record in pyvo.registry.search(servicetype="sia2")}
    assert f"{ROOT}/services/images" in images
    assert {r.ivoid for r in pyvo.registry.search(rtcons.Ivoid(f"{ROOT}/services/tap"))} == {
        f"{ROOT}/services/tap"
    }
    assert TINY_TABLE in cone.get_tables()
