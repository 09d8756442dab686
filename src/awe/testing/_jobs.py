"""Kinds of jobs that do what a test wants: at once, slowly, badly, or never."""

import os
import time
from collections.abc import Sequence

from awe.errors import UsageError
from awe.services.identity import Identity
from awe.services.jobs import KindsWorkshop, Result, Work
from awe.settings import Settings

__all__ = ["open_fakes"]


def open_fakes(settings: Settings) -> KindsWorkshop:  # noqa: ARG001  # as runners call it
    """Open a workshop (in a worker) of fake kinds, that needs no archive.

    ``echo`` writes the order's ``text`` to a file; ``sleep`` takes ``seconds`` before that, and tells how far it
    is; ``stubborn`` does the same and cannot be stopped but by killing it; ``fail`` fails as users' jobs do,
    ``break`` as ours; ``die`` ends its process.
    """
    kinds = {
        "echo": _echo,
        "sleep": _sleep,
        "stubborn": _stubborn,
        "fail": _fail,
        "break": _break,
        "die": _die,
    }
    return KindsWorkshop(kinds, Identity, lambda: None)


def _echo(work: Work) -> Sequence[Result]:
    text = str(work.order.get("text", ""))
    file = work.folder / "echo.txt"
    file.write_text(text, encoding="utf-8")
    return [Result("result", file.name, "text/plain", len(text.encode()))]


def _sleep(work: Work) -> Sequence[Result]:
    total = int(float(str(work.order.get("seconds", 1))) * 20)
    for step in range(total):
        work.progress("sleeping", step, total)
        time.sleep(0.05)
    return _echo(work)


def _stubborn(work: Work) -> Sequence[Result]:
    while True:
        try:
            return _sleep(work)
        except BaseException:  # noqa: BLE001, S112  # what no kind may do, and one may yet
            continue


def _fail(work: Work) -> Sequence[Result]:
    (work.folder / "half.txt").write_text("half")
    raise UsageError("it cannot be done", hint="do something else")


def _break(work: Work) -> Sequence[Result]:
    raise ZeroDivisionError(work.order)


def _die(work: Work) -> Sequence[Result]:
    (work.folder / "half.txt").write_text("half")
    os._exit(1)
