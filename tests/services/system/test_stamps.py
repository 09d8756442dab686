"""The state of a database: the same as long as nothing was changed."""

import threading
from contextlib import suppress

import pytest
from sqlalchemy import delete, insert, select

from awe.core.waiting import WouldWaitError, at_once
from awe.services.identity.stores.usage import Amounts, UsageStore
from awe.services.system import SystemDatabase, metadata

_USAGE = metadata.tables["usage"]
_LINE = {"day": "2026-01-02", "subject": "x", **dict.fromkeys(Amounts.__slots__, 0)}


def test_it_is_the_same_until_something_is_written(system: SystemDatabase) -> None:
    before = system.stamp()
    with system.reading() as connection:
        connection.execute(select(_USAGE)).all()
    assert system.stamp() == before
    UsageStore(system).count("somebody", "2026-01-01", Amounts(queries=1))
    assert system.stamp() == before  # what need not last decides nothing
    with system.transaction() as connection:
        connection.execute(insert(_USAGE), _LINE)
    after = system.stamp()
    assert after != before
    assert system.stamp() == after


def test_what_is_not_kept_yet_may_be_seen_only_later(system: SystemDatabase) -> None:
    before = system.stamp()
    with system.transaction() as connection:
        connection.execute(insert(_USAGE), _LINE)
        assert system.stamp() == before
    assert system.stamp() != before


def test_what_is_taken_back_changes_nothing(system: SystemDatabase) -> None:
    before = system.stamp()
    with suppress(ValueError), system.transaction() as connection:
        connection.execute(insert(_USAGE), _LINE)
        raise ValueError
    assert system.stamp() == before


def test_another_process_is_noticed(system: SystemDatabase, database_url: str) -> None:
    before = system.stamp()
    other = SystemDatabase(database_url)
    with other.transaction() as connection:
        connection.execute(insert(_USAGE), _LINE)
    other.close()
    assert system.stamp() != before


def test_a_connection_that_was_closed_is_opened_again(system: SystemDatabase) -> None:
    before = system.stamp()
    system.close()
    assert system.stamp() == before


def test_a_file_tells_it_at_once_and_a_server_does_not(system: SystemDatabase, database_url: str) -> None:
    with pytest.raises(WouldWaitError), at_once():
        system.stamp()  # a connection has to be opened
    before = system.stamp()
    if database_url.startswith("sqlite"):
        with at_once():
            assert system.stamp() == before
    else:
        with pytest.raises(WouldWaitError), at_once():
            system.stamp()


def test_who_must_not_wait_does_not_wait_for_another_thread_that_asks(system: SystemDatabase) -> None:
    before = system.stamp()
    reached, go = threading.Event(), threading.Event()

    def held() -> None:
        with system._stamps._lock:
            reached.set()
            assert go.wait(60)

    other = threading.Thread(target=held)
    other.start()
    assert reached.wait(60)
    with pytest.raises(WouldWaitError), at_once():
        system.stamp()
    go.set()
    other.join()
    assert system.stamp() == before


def test_transactions_are_not_begun_by_who_must_not_wait(system: SystemDatabase) -> None:
    before = system.stamp()
    for begin in (system.reading, system.transaction):
        with pytest.raises(WouldWaitError), at_once(), begin():
            raise AssertionError
    assert system.stamp() == before


def test_where_nothing_counts_nothing_is_the_same(system: SystemDatabase) -> None:
    with system.transaction() as connection:
        connection.execute(delete(metadata.tables["changes"]))
    assert system.stamp() != system.stamp()
