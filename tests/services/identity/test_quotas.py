"""What callers may use: which limit applies, and that what is counted is right with several processes and kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from awe.errors import NotFoundError, ParameterError, QuotaError
from awe.services.identity import (
    ANONYMOUS,
    ORIGIN,
    AccountStore,
    AuditLog,
    AuditStore,
    GroupStore,
    Identity,
    Limit,
    LimitStore,
    Measure,
    Origin,
    QuotaService,
    UsageStore,
)
from awe.services.identity.limits import applicable
from awe.services.identity.quotas import subject_of
from awe.services.identity.stores.usage import Amounts
from awe.services.system import SystemDatabase
from awe.settings import QuotaSettings

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ANN = Identity("ann", frozenset({"scientist"}), frozenset({"hst", "euclid"}))
M = Measure.QUERIES_PER_DAY


class Clock:
    """The moment that it is."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., QuotaService]


@pytest.fixture
def make(system: SystemDatabase, tmp_path: Path, clock: Clock) -> Iterator[Make]:
    """Return what opens one more service over the same database."""
    opened: list[QuotaService] = []

    def service(**settings: object) -> QuotaService:
        made = QuotaService(
            LimitStore(system),
            UsageStore(system),
            AccountStore(system),
            GroupStore(system),
            AuditLog(AuditStore(system)),
            QuotaSettings.model_validate(settings),
            folder=tmp_path / "servers",
            contact="help@example.org",
            now=clock,
        )
        opened.append(made)
        return made

    AccountStore(system).add("ann", None)
    yield service
    for one in opened:
        one.close()


def limit(principal: str, amount: int | None, *, day: int = 0, **days: datetime) -> Limit:
    return Limit(
        principal, principal, M, amount, days.get("since"), days.get("until"), "", "", NOON + day * DAY
    )


@pytest.mark.parametrize(
    ("limits", "amount", "principal"),
    [
        ([], 10, ""),
        ([limit("group:hst", 5)], 10, ""),
        ([limit("group:hst", 50), limit("role:scientist", 70)], 70, "role:scientist"),
        ([limit("group:hst", 50), limit("group:euclid", None)], None, "group:euclid"),
        ([limit("group:others", 50), limit("user:bob", 60), limit("anonymous", 70)], 10, ""),
        ([limit("everybody", 3)], 3, "everybody"),
        ([limit("everybody", 3), limit("group:hst", 2)], 3, "everybody"),
        ([limit("everybody", None), limit("group:hst", 2)], None, "everybody"),
        ([limit("user:ann", 1), limit("group:hst", 50), limit("everybody", None)], 1, "user:ann"),
        ([limit("user:ann", 1), limit("user:ann", 99, day=1)], 99, "user:ann"),
        ([limit("user:ann", 99), limit("user:ann", 1, day=1)], 1, "user:ann"),
        ([limit("user:ann", 1), limit("user:ann", 99, day=1, until=NOON)], 1, "user:ann"),
        ([limit("user:ann", 99, until=NOON + DAY)], 99, "user:ann"),
        ([limit("user:ann", 99, since=NOON + DAY)], 10, ""),
        ([limit("user:ann", 99, since=NOON)], 99, "user:ann"),
    ],
)
def test_the_users_own_limit_wins_else_the_most_generous(
    limits: list[Limit], amount: int | None, principal: str
) -> None:
    defaults = QuotaSettings.model_validate({"queries_per_day": 10, "anonymous": {"queries_per_day": 4}})
    assert applicable(M, ANN, limits, defaults, NOON) == (amount, principal)


