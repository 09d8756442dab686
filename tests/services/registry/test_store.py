"""When records are new, change and go: the stamps that registries ask for."""

from datetime import UTC, datetime

import pytest

from awe.services.registry import RegistryStore
from awe.services.system import SystemDatabase


@pytest.fixture
def store(system: SystemDatabase) -> RegistryStore:
    return RegistryStore(system)


def test_records_come_change_and_go(store: RegistryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(datetime(2026, 1, day, 12, 30, 15, 999, tzinfo=UTC) for day in range(1, 9))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            assert tz is UTC
            return next(moments)

    monkeypatch.setattr("awe.services.registry.store.datetime", Clock)

    def told(digests: dict[str, str]) -> dict[str, tuple[int, int, bool]]:
        found = store.stamps(digests).items()
        return {name: (stamp.created.day, stamp.changed.day, stamp.deleted) for name, stamp in found}

    assert told({"a": "1", "b": "1"}) == {"a": (1, 1, False), "b": (1, 1, False)}
    assert told({"a": "1", "b": "1"}) == {"a": (1, 1, False), "b": (1, 1, False)}  # and no moment was taken
    assert told({"a": "2", "b": "1"}) == {"a": (1, 2, False), "b": (1, 1, False)}
    assert told({"a": "2"}) == {"a": (1, 2, False), "b": (1, 3, True)}
    assert told({"a": "2"}) == {"a": (1, 2, False), "b": (1, 3, True)}
    assert told({"a": "2", "b": "1", "c": "1"}) == {
        "a": (1, 2, False),
        "b": (1, 4, False),
        "c": (4, 4, False),
    }
    assert all(
        stamp.changed.microsecond == 0 for stamp in store.stamps({"a": "2", "b": "1", "c": "1"}).values()
    )
