"""Groups and sharing through the real application: the client, links, and the doors through which more could be seen."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from astropy.table import Table
from sqlalchemy import text
from starlette.testclient import TestClient

from awe.client import Client, connect
from awe.errors import ConflictError, ForbiddenError, NotFoundError, UnknownNameError
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, GroupStore
from awe.testing import TINY_TABLE, log_in, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
SECRET = "curtain"
Log = Callable[[str], Client]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return an archive with a table for the group ``team`` of ann, whose names all have a word in them."""
    folder = tmp_path_factory.mktemp("shared")
    with tiny_archive(folder) as platform:
        for name in ("ann", "bob", "eve"):
            platform.accounts.add(name, by="local:test", password=PASSWORD)
        platform.accounts.add("chief", [ADMINISTRATOR], by="local:test", password=PASSWORD)
        GroupStore(platform.system).add("team", "", "ann")
        describe, rows = folder / "closed.toml", folder / "closed.csv"
        describe.write_text(
            f'[table]\nreaders = ["team"]\ntitle = "The {SECRET}"\nra = "ra"\ndec = "dec"\nid_column = "n"\n'
            f'[metadata]\nreference = "{SECRET}"\n'
            f'[[functions]]\nname = "open_{SECRET}"\nsql = "SELECT n FROM {SECRET}_s.{SECRET}"\n'
        )
        rows.write_text(f"n,ra,dec,behind\n1,187.7059,12.3911,{SECRET}\n2,187.7060,12.3912,{SECRET}\n")
        platform.catalogs.publish(f"{SECRET}_s.{SECRET}", [rows], describe=describe)
        yield platform


TABLE = f"{SECRET}_s.{SECRET}"


