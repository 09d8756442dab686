"""The VO services, asked in this process: against astropy's reading and plain arithmetic."""

import io
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits, votable
from astropy.io.votable.tree import VOTableFile
from astropy.nddata import Cutout2D
from astropy.table import Table
from astropy.wcs import WCS
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_CENTRE, TINY_IMAGES, TINY_TABLE

Params = Mapping[str, str | int | float | Sequence[str]]
RA, DEC = TINY_CENTRE
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


def read(content: bytes) -> VOTableFile:
    # the words of the first generation of UCDs, which SCS 1.03 and SIA 1.0 demand, are unknown to astropy
    verify = "ignore" if b"POS_EQ_RA_MAIN" in content else "exception"
    return votable.parse(io.BytesIO(content), verify=verify)


def ask(web: TestClient, path: str, params: Params | None = None) -> VOTableFile:
    answer = web.get(path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-votable+xml")
    return read(answer.content)


def rows(web: TestClient, path: str, params: Params | None = None) -> Table:
    return ask(web, path, params).get_first_table().to_table(use_names_over_ids=True)


@pytest.fixture(scope="module")
def sources(platform: Platform) -> Table:
    table = platform.catalogs.query(f"SELECT * FROM {TINY_TABLE}").to_table()
    return Table({name: table[name].to_numpy(zero_copy_only=False) for name in ("id", "ra", "dec")})


@pytest.mark.parametrize("radius", [0.01, 0.05, 0.2, 180.0])
def test_a_cone_has_the_rows_that_are_inside(web: TestClient, sources: Table, radius: float) -> None:
    centre = SkyCoord(RA, DEC, unit="deg")
    inside = centre.separation(SkyCoord(sources["ra"], sources["dec"], unit="deg")).deg <= radius
    found = rows(web, f"/scs/{TINY_TABLE}", {"RA": RA, "DEC": DEC, "SR": radius})
    assert sorted(found["id"]) == sorted(sources["id"][inside])


def test_a_cone_speaks_ucd1_and_each_is_said_once(web: TestClient) -> None:
    table = ask(web, f"/scs/{TINY_TABLE}", {"ra": RA, "Dec": DEC, "sr": 0.1}).get_first_table()
    ucds = [field.ucd for field in table.fields]
    for ucd in ("ID_MAIN", "POS_EQ_RA_MAIN", "POS_EQ_DEC_MAIN"):
        assert ucds.count(ucd) == 1
    kinds = {field.ucd: field.datatype for field in table.fields}
    assert (kinds["POS_EQ_RA_MAIN"], kinds["POS_EQ_DEC_MAIN"]) == ("double", "double")


@pytest.mark.parametrize(("verb", "columns"), [(1, 3), (2, 4), (3, 7)])
def test_verbosity(web: TestClient, verb: int, columns: int) -> None:
    found = rows(web, f"/scs/{TINY_TABLE}", {"RA": RA, "DEC": DEC, "SR": 0.1, "VERB": verb})
    assert len(found.colnames) == columns


def test_a_radius_of_nothing_gives_the_columns(web: TestClient) -> None:
    found = rows(web, f"/scs/{TINY_TABLE}", {"RA": RA, "DEC": DEC, "SR": 0, "VERB": 3})
    assert len(found) == 0
    assert len(found.colnames) == 7


def test_what_is_cut_is_said(web: TestClient) -> None:
    answer = web.get(f"/scs/{TINY_TABLE}", params={"RA": RA, "DEC": DEC, "SR": 1, "MAXREC": 5})
    results = read(answer.content).resources[0]
    assert len(results.tables[0].array) == 5
    assert [info.value for info in results.infos if info.name == "QUERY_STATUS"] == ["OK", "OVERFLOW"]
    assert answer.content.index(b"OVERFLOW") > answer.content.index(b"</TABLE>")


def test_links_of_this_site_are_complete(web: TestClient) -> None:
    found = rows(web, "/tap/sync", {"QUERY": f"SELECT page FROM {TINY_TABLE} WHERE id < 3", "LANG": "ADQL"})
    assert all(str(link).startswith("http://testserver/pages/") for link in found["page"])


@pytest.mark.parametrize("language", ["ADQL", "adql-2.0", "ADQL-2.1"])
@pytest.mark.parametrize("method", ["GET", "POST", "multipart"])
def test_the_same_query_however_it_comes(web: TestClient, language: str, method: str) -> None:
    given = {
        "query": f"SELECT TOP 3 id AS n, s.ra FROM {TINY_TABLE} AS s ORDER BY n DESC",
        "lang": language,
        "DUMMY": "ignore-me",
        "REQUEST": "doQuery",
    }
    if method == "GET":
        answer = web.get("/tap/sync", params=given)
    elif method == "POST":
        answer = web.post("/tap/sync", data=given)
    else:
        answer = web.post("/tap/sync", files={name: (None, value) for name, value in given.items()})
    table = read(answer.content).get_first_table()
    assert list(table.array["n"]) == [500, 499, 498]
    assert [field.name for field in table.fields] == ["n", "ra"]
    assert table.fields[1].unit == "deg"


def test_no_rows_were_asked_for(web: TestClient) -> None:
    found = rows(web, "/tap/sync", {"QUERY": f"SELECT * FROM {TINY_TABLE}", "LANG": "ADQL", "MAXREC": 0})
    assert len(found) == 0
    assert len(found.colnames) == 7


@pytest.mark.parametrize("named", ["votable/b2", "application/x-votable+xml;serialization=BINARY2"])
def test_binary2(web: TestClient, named: str) -> None:
    query = f"SELECT id, mag, name, flag FROM {TINY_TABLE} ORDER BY id"
    text = rows(web, "/tap/sync", {"QUERY": query, "LANG": "ADQL"})
    binary = rows(web, "/tap/sync", {"QUERY": query, "LANG": "ADQL", "RESPONSEFORMAT": named})
    assert len(binary) == 500
    for name in ("id", "name", "flag"):
        assert list(binary[name]) == list(text[name])
    assert np.array_equal(
        np.ma.filled(binary["mag"], np.nan), np.ma.filled(text["mag"], np.nan), equal_nan=True
    )


def test_accept_chooses_the_format(web: TestClient) -> None:
    asked = {"QUERY": f"SELECT id FROM {TINY_TABLE}", "LANG": "ADQL"}
    assert web.get("/tap/sync", params=asked, headers={"Accept": "text/csv"}).text.count("\n") == 501
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
    assert "votable" in web.get("/tap/sync", params=asked, headers=browser).headers["content-type"]


def test_head_has_no_body_and_all_headers(web: TestClient) -> None:
    for path in (f"/scs/{TINY_TABLE}?RA=1&DEC=1&SR=1", "/tap/capabilities", "/", "/api/status"):
        answer = web.head(path)
        assert answer.status_code == 200
        assert answer.content == b""
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_methods_that_do_nothing_here(web: TestClient) -> None:
    answer = web.delete("/tap/sync")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}


