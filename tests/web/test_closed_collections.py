"""Collections that only some may see: every door through which their datasets could be seen by others."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from awe.core.science.cutout import Wanted
from awe.errors import NotFoundError
from awe.platform import Platform
from awe.services.catalogs import QUERY, QueryOrder
from awe.services.identity import ADMINISTRATOR, ANONYMOUS, GroupStore
from awe.services.jobs import Work
from awe.services.observations import CUTOUT, Piece, order_of
from awe.testing import log_in, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

SECRET = "curtain"


class Site(NamedTuple):
    platform: Platform
    web: TestClient
    did: str
    open_datasets: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return an archive with an open collection, and the same images in one for the group ``team`` of ann."""
    folder = tmp_path_factory.mktemp("closed")
    with tiny_archive(folder) as platform:
        for name in ("ann", "eve"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        platform.accounts.add("chief", [ADMINISTRATOR], by="local:test", password="correct horse")
        GroupStore(platform.system).add("team", "", "ann")
        images = folder / "behind"
        images.mkdir()
        for number, dataset in enumerate(platform.observations.datasets("tiny")):
            shutil.copy(dataset.path, images / f"{SECRET}_{number}.fits")
        describe = folder / "closed.toml"
        describe.write_text(
            f'[collection]\ntitle = "The {SECRET}"\nreaders = ["team"]\n[metadata]\nsimulated = "{SECRET}"\n'
        )
        platform.observations.publish(SECRET, images, describe=describe)
        platform.hips.make(SECRET, order=3, workers=1)
        with TestClient(build_app(platform), raise_server_exceptions=False) as web:
            did = next(d.publisher_did for d in platform.observations.datasets(SECRET))
            count = sum(1 for _ in platform.observations.datasets("tiny"))
            yield Site(platform, web, did, count)


def tap(query: str) -> str:
    return f"/tap/sync?LANG=ADQL&RESPONSEFORMAT=csv&QUERY={quote(query)}"


HERE = "187.7059 12.3911"
# a door, and what of it would show something
LISTS = {
    "the index": tap("SELECT * FROM ivoa.obscore"),
    "the index, by a join": tap(
        "SELECT a.obs_id FROM ivoa.obscore AS a JOIN ivoa.obscore AS b ON a.obs_publisher_did = b.obs_publisher_did"
    ),
    "the index, below": tap("SELECT q.obs_collection FROM (SELECT * FROM ivoa.obscore) AS q"),
    "the index, by a region": tap(
        "SELECT obs_id FROM ivoa.obscore WHERE 1 = CONTAINS(POINT(187.7059, 12.3911), s_region)"
    ),
    "names alone": tap("SELECT DISTINCT obs_collection FROM ivoa.obscore"),
    "CAOM observations": tap("SELECT * FROM caom2.observation"),
    "CAOM planes": tap("SELECT * FROM caom2.plane"),
    "CAOM artifacts": tap("SELECT * FROM caom2.artifact"),
    "the observation plan": tap("SELECT * FROM ivoa.obsplan"),
    "SIA": "/sia?POS=187.7059,12.3911&SIZE=1",
    "SIA 2": "/sia2/query?POS=CIRCLE 187.7059 12.3911 1",
    "SIA 2, everything": "/sia2/query?MAXREC=1000",
    "SSA": "/ssa?REQUEST=queryData",
    "images of the API": f"/api/images?position={HERE}&radius=1",
    "spectra of the API": "/api/spectra",
    "collections of the API": "/api/collections",
    "status": "/api/status",
    "tables of the API": "/api/tables",
    "table of the API": "/api/tables/ivoa.obscore",
    "VOSI tables": "/tap/tables",
    "OAI records": "/oai?verb=ListRecords&metadataPrefix=ivo_vor",
    "RegTAP": tap("SELECT * FROM rr.resource"),
    "maps": "/hipslist",
}
THINGS = {
    "the dataset": "/api/datasets/{did}",
    "the file": "/api/datasets/{did}/file",
    "the preview": "/api/datasets/{did}/preview",
    "the spectrum": "/api/datasets/{did}/spectrum",
    "its links": "/datalink/links?ID={did}",
    "a cutout": "/soda/sync?ID={did}&CIRCLE=187.7059 12.3911 0.001",
    "a picture": "/soda/sync?ID={did}&CIRCLE=187.7059 12.3911 0.001&RESPONSEFORMAT=image/png",
    "its coverage": f"/moc/collection/{SECRET}",
    "its coverage by the API": f"/api/coverage?of={SECRET}",
    "its map": f"/hips/{SECRET}/properties",
    "a name nearly so": f"/api/datasets/{SECRET}_9",
    "a collection nearly called so": f"/moc/collection/{SECRET[:-1]}",
    "coverage of what is nearly called so": f"/api/coverage?of={SECRET[:-1]}",
    "a map nearly called so": f"/hips/{SECRET[:-1]}/properties",
}


def ask(site: Site, path: str, who: str) -> str:
    headers = {"X-Auth-Token": log_in(site.platform, who)} if who else {}
    answer = site.web.get(path.format(did=quote(site.did, safe="")), headers=headers)
    assert answer.status_code != 500
    return re.sub(r"(request\W+)[0-9a-f]{12}", r"\1", str(answer.content, "latin-1"))


@pytest.mark.parametrize("door", LISTS)
@pytest.mark.parametrize("who", ["", "eve"])
def test_no_list_has_it(site: Site, door: str, who: str) -> None:
    assert SECRET not in ask(site, LISTS[door], who)


@pytest.mark.parametrize("door", THINGS)
@pytest.mark.parametrize("who", ["", "eve"])
def test_nothing_says_that_it_is_there(site: Site, door: str, who: str) -> None:
    """What is closed looks as what is not there does, the name that was asked for apart."""
    path = THINGS[door]
    absent = path.replace("{did}", quote(site.did.replace(SECRET, "certain"), safe="")).replace(
        SECRET, "certain"
    )
    closed, missing = (ask(site, one, who) for one in (path, absent))
    assert closed.replace(SECRET, "certain").replace(SECRET[:-1], "certain") == missing.replace(
        SECRET[:-1], "certain"
    )


def test_members_and_administrators_see_it(site: Site) -> None:
    for who in ("ann", "chief"):
        shown = {door for door, path in LISTS.items() if SECRET in ask(site, path, who)}
        assert set(LISTS) - shown <= {"SSA", "spectra of the API", "OAI records", "RegTAP", "VOSI tables"}
        for door in ("the dataset", "its links", "its coverage by the API", "its map"):
            assert SECRET in ask(site, THINGS[door], who), door
        assert ask(site, THINGS["a cutout"], who).startswith("SIMPLE")
        assert "PNG" in ask(site, THINGS["the preview"], who)[:8]


def test_numbers_tell_nothing(site: Site) -> None:
    platform = site.platform
    eve, ann = platform.identity.known("eve"), platform.identity.known("ann")
    count = "SELECT COUNT(*) AS n FROM ivoa.obscore"
    for who, wanted in ((ANONYMOUS, 1), (eve, 1), (ann, 2)):
        datasets = site.open_datasets * wanted
        assert platform.catalogs.query(count, identity=who).to_table()["n"].to_pylist() == [datasets]
        assert platform.catalogs.table("ivoa.obscore", who).rows == datasets
    open_sky = platform.observations.coverage("tiny")
    assert platform.catalogs.coverage("ivoa.obscore", eve).ranges.tolist() == open_sky.ranges.tolist()


def test_a_job_sees_what_its_owner_may(site: Site, tmp_path: Path) -> None:
    platform = site.platform
    text = f"SELECT obs_id FROM ivoa.obscore WHERE obs_collection = '{SECRET}'"
    orders = {QUERY: QueryOrder(text, format="csv").to_json(), CUTOUT: order_of([Piece(site.did, Wanted())])}
    for who in ("eve", "ann"):
        for kind, order in orders.items():
            folder = tmp_path / who / kind
            folder.mkdir(parents=True)
            work = Work(platform.identity.known(who), order, folder, (), folder, lambda *_: None)
            if (who, kind) == ("eve", CUTOUT):
                with pytest.raises(NotFoundError):
                    platform.kinds()[kind](work)
                continue
            (result,) = platform.kinds()[kind](work)
            made = (folder / result.file).read_bytes()
            shows = f"{SECRET}_".encode() in made if kind == QUERY else made.startswith(b"SIMPLE")
            assert shows == (who == "ann"), (who, kind)


def test_sharing_a_collection_opens_it_and_taking_it_back_closes_it(site: Site) -> None:
    platform = site.platform
    chief, eve = platform.identity.known("chief"), platform.identity.known("eve")
    made = platform.shares.share(chief, "collection", SECRET, "user:eve")
    assert platform.observations.dataset(site.did, eve).publisher_did == site.did
    key, link = platform.shares.link(chief, "collection", SECRET, days=1)
    visitor = platform.identity.identify(key)
    assert platform.observations.file(site.did, visitor).is_file()
    for grant in (made, link):
        platform.shares.revoke(chief, grant.id)
    assert SECRET not in ask(site, LISTS["the index"], "eve")


def test_publishing_again_without_a_description_opens_nothing(site: Site, tmp_path: Path) -> None:
    folder = next(site.platform.observations.datasets(SECRET)).path.parent
    site.platform.observations.publish(SECRET, folder)
    assert SECRET not in ask(site, LISTS["the index"], "")
