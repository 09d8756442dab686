"""A query at another archive's TAP service (TAP 1.1): at once, or as a job there."""

import contextlib
from pathlib import Path

import pyarrow as pa

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, stated_error
from awe.errors import InputFileError, LimitError, QueryError, UnavailableError
from awe.services.catalogs.external._exchange import Answer, Exchange

__all__ = ["ask", "ask_job"]

_VOTABLE, _ARROW = FORMATS["votable"], FORMATS["arrow"]
_LONGEST_TEXT = 2000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 10.0
_RUNS = frozenset({"QUEUED", "EXECUTING", "SUSPENDED", "HELD", "UNKNOWN"})
_FORGET_S = 5.0
_ANSWER = "answer.vot"


def ask(exchange: Exchange, name: str, url: str, text: str, rows: int, folder: Path) -> TableStream:
    """Run a query at once (TAP 1.1 section 2.2.1); its rows, all of which are there.

    Parameters
    ----------
    name, url
        What the service is called, and where it is.
    text
        ADQL.
    rows
        Rows at the most.
    folder
        For the answer, which is read from there.

    Raises
    ------
    QueryError
        If the service says that the query is wrong.
    LimitError
        If there are more rows than it or the operator gives.
    UnavailableError, TimeLimitError, CancelledError
        As `Exchange.send`.
    """
    file = folder / _ANSWER
    answer = exchange.post(f"{url}/sync", _form(text, rows), file)
    return _rows(exchange, name, answer, folder, rows)


def ask_job(exchange: Exchange, name: str, url: str, text: str, rows: int, folder: Path) -> TableStream:
    """Run a query as a job there (UWS 1.1), which is removed in the end; see `ask`."""
    file = folder / _ANSWER
    made = exchange.post(f"{url}/async", _form(text, rows), file)
    _check(name, made, file)
    job = made.url.rstrip("/")
    if job == f"{url}/async":
        raise UnavailableError(f"{name} makes no job of a query")
    try:
        _check(name, exchange.post(f"{job}/phase", {"PHASE": "RUN"}, file), file)
        phase = _ended(exchange, name, job, folder)
        if phase != "COMPLETED":
            answer = exchange.get(f"{job}/error", file)
            raise QueryError(f"{name}: {_said(answer, file) or f'its job ended as {phase}'}")
        answer = exchange.get(f"{job}/results/result", file)
        return _rows(exchange, name, answer, folder, rows)
    finally:
        _forget(name, job, folder)


def _form(text: str, rows: int) -> dict[str, str]:
    return {
        "REQUEST": "doQuery",
        "LANG": "ADQL",
        "QUERY": text,
        "FORMAT": "votable",
        "RESPONSEFORMAT": "votable",
        "MAXREC": str(rows),
    }


def _ended(exchange: Exchange, name: str, job: str, folder: Path) -> str:
    """Wait until a job has ended; its last phase."""
    file, wait = folder / "phase.txt", _FIRST_WAIT_S
    while True:
        _check(name, exchange.get(f"{job}/phase", file), file)
        phase = _text(file).strip().upper()
        if phase not in _RUNS:
            return phase
        exchange.wait(wait)
        wait = min(wait * 1.5, _LONGEST_WAIT_S)


def _forget(name: str, job: str, folder: Path) -> None:
    """Remove a job there, which also stops it; where that fails it goes when its time is over."""
    exchange = Exchange(name, job, _FORGET_S, _LONGEST_TEXT)
    with contextlib.closing(exchange), contextlib.suppress(UnavailableError, LimitError):
        exchange.post(job, {"ACTION": "DELETE"}, folder / "gone.txt")


def _rows(exchange: Exchange, name: str, answer: Answer, folder: Path, most: int) -> TableStream:
    """Return the rows of an answer once all of them are known to be there."""
    file, kept, count = folder / _ANSWER, folder / "rows.arrows", 0
    _check(name, answer, file)

    def counted(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal count
        count += batch.num_rows
        exchange.check()
        if count > most:
            raise _left_out(name, most)
        return batch

    try:
        read = _VOTABLE.read(file)
        stream = read.map(read.schema, counted)
        with stream, kept.open("wb") as out:
            out.writelines(_ARROW.write(stream))
    except InputFileError as error:
        if said := stated_error(error):
            raise QueryError(f"{name}: {said}") from None
        raise UnavailableError(f"the answer of {name} cannot be read: {error.message}") from None
    file.unlink()
    if stream.overflow:
        raise _left_out(name, count)
    return _ARROW.read(kept)


def _left_out(name: str, rows: int) -> LimitError:
    return LimitError(
        f"{name} has more rows than the {rows} that it or this archive gives",
        hint="use TOP, or ask for a smaller piece",
    )


def _check(name: str, answer: Answer, file: Path) -> None:
    if answer.status < 300:
        return
    said = _said(answer, file)
    if answer.status in {400, 404, 405, 413, 422} and said:
        raise QueryError(f"{name}: {said}")
    raise UnavailableError(f"{name} answers {answer.status} {answer.reason}{f': {said}' if said else ''}")


def _said(answer: Answer, file: Path) -> str:
    """Return what a service says went wrong: as DALI 1.1 section 4.4 wants it, or as plain text."""
    try:
        _VOTABLE.read(file).close()
    except InputFileError as error:
        if said := stated_error(error):
            return said[:_LONGEST_TEXT]
    text = _text(file)
    plain = not text.lstrip().startswith("<")
    return " ".join(text.split()) if plain else f"its answer {answer.status} is no text"


def _text(file: Path) -> str:
    with file.open("rb") as content:
        return content.read(_LONGEST_TEXT).decode("utf-8", "replace")