# Images


def test_sia1_has_the_columns_of_the_hubble_legacy_archive(web: TestClient) -> None:
    table = ask(web, "/sia", {"POS": f"{RA},{DEC}", "SIZE": 0, "FORMAT": "image/fits"}).get_first_table()
    names = [field.name for field in table.fields]
    expected = ["URL", "RA", "DEC", "Level", "Target", "Detector", "Aperture", "Spectral_Elt", "NExposures"]
    assert names[:9] == expected
    assert {"ExpTime", "StartTime", "Dataset", "PropID", "VisitNum", "regionSTCS", "s_ra"} <= set(names)
    ucds = {field.ucd: field.name for field in table.fields}
    assert ucds["VOX:Image_AccessReference"] == "URL"
    for ucd in (
        "VOX:Image_Title",
        "VOX:Image_Naxes",
        "VOX:Image_Naxis",
        "VOX:Image_Scale",
        "VOX:Image_Format",
    ):
        assert ucd in ucds
    row = table.to_table()[0]
    assert row["Detector"] == "ACS/WFC"
    assert list(row["naxis"]) == [64, 48]
    assert np.allclose(row["scale"], [-0.5 / 3600, 0.5 / 3600])
    assert row["StartTime"] == "2003-01-19 04:48:00"
    assert row["Format"] == "image/fits"
    assert str(row["URL"]).startswith("http://testserver/api/datasets/")
    assert web.get(str(row["URL"])).content[:6] == b"SIMPLE"


