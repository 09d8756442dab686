"""Who may do what: every address of the service, by every method, for every kind of caller.

The tables in ``authorization/`` say what each address answers; ``tests/test_docs.py`` fails where one has no line. To
add a route, add a line to a table there (a new table for a new part: all are read). ``python
tests/web/test_authorization.py METHOD /path`` prints what the service answers now: judge it before you write it down. What is asked for belongs to *owner*, and may
be read by the group *team*, whose *member* is another; everything closed has the word in `MARK` in it.

A line has four columns, between bars:

- the method and the path as the route table has it; GET stands for HEAD, too
- the scope that a token needs; ``any`` where every token will do, ``login`` where only that of a login will, ``-`` where
  the service does not ask who it is
- the status for anonymous, stranger, member, owner, warden (an administrator); a ``+`` after it says that the answer shows
  something closed, and without it the answer must not
- what is sent, as JSON: ``path`` (parts of the path), ``params``, ``data``, ``json``, ``files``, ``headers``. A value that
  begins with ``$`` is made anew for each request: `World` says what there is

Three more callers follow from these: one whose token has ended, one whose token lacks the scope, one whose token has
only that scope. The first two send a body that nobody can read: who asks is settled before it is read.
"""

import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from awe.core.tables import TableStream
from awe.errors import UsageError
from awe.platform import Platform
from awe.services.catalogs import INDEX, QUERY, TABLE, SentFile
from awe.services.identity import (
    ADMINISTRATOR,
    COMMAND_LINE,
    OPERATOR,
    SCOPES,
    AccountState,
    AccountStore,
    Claims,
    ExternalStore,
    GroupRole,
    GroupStore,
    Identity,
)
from awe.services.jobs import JOB
from awe.services.observations import CUTOUT
from awe.services.space import NodePath
from awe.testing import log_in, tiny_archive
from awe.web import build_app

TABLES = Path(__file__).with_name("authorization")
MARK = "curtain"
PEOPLE = ("anonymous", "stranger", "member", "owner", "warden")
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Rule:
    """One line of a table."""

    method: str
    path: str
    scope: str
    answers: tuple[str, ...]
    sent: dict[str, Any]

    @property
    def best(self) -> str:
        """The one who may do it if anybody may: whose tokens are tried with other scopes."""
        statuses = dict(zip(PEOPLE, self.answers, strict=True))
        return "owner" if statuses["owner"] < "400" else "warden"


def rules() -> dict[tuple[str, str], Rule]:
    """Return the lines of all tables by method and path."""
    found: dict[tuple[str, str], Rule] = {}
    for table in sorted(TABLES.glob("*.txt")):
        for line in table.read_text().splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            address, scope, answers, sent = (part.strip() for part in line.split("|", 3))
            method, path = address.split()
            for one in ("GET", "HEAD") if method == "GET" else (method,):
                assert (one, path) not in found, f"{table.name}: {line} stands there twice"
                found[one, path] = Rule(one, path, scope, tuple(answers.split()), json.loads(sent or "{}"))
    return found


RULES = rules()