def test_a_caller_without_an_account_has_limits_of_its_own() -> None:
    defaults = QuotaSettings.model_validate({"queries_per_day": 10, "anonymous": {"queries_per_day": 4}})
    assert applicable(M, ANONYMOUS, [], defaults, NOON) == (4, "")
    assert applicable(M, ANONYMOUS, [limit("everybody", 6)], defaults, NOON) == (6, "everybody")
    both = [limit("everybody", 6), limit("anonymous", 1)]
    assert applicable(M, ANONYMOUS, both, defaults, NOON) == (1, "anonymous")
    assert applicable(M, ANN, both, defaults, NOON) == (6, "everybody")


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.7", "address:192.0.2.7"),
        ("::ffff:192.0.2.7", "address:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("fe80::1%eth0", "address:fe80::/64"),
        ("", "anonymous"),
        ("testclient", "anonymous"),
    ],
)
def test_callers_without_an_account_are_counted_by_their_address(address: str, subject: str) -> None:
    before = ORIGIN.set(Origin(address))
    try:
        assert subject_of(ANONYMOUS) == subject
        assert subject_of(ANN) == "user:ann"
    finally:
        ORIGIN.reset(before)


def test_queries_at_once(make: Make) -> None:
    quotas, other = make(queries_at_once=2), make(queries_at_once=2)
    first, second = quotas.begin(ANN), other.begin(ANN)
    with pytest.raises(QuotaError) as refused:
        quotas.begin(ANN)
    assert refused.value.fields == {"measure": "queries_at_once", "limit": 2, "used": 2, "retry_after": 5}
    said = str(refused.value)
    assert "you may have 2 queries at the same time, and have 2" in said
    assert "try again in 5 s" in said
    assert "help@example.org can allow more" in said
    quotas.begin(Identity("bob")).end()
    first.end(rows=3, size=100)
    first.end(rows=3, size=100)  # once more changes nothing
    quotas.begin(ANN).end()
    second.end()
    used = {one.measure: one for one in quotas.usage(ANN)}
    assert used[Measure.QUERIES_AT_ONCE].used == 0
    assert used[Measure.QUERIES_PER_DAY].used == 3


@pytest.mark.slow
def test_queries_of_a_day(make: Make, clock: Clock, system: SystemDatabase) -> None:
    quotas = make(queries_per_day=2)
    quotas.begin(ANN).end(rows=3, size=100)
    running = quotas.begin(ANN)  # counts from its beginning on
    with pytest.raises(QuotaError, match="2 queries in a day, and have 2") as refused:
        quotas.begin(ANN)
    assert refused.value.fields["retry_after"] == 12 * 3600
    assert "try again in 12 h 0 min" in str(refused.value)
    running.end(rows=4, size=50)
    with pytest.raises(QuotaError):
        quotas.begin(ANN)
    used = next(one for one in quotas.usage(ANN) if one.measure is M)
    assert (used.limit, used.used, used.resets) == (2, 2, datetime(2026, 3, 2, tzinfo=UTC))
    day = UsageStore(system).of_day("user:ann", "2026-03-01")
    assert (day.queries, day.refused, day.rows, day.bytes) == (2, 2, 7, 150)
    clock.now += timedelta(hours=12)
    quotas.begin(ANN).end()


def test_a_limit_of_nothing_refuses(make: Make) -> None:
    with pytest.raises(QuotaError, match="0 queries at the same time"):
        make(queries_at_once=0).begin(ANN)


def test_what_a_restart_finds_is_what_was_used(make: Make) -> None:
    before = make(queries_per_day=2)
    for _ in range(2):
        before.begin(ANN).end()
    before.close()
    with pytest.raises(QuotaError):
        make(queries_per_day=2).begin(ANN)


def test_addresses_are_forgotten_the_day_after(make: Make, clock: Clock, system: SystemDatabase) -> None:
    quotas, store = make(), UsageStore(system)
    for address in ("192.0.2.7", "192.0.2.8"):
        before = ORIGIN.set(Origin(address))
        quotas.begin(ANONYMOUS).end(rows=2)
        ORIGIN.reset(before)
    assert store.of_day("address:192.0.2.7", "2026-03-01").rows == 2
    clock.now += DAY
    quotas.begin(ANN).end()
    assert store.of_day("address:192.0.2.7", "2026-03-01").rows == 0
    both = store.of_day("anonymous", "2026-03-01")
    assert (both.queries, both.rows) == (2, 4)