@pytest.mark.parametrize(
    ("how", "size", "found"),
    [
        ("OVERLAPS", "0.001", 2),
        ("OVERLAPS", "1", 2),
        ("COVERS", "0.001", 2),
        ("COVERS", "1", 0),
        ("ENCLOSED", "1", 2),
        ("ENCLOSED", "0.001", 0),
        ("CENTER", "0.001", 2),
        ("COVERS", "0", 2),
    ],
)
def test_intersect(web: TestClient, how: str, size: str, found: int) -> None:
    params = {"POS": f"{RA},{DEC}", "SIZE": size, "INTERSECT": how}
    assert len(rows(web, "/sia", params)) == found


def test_sia1_off_centre(web: TestClient) -> None:
    beside = {"POS": f"{RA + 0.004},{DEC}", "SIZE": "0.0001"}
    assert len(rows(web, "/sia", beside | {"INTERSECT": "COVERS"})) == 2
    assert len(rows(web, "/sia", beside | {"INTERSECT": "CENTER"})) == 0
    assert len(rows(web, "/sia", {"POS": f"{RA + 1},{DEC}", "SIZE": "0.1"})) == 0


def test_sia1_formats(web: TestClient) -> None:
    here = {"POS": f"{RA},{DEC}", "SIZE": "0.1"}
    assert len(rows(web, "/sia", here | {"FORMAT": "ALL"})) == 2
    assert len(rows(web, "/sia", here | {"FORMAT": "image/fits,image/png"})) == 2
    assert len(rows(web, "/sia", here | {"FORMAT": "GRAPHIC"})) == 0


def test_sia1_metadata(web: TestClient) -> None:
    table = ask(web, "/sia", {"FORMAT": "METADATA"}).get_first_table()
    assert len(table.array) == 0
    assert {param.name for param in table.params} >= {"INPUT:POS", "INPUT:SIZE", "INPUT:FORMAT"}


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, 2),
        ({"POS": f"CIRCLE {RA} {DEC} 0.01"}, 2),
        ({"POS": [f"CIRCLE {RA} {DEC} 0.01", "CIRCLE 10 10 1"]}, 2),
        ({"POS": "CIRCLE 10 10 1"}, 0),
        ({"POS": f"RANGE {RA - 1} {RA + 1} {DEC - 1} {DEC + 1}"}, 2),
        ({"POS": "POLYGON 187 12 188 12 188 13 187 13"}, 2),
        ({"BAND": "5.0e-7 5.5e-7"}, 1),
        ({"BAND": ["5.0e-7", "8.0e-7"]}, 2),
        ({"BAND": "-Inf 1e-9"}, 0),
        ({"TIME": "52658 52659"}, 2),
        ({"TIME": "60000 +Inf"}, 0),
        ({"EXPTIME": "999 1001"}, 2),
        ({"EXPTIME": "1001 +Inf"}, 0),
        ({"FACILITY": "HST", "INSTRUMENT": "ACS/WFC"}, 2),
        ({"INSTRUMENT": ["WFPC2", "ACS/WFC"]}, 2),
        ({"COLLECTION": "other"}, 0),
        ({"TARGET": "M87", "DPTYPE": "image"}, 2),
        ({"ID": "ivo://tiny.test/tiny?tiny_acs_f814w"}, 1),
        ({"MAXREC": "0"}, 0),
        ({"MAXREC": "1"}, 1),
    ],
)
def test_sia2(web: TestClient, params: Params, found: int) -> None:
    assert len(rows(web, "/sia2/query", params)) == found
    assert len(rows(web, "/sia2", params)) == found