class World:
    """An archive of an owner, and what the tables can ask for in it.

    A property makes a thing of its own for each request, so that one does not spoil the next.

    Attributes
    ----------
    finished, cut, cut_name
        A query and a cutout of the owner that have a result, and the name of the cutout's.
    pyramid
        The name of a HiPS of open images.
    """

    def __init__(self, platform: Platform, web: TestClient, folder: Path) -> None:
        self.platform = platform
        self._web = web
        self._numbers = count()
        for name in PEOPLE[1:]:
            roles = [ADMINISTRATOR, OPERATOR] if name == "warden" else []
            platform.accounts.add(name, roles, by="local:test", password=PASSWORD)
        groups = GroupStore(platform.system)
        groups.add("team", f"Those behind the {MARK}", "owner")
        groups.put_member("team", "member", GroupRole.MEMBER)
        self._publish(folder)
        query = "SELECT behind FROM closed.numbers"
        self.finished = self._run("tap", LANG="ADQL", QUERY=query, RESPONSEFORMAT="csv")
        self.cut = self._run("soda", ID="tiny_acs_f606w", CIRCLE="187.7059 12.3911 0.001")
        self.cut_name = re.findall(r'id="([^"]+)"', self._get(f"/soda/async/{self.cut}/results"))[0]
        self._job(INDEX)
        platform.identity.new_token(self.owner, MARK, SCOPES, days=1.0)
        self.pyramid = platform.hips.make("tiny", order=3, workers=1).name

    def _publish(self, folder: Path) -> None:
        describe, rows = folder / "closed.toml", folder / "closed.csv"
        describe.write_text(
            f'[table]\nreaders = ["team"]\ntitle = "The {MARK}"\nra = "ra"\ndec = "dec"\nid_column = "n"\n'
        )
        rows.write_text(f"n,ra,dec,behind\n1,187.7059,12.3911,{MARK}\n2,187.7060,12.3912,{MARK}\n")
        self.platform.catalogs.publish("closed.numbers", [rows], describe=describe)
        waves = np.linspace(400.0, 700.0, 11)
        columns = [
            fits.Column(name, "D", unit=unit, array=waves)
            for name, unit in (("WAVELENGTH", "nm"), ("FLUX", "Jy"))
        ]
        (folder / "spectra").mkdir()
        made = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)])
        made.writeto(folder / "spectra" / "spectrum.fits")
        self.platform.observations.publish("spectra", folder / "spectra")

    def _run(self, service: str, **data: str) -> str:
        headers, data = self._known("owner"), {**data, "PHASE": "RUN", "RUNID": MARK}
        made = self._web.post(f"/{service}/async", data=data, headers=headers).headers["location"]
        phase = "QUEUED"
        while phase in {"QUEUED", "EXECUTING"}:
            self._web.get(made, params={"WAIT": "10", "PHASE": phase}, headers=headers)
            phase = self._web.get(f"{made}/phase", headers=headers).text
        assert phase == "COMPLETED", self._web.get(f"{made}/error", headers=headers).text
        return str(made).rpartition("/")[2]

    def _get(self, path: str) -> str:
        return str(self._web.get(path, headers=self._known("owner")).text)

    def _known(self, name: str) -> dict[str, str]:
        return {"X-Auth-Token": log_in(self.platform, name)}

    def identity(self, name: str) -> Identity:
        return self.platform.identity.known(name)

    @property
    def owner(self) -> Identity:
        return self.identity("owner")

    def _job(self, kind: str) -> str:
        made = self.platform.jobs.create(kind, self.owner, parameters=[("QUERY", MARK)], run_id=MARK)
        sent = SentFile(io.BytesIO(MARK.encode()), "part.csv", "text/csv")
        self.platform.jobs.change(made.id, self.owner, parts={"part": sent})
        return made.id

    def _refused(self, kind: str) -> str:
        made = self._job(kind)
        self.platform.jobs.refuse(made, self.owner, UsageError(f"behind the {MARK}"))
        return made

    def _group(self, owner: str, title: str = "") -> str:
        name = f"group{next(self._numbers)}"
        groups = GroupStore(self.platform.system)
        groups.add(name, title, owner)
        groups.put_member(name, "member", GroupRole.MEMBER)
        return name

    @property
    def group(self) -> str:
        """A group of the owner, with the member."""
        return self._group("owner", MARK)

    @property
    def invitation(self) -> str:
        """An invitation of the owner to a group of the warden."""
        return self.platform.groups.invite(self.identity("warden"), self._group("warden"), "owner")[1].id

    @property
    def invitation_key(self) -> str:
        """The key of an invitation to a group of the warden."""
        return self.platform.groups.invite(self.identity("warden"), self._group("warden"))[0]

    @property
    def share(self) -> str:
        """A grant of the owner: the stranger may read a job."""
        return self.platform.shares.share(self.owner, JOB, self.job, "user:stranger").id

    @property
    def job(self) -> str:
        """A query of the owner that was not begun yet, with a file."""
        return self._job(QUERY)

    @property
    def job_number(self) -> str:
        """The number of a query of the owner, as CasJobs' clients know jobs."""
        return str(int(self.job[:13], 16))

    @property
    def failed(self) -> str:
        """A query of the owner that has an error."""
        return self._refused(QUERY)

    @property
    def asked(self) -> str:
        """A query in the history of the owner."""
        self.platform.history.begin(self.owner, f"SELECT '{MARK}'", dialect="adql").complete()
        return self.platform.history.find(self.owner, most=1)[0].id

    def _table(self) -> str:
        made = self.platform.tables.write(
            f"mydb.table{next(self._numbers)}",
            TableStream.from_table(pa.table({"ra": [1.0], "dec": [2.0], MARK: [MARK]})),
            self.owner,
            origin=MARK,
        )
        return made.full_name

    @property
    def mydb(self) -> str:
        """A table of the owner's own, which the team may read."""
        name = self._table()
        self.platform.shares.share(self.owner, TABLE, name, "group:team")
        return name

    @property
    def dropped(self) -> str:
        """A table of the owner's own that was dropped."""
        name = self._table()
        self.platform.tables.drop(name, self.owner)
        return name

    @property
    def upload(self) -> str:
        """A file of the owner's that is to come."""
        return self.platform.uploads.begin(self.owner, f"{MARK}.csv", 4).id

    @property
    def sent(self) -> str:
        """A file of the owner's that has come."""
        made = self.upload
        with self.platform.uploads.receive(made, self.owner, 0) as piece:
            piece.write(b"a\n1\n")
            piece.done()
        return made

    @property
    def staged(self) -> str:
        """The name of a file of the owner's, sent by a client that does not say how long files are."""
        name = f"{self.new_name}.csv"
        self.platform.uploads.stage(self.owner, name, b"ra,dec\n1,2\n", first=True)
        return name

    def _file(self, *folders: str) -> str:
        path = NodePath("owner", (*folders, f"{MARK if folders else self.new_name}.csv"))
        with self.platform.space.write(path, self.owner) as draft:
            draft.write(f"{MARK}\n1\n".encode())
            draft.done()
        return f"owner://{'/'.join(path.parts)}"

    @property
    def file(self) -> str:
        """A file of the owner's that is nobody else's business."""
        return self._file()

    @property
    def folder(self) -> str:
        """A folder of the owner's, likewise, with a file."""
        path = NodePath("owner", (self.new_name,))
        self.platform.space.make(path, self.owner)
        self._file(path.name)
        return f"owner://{path.name}"

    @property
    def ticket(self) -> str:
        """A ticket of the owner's for a file."""
        return self.platform.tickets.issue(self.owner, json.dumps(["space", *self.file.split("://")]))

    @property
    def new_file(self) -> str:
        """Where the owner has no file."""
        return f"owner://{self.new_name}"

    @property
    def new_table(self) -> str:
        """The name of a table that nobody has."""
        return f"mydb.{self.new_name}"

    @property
    def cutout(self) -> str:
        """A cutout of the owner that was not begun yet, with a file."""
        return self._job(CUTOUT)

    @property
    def uncut(self) -> str:
        """A cutout of the owner that has an error."""
        return self._refused(CUTOUT)

    @property
    def user(self) -> str:
        """An account of nobody here."""
        name = f"user{next(self._numbers)}"
        self.platform.accounts.add(name, (), by="local:test")
        self.platform.accounts.describe(name, display_name=f"The {MARK}", email=None, by="local:test")
        return name

    @property
    def new_name(self) -> str:
        """A name that nobody has."""
        return f"new{next(self._numbers)}"

    @property
    def waiting(self) -> str:
        """The name of somebody who registered and waits for approval."""
        name = self.new_name
        AccountStore(self.platform.system).add(name, None, state=AccountState.PENDING)
        return name

    @property
    def key(self) -> str:
        """The key of a link that sets a password."""
        return self.platform.accounts.link(self.user, by="local:test")

    @property
    def user_code(self) -> str:
        """The code of a program that waits to be allowed."""
        return self.platform.provider.begin_device(COMMAND_LINE, frozenset({"read"})).user_code

    @property
    def token(self) -> str:
        """A token of the owner."""
        return self._token(self.owner, SCOPES, 1.0)

    @property
    def subject(self) -> str:
        """What a provider, ``survey``, calls the owner."""
        made = self.new_name
        ExternalStore(self.platform.system).link("owner", Claims("survey", made, made), datetime.now(UTC))
        return made

    @property
    def limit_id(self) -> str:
        """The id of a limit of what somebody may use."""
        return self.platform.quotas.set("user:stranger", "tables", 7, by="warden").id

    @property
    def token_id(self) -> str:
        """The id of a token of the owner."""
        return self.platform.identity.new_token(self.owner, MARK, SCOPES, days=1.0)[1].id

    @property
    def indexing(self) -> str:
        """An index that was not begun yet, of the owner's, with a file."""
        return self._job(INDEX)

    @property
    def unindexed(self) -> str:
        """An index of the owner's that has an error."""
        return self._refused(INDEX)

    def _token(self, who: Identity, scopes: frozenset[str], days: float) -> str:
        return self.platform.identity.new_token(who, "for a test", scopes, days=days)[0]

    def bearer(self, caller: str, rule: Rule) -> dict[str, str]:
        """Return the headers by which a caller is known."""
        if caller == "anonymous":
            return {}
        if caller in PEOPLE:
            return self._known(caller)
        who = self.identity(rule.best)
        if caller == "expired":
            return {"X-Auth-Token": self._token(who, SCOPES, 1e-9)}
        scopes = frozenset({rule.scope}) & SCOPES or frozenset({"share"})
        return {
            "X-Auth-Token": self._token(who, scopes if caller == "only that scope" else SCOPES - scopes, 1.0)
        }

    def filled(self, sent: Any) -> Any:
        """Return what is sent, with new things in the place of their names."""
        if isinstance(sent, dict):
            return {name: self.filled(value) for name, value in sent.items()}
        if isinstance(sent, list):
            return [self.filled(value) for value in sent]
        return getattr(self, sent[1:]) if isinstance(sent, str) and sent.startswith("$") else sent

    def ask(
        self,
        web: TestClient,
        rule: Rule,
        caller: str,
        *,
        readable: bool = True,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Any:
        """Send what a rule says on behalf of a caller, with a body that cannot be read if it shall not be."""
        sent = self.filled(rule.sent)
        path = rule.path
        for name, value in sent.pop("path", {}).items():
            path = path.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
        assert "{" not in path, f"{rule.path} needs a path"
        told = {**sent.pop("headers", {}), **self.bearer(caller, rule), **headers}
        if not readable and rule.method not in {"GET", "HEAD"}:
            sent = {"content": b'\x00{"'}
            told["Content-Type"] = "application/json"
        web.cookies.clear()
        return web.request(rule.method, path, headers=told, **sent)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[World, TestClient]]:
    """Open a world in a folder."""
    with (
        tiny_archive(folder, uploads={"files": 10_000}) as platform,
        TestClient(build_app(platform), raise_server_exceptions=False, follow_redirects=False) as web,
    ):
        yield World(platform, web, folder), web


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, TestClient]]:
    with opened(tmp_path_factory.mktemp("world")) as made:
        yield made