@pytest.fixture(scope="module")
def address(archive: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(archive) as found:
        yield found


@pytest.fixture
def log(archive: Platform, address: str) -> Iterator[Log]:
    """Return what connects as somebody; by no name, as nobody."""
    opened: list[Client] = []

    def connected(name: str) -> Client:
        opened.append(connect(address, token=log_in(archive, name) if name else ""))
        return opened[-1]

    yield connected
    for client in opened:
        client.close()


@pytest.fixture
def web(archive: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(archive), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def reads(client: Client) -> bool:
    try:
        return len(client.query(f"SELECT n FROM {TABLE}")) == 2
    except UnknownNameError:
        return False


def test_a_member_reads_until_the_membership_ends(log: Log) -> None:
    ann, bob = log("ann"), log("bob")
    assert not reads(bob)
    made = ann.invite("team", "bob")
    assert [i.id for i in bob.invitations()] == [made.id]
    assert bob.join(made.id).members == {"ann": "owner", "bob": "member"}
    assert reads(bob)
    with pytest.raises(ForbiddenError):
        bob.invite("team", "eve")
    bob.remove_member("team", "bob")
    assert not reads(bob)
    with pytest.raises(NotFoundError):
        bob.group("team")


def test_a_key_lets_one_person_join(log: Log, archive: Platform) -> None:
    ann, bob, eve = log("ann"), log("bob"), log("eve")
    made = ann.invite("team")
    with archive.system.reading() as connection:
        kept = str(connection.execute(text("SELECT * FROM invitations")).all())
        kept += str(connection.execute(text("SELECT * FROM audit")).all())
    assert made.key
    assert made.key not in kept
    bob.join(made.key)
    with pytest.raises(NotFoundError):
        eve.join(made.key)
    ann.remove_member("team", "bob")


def test_a_group_changes_hands_and_goes(log: Log) -> None:
    ann, bob = log("ann"), log("bob")
    ann.new_group("survey", "The survey")
    bob.join(ann.invite("survey", "bob").id)
    ann.give_group("survey", "bob")
    assert bob.group("survey").members == {"ann": "administrator", "bob": "owner"}
    with pytest.raises(ForbiddenError):
        ann.remove_group("survey")
    with pytest.raises(ConflictError, match="owns"):
        bob.remove_member("survey", "bob")
    bob.remove_group("survey")
    with pytest.raises(ConflictError):
        ann.new_group("survey")


def test_an_administrator_shares_a_table_and_takes_it_back(log: Log, archive: Platform) -> None:
    chief, eve = log("chief"), log("eve")
    with pytest.raises(NotFoundError):
        eve.share(TABLE, "user:eve")
    with pytest.raises(NotFoundError):
        chief.share(TABLE, "user:nobody")
    made = chief.share(TABLE, "user:eve", days=1)
    assert reads(eve)
    assert [(s.thing, s.by) for s in eve.shares().received] == [(f"table:{TABLE}", "chief")]
    with pytest.raises(ForbiddenError):
        eve.share(TABLE, "everybody")
    assert {s.principal for s in chief.shares_of(TABLE)} == {"group:team", "user:eve"}
    chief.unshare(made.id)
    assert not reads(eve)
    acts = [(e.user, e.action, e.details["to"]) for e in archive.audit.entries(action="grant", last=2)]
    assert acts == [("chief", "grant.revoked", "user:eve"), ("chief", "grant.made", "user:eve")]


def test_what_a_description_says_is_changed_by_publishing_alone(log: Log) -> None:
    chief = log("chief")
    declared = next(s for s in chief.shares_of(TABLE) if s.principal == "group:team")
    with pytest.raises(ForbiddenError, match="published so"):
        chief.unshare(declared.id)


def test_a_link_opens_one_thing_until_it_is_taken_back(log: Log, address: str, archive: Platform) -> None:
    chief = log("chief")
    made = chief.share_link(TABLE, days=1, label="for the referee")
    assert made.address == f"{address}/shared#{made.key}"
    with archive.system.reading() as connection:
        kept = str(connection.execute(text("SELECT * FROM grants")).all())
        kept += str(connection.execute(text("SELECT * FROM audit")).all())
    assert made.key not in kept
    visitor = connect(address, token=made.key)
    try:
        assert reads(visitor)
        assert visitor.whoami() == "anonymous"
        with pytest.raises(ForbiddenError, match="scope"):
            visitor.submit(f"SELECT n FROM {TABLE}")
        with pytest.raises(ForbiddenError, match="scope"):
            visitor.share_link(TABLE)
        with pytest.raises(ForbiddenError, match="scope"):
            visitor.new_token("more")
        chief.unshare(made.id)
        with pytest.raises(Exception, match="not known or has expired"):
            reads(visitor)
    finally:
        visitor.close()


def test_the_page_of_a_link_has_all_it_needs(web: TestClient, log: Log) -> None:
    made = log("chief").share_link(TABLE, days=1)
    headers = {"Authorization": f"Bearer {made.key}"}
    told = web.get("/api/shared", headers=headers).json()
    assert (told["kind"], told["name"], told["title"]) == ("table", TABLE, f"The {SECRET}")
    for file in told["files"]:
        answer = web.get(file["address"], headers=headers)
        assert (answer.status_code, SECRET.encode() in answer.content) == (200, True), file
        assert web.get(file["address"]).status_code == 400
    page = web.get("/shared")
    assert page.status_code == 200
    assert "://" not in page.text


def test_a_result_is_shared_and_what_it_was_made_from_is_not(log: Log) -> None:
    ann, eve = log("ann"), log("eve")
    job = ann.submit(f"SELECT behind FROM {TABLE}")
    job.wait(60)
    with pytest.raises(NotFoundError):
        eve.job(job.id)
    made = ann.share(f"job:{job.id}", "user:eve")
    found = eve.job(job.id).result()
    assert isinstance(found, Table)
    assert len(found) == 2
    assert not reads(eve)
    with pytest.raises(ForbiddenError):
        eve.job(job.id).delete()
    with pytest.raises(ForbiddenError):
        eve.share(f"job:{job.id}", "everybody")
    ann.unshare(made.id)
    with pytest.raises(NotFoundError):
        eve.job(job.id)
    job.delete()


def test_nobody_takes_back_what_is_not_theirs(log: Log) -> None:
    made = log("chief").share(TABLE, "user:bob")
    for name in ("bob", "eve", ""):
        with pytest.raises((NotFoundError, ForbiddenError)):
            log(name).unshare(made.id)
    assert reads(log("bob"))
    log("chief").unshare(made.id)


DOORS = {
    "TAP_SCHEMA.schemas": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM TAP_SCHEMA.schemas",
    "TAP_SCHEMA.tables": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM TAP_SCHEMA.tables",
    "TAP_SCHEMA.columns": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM TAP_SCHEMA.columns",
    "TAP_SCHEMA.keys": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM TAP_SCHEMA.keys",
    "VOSI tables": "/tap/tables",
    "VOSI table": f"/tap/tables/{TABLE}",
    "TAP capabilities": "/tap/capabilities",
    "TAP examples": "/tap/examples",
    "RegTAP resource": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM rr.resource",
    "RegTAP res_table": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM rr.res_table",
    "RegTAP tap_table": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM rr.tap_table",
    "RegTAP table_column": "/tap/sync?LANG=ADQL&QUERY=SELECT * FROM rr.table_column",
    "OAI records": "/oai?verb=ListRecords&metadataPrefix=ivo_vor",
    "OAI identifiers": "/oai?verb=ListIdentifiers&metadataPrefix=ivo_vor",
    "a table that is nearly called so": f"/tap/sync?LANG=ADQL&QUERY=SELECT * FROM {SECRET[:-1]}_s.{SECRET}",
    "a schema that is nearly called so": f"/tap/sync?LANG=ADQL&QUERY=SELECT * FROM {SECRET[:-1]}s_s.x",
    "a column of it": f"/tap/sync?LANG=ADQL&QUERY=SELECT behin FROM {TABLE}",
    "a function that is nearly called so": f"/tap/sync?LANG=ADQL&QUERY=SELECT open_{SECRET[:-1]}(1) AS x FROM {TINY_TABLE}",
    "cone search": f"/scs/{TABLE}?RA=187.7&DEC=12.39&SR=1",
    "cone capabilities": f"/scs/{TABLE}/capabilities",
    "coverage": f"/moc/{TABLE}",
    "coverage, by a name nearly so": f"/moc/{TABLE[:-1]}",
    "coverage of the API": f"/api/coverage?of={TABLE[:-1]}",
    "tables of the API": "/api/tables",
    "table of the API": f"/api/tables/{TABLE[:-1]}",
    "status": "/api/status",
    "CasJobs tables": f"/CasJobs/RestApi/contexts/{SECRET}_s/Tables",
    "CasJobs, a context nearly called so": f"/CasJobs/RestApi/contexts/{SECRET[:-1]}/Tables",
    "the description of the API": "/api/openapi.json",
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("who", ["", "eve"])
def test_no_door_shows_what_is_closed(web: TestClient, archive: Platform, door: str, who: str) -> None:
    headers = {"X-Auth-Token": log_in(archive, who)} if who else {}
    answer = web.get(DOORS[door], headers=headers)
    # what was asked for is told again: only what was not asked for would be a leak
    asked = re.findall(r"[\w.]*urtai[\w.]*", DOORS[door])
    said = answer.text
    for word in sorted(asked, key=len, reverse=True):
        said = said.replace(word, "")
    assert SECRET not in said
    assert SECRET not in str(answer.headers).replace(DOORS[door], "")
    assert answer.status_code != 500


def test_the_doors_are_open_for_members(web: TestClient, archive: Platform) -> None:
    """What the test above asks would show something, if it were not closed."""
    headers = {"X-Auth-Token": log_in(archive, "ann")}
    shown = {door for door, path in DOORS.items() if SECRET in web.get(path, headers=headers).text}
    assert {
        "TAP_SCHEMA.schemas", "TAP_SCHEMA.tables", "VOSI tables", "a table that is nearly called so",
        "tables of the API", "table of the API", "cone search", "coverage of the API", "CasJobs tables",
    } <= shown  # fmt: skip


def test_a_function_of_a_closed_table_is_not_known(archive: Platform) -> None:
    for who in ("eve", "ann"):
        identity = archive.identity.known(who)
        names = {function.name for function in archive.catalogs.functions(identity)}
        assert (f"open_{SECRET}" in names) == (who == "ann")


def test_a_name_is_not_inherited(archive: Platform, log: Log, tmp_path: Path) -> None:
    rows = tmp_path / "t.csv"
    rows.write_text("n\n1\n")
    closed = tmp_path / "closed.toml"
    closed.write_text("[table]\nreaders = []\n")
    archive.catalogs.publish("short.life", [rows])
    log("chief").share("short.life", "user:eve")
    archive.catalogs.drop("short.life")
    archive.catalogs.publish("short.life", [rows], describe=closed)
    with pytest.raises(UnknownNameError):
        log("eve").query("SELECT n FROM short.life")
    assert len(log("chief").query("SELECT n FROM short.life")) == 1
    archive.catalogs.drop("short.life")


def test_the_group_membership_service_tells_the_callers_groups_alone(
    web: TestClient, archive: Platform
) -> None:
    """GMS 1.0 section 3: the names of the caller's groups, one a line; none is an empty answer, and no error."""
    headers = {name: {"X-Auth-Token": log_in(archive, name)} for name in ("ann", "eve", "chief")}
    assert web.get("/gms/search").status_code == 401
    answer = web.get("/gms/search", headers=headers["ann"])
    assert (answer.text, answer.headers["content-type"]) == ("team\n", "text/plain; charset=utf-8")
    asked = {"group": ["team", "other", "nix"]}
    assert web.get("/gms/search", params=asked, headers=headers["ann"]).text == "team\n"
    assert web.get("/gms/search", params={"group": "other"}, headers=headers["ann"]).text == ""
    for name in ("eve", "chief"):
        empty = web.get("/gms/search", params=asked, headers=headers[name])
        assert (empty.status_code, empty.text) == (200, "")
    listed = web.get("/gms/capabilities").text
    assert 'standardID="ivo://ivoa.net/std/gms#search-1.0"' in listed
    assert "http://testserver/gms/search" in listed