def test_the_image_search_describes_itself(web: TestClient) -> None:
    for params in ({"MAXREC": "0"}, {}):
        document = ask(web, "/sia2/query", params)
        itself = [resource for resource in document.resources if resource.utype == "adhoc:this"]
        assert len(itself) == 1
        inputs = {param.name: param for param in itself[0].groups[0].entries}
        assert {"POS", "BAND", "TIME", "POL", "FOV", "SPATRES", "SPECRP", "EXPTIME", "TIMERES", "ID"} <= set(
            inputs
        )
        assert [option for _, option in inputs["COLLECTION"].values.options] == ["tiny"]
        assert [option for _, option in inputs["DPTYPE"].values.options] == ["image", "cube"]


def test_sia1_says_what_kind_of_service_it_is(web: TestClient) -> None:
    root = ET.fromstring(web.get("/sia/capabilities").content)
    own = next(one for one in root if one.get("standardID") == "ivo://ivoa.net/std/SIA")
    assert own.get(f"{XSI}type") == "sia:SimpleImageAccess"
    assert own.findtext("imageServiceType") == "Pointed"
    place = [own.findtext(f"testQuery/{path}") for path in ("pos/long", "pos/lat", "size/long", "size/lat")]
    ra, dec, width, height = (str(number) for number in place)
    assert len(rows(web, "/sia", {"POS": f"{ra},{dec}", "SIZE": f"{width},{height}"})) == 2


def test_an_image_search_says_how_to_cut(web: TestClient) -> None:
    for path, params in (("/sia2/query", {}), ("/sia", {"POS": f"{RA},{DEC}"})):
        document = ask(web, path, params)
        service = next(r for r in document.resources if r.name == "cutout")
        said = {param.name: param.value for param in service.params}
        assert said["accessURL"] == "http://testserver/soda/sync"
        assert said["standardID"] == "ivo://ivoa.net/std/SODA#sync-1.0"
        inputs = {param.name: param for param in service.groups[0].entries}
        assert inputs["ID"].ref == "publisher_did"
        assert document.get_field_by_id("publisher_did").name == "obs_publisher_did"
        assert inputs["CIRCLE"].xtype == "circle"


# Cutouts


def test_a_cutout_is_the_piece_that_astropy_cuts(web: TestClient, platform: Platform) -> None:
    whole = fits.open(platform.observations.file(TINY_IMAGES[0]))
    circle = f"{RA} {DEC} {5 / 3600}"
    answer = web.get("/soda/sync", params={"ID": TINY_IMAGES[0], "CIRCLE": circle})
    assert answer.status_code == 200
    with fits.open(io.BytesIO(answer.content)) as cut:
        image = next(hdu for hdu in cut if hdu.data is not None)
        centre = SkyCoord(RA, DEC, unit="deg")
        there = Cutout2D(whole[0].data, centre, image.data.shape, wcs=WCS(whole[0].header))
        assert np.array_equal(image.data, there.data)
        corner = WCS(image.header).pixel_to_world(0, 0)
        assert corner.separation(there.wcs.pixel_to_world(0, 0)).arcsec < 1e-6
    whole.close()


@pytest.mark.parametrize(
    "region",
    [
        {"POS": f"CIRCLE {RA} {DEC} 0.001"},
        {"POS": f"RANGE {RA - 0.001} {RA + 0.001} {DEC - 0.001} {DEC + 0.001}"},
        {"POLYGON": f"{RA} {DEC} {RA + 0.001} {DEC} {RA} {DEC + 0.001}"},
        {"CIRCLE": f"{RA} {DEC} 0.001", "BAND": "5e-7 6e-7"},
        {},
    ],
)
def test_cutouts(web: TestClient, region: Params) -> None:
    for path in ("/soda", "/soda/sync"):
        answer = web.post(path, data={"id": f"ivo://tiny.test/tiny?{TINY_IMAGES[0]}", **region})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/fits"
        with fits.open(io.BytesIO(answer.content)) as cut:
            assert cut[0].data.size > 0