def answered(answer: Any) -> str:
    """Return an answer in the words of the tables."""
    return f"{answer.status_code}{'+' if MARK in answer.text else ''}"


@pytest.mark.slow
def test_the_application_answers_at_no_other_address(here: tuple[World, TestClient]) -> None:
    app = here[1].app
    known = {path for _, path in RULES} | {"/api/openapi.json"}
    assert {str(route.path) for route in iter_route_contexts(app.routes)} == known  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("address", sorted(RULES), ids=" ".join)
def test_who_may(here: tuple[World, TestClient], address: tuple[str, str]) -> None:
    world, web = here
    rule = RULES[address]
    wanted = dict(zip(PEOPLE, rule.answers, strict=True))
    if rule.method == "HEAD":
        wanted = {who: answer.rstrip("+") for who, answer in wanted.items()}
    assert {who: answered(world.ask(web, rule, who)) for who in PEOPLE} == wanted


@pytest.mark.slow
@pytest.mark.parametrize("address", sorted(RULES), ids=" ".join)
def test_what_a_token_must_allow(here: tuple[World, TestClient], address: tuple[str, str]) -> None:
    world, web = here
    rule = RULES[address]
    best = dict(zip(PEOPLE, rule.answers, strict=True))[rule.best].rstrip("+")
    if rule.scope == "-":
        for caller in ("expired", "another scope", "only that scope"):
            assert str(world.ask(web, rule, caller).status_code) == rule.answers[0].rstrip("+")
        return
    for readable in (True, False):
        ended = world.ask(web, rule, "expired", readable=readable)
        assert (ended.status_code, MARK in ended.text) == (401, False)
    if rule.scope == "login":
        for caller in ("another scope", "only that scope"):
            assert world.ask(web, rule, caller).status_code == 403
        return
    assert str(world.ask(web, rule, "only that scope").status_code) == best
    if rule.scope == "any":
        return
    for readable in (True, False):
        less = world.ask(web, rule, "another scope", readable=readable)
        assert (less.status_code, MARK in less.text) == (403, False)
        if rule.method != "HEAD":
            assert f"lacks the scope {rule.scope}" in less.text


@pytest.mark.slow
@pytest.mark.parametrize("address", sorted(a for a in RULES if a[0] not in {"GET", "HEAD"}), ids=" ".join)
def test_no_other_sites_page_acts_with_a_cookie(
    here: tuple[World, TestClient], address: tuple[str, str]
) -> None:
    world, web = here
    rule = RULES[address]
    (token,) = world.bearer(rule.best, rule).values()
    for said in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.test"}, {"Origin": "null"}):
        answer = world.ask(web, rule, "anonymous", headers={"Cookie": f"awe_token={token}", **said})
        if rule.scope == "-":  # the cookie counts for nothing there
            assert str(answer.status_code) == rule.answers[0].rstrip("+")
            assert "set-cookie" not in answer.headers
        else:
            assert answer.status_code == 403
            assert "a page of another site" in answer.text


def _now(method: str, path: str) -> str:
    """Return what the service answers at an address."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as (world, web):
        rule = RULES.get((method, path), Rule(method, path, "any", ("200",) * len(PEOPLE), {}))
        return " ".join(answered(world.ask(web, rule, who)) for who in PEOPLE)


if __name__ == "__main__":
    print(_now(*sys.argv[1:]))  # noqa: T201
