import threading

import pytest

from awe.core.science.shared_work import share


def test_each_item_is_done_once() -> None:
    done: list[int] = []
    share(done.append, range(1000))
    assert sorted(done) == list(range(1000))
    share(done.append, [])
    assert len(done) == 1000


def test_what_goes_wrong_is_told_when_nobody_works_any_more() -> None:
    running: set[int] = set()

    def work(number: int) -> None:
        running.add(number)
        try:
            if number == 50:
                raise ValueError("number fifty")
        finally:
            running.discard(number)

    with pytest.raises(ValueError, match="number fifty"):
        share(work, range(100))
    assert not running


def test_nobody_waits_for_helpers_that_are_busy() -> None:
    go, busy = threading.Event(), threading.Barrier(2, timeout=20)

    def hold(_: int) -> None:
        busy.wait()
        assert go.wait(20)

    holding = threading.Thread(target=share, args=(hold, range(2)))  # one of them is a helper's
    holding.start()
    done: list[int] = []
    share(done.append, range(10))
    assert len(done) == 10
    go.set()
    holding.join()
