"""What astroquery's TapPlus and GaiaClass send, replayed: addresses, login, tables, jobs, groups, notices."""

from collections.abc import Callable, Iterator

import pytest
from lxml import etree
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app
from awe.web.compat.tapplus._paths import in_order

pytestmark = pytest.mark.slow

READS = {"Accept": "", "User-Agent": ""}
SENDS = {"Accept": "text/plain", "User-Agent": "astroquery/0.4.11 Python/3.11.0 (Linux)"}
FLAGS = "{http://esa.int/xml/EsaTapPlus}flags"
UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"


class Gaia:
    """A client that sends what ``GaiaClass`` sends."""

    def __init__(self, web: TestClient, context: str = "/tap-server/tap") -> None:
        self._web = web
        self._context = context
        self._cookie: dict[str, str] = {}

    def login(self, name: str, password: str = "correct horse", context: str = "/tap-server") -> None:
        form = {"username": name, "password": password}
        answer = self._web.post(f"{context}/login", data=form, headers=SENDS)
        assert answer.status_code == 200, answer.text
        said = [part for header in answer.headers.get_list("set-cookie") for part in header.split(";")]
        (cookie,) = [part for part in said if part.startswith("SESSION=")]
        self._web.cookies.clear()
        self._cookie = {"Cookie": cookie}

    def get(self, path: str, status: int = 200) -> str:
        answer = self._web.get(f"{self._context}/{path}", headers={**SENDS, **self._cookie})
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def post(self, path: str, body: str, status: int = 200) -> str:
        headers = {**SENDS, **self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._web.post(f"{self._context}/{path}", content=body, headers=headers)
        assert answer.status_code == status, answer.text
        return str(answer.headers.get("location", answer.text))

    def share(self, body: str, status: int = 200) -> str:
        return self.post("share", body, status)

    def groups(self) -> dict[str, "etree._Element"]:
        document = etree.fromstring(self.get("share?action=GetGroups").encode())
        return {str(one.findtext("title")): one for one in document.iter("sharedGroup")}

    def users(self, group: str) -> dict[str, str]:
        return {one.get("id", ""): one.get("name", "") for one in self.groups()[group].iter("user")}

    def items(self) -> list["etree._Element"]:
        return list(etree.fromstring(self.get("share?action=GetSharedItems").encode()).iter("sharedItem"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    overrides = {"archive": {"notice": "Down on Monday.\nBack on Tuesday."}}
    with tiny_archive(tmp_path_factory.mktemp("tapplus"), **overrides) as opened:
        for name in ("ada", "bob", "eve"):
            opened.accounts.add(name, by="local:test", password="correct horse")
        yield opened


@pytest.fixture
def people(archive: Platform) -> Iterator[Callable[[str], Gaia]]:
    """Return what gives a client; of nobody, or of somebody who has logged in."""
    with TestClient(build_app(archive), raise_server_exceptions=False, follow_redirects=False) as web:

        def made(name: str = "") -> Gaia:
            client = Gaia(web)
            if name:
                client.login(name)
            return client

        yield made


def test_the_addresses_of_the_gaia_archive_lead_here() -> None:
    for path, place in {
        "/tap-server/tap/sync": "/tap/sync",
        "/tap-server/tap/async/12/results/result": "/tap/async/12/results/result",
        "/tap-server/login": "/tap/login",
        "/tap-server/Upload": "/tap/Upload",
        "/data-server/login": "/tap/login",
        "/data-server/data": "/tap/data",
        "/data-server/datalink/links": "/datalink/links",
        "/tap/tables": "/tap/tables",
        "/api//tap-server": "/api//tap-server",
        "/": "/",
    }.items():
        assert in_order(path) == place


def test_a_login_is_a_cookie_that_the_client_keeps(people: Callable[[str], Gaia], archive: Platform) -> None:
    for context in ("/tap-server", "/data-server", "/tap"):
        client = people("ada")
        client.login("ada", context=context)
        assert client.get("users?USER=ada") == "ada:ada"
    client.post("logout", "")
    client.get("users?USER=ada", 401)  # the client goes on to send the cookie of a login that has ended
    assert "tiny.sources" in client.get("tables")


def test_a_wrong_password_and_one_in_the_address_are_refused(people: Callable[[], Gaia]) -> None:
    client = people()
    told = client.post("login", "username=ada&password=wrong", 401)
    assert '<INFO name="QUERY_STATUS" value="ERROR">' in told
    assert "is not taken from an address" in client.post("login?password=wrong", "username=ada", 400)
    assert "is needed" in client.post("login", "username=ada", 400)


def test_a_cookie_of_another_service_is_left_alone(people: Callable[[str], Gaia], archive: Platform) -> None:
    with TestClient(build_app(archive)) as web:
        answer = web.get("/api/whoami", headers={"Cookie": "SESSION=MTIzNDU2Nzg5"})
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        ended = archive.identity.login("eve", "correct horse")
        archive.identity.revoke(ended)
        answer = web.get("/api/whoami", headers={"Cookie": f"SESSION={ended}"})
        assert any(said.startswith("SESSION=;") for said in answer.headers.get_list("set-cookie"))


def test_another_sites_page_cannot_use_the_cookie(archive: Platform) -> None:
    with TestClient(build_app(archive)) as web:
        token = archive.identity.login("eve", "correct horse")
        headers = {"Cookie": f"SESSION={token}", "Origin": "http://evil.test"}
        told = web.post("/tap/share", data={"action": "CreateOrUpdateGroup", "title": "x"}, headers=headers)
        assert (told.status_code, "a page of another site" in told.text) == (403, True)


def test_every_column_says_what_it_is_for(people: Callable[[], Gaia], archive: Platform) -> None:
    document = etree.fromstring(people().get(f"tables?tables={TINY_TABLE}").encode())
    flags = {str(column.findtext("name")): column.get(FLAGS) for column in document.iter("column")}
    record = archive.catalogs.table(TINY_TABLE)
    assert (flags["ra"], flags["dec"]) == ("1", "2")
    assert set(flags) == set(record.columns.names)
    assert None not in flags.values()
    (table,) = document.iter("table")
    assert table.get("{http://esa.int/xml/EsaTapPlus}size_bytes") == str(record.bytes)


def test_others_get_the_document_of_the_standard(archive: Platform) -> None:
    with TestClient(build_app(archive)) as web:
        plain = web.get("/tap/tables", headers={"Accept": "*/*", "User-Agent": "pyVO"}).text
        assert "EsaTapPlus" not in plain
        made = web.post("/tap/async", data={"QUERY": "SELECT 1", "jobname": "mine"}, follow_redirects=False)
        job = web.get(made.headers["location"]).text
        assert 'id="QUERY"' in job
        assert "<uws:runId>mine</uws:runId>" in job
        assert "uws:name" not in job


def test_names_alone(people: Callable[[], Gaia]) -> None:
    told = people().get("tables?only_tables=true&share_accessible=true")
    assert TINY_TABLE in told
    assert "<column" not in told


def test_users_are_known_to_users(people: Callable[..., Gaia]) -> None:
    assert people("ada").get("users?USER=bob") == "bob:bob"
    assert people("ada").get("users?USER=nobody") == ""
    people().get("users?USER=bob", 401)


def test_a_notice_is_a_line(people: Callable[[], Gaia]) -> None:
    assert people().get("notification?action=GetNotifications") == (
        "notice=Down on Monday.\nnotice=Back on Tuesday.\n"
    )


def test_a_group_from_its_making_to_its_end(people: Callable[[str], Gaia], archive: Platform) -> None:
    ada, bob = people("ada"), people("bob")
    ada.share("action=CreateOrUpdateGroup&resource_type=0&title=hyades&description=Those of the Hyades")
    group = ada.groups()["hyades"]
    assert (group.get("owner"), group.findtext("description")) == ("ada", "Those of the Hyades")
    put = f"action=CreateOrUpdateGroup&group_id={group.get('id')}&title=hyades&description=Hyades"
    ada.share(f"{put}&users_list=ada,bob,eve")
    assert ada.users("hyades") == {"ada": "ada", "bob": "bob (invited)", "eve": "eve (invited)"}
    assert bob.groups() == {}  # until he says yes
    (invitation,) = archive.groups.invitations(archive.identity.known("bob"))
    archive.groups.accept(archive.identity.known("bob"), invitation.id)
    assert bob.users("hyades") == {"ada": "ada", "bob": "bob"}  # whom else she invites is not his affair
    ada.share(f"{put}&users_list=ada,bob,eve")  # again: nobody is invited twice
    assert len(archive.groups.invited(archive.identity.known("ada"), "hyades")) == 1
    ada.share(put)  # no word of users: they stay
    assert len(ada.users("hyades")) == 3
    ada.share(f"{put}&users_list=")
    assert ada.users("hyades") == {"ada": "ada"}
    ada.share(f"{put}&users_list=nobody", 404)
    assert "keeps its name" in ada.share(put.replace("title=hyades", "title=pleiades"), 400)
    people("eve").share(put, 404)
    ada.share("action=RemoveGroup&resource_type=0&group_id=hyades")
    assert "hyades" not in ada.groups()


def test_groups_need_a_login_and_changes_a_post(people: Callable[..., Gaia]) -> None:
    people().get("share?action=GetGroups", 401)
    people("ada").get("share?action=RemoveGroup&group_id=hyades", 400)
    people("ada").get("share?action=Nonsense", 400)


def test_a_name_that_no_group_can_have_is_refused_with_the_rule(people: Callable[[str], Gaia]) -> None:
    told = people("ada").share("action=CreateOrUpdateGroup&title=Our stars&description=", 400)
    assert "not the name of a group" in told
    assert "letters, digits" in told


def _named(client: Gaia, name: str, query: str = "SELECT 1") -> str:
    return client.post(
        "async", f"REQUEST=doQuery&LANG=ADQL&FORMAT=csv&QUERY={query}&jobname={name}", 303
    ).rpartition("/")[2]


def _found(client: Gaia, asked: str) -> list[str]:
    document = etree.fromstring(client.get(f"jobs/async?metadata_only=True&{asked}").encode())
    return [str(job.findtext(f"{UWS}jobId")) for job in document.iter(f"{UWS}job")]


def test_jobs_are_found_by_what_is_known_of_them(people: Callable[..., Gaia]) -> None:
    ada = people("ada")
    one, two = _named(ada, "first"), _named(ada, "second", f"SELECT ID FROM {TINY_TABLE}")
    assert _found(ada, "name=first") == [one]
    assert _found(ada, "jobname=second") == [two]
    assert _found(ada, f"jobid={one}") == [one]
    assert _found(ada, "query=tiny.SOURCES") == [two]
    assert _found(ada, "phaseid=COMPLETED") == []
    assert _found(ada, "start_time_init=2000-01-01") == []  # neither has begun
    assert _found(ada, "order=name") == [one, two]
    assert _found(ada, "order=name desc") == [two, one]
    assert _found(ada, "order=name&offset=1&limit=1") == [two]
    assert _found(people("bob"), "") == []
    assert _found(people(), "") == []
    ada.get("jobs/async?order=colour", 400)
    document = ada.get("jobs/async?name=second")
    for said in (
        "<uws:name>second</uws:name>",
        '<uws:parameter id="query">',
        '<uws:parameter id="format">csv<',
    ):
        assert said in document


def test_jobs_are_removed_together_or_not_at_all(people: Callable[..., Gaia]) -> None:
    ada = people("ada")
    one, two = _named(ada, "one"), _named(ada, "two")
    people("bob").post("deletejobs", f"JOB_IDS={one}", 404)
    ada.post("deletejobs", f"JOB_IDS={one},{two},nix", 404)
    assert _found(ada, "name=one") == [one]
    ada.post("deletejobs", f"JOB_IDS={one},{two}")
    assert _found(ada, "name=one") == _found(ada, "name=two") == []


def test_a_job_takes_parameters_and_is_aborted_without_a_redirection(people: Callable[..., Gaia]) -> None:
    ada = people("ada")
    job = _named(ada, "changed")
    ada.post(f"async/{job}", "format=votable")
    assert '<uws:parameter id="format">votable<' in ada.get(f"async/{job}")
    ada.post(f"async/{job}/phase", "PHASE=ABORT")
    assert ada.get(f"async/{job}/phase") == "ABORTED"


def test_what_is_not_offered_says_so(people: Callable[..., Gaia], archive: Platform) -> None:
    with TestClient(build_app(archive)) as web:
        answer = web.post("/data-server/data", data={"ID": "1", "RETRIEVAL_TYPE": "ALL"}, headers=SENDS)
    assert (answer.status_code, "load_data is not offered here" in answer.text) == (400, True), answer.text
    assert "get_datalinks(identifier)" in answer.text
