"""`advance`: whatever happens in whatever order, a job takes only the ways that UWS 1.1 section 2.1.3 draws."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awe.errors import ConflictError, TimeLimitError, UsageError
from awe.services.jobs.model import (
    FINAL,
    Abort,
    Change,
    DiscardAttempt,
    Event,
    Fail,
    Finish,
    Job,
    Lost,
    Phase,
    Progressed,
    Release,
    Result,
    Run,
    Start,
    Step,
    StopAttempt,
    WakeRunner,
    advance,
)

NOW = datetime(2026, 1, 31, tzinfo=UTC)
NEW = Job("a", "query", "ada", NOW, NOW, 60)
RESULTS = (Result("result", "result.vot", "text/plain", 1),)
ERROR = UsageError("no")

WAYS = {
    Phase.PENDING: {Phase.QUEUED, Phase.ABORTED, Phase.ERROR},
    Phase.HELD: {Phase.QUEUED, Phase.ABORTED, Phase.ERROR},
    Phase.QUEUED: {Phase.EXECUTING, Phase.ABORTED},
    Phase.EXECUTING: {Phase.COMPLETED, Phase.ERROR, Phase.ABORTED, Phase.QUEUED},
    Phase.SUSPENDED: {Phase.COMPLETED, Phase.ERROR, Phase.ABORTED, Phase.QUEUED},
}

attempts = st.integers(0, 4)
events: st.SearchStrategy[Event] = st.one_of(
    st.just(Run(NOW, {"do": "it"})),
    st.just(Abort(NOW)),
    st.builds(Change, run_id=st.none() | st.just("x"), duration_s=st.none() | st.just(5)),
    st.just(Start(NOW)),
    st.builds(Progressed, attempts, st.just(Step("rows", 1))),
    st.builds(Finish, st.just(NOW), attempts, st.just(RESULTS)),
    st.builds(Fail, st.just(NOW), attempts, st.sampled_from([ERROR, TimeLimitError("long")])),
    st.builds(Lost, st.just(NOW), attempts, st.just(2)),
    st.builds(Release, attempts),
)


def after(*happened: Event, job: Job = NEW) -> Job:
    for event in happened:
        job, _ = advance(job, event)
    return job


@given(st.sampled_from(list(WAYS)), st.lists(events, max_size=30))
def test_no_sequence_of_events_leaves_the_ways(begin: Phase, happened: list[Event]) -> None:
    job = replace(NEW, phase=begin)
    for event in happened:
        try:
            found, effects = advance(job, event)
        except ConflictError:
            assert isinstance(event, Run | Change)
            continue
        assert found.phase is job.phase or found.phase in WAYS.get(job.phase, set())
        assert found.attempt - job.attempt == (job.phase is Phase.QUEUED and found.phase is Phase.EXECUTING)
        assert bool(found.results) == (found.phase is Phase.COMPLETED)
        assert (found.phase in FINAL) == (found.ended is not None)
        assert (WakeRunner() in effects) == (found.phase is Phase.QUEUED and job.phase is not Phase.QUEUED)
        if job.phase in FINAL and not isinstance(event, Change):
            assert found is job
        if DiscardAttempt(job.attempt) in effects:
            assert found.phase is not Phase.EXECUTING
        job = found


@given(st.lists(events, max_size=20))
def test_what_was_aborted_never_completes(happened: list[Event]) -> None:
    job = after(Run(NOW, {}), Start(NOW), Abort(NOW))
    for event in happened:
        try:
            job, _ = advance(job, event)
        except ConflictError:
            continue
        assert job.phase is Phase.ABORTED
        assert job.results == ()


def test_an_ordinary_life() -> None:
    job = after(Run(NOW, {"do": "it"}))
    assert (job.phase, job.queued, job.order) == (Phase.QUEUED, NOW, {"do": "it"})
    job = after(Start(NOW), Progressed(1, Step("rows", 7)), job=job)
    assert (job.phase, job.attempt, job.progress) == (Phase.EXECUTING, 1, Step("rows", 7))
    job = after(Finish(NOW, 1, RESULTS), job=job)
    assert (job.phase, job.results, job.ended) == (Phase.COMPLETED, RESULTS, NOW)


def test_an_older_attempt_is_not_listened_to() -> None:
    job = after(Run(NOW, {}), Start(NOW), Lost(NOW, 1, 3), Start(NOW))
    assert job.attempt == 2
    found, effects = advance(job, Finish(NOW, 1, RESULTS))
    assert found is job
    assert effects == (DiscardAttempt(1),)
    assert after(Finish(NOW, 2, RESULTS), job=job).phase is Phase.COMPLETED


def test_a_job_whose_process_dies_is_begun_again_and_given_up_at_last() -> None:
    job = after(Run(NOW, {}), Start(NOW), Lost(NOW, 1, 3), Start(NOW), Lost(NOW, 2, 3), Start(NOW))
    assert (job.phase, job.losses) == (Phase.EXECUTING, 2)
    job = after(Lost(NOW, 3, 3), job=job)
    assert job.phase is Phase.ERROR
    assert job.error is not None
    assert "begun 3 times" in str(job.error)


def test_to_be_released_is_not_held_against_a_job() -> None:
    job = after(Run(NOW, {}))
    for attempt in range(1, 10):
        job = after(Start(NOW), Release(attempt), job=job)
    assert (job.phase, job.losses) == (Phase.QUEUED, 0)


def test_to_abort_what_runs_stops_it_and_removes_its_files() -> None:
    job = after(Run(NOW, {}), Start(NOW))
    assert advance(job, Abort(NOW))[1] == (StopAttempt(1), DiscardAttempt(1))
    assert advance(after(Run(NOW, {})), Abort(NOW))[1] == ()


def test_too_long_is_aborted_and_says_why() -> None:
    job = after(Run(NOW, {}), Start(NOW), Fail(NOW, 1, TimeLimitError("too long")))
    assert (job.phase, str(job.error)) == (Phase.ABORTED, "too long")


def test_what_cannot_be_understood_fails_before_it_is_queued() -> None:
    assert after(Fail(NOW, 0, ERROR)).phase is Phase.ERROR
    assert after(Run(NOW, {}), Fail(NOW, 0, ERROR)).phase is Phase.QUEUED


def test_what_was_run_takes_nothing_more() -> None:
    job = after(Run(NOW, {}))
    with pytest.raises(ConflictError, match="QUEUED cannot be run"):
        advance(job, Run(NOW, {}))
    with pytest.raises(ConflictError, match="no parameters"):
        advance(job, Change(parameters=(("QUERY", "x"),)))
    assert after(Change(duration_s=5), job=job).duration_s == 5
    with pytest.raises(ConflictError, match="has its time"):
        advance(after(Start(NOW), job=job), Change(duration_s=5))
