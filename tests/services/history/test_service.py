"""The history of queries: what is noted of them, whoever runs them, and who may see it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream
from awe.errors import (
    AuthenticationError,
    CancelledError,
    ForbiddenError,
    NotFoundError,
    ParameterError,
    QueryError,
    TimeLimitError,
    UsageError,
)
from awe.platform import Platform
from awe.services.catalogs import QUERY, QueryOrder
from awe.services.history import ASKED, Entry, HistoryService, HistoryStore, Recording
from awe.services.identity import (
    ADMINISTRATOR,
    ANONYMOUS,
    ORIGIN,
    READ,
    AuditLog,
    AuditStore,
    GrantStore,
    HelpLog,
    Identity,
    Origin,
    Policy,
    ShareService,
)
from awe.services.jobs import Job, Phase, Result
from awe.services.system import SystemDatabase
from awe.settings import HistorySettings
from awe.testing import TINY_TABLE, tiny_archive

ADA, BOB, ROOT = Identity("ada"), Identity("bob"), Identity("root", frozenset({ADMINISTRATOR}))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONGEST_S = 100.0


@dataclass
class World:
    """A history whose clock and whose jobs a test holds in its hands."""

    system: SystemDatabase
    now: datetime = NOW
    jobs: dict[str, Job] = field(default_factory=dict)

    def open(self, **settings: float) -> HistoryService:
        policy = Policy(GrantStore(self.system), lambda: self.now)
        return HistoryService(
            HistoryStore(self.system),
            policy,
            HelpLog(policy, AuditLog(AuditStore(self.system))),
            self.jobs.get,
            HistorySettings.model_validate(settings),
            longest_s=LONGEST_S,
            now=lambda: self.now,
        )


@pytest.fixture
def world(system: SystemDatabase) -> World:
    return World(system)


@pytest.fixture
def history(world: World) -> HistoryService:
    return world.open()


def rows(*sizes: int, error: Exception | None = None) -> TableStream:
    """Return a stream of batches of some sizes, which ends with an error."""
    schema = Schema((Column("n", pa.int64()),))

    def batches() -> Iterator[pa.RecordBatch]:
        for size in sizes:
            yield pa.record_batch([pa.array(range(size), pa.int64())], names=["n"])
        if error is not None:
            raise error

    return TableStream(schema, batches())


def begin(history: HistoryService, text: str = "SELECT 1", who: Identity = ADA) -> Recording:
    return history.begin(who, text, dialect="adql")


def only(history: HistoryService, who: Identity = ADA) -> Entry:
    (found,) = history.find(who)
    return found


# What is noted


def test_a_query_is_there_while_it_runs_and_says_afterwards_what_it_gave(
    world: World, history: HistoryService
) -> None:
    came = ORIGIN.set(Origin(face="tap"))
    recording = history.begin(ADA, "SELECT n FROM t", dialect="tsql", context="HSC", into="mydb.t")
    ORIGIN.reset(came)
    running = only(history)
    assert (running.phase, running.ended, running.rows) == (Phase.EXECUTING, None, None)
    assert (running.face, running.dialect, running.context, running.into) == ("tap", "tsql", "HSC", "mydb.t")
    world.now += timedelta(seconds=3)
    assert sum(batch.num_rows for batch in recording.watch(rows(3, 4))) == 7
    ended = only(history)
    assert (ended.phase, ended.rows, ended.bytes, ended.message) == (Phase.COMPLETED, 7, 56, "")
    assert (ended.begun, ended.ended) == (NOW, world.now)
    assert ended.seconds is not None


@pytest.mark.parametrize(
    ("error", "phase", "message"),
    [
        (QueryError("no such column", line=2, column=3), Phase.ERROR, "line 2, column 3: no such column"),
        (TimeLimitError("too long", hint="ask for less"), Phase.ABORTED, "too long (ask for less)"),
        (CancelledError("stopped"), Phase.ABORTED, "stopped"),
        (RuntimeError("the secret of /srv/x"), Phase.ERROR, "something went wrong inside the service"),
    ],
)
def test_a_query_that_fails_says_why_and_how_far_it_came(
    history: HistoryService, error: Exception, phase: Phase, message: str
) -> None:
    stream = begin(history).watch(rows(5, error=error))
    with pytest.raises(type(error)):
        stream.to_table()
    stream.close()
    found = only(history)
    assert (found.phase, found.message, found.rows) == (phase, message, 5)


def test_rows_that_nobody_takes_are_no_answer(history: HistoryService) -> None:
    stream = begin(history).watch(rows(5, 5, 5))
    next(stream)
    stream.close()
    stream.close()
    found = only(history)
    assert (found.phase, found.rows) == (Phase.ABORTED, 5)
    assert "not taken to the end" in found.message


def test_that_rows_were_left_out_is_still_said(history: HistoryService) -> None:
    stream = begin(history).watch(rows(5, 5).limit(7))
    assert stream.to_table().num_rows == 7
    assert stream.overflow
    assert only(history).rows == 7


def test_a_query_of_several_answers_is_one(history: HistoryService) -> None:
    with begin(history) as recording:
        for stream in (rows(2), rows(3)):
            recording.count(stream).to_table()
        recording.add(10)
    assert (only(history).phase, only(history).rows) == (Phase.COMPLETED, 15)


def test_a_query_of_several_answers_that_is_left_is_aborted(history: HistoryService) -> None:
    def answers() -> Iterator[TableStream]:
        with begin(history) as recording:
            yield recording.count(rows(2))
            yield recording.count(rows(3))

    given = answers()
    next(given).to_table()
    given.close()  # type: ignore[attr-defined]  # it is a generator
    assert (only(history).phase, only(history).rows) == (Phase.ABORTED, 2)


def test_nothing_is_kept_of_callers_without_an_account(history: HistoryService, world: World) -> None:
    assert begin(history, who=ANONYMOUS).watch(rows(3)).to_table().num_rows == 3
    begin(history, who=ANONYMOUS).fail(QueryError("x"))
    assert history.find(ROOT, shared=True) == ()
    with pytest.raises(AuthenticationError):
        history.find(ANONYMOUS)


def test_every_text_can_be_kept(history: HistoryService) -> None:
    begin(history, "SELECT '\x00', '\ud800', 'é', '🔭'").fail(QueryError("bad \x00"))
    assert only(history).text == "SELECT '\ufffd', '?', 'é', '🔭'"
    assert only(history).message == "bad \ufffd"


def test_a_history_that_cannot_be_written_leaves_the_answer_alone(
    history: HistoryService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stream = begin(history).watch(rows(3))

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(HistoryStore, "end", broken)
    assert stream.to_table().num_rows == 3
    assert "could not be written into the history" in caplog.text


# What died


def test_a_query_whose_process_died_is_found_out(world: World, history: HistoryService) -> None:
    begin(history, "SELECT 'dead'")
    world.now += timedelta(seconds=LONGEST_S)
    assert only(history).phase is Phase.EXECUTING
    world.now += timedelta(seconds=61)
    assert history.find(ADA, phases=[Phase.EXECUTING]) == ()
    (found,) = history.find(ADA, phases=[Phase.ABORTED])
    assert (found.text, found.message) == ("SELECT 'dead'", "the service stopped before its end")
    assert found.ended == world.now


# Jobs

JOB = Job(
    id="5d61", kind="query", owner="ada", created=NOW, destruction=NOW + timedelta(days=7), duration_s=60,
    run_id="mine", order={"text": "SELECT 2", "dialect": "postgres", "context": None, "into": "mydb.two"},
    phase=Phase.QUEUED, queued=NOW,
)  # fmt: skip
DONE = replace(
    JOB,
    phase=Phase.COMPLETED,
    attempt=1,
    started=NOW + timedelta(seconds=5),
    ended=NOW + timedelta(seconds=65),
    results=(Result("result", "result.vot", "x", 1000, rows=12),),
)


def test_a_job_is_a_query_from_the_queue_to_its_end(world: World, history: HistoryService) -> None:
    history.of_job(JOB)
    world.jobs["5d61"] = replace(JOB, phase=Phase.EXECUTING, started=NOW, attempt=1)
    found = only(history)
    assert (found.job, found.name, found.phase) == ("5d61", "mine", Phase.EXECUTING)
    assert (found.text, found.dialect, found.context, found.into) == ("SELECT 2", "postgres", "", "mydb.two")
    history.of_job(DONE)
    found = only(history)
    assert (found.phase, found.seconds, found.rows, found.bytes) == (Phase.COMPLETED, 60.0, 12, 1000)
    history.of_job(replace(DONE, phase=Phase.ERROR))
    assert only(history).phase is Phase.COMPLETED


def test_a_job_that_ended_unseen_is_found_out(world: World, history: HistoryService) -> None:
    history.of_job(JOB)
    world.jobs["5d61"] = DONE
    world.now += timedelta(days=1)
    assert history.find(ADA, phases=[Phase.QUEUED]) == ()
    assert [e.rows for e in history.find(ADA, phases=[Phase.COMPLETED])] == [12]
    del world.jobs["5d61"]
    assert only(history).phase is Phase.COMPLETED


def test_a_job_that_was_removed_unseen_is_found_out(world: World, history: HistoryService) -> None:
    history.of_job(JOB)
    assert only(history).phase is Phase.ABORTED
    assert only(history).message == "its job was removed"


def test_a_job_that_was_refused_is_a_query_that_failed(history: HistoryService) -> None:
    said = (("LANG", "ADQL"), ("QUERY", "SELEKT"))
    refused = replace(JOB, order={}, parameters=said, phase=Phase.ERROR, ended=NOW, error=UsageError("no"))
    history.of_job(refused)
    found = only(history)
    assert (found.text, found.dialect, found.phase, found.message) == ("SELEKT", "adql", Phase.ERROR, "no")


def test_what_was_forgotten_does_not_come_back(world: World, history: HistoryService) -> None:
    history.of_job(JOB)
    world.jobs["5d61"] = JOB
    history.forget(only(history).id, ADA)
    history.of_job(DONE)
    assert history.find(ADA) == ()


def test_a_job_of_nobody_and_one_that_is_no_query_are_not_noted(history: HistoryService) -> None:
    history.of_job(replace(JOB, owner=""))
    history.of_job(replace(JOB, order={"id": "cutout"}, parameters=(("ID", "x"),)))
    assert history.find(ROOT, shared=True) == ()


# Finding


def test_queries_are_found_by_their_words_phase_and_time(world: World, history: HistoryService) -> None:
    moments = {}
    for text in ("SELECT ra FROM galaxies", "select 100% of_it", "SELECT x FROM Stars"):
        begin(history, text).complete()
        moments[text] = world.now
        world.now += timedelta(minutes=1)
    begin(history, "SELECT 1 FROM nowhere").fail(QueryError("there is no table NOWHERE"))
    begin(history, "SELECT 'bobs'", BOB).complete()

    def texts(**options: object) -> list[str]:
        return [entry.text for entry in history.find(ADA, **options)]  # type: ignore[arg-type]

    assert texts()[0] == "SELECT 1 FROM nowhere"
    assert texts(text="GALAXIES") == ["SELECT ra FROM galaxies"]
    assert texts(text="nowhere") == ["SELECT 1 FROM nowhere"]
    assert texts(text="is no table") == ["SELECT 1 FROM nowhere"]
    assert texts(text="0% of_i") == ["select 100% of_it"]
    assert texts(text="0%f_i") == texts(text="bobs") == []
    assert texts(phases=[Phase.ERROR]) == ["SELECT 1 FROM nowhere"]
    assert texts(most=1) == ["SELECT 1 FROM nowhere"]
    assert texts(before=moments["select 100% of_it"]) == ["SELECT ra FROM galaxies"]
    assert texts(after=moments["select 100% of_it"]) == ["SELECT 1 FROM nowhere", "SELECT x FROM Stars"]


def test_a_list_is_no_longer_than_the_operator_allows(world: World) -> None:
    history = world.open(listed=2)
    for _ in range(3):
        begin(history).complete()
    assert len(history.find(ADA, most=100)) == len(history.find(ADA)) == 2


def test_a_query_has_a_name(history: HistoryService) -> None:
    begin(history, "SELECT 1").complete()
    entry = history.name(only(history).id, ADA, "the first")
    assert entry == only(history)
    assert [e.name for e in history.find(ADA, text="FIRST")] == ["the first"]
    for bad in ("x" * 1001, "two\nlines"):
        with pytest.raises(ParameterError):
            history.name(entry.id, ADA, bad)


def test_queries_are_kept_as_long_as_the_operator_says(world: World) -> None:
    history = world.open(days=30)
    begin(history, "SELECT 'old'").complete()
    world.now += timedelta(days=31)
    begin(history, "SELECT 'new'").complete()
    assert [entry.text for entry in history.find(ADA)] == ["SELECT 'new'"]


# Who may see it


def test_a_query_is_its_owners(world: World, history: HistoryService) -> None:
    begin(history).complete()
    entry = only(history)
    for stranger in (BOB, ANONYMOUS, Identity("", link="nothing")):
        with pytest.raises(NotFoundError):
            history.entry(entry.id, stranger)
        with pytest.raises(NotFoundError):
            history.forget(entry.id, stranger)
        with pytest.raises(NotFoundError):
            history.name(entry.id, stranger, "mine")
    assert history.find(BOB) == history.find(BOB, shared=True) == ()
    assert history.entry(entry.id, ROOT) == entry
    assert history.find(ROOT) == ()
    assert history.find(ROOT, shared=True) == (entry,)
    lines = AuditLog(AuditStore(world.system)).entries()
    assert [(line.user, line.action, line.target) for line in lines] == [
        ("root", "query.listed", ""),
        ("root", "query.seen", f"query:{entry.id}"),
    ]


def test_a_shared_query_can_be_read_and_not_changed(world: World, history: HistoryService) -> None:
    grants = GrantStore(world.system)
    shares = ShareService(grants, Policy(grants), AuditLog(AuditStore(world.system)))
    shares.offer(ASKED, history.resource)
    begin(history, "SELECT 'shared'").complete()
    begin(history, "SELECT 'not shared'").complete()
    entry = history.find(ADA, text="'shared'")[0]
    key, _ = shares.link(ADA, ASKED, entry.id, days=1)
    visitor = shares.visitor(key)
    assert visitor is not None
    assert history.entry(entry.id, visitor) == entry
    shares.share(ADA, ASKED, entry.id, "everybody", action=READ)
    assert history.find(BOB, shared=True) == (entry,)
    with pytest.raises(ForbiddenError):
        history.forget(entry.id, BOB)
    with pytest.raises(ForbiddenError):
        history.name(entry.id, BOB, "mine")
    history.forget(entry.id, ADA)
    assert grants.of(shares.resource(ASKED, only(history).id, ADA)) == ()
    assert history.find(BOB, shared=True) == ()


# In an archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Platform]:
    with tiny_archive(tmp_path) as platform:
        for name in ("ada", "bob"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        yield platform


def test_what_people_ask_of_the_catalogues_is_remembered_and_what_awe_asks_is_not(archive: Platform) -> None:
    archive.catalogs.query(f"SELECT TOP 3 id FROM {TINY_TABLE}", identity=ADA).to_table()
    for wrong in ("SELECT FROM", "SELECT id FROM nowhere.x"):
        with pytest.raises(QueryError):
            archive.catalogs.query(wrong, identity=ADA)
    with pytest.raises(NotFoundError):
        archive.catalogs.query("SELECT id FROM sources", context="nowhere", identity=ADA)
    archive.catalogs.cone(TINY_TABLE, 187.7, 12.39, 1.0, identity=ADA).to_table()
    archive.catalogs.query(f"SELECT TOP 1 id FROM {TINY_TABLE}", identity=ADA, asked=False).to_table()
    found = archive.history.find(ADA)
    assert [(e.phase.name, e.rows) for e in found] == [("ERROR", 0)] * 3 + [("COMPLETED", 3)]
    assert found[2].text == "SELECT FROM"
    assert found[2].message.startswith("line 1, column ")


@pytest.mark.slow
def test_jobs_are_remembered_with_what_became_of_them(archive: Platform) -> None:
    def run(text: str) -> Job:
        job = archive.jobs.submit(QUERY, ADA, QueryOrder(text).to_json(), run_id="long")
        while (now := archive.jobs.job(job.id, ADA)).phase in {Phase.QUEUED, Phase.EXECUTING}:
            pass
        return now

    good, bad = run(f"SELECT id FROM {TINY_TABLE}"), run("SELECT id FROM nowhere.x")
    failed, done = archive.history.find(ADA)
    assert (done.job, done.phase, done.rows, done.name) == (good.id, Phase.COMPLETED, 500, "long")
    assert done.bytes == good.results[0].size
    assert (failed.job, failed.phase) == (bad.id, Phase.ERROR)
    assert failed.message == str(bad.error)
    archive.jobs.delete(good.id, ADA)
    assert archive.history.find(ADA)[1] == done


# a query that takes minutes
_SLOW = f"SELECT COUNT(*) AS n FROM {TINY_TABLE} a, {TINY_TABLE} b, {TINY_TABLE} c, {TINY_TABLE} d WHERE a.mag + b.mag + c.mag > d.mag"


@pytest.mark.parametrize("longest", [1, 3600])
def test_the_quick_queue_names_the_long_one_where_there_is_one(tmp_path: Path, longest: int) -> None:
    with tiny_archive(tmp_path, limits={"seconds": 0.3}, jobs={"seconds": longest}) as platform:
        with pytest.raises(TimeLimitError) as told:
            platform.catalogs.query(_SLOW, identity=ADA).to_table()
        named = "the long queue, where it has up to 60 min" in str(told.value)
        assert named is (longest > 1)
        assert only(platform.history).message == str(told.value)
