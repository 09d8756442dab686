"""What belongs to a dataset: the rows of the links service, and the descriptors that lead to it."""

import gzip
import io
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pyvo
from astropy.io import fits, votable
from astropy.io.votable.tree import VOTableFile
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_CENTRE, TINY_IMAGES, tiny_archive
from awe.web import build_app

RA, DEC = TINY_CENTRE
DID = f"ivo://tiny.test/tiny?{TINY_IMAGES[0]}"
COLUMNS = {
    "ID": "meta.id;meta.main", "access_url": "meta.ref.url", "service_def": "meta.ref",
    "error_message": "meta.code.error", "description": "meta.note", "semantics": "meta.code",
    "content_type": "meta.code.mime", "content_length": "phys.size;meta.file", "content_qualifier": "meta.code",
    "local_semantics": "meta.code", "link_auth": "meta.code", "link_authorized": "meta.code",
}  # fmt: skip


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return an archive with the products of one observation: raw, calibrated, drizzled, weights, two filters."""
    folder = tmp_path_factory.mktemp("family")
    with tiny_archive(folder) as opened:
        tiny = folder / "tiny-images" / f"{TINY_IMAGES[0]}_drz.fits"
        products = folder / "products"
        products.mkdir()
        for product in ("raw", "flt", "drz", "wht"):
            (products / f"one_{product}.fits").write_bytes(tiny.read_bytes())
        (products / "two_drz.fits.gz").write_bytes(gzip.compress(tiny.read_bytes()))
        describe = folder / "products.toml"
        describe.write_text('[metadata]\nreference = "https://archive.test/products"\n')
        opened.observations.publish("products", products, describe=describe)
        yield opened


@pytest.fixture(scope="module")
def relatives(family: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(family), raise_server_exceptions=False) as client:
        yield client


def parsed(content: bytes) -> VOTableFile:
    return votable.parse(io.BytesIO(content), verify="exception")


def rows(document: VOTableFile) -> list[dict[str, Any]]:
    table = document.get_first_table().to_table()
    return [{name: row[name] for name in table.colnames} for row in table]


def links(web: TestClient, *identifiers: str, **more: str) -> list[dict[str, Any]]:
    answer = web.post("/datalink/links", data={"ID": list(identifiers), **more})
    assert answer.status_code == 200, answer.text
    return rows(parsed(answer.content))


def test_the_table_is_that_of_the_standard(web: TestClient) -> None:
    answer = web.get("/datalink/links", params={"ID": DID})
    assert answer.headers["content-type"] == "application/x-votable+xml;content=datalink"
    document = parsed(answer.content)
    results = document.resources[0]
    assert (results.type, {i.name: i.value for i in results.infos}["standardID"]) == (
        "results",
        "ivo://ivoa.net/std/DataLink#links-1.1",
    )
    fields = document.get_first_table().fields
    assert {field.name: field.ucd for field in fields} == COLUMNS
    types = {field.name: (field.datatype, str(field.unit or "")) for field in fields}
    assert types["content_length"] == ("long", "byte")
    assert types["link_authorized"] == ("boolean", "")
    assert b"<TABLEDATA>" in answer.content


def test_every_link_leads_to_what_it_says(web: TestClient) -> None:
    found = links(web, DID)
    assert [row["semantics"] for row in found][:2] == ["#this", "#preview-image"]
    for row in found:
        assert sum(bool(row[name]) for name in ("access_url", "service_def", "error_message")) == 1
        if row["access_url"]:
            answer = web.get(str(row["access_url"]))
            assert answer.status_code == 200
            assert answer.headers["content-type"] == row["content_type"]
            if row["content_length"]:
                assert len(answer.content) == row["content_length"]


def test_the_cutout_says_what_the_image_covers(web: TestClient, platform: Platform) -> None:
    document = parsed(web.get("/datalink/links", params={"ID": DID}).content)
    cutout = next(row for row in rows(document) if row["semantics"] == "#cutout")
    service = next(r for r in document.resources if cutout["service_def"] == r.ID)
    inputs = {param.name: param for param in service.groups[0].entries}
    assert inputs["ID"].value == DID
    image = platform.observations.dataset(DID).header
    assert (inputs["BAND"].values.min, inputs["BAND"].values.max) == (image["em_min"], image["em_max"])
    ra, dec, radius = inputs["CIRCLE"].values.max
    assert (ra, dec) == pytest.approx(TINY_CENTRE, abs=1e-6)
    assert 2 * radius == pytest.approx(image["s_fov"])
    corners = " ".join(map(str, inputs["POLYGON"].values.max))
    access = {param.name: param.value for param in service.params}["accessURL"].removeprefix(
        "http://testserver"
    )
    for region in ({"CIRCLE": f"{ra} {dec} {radius}"}, {"POLYGON": corners}):
        answer = web.get(access, params={"ID": DID, **region})
        with fits.open(io.BytesIO(answer.content)) as cut:
            assert cut[0].shape == (48, 64)


def test_many_and_unknown_and_none(web: TestClient) -> None:
    other = f"ivo://tiny.test/tiny?{TINY_IMAGES[1]}"
    found = links(web, DID, "ivo://nowhere.test/x?y", other)
    assert list(dict.fromkeys(str(row["ID"]) for row in found)) == [DID, "ivo://nowhere.test/x?y", other]
    unknown = next(row for row in found if row["ID"] == "ivo://nowhere.test/x?y")
    assert unknown["error_message"].startswith("NotFoundFault: ")
    assert unknown["semantics"] == "#this"
    assert len({row["service_def"] for row in found if row["service_def"]}) == 4
    assert links(web) == []
    empty = parsed(web.get("/datalink/links").content)
    itself = next(resource for resource in empty.resources if resource.utype == "adhoc:this")
    assert [param.name for param in itself.groups[0].entries] == ["ID", "MEDIATYPE"]


def test_limits_fall_between_identifiers(web: TestClient) -> None:
    other = f"ivo://tiny.test/tiny?{TINY_IMAGES[1]}"
    one = len(links(web, DID))
    for most, left in ((one, one), (one + 1, one), (one - 1, 0), (0, 0), (2 * one, 2 * one)):
        answer = web.get("/datalink/links", params={"ID": [DID, other], "MAXREC": most})
        document = parsed(answer.content)
        assert len(rows(document)) == left
        said = [info.value for info in document.resources[0].infos if info.name == "QUERY_STATUS"]
        assert ("OVERFLOW" in said) == (left < 2 * one)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("votable", "application/x-votable+xml"),
        ("application/x-votable+xml;content=datalink", "application/x-votable+xml;content=datalink"),
        ("application/x-votable+xml", "application/x-votable+xml"),
        ("csv", "text/csv"),
    ],
)
def test_formats(web: TestClient, named: str, told: str) -> None:
    answer = web.get("/datalink/links", params={"ID": DID, "RESPONSEFORMAT": named})
    assert answer.headers["content-type"].startswith(told)


def test_a_wrong_request_is_told_in_the_standards_words(web: TestClient) -> None:
    answer = web.get("/datalink/links", params={"ID": DID, "MAXREC": "x"})
    assert answer.status_code == 400
    assert b"UsageFault: MAXREC=x" in answer.content


@pytest.mark.parametrize(
    ("name", "relations"),
    [
        ("one", {"flt": "#progenitor", "raw": "#progenitor", "wht": "#weight"}),
        ("one#flt", {"raw": "#progenitor", "": "#derivation", "wht": "#weight"}),
        ("one#raw", {"flt": "#derivation", "": "#derivation", "wht": "#weight"}),
        ("one#wht", {"flt": "#coderived", "raw": "#coderived", "": "#coderived"}),
        ("two", {}),
    ],
)
def test_what_products_are_to_each_other(relatives: TestClient, name: str, relations: dict[str, str]) -> None:
    found = [
        row
        for row in links(relatives, f"ivo://tiny.test/products?{name}")
        if str(row["access_url"]).endswith("/file")
    ]
    assert found.pop(0)["semantics"] == "#this"
    assert {str(row["local_semantics"]): row["semantics"] for row in found} == relations


def test_the_publishers_page_is_documentation(relatives: TestClient) -> None:
    found = links(relatives, "ivo://tiny.test/products?two")
    pages = [row["access_url"] for row in found if row["semantics"] == "#documentation"]
    assert pages == ["https://archive.test/products"]
    assert found[0]["content_type"] == "application/gzip"


def test_a_file_that_is_gone_has_a_reason(tmp_path: Path) -> None:
    with tiny_archive(tmp_path) as platform:
        platform.observations.file(TINY_IMAGES[0]).unlink()
        with TestClient(build_app(platform)) as web:
            found = links(web, DID)
    assert [row["semantics"] for row in found] == ["#this"]
    assert "is not there any more" in found[0]["error_message"]


OBSCORE = "SELECT obs_publisher_did AS did, obs_id FROM ivoa.obscore"
ANSWERS = [
    ("/sia", {"POS": f"{RA},{DEC}", "SIZE": "0.1"}),
    ("/sia2/query", {}),
    ("/tap/sync", {"LANG": "ADQL", "QUERY": OBSCORE}),
    ("/tap/sync", {"LANG": "ADQL", "QUERY": OBSCORE, "RESPONSEFORMAT": "votable/b2"}),
    ("/scs/ivoa.obscore", {"RA": RA, "DEC": DEC, "SR": 0.1, "VERB": 3}),
]


@pytest.mark.parametrize(("path", "params"), ANSWERS)
def test_every_answer_with_files_leads_to_links_and_cutouts(web: TestClient, path: str, params: Any) -> None:
    document = votable.parse(io.BytesIO(web.get(path, params=params).content), verify="ignore")
    services = [r for r in document.resources if r.utype == "adhoc:service"]
    standards = {next(p.value for p in r.params if p.name == "standardID") for r in services}
    assert standards >= {"ivo://ivoa.net/std/DataLink#links-1.1", "ivo://ivoa.net/std/SODA#sync-1.0"}
    for service in services:
        referred = next(param.ref for param in service.groups[0].entries if param.name == "ID")
        field = document.get_field_by_id(referred)
        assert (field.utype, document.get_first_table().array[0][field.ID]) == (
            "obscore:Curation.publisherDID",
            DID,
        )


def test_an_answer_without_files_says_nothing_of_them(web: TestClient) -> None:
    for query in ("SELECT obs_id FROM ivoa.obscore", "SELECT * FROM tiny.sources"):
        answer = web.get("/tap/sync", params={"LANG": "ADQL", "QUERY": query})
        assert b"adhoc:service" not in answer.content


def test_planes_of_caom_lead_to_links(web: TestClient) -> None:
    query = (
        "SELECT p.publisherID, o.collection, o.observationID, p.energy_bounds_lower, a.uri, a.contentLength "
        "FROM caom2.observation AS o JOIN caom2.plane AS p ON o.obsID = p.obsID "
        "JOIN caom2.artifact AS a ON a.planeID = p.planeID "
        "WHERE o.collection = 'tiny' AND o.instrument_name = 'ACS/WFC' AND p.calibrationLevel > 1 "
        "AND p.position_bounds_size < 1 AND p.energy_emBand = 'Optical' ORDER BY o.observationID"
    )
    document = parsed(web.get("/tap/sync", params={"LANG": "ADQL", "QUERY": query}).content)
    assert [row["observationID"] for row in rows(document)] == list(TINY_IMAGES)
    assert document.get_field_by_id("publisher_did").name == "publisherID"
    assert [resource.name for resource in document.resources[1:]] == ["links", "cutout", "cutout_job"]


# Over HTTP


def test_pyvo_follows_links(server: str, session: Any) -> None:
    searches = (
        pyvo.dal.SIA2Service(f"{server}/sia2", session=session).search(pos=(RA, DEC, 0.01)),
        pyvo.dal.SIAService(f"{server}/sia", session=session).search(pos=(RA, DEC), size=0.01),
        pyvo.dal.TAPService(f"{server}/tap", session=session).search("SELECT * FROM ivoa.obscore"),
    )
    for found in searches:
        assert {links.original_row["obs_id"] for links in found.iter_datalinks()} == set(TINY_IMAGES)
        ordered = list(found.iter_datalinks(preserve_order=True))
        assert [links[0].id for links in ordered] == [record["obs_publisher_did"] for record in found]
        own = found[0].getdatalink()
        assert next(own.bysemantics("#preview")).content_type == "image/png"
        with closing(found[0].getdataset()) as dataset:
            assert dataset.read(6) == b"SIMPLE"


def test_pyvo_cuts_by_links(server: str, session: Any) -> None:
    found = pyvo.dal.SIA2Service(f"{server}/sia2", session=session).search(pos=(RA, DEC, 0.01))
    for own in found.iter_datalinks():
        cutout = next(own.bysemantics("#cutout"))
        assert next(own.iter_procs()).service_def == own.get_first_proc().service_def == cutout.service_def
        with fits.open(io.BytesIO(cutout.process(circle=(RA, DEC, 0.001)).read())) as opened:
            assert 0 < opened[0].data.size < 48 * 64
        with fits.open(io.BytesIO(cutout.processed(circle=(RA, DEC, 0.001)).read())) as opened:
            assert 0 < opened[0].data.size < 48 * 64
        break


@pytest.mark.slow
def test_datalinklint_has_nothing_to_say(server: str, stilts: str) -> None:
    for asked in (f"?ID={DID.replace('?', '%3F')}&ID=ivo://nowhere.test/x%3Fy", ""):
        command = [stilts, "datalinklint", f"votable={server}/datalink/links{asked}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "Totals: Errors: 0; Warnings: 0;" in done.stdout, done.stdout


@pytest.mark.slow
def test_datalinklint_lacks_one_word_of_the_vocabulary(
    relatives: TestClient, stilts: str, tmp_path: Path
) -> None:
    """STILTS 3.4.7 keeps its own list of datalink/core (DatalinkValidator.DATALINK_CORE_PREDICATES) and fetches none.

    The list is older than #documentation, which is the right word for the page of a collection; it has every
    other word of these answers.
    """
    file = tmp_path / "links.vot"
    file.write_bytes(relatives.get("/datalink/links", params={"ID": "one"}).content)
    command = [stilts, "datalinklint", f"votable={file}", "report=EWF"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    told = [line.split(" at row ")[0] for line in done.stdout.splitlines() if line[:2] in {"E-", "W-", "F-"}]
    assert told == ["E-SMCO-1 Unknown predicate 'documentation' from core DataLink vocabulary"], done.stdout
