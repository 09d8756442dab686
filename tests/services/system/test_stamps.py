"""The state of a database: the same as long as nothing was changed."""

from sqlalchemy import insert, select

from awe.services.identity.stores.usage import Amounts, UsageStore
from awe.services.system import SystemDatabase, metadata

_AUDIT = metadata.tables["usage"]


def test_it_is_the_same_until_something_is_written(system: SystemDatabase) -> None:
    before = system.stamp()
    with system.reading() as connection:
        connection.execute(select(_AUDIT)).all()
    assert system.stamp() == before
    UsageStore(system).count("somebody", "2026-01-01", Amounts(queries=1))
    after = system.stamp()
    assert after != before
    assert system.stamp() == after


def test_what_is_not_kept_yet_may_be_seen_only_later(system: SystemDatabase) -> None:
    before = system.stamp()
    line = {"day": "2026-01-02", "subject": "x", **dict.fromkeys(Amounts.__slots__, 0)}
    with system.transaction() as connection:
        connection.execute(insert(_AUDIT), line)
        during = system.stamp()
    assert system.stamp() not in (before, during)


def test_another_process_is_noticed(system: SystemDatabase, database_url: str) -> None:
    before = system.stamp()
    other = SystemDatabase(database_url)
    UsageStore(other).count("somebody", "2026-01-01", Amounts(queries=1))
    other.close()
    assert system.stamp() != before


def test_a_lost_connection_is_like_no_state(system: SystemDatabase) -> None:
    before = system.stamp()
    system.close()
    assert system.stamp() != before
    assert system.stamp() == system.stamp()