@pytest.mark.parametrize(
    "region", [{"CIRCLE": "10 10 0.1"}, {"CIRCLE": f"{RA} {DEC} 0.001", "BAND": "1e-9 2e-9"}]
)
def test_nothing_is_there_to_cut(web: TestClient, region: Params) -> None:
    answer = web.get("/soda/sync", params={"ID": TINY_IMAGES[0], **region})
    assert (answer.status_code, answer.content) == (204, b"")


# What the services say of themselves


@pytest.mark.parametrize(
    ("service", "standard"),
    [
        ("tap", "ivo://ivoa.net/std/TAP"),
        (f"scs/{TINY_TABLE}", "ivo://ivoa.net/std/ConeSearch"),
        ("sia", "ivo://ivoa.net/std/SIA"),
        ("sia2", "ivo://ivoa.net/std/SIA#query-2.0"),
        ("soda", "ivo://ivoa.net/std/SODA#sync-1.0"),
        ("datalink", "ivo://ivoa.net/std/DataLink#links-1.1"),
    ],
)
def test_capabilities_lead_somewhere(web: TestClient, service: str, standard: str) -> None:
    root = ET.fromstring(web.get(f"/{service}/capabilities").content)
    found = {c.get("standardID"): c.findtext("interface/accessURL") for c in root}
    assert standard in found
    for place in ("capabilities", "availability"):
        address = found[f"ivo://ivoa.net/std/VOSI#{place}"]
        assert address == f"http://testserver/{service}/{place}"
        assert web.get(address).status_code == 200


def test_tap_says_what_it_can(web: TestClient) -> None:
    assert web.get("/tap").content == web.get("/tap/capabilities").content
    root = ET.fromstring(web.get("/tap/capabilities").content)
    tap = next(c for c in root if c.get("standardID") == "ivo://ivoa.net/std/TAP")
    assert tap.get(f"{XSI}type") == "tr:TableAccess"
    kinds = {features.get("type").rpartition("-")[2] for features in tap.iter("languageFeatures")}  # type: ignore[union-attr]
    for features in tap.iter("languageFeatures"):
        forms = [form.text for form in features.iter("form")]
        assert len(forms) == len(set(forms))
    assert {"adqlgeo", "udf", "string"} <= kinds
    assert tap.findtext("outputLimit/default") == "100000"
    for output in tap.iter("outputFormat"):
        params = {"QUERY": f"SELECT TOP 1 id FROM {TINY_TABLE}", "LANG": "ADQL"}
        for named in (output.findtext("mime"), output.findtext("alias")):
            assert named
            answer = web.get("/tap/sync", params=params | {"RESPONSEFORMAT": named})
            assert answer.status_code == 200, named


def test_tables_are_those_of_tap_schema(web: TestClient) -> None:
    root = ET.fromstring(web.get("/tap/tables").content)
    told = {
        (
            table.findtext("name"),
            column.findtext("name"),
            column.findtext("dataType"),
            column.findtext("unit") or "",
        )
        for table in root.iter("table")
        for column in table.iter("column")
    }
    query = "SELECT table_name, column_name, datatype, unit FROM TAP_SCHEMA.columns"
    found = rows(web, "/tap/sync", {"QUERY": query, "LANG": "ADQL"})
    assert told == {(str(t), str(c), str(d), str(u) if u else "") for t, c, d, u in found.iterrows()}
    one = ET.fromstring(web.get(f"/tap/tables/{TINY_TABLE}").content)
    assert one.findtext("name") == TINY_TABLE


def test_tables_in_less_detail(web: TestClient) -> None:
    root = ET.fromstring(web.get("/tap/tables", params={"DETAIL": "Min"}).content)
    assert len(list(root.iter("table"))) > 5
    assert not list(root.iter("column"))
    wrong = web.get("/tap/tables", params={"detail": "some"})
    assert wrong.status_code == 400
    assert "detail=some: is not one of min, max" in wrong.text


def test_every_example_runs(web: TestClient) -> None:
    root = ET.fromstring(web.get("/tap/examples").content)
    queries = [e.text for e in root.iter() if e.get("property") == "query"]
    assert queries
    for query in queries:
        assert web.get("/tap/sync", params={"QUERY": query or "", "LANG": "ADQL"}).status_code == 200