def test_a_lease_ends_by_itself_and_its_query_is_counted_once(make: Make, clock: Clock) -> None:
    quotas = make(queries_at_once=1)
    forgotten = quotas.begin(ANN)
    with pytest.raises(QuotaError):
        quotas.begin(ANN)
    clock.now += timedelta(seconds=121)
    quotas.begin(ANN).end()
    forgotten.end(rows=5)
    assert next(one.used for one in quotas.usage(ANN) if one.measure is M) == 2


def test_limits_are_set_dropped_and_recorded(make: Make, system: SystemDatabase) -> None:
    quotas = make(queries_per_day=10)
    made = quotas.set("user:ann", "queries_per_day", 1, by="warden", until=NOON + DAY, why="too many")
    assert quotas.limit(ANN, M) == 1
    again = quotas.set("user:ann", "queries_per_day", 5, by="warden", until=NOON + DAY)
    assert quotas.limits("user:ann") == (again,)
    forever = quotas.set("user:ann", "queries_per_day", None, by="warden")
    assert len(quotas.limits()) == 2
    quotas.drop(again.id, by="warden")
    assert quotas.limits() == (forever,)
    assert quotas.limit(ANN, M) is None
    with pytest.raises(NotFoundError):
        quotas.drop(made.id, by="warden")
    said = AuditLog(AuditStore(system)).entries(action="quota")
    assert [(e.action, e.user, e.target) for e in said] == [
        ("quota.dropped", "warden", "user:ann"), *[("quota.set", "warden", "user:ann")] * 3,
    ]  # fmt: skip
    assert said[-1].details["why"] == "too many"


