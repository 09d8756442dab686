"""Work that is done at once or not at all."""

import threading

import pytest

from awe.core.waiting import WouldWaitError, at_once, may_wait, waits


def test_who_may_wait_waits() -> None:
    assert may_wait()
    waits()


def test_who_must_not_is_stopped_there_and_may_wait_again_afterwards() -> None:
    def work() -> None:
        assert not may_wait()
        waits()
        raise AssertionError

    with pytest.raises(WouldWaitError), at_once():
        work()
    assert may_wait()


def test_one_inside_another_ends_with_the_outer_one() -> None:
    with at_once():
        with at_once():
            assert not may_wait()
        assert not may_wait()
    assert may_wait()


def test_it_is_one_threads_own() -> None:
    found = []
    with at_once():
        other = threading.Thread(target=lambda: found.append(may_wait()))
        other.start()
        other.join()
    assert found == [True]


def test_nobody_takes_it_for_a_fault() -> None:
    assert not issubclass(WouldWaitError, Exception)
