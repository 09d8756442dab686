"""Jobs done by awe and its peers side by side, in one run.

Words: a *job* is one thing to do, such as a cone search; its *cases* are what it is done with (radii), each with the
*inputs* of its rounds (positions). A *peer* is who does it; awe is the first one. All peers do the same input one after
another, the first one in turn, so that whatever slows the machine slows all of them; where an input takes less time than it
takes to fill a processor's caches again, each does a few of them at a time. Their answers are compared before anything is
timed; who takes more than half a minute for that is not asked again. Medians are reported, and how they grow with the size of
the case.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from statistics import median

__all__ = ["AbsentError", "Case", "Job", "Measured", "Peer", "Timed", "measure"]

Run = Callable[[object], object]

_PATIENCE_S = 30.0
"""A peer whose answer took longer is not asked for the rounds: all files together are to take an hour."""


class AbsentError(Exception):
    """A peer that is not on this machine; says why."""


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer whose maker took the time itself: a program without its start, a process of its own with its memory."""

    answer: object
    seconds: float
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Peer:
    """Who does a job.

    Attributes
    ----------
    open
        Gives what does one input, ready and warm; raises `AbsentError`.
    answer
        Brings what was given into the form that answers are compared in; not timed.
    """

    name: str
    open: Callable[[], AbstractContextManager[Callable[..., object]]]
    answer: Callable[..., object] = lambda given: given


@dataclass(frozen=True, slots=True)
class Case:
    """What a job is done with: one input a round; `size` is what time is drawn against, None where nothing is."""

    name: str
    inputs: Sequence[object]
    size: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do.

    Attributes
    ----------
    name, title
        A word, and a sentence that says all of what is measured: over what, warm or cold, what is given.
    peers
        awe first.
    cases
        With the same number of inputs each, or their own.
    same
        Compares an answer of awe and one of a peer: empty, or how they differ.
    goals
        For a peer and a case, how many times faster awe is to be.
    per
        What a case's `size` counts: ``rows``, ``arcmin``.
    unit
        ``s``, ``ms`` or ``/s``.
    compared
        So many inputs of each case have their answers compared; 0 where answers are no data.
    together
        So many inputs a peer does one after another before the next one's turn.
    """

    name: str
    title: str
    peers: Sequence[Peer]
    cases: Sequence[Case]
    same: Callable[..., str] = lambda ours, theirs: "" if ours == theirs else f"{ours} and {theirs}"
    goals: Mapping[tuple[str, str], float] = field(default_factory=dict)
    per: str = ""
    unit: str = "ms"
    compared: int = 1
    together: int = 1


@dataclass(slots=True)
class Measured:
    """What came out: seconds of each round and the highest memory, by peer and case."""

    job: Job
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    peak_mb: dict[tuple[str, str], float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    differ: list[str] = field(default_factory=list)

    def note(self, peer: str, case: str, seconds: float, peak_mb: float = 0.0) -> None:
        """Take note of a round."""
        self.seconds.setdefault((peer, case), []).append(seconds)
        if peak_mb:
            self.peak_mb[peer, case] = max(peak_mb, self.peak_mb.get((peer, case), 0.0))

    def median(self, peer: str, case: str) -> float | None:
        """Return the median of the seconds; None where it was not measured."""
        taken = self.seconds.get((peer, case))
        return median(taken) if taken else None

    def ratio(self, peer: str, case: str) -> float | None:
        """Return how many times faster awe is than a peer."""
        ours, theirs = self.median(self.job.peers[0].name, case), self.median(peer, case)
        return theirs / ours if ours and theirs else None

    def growth(self, peer: str) -> float | None:
        """Return the power of the size that the time grows with, by least squares over the cases."""
        points = [
            (math.log(case.size), math.log(taken))
            for case in self.job.cases
            if case.size and (taken := self.median(peer, case.name))
        ]
        if len(points) < 2:
            return None
        x, y = (sum(p[i] for p in points) / len(points) for i in (0, 1))
        spread = sum((p[0] - x) ** 2 for p in points)
        return sum((p[0] - x) * (p[1] - y) for p in points) / spread if spread else None


def measure(job: Job, told: Callable[[str], object] = lambda _: None) -> Measured:
    """Compare all answers, then time all peers."""
    measured = Measured(job)
    with ExitStack() as stack:
        running: list[tuple[Peer, Run]] = []
        for peer in job.peers:
            told(f"{job.name}: {peer.name}")
            try:
                running.append((peer, stack.enter_context(peer.open())))
            except AbsentError as missing:
                measured.absent[peer.name] = str(missing)
        for case in job.cases:
            told(f"{job.name}: {case.name}")
            quick = _compare(measured, job, case, running)
            for turn, first in enumerate(range(0, len(case.inputs), job.together)):
                for peer, run in _rotated(quick, turn):
                    for given in case.inputs[first : first + job.together]:
                        _time(measured, peer, case, run, given)
    return measured


def _rotated(running: Sequence[tuple[Peer, Run]], turn: int) -> Iterable[tuple[Peer, Run]]:
    first = turn % max(1, len(running))
    return [*running[first:], *running[:first]]


def _compare(
    measured: Measured, job: Job, case: Case, running: Sequence[tuple[Peer, Run]]
) -> list[tuple[Peer, Run]]:
    """Note how answers differ; return the peers that are quick enough to be asked again.

    Of the others the time of the answer that was compared is all that is measured.
    """
    slow = set()
    for given in case.inputs[: job.compared]:
        answers = []
        for peer, run in running:
            answer, seconds, peak_mb = _timed(run, given)
            if seconds > _PATIENCE_S:
                slow.add(peer.name)
                measured.note(peer.name, case.name, seconds, peak_mb)
            answers.append((peer.name, peer.answer(answer)))
        for name, answer in answers[1:]:
            said = job.same(answers[0][1], answer)
            if said:
                measured.differ.append(f"{case.name}, {answers[0][0]} and {name}: {said}")
    return [(peer, run) for peer, run in running if peer.name not in slow]


def _timed(run: Run, given: object) -> tuple[object, float, float]:
    """Return an answer, its seconds, and the highest memory where its maker noted it."""
    begun = time.perf_counter()
    answer = run(given)
    taken = time.perf_counter() - begun
    if isinstance(answer, Timed):
        return answer.answer, answer.seconds, answer.peak_mb
    return answer, taken, 0.0


def _time(measured: Measured, peer: Peer, case: Case, run: Run, given: object) -> None:
    _, seconds, peak_mb = _timed(run, given)
    measured.note(peer.name, case.name, seconds, peak_mb)