@pytest.mark.parametrize(
    ("principal", "measure", "amount", "field"),
    [
        ("ann", "tables", 1, "principal"), ("user:", "tables", 1, "principal"), ("x:y", "tables", 1, "principal"),
        ("everybody", "dreams", 1, "measure"), ("everybody", "tables", -1, "amount"),
        ("everybody", "tables", 2**62, "amount"),
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused(
    make: Make, principal: str, measure: str, amount: int, field: str
) -> None:
    with pytest.raises(ParameterError) as wrong:
        make().set(principal, measure, amount, by="warden")
    assert wrong.value.fields["name"] == field


def test_a_limit_of_somebody_who_is_not_there_is_refused(make: Make, system: SystemDatabase) -> None:
    with pytest.raises(NotFoundError, match="no user 'nobody'"):
        make().set("user:nobody", "tables", 1, by="warden")
    with pytest.raises(NotFoundError, match="no group 'nobody'"):
        make().set("group:nobody", "tables", 1, by="warden")
    GroupStore(system).add("hst", "", "ann")
    assert make().set("group:hst", "tables", 1, by="warden").principal == "group:hst"
    with pytest.raises(ParameterError):
        make().set("everybody", "tables", 1, by="warden", since=NOON, until=NOON)


# A process that begins queries of one user until it is refused, says how many it could, and waits to be killed.
GREEDY = """
import sys, threading
from pathlib import Path
from awe.errors import QuotaError
from awe.services.identity import *
from awe.services.system import SystemDatabase
from awe.settings import QuotaSettings
system = SystemDatabase(sys.argv[1])
quotas = QuotaService(
    LimitStore(system), UsageStore(system), AccountStore(system), GroupStore(system), AuditLog(AuditStore(system)),
    QuotaSettings(queries_at_once=40), folder=Path(sys.argv[2]),
)
begun = []
def more():
    try:
        while True:
            begun.append(quotas.begin(Identity("ann")))
    except QuotaError:
        pass
threads = [threading.Thread(target=more) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(begun), flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_several_processes_share_the_room_and_a_killed_one_leaves_it(
    make: Make, clock: Clock, database_url: str, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", GREEDY, database_url, str(tmp_path / "servers")]
    started = [
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]  # fmt: skip
    quotas = make(queries_at_once=40)
    try:
        got = []
        for process in started:
            assert process.stdout is not None
            got.append(int(process.stdout.readline()))
        assert sum(got) == 40
        with pytest.raises(QuotaError):
            quotas.begin(ANN)
        quotas._reap_at = 0.0  # it looks for dead processes once a second
        largest = max(range(3), key=got.__getitem__)
        started[largest].send_signal(signal.SIGKILL)
        started[largest].wait(30)
        for _ in range(got[largest]):
            quotas.begin(ANN)
        with pytest.raises(QuotaError):
            quotas.begin(ANN)
        used = {one.measure: one.used for one in quotas.usage(ANN)}
        assert used[Measure.QUERIES_AT_ONCE] == 40
        assert used[Measure.QUERIES_PER_DAY] == 40 + got[largest]  # those of the killed one were asked, too
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_queries_that_are_over_in_a_moment_are_counted_together_and_all_of_them(make: Make) -> None:
    one, other = make(), make()
    for rows in range(1, 8):
        one.begin(ANN, prompt=True).end(rows, 10)
    other.begin(ANN, prompt=True).end(100, 5)
    other.close()
    used = {usage.measure: usage.used for usage in one.usage(ANN)}
    assert used[Measure.QUERIES_PER_DAY] == 8
    assert used[Measure.QUERIES_AT_ONCE] == 0


@pytest.mark.parametrize("limits", [{"queries_per_day": 3}, {"queries_per_day": 3, "queries_at_once": 1}])
def test_a_limit_of_queries_is_exact_for_those_that_are_over_in_a_moment(
    make: Make, limits: dict[str, int]
) -> None:
    services = make(**limits), make(**limits)
    for turn in range(3):
        services[turn % 2].begin(ANN, prompt=True).end()
    for service in services:
        with pytest.raises(QuotaError):
            service.begin(ANN, prompt=True)


def test_one_query_at_once_is_one_also_where_it_is_over_in_a_moment(make: Make) -> None:
    service = make(queries_at_once=1)
    running = service.begin(ANN)
    with pytest.raises(QuotaError):
        service.begin(ANN, prompt=True)
    running.end()
    service.begin(ANN, prompt=True).end()


def test_what_could_not_be_counted_is_counted_the_next_time(
    make: Make, system: SystemDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = UsageStore(system)
    with monkeypatch.context() as away:
        away.setattr(system, "transaction", lambda **_: (_ for _ in ()).throw(OSError("away")))
        usage.count_soon("user:ann", "2026-03-01", Amounts(queries=1, rows=5))
        usage.close()
    usage.count_soon("user:ann", "2026-03-01", Amounts(queries=1, rows=6))
    assert usage.of_day("user:ann", "2026-03-01") == Amounts(queries=2, rows=11)
    usage.close()


def test_files_that_are_fetched_are_counted_by_bytes_and_limited(
    make: Make, clock: Clock, system: SystemDatabase
) -> None:
    service = make(file_bytes_per_day=100)
    service.fetching(ANN)(60)
    service.fetching(ANN)(60)  # what has begun is sent to its end
    with pytest.raises(QuotaError, match="bytes of files of tables in a day, and have 120") as refused:
        service.fetching(ANN)
    assert refused.value.fields["retry_after"] == 12 * 3600
    used = {usage.measure: usage.used for usage in service.usage(ANN)}
    assert used[Measure.FILE_BYTES_PER_DAY] == 120
    assert used[M] == 0
    other = make(file_bytes_per_day=100)  # another process finds the same
    with pytest.raises(QuotaError):
        other.fetching(ANN)
    other.begin(ANN).end()
    clock.now += DAY
    other.fetching(ANN)(1)
    kept = UsageStore(system).by_day("2026-03-01", "2026-03-01")["2026-03-01"]
    assert (kept.file_bytes, kept.refused, kept.queries) == (120, 2, 1)
