"""Cones of decoded rows are answered by the thread that serves, and whatever would wait by others."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.services.catalogs import CatalogService
from awe.services.catalogs.sky_index import parcels
from awe.services.catalogs.sky_index.reading import Reading
from awe.services.identity import ANONYMOUS, IdentityService, Measure, quotas
from awe.testing import TINY_CENTRE, TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

RA, DEC = TINY_CENTRE
CONE = f"/scs/{TINY_TABLE}?RA={RA}&DEC={DEC}&SR=0.02&VERB=3"
OTHER = CONE.replace(TINY_TABLE, "tiny.others")


class Site:
    """An archive, its application, and which threads ran its handlers."""

    def __init__(self, platform: Platform, web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.platform, self.web = platform, web
        self.threads: list[str] = []
        original = CatalogService.cone

        def cone(*given: Any, **named: Any) -> Any:
            self.threads.append(threading.current_thread().name)
            return original(*given, **named)

        monkeypatch.setattr(CatalogService, "cone", cone)
        self.loop = web.portal.call(lambda: threading.current_thread().name)  # type: ignore[union-attr]

    def ran(self, ask: Callable[[], object]) -> list[bool]:
        """Return, of each time that a search was begun, whether it was in the loop's thread."""
        self.threads.clear()
        ask()
        return [name == self.loop for name in self.threads]

    def publish_others(self) -> None:
        """Publish the rows of the tiny table once more."""
        rows = self.platform.catalogs.query(f"SELECT * FROM {TINY_TABLE}", asked=False)
        self.platform.catalogs.publish_stream("tiny.others", rows, ra="ra", dec="dec")

    def get(self, address: str = CONE, **headers: str) -> str:
        found = self.web.get(address, headers=headers)
        assert found.status_code == 200, found.text
        return str(found.text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    # what is looked at again now and then is not, so that no test depends on how long it takes
    monkeypatch.setattr(quotas, "_FRESH_S", 1e9)
    monkeypatch.setattr(parcels, "_LOOK_S", 1e9)
    with tiny_archive(tmp_path / "archive") as platform, TestClient(build_app(platform)) as web:
        platform.quotas.begin(ANONYMOUS, prompt=True).end()  # the first one of a day tidies up
        yield Site(platform, web, monkeypatch)


def test_what_is_decoded_needs_no_thread_and_what_is_not_has_one(site: Site) -> None:
    site.get()  # what is known of the caller is known now
    site.publish_others()
    site.platform.catalogs.table(TINY_TABLE)
    cold: list[str] = []
    assert site.ran(lambda: cold.append(site.get(OTHER))) == [True, False]
    warm: list[str] = []
    assert site.ran(lambda: warm.append(site.get(OTHER))) == [True]
    assert _rows(warm[0]) == _rows(cold[0]) == _rows(site.get())
    assert len(_rows(warm[0])) > 3


def test_each_is_counted_once_however_often_it_was_begun(site: Site) -> None:
    # the address of a TestClient's client is none, as that of who asks without a request
    site.get()
    site.publish_others()
    site.platform.catalogs.table(TINY_TABLE)
    before = _asked(site)
    assert site.ran(lambda: [site.get(OTHER) for _ in range(3)]) == [True, False, True, True]
    assert _asked(site) == before + 3


def _rows(document: str) -> list[str]:
    return re.findall("<TR>.*?</TR>", document)


def _error(document: str) -> str:
    found = re.search('name="QUERY_STATUS" value="ERROR">(.*?)</INFO>', document)
    assert found, document
    return found[1]


def _asked(site: Site) -> int:
    used = {usage.measure: usage.used for usage in site.platform.quotas.usage(ANONYMOUS)}
    return used[Measure.QUERIES_PER_DAY] or 0


@pytest.mark.parametrize("bound", ["answer._CELLS_AT_ONCE", "answer._GROUPS_AT_ONCE", "rows._AT_ONCE"])
def test_what_is_much_has_a_thread(site: Site, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    few = site.get()
    assert site.ran(site.get) == [True]
    module, _, name = bound.partition(".")
    monkeypatch.setattr(import_module(f"awe.services.catalogs.sky_index.{module}"), name, 0)
    again: list[str] = []
    assert site.ran(lambda: again.append(site.get())) == [True, False]
    assert _rows(again[0]) == _rows(few)


def test_who_says_who_asks_has_a_thread(site: Site) -> None:
    site.get()
    site.platform.accounts.add("ada", by="local:test", password="correct horse")
    token = site.platform.identity.login("ada", "correct horse")
    for _ in range(2):
        assert site.ran(lambda: site.get(**{"X-Auth-Token": token}))[-1] is False


def test_methods_are_answered_as_everywhere(site: Site) -> None:
    whole = site.web.get(CONE)
    head = site.web.head(CONE)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    form = dict(pair.split("=") for pair in CONE.partition("?")[2].split("&"))
    assert _rows(site.web.post(CONE.partition("?")[0], data=form).text) == _rows(whole.text)
    refused = site.web.put(CONE)
    assert refused.status_code == site.web.put("/tap/sync").status_code == 405
    for header in ("x-request-id", "content-security-policy", "server"):
        assert all(header in answer.headers for answer in (whole, head, refused))


def test_errors_are_the_same_in_either_way(site: Site) -> None:
    wrong = [
        CONE.replace("SR=0.02", "SR=x"),
        CONE.replace(f"DEC={DEC}", "DEC=91"),
        CONE.replace("tiny", "no"),
    ]
    threaded = [_error(site.web.get(address).text) for address in wrong]
    assert site.ran(lambda: [site.get() for _ in range(3)])[-1] is True
    assert [_error(site.web.get(address).text) for address in wrong] == threaded
    assert len(set(threaded)) == 3


def test_what_another_process_replaces_or_drops_is_seen_by_the_next_request(site: Site) -> None:
    site.get()
    before = _rows(site.get())
    assert site.ran(site.get) == [True]
    with Platform.open(site.platform.settings) as other:
        few = other.catalogs.query(f"SELECT * FROM {TINY_TABLE} WHERE id > 400", asked=False)
        other.catalogs.publish_stream(TINY_TABLE, few, ra="ra", dec="dec", replace=True)
        after = [_rows(site.get()) for _ in range(3)]
        assert 0 < len(after[0]) < len(before)
        assert after[1:] == after[:1] * 2
        assert site.ran(site.get) == [True]
        other.catalogs.drop(TINY_TABLE)
        assert _error(site.get()).startswith(f"there is no table {TINY_TABLE}")


@pytest.mark.parametrize("what", ["decoding", "the system database"])
def test_one_that_waits_holds_up_none_of_those_that_do_not(
    site: Site, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    reached, go = threading.Event(), threading.Event()

    def wait() -> None:
        assert threading.current_thread().name != site.loop
        reached.set()
        assert go.wait(60)

    site.publish_others()
    wanted = site.get()
    headers = {}
    waiting, name = (Reading, "_decoded") if what == "decoding" else (IdentityService, "identify")
    original = getattr(waiting, name)

    def slow_one(*given: Any) -> Any:
        with site.platform.system.reading():
            wait()
        return original(*given)

    if what != "decoding":
        site.platform.accounts.add("ada", by="local:test", password="correct horse")
        headers = {"X-Auth-Token": site.platform.identity.login("ada", "correct horse")}
        site.get()
    monkeypatch.setattr(waiting, name, slow_one)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(site.web.get, OTHER, headers=headers)
        assert reached.wait(60)
        assert site.ran(lambda: [site.get() for _ in range(20)]) == [True] * 20
        assert not slow.done()
        go.set()
        answer = slow.result(60)
    assert answer.status_code == 200
    assert _rows(answer.text) == _rows(wanted)
