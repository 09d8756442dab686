"""Several pieces of datasets, cut one after the other: for one answer, or by a job.

A piece that cannot be cut does not stop the others: its part says why.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from awe.core.science.cutout import Cutout, Wanted
from awe.core.sky import parse_dali
from awe.errors import AweError, NotFoundError
from awe.services.identity import Identity
from awe.services.jobs import Kind, Result, Work

__all__ = ["CUTOUT", "Part", "Piece", "cut_all", "cutout_kind", "order_of"]

CUTOUT = "cutout"
"""The kind's name."""

_FITS, _TEXT = "application/fits", "text/plain"


@dataclass(frozen=True, slots=True)
class Piece:
    """A dataset by its name, and what is wanted of it."""

    dataset: str
    wanted: Wanted

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        wanted = self.wanted
        region = wanted.region.to_dali() if wanted.region is not None else None
        said = {"region": region, "band": wanted.band, "time": wanted.time, "pol": wanted.pol}
        return {"dataset": self.dataset} | {key: value for key, value in said.items() if value}

    @classmethod
    def from_json(cls, said: Mapping[str, object]) -> "Piece":
        """Rebuild what `to_json` wrote."""
        region = said.get("region")
        wanted = Wanted(
            parse_dali(str(region)) if region else None,
            _interval(said.get("band")),
            _interval(said.get("time")),
            tuple(said.get("pol", ())),  # type: ignore[arg-type]  # written by `to_json`
        )
        return cls(str(said["dataset"]), wanted)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What became of a piece: a cutout, an error, or neither where the dataset has no pixel of what is wanted.

    Attributes
    ----------
    number
        Of the piece among those asked for, counted from one.
    """

    number: int
    piece: Piece
    cutout: Cutout | None = None
    error: AweError | None = None

    @property
    def reason(self) -> AweError:
        """Why there is no cutout."""
        return self.error or NotFoundError(f"{self.piece.dataset} has no pixel of what is wanted")

    @property
    def name(self) -> str:
        """A name for its file, without an extension."""
        stem = self.piece.dataset.rpartition("?")[2]
        return f"{self.number}_{re.sub(r'[^A-Za-z0-9._+-]+', '_', stem)[:200]}"


class _Cutter(Protocol):
    def cutout(self, name: str, wanted: Wanted | None, identity: Identity) -> Cutout | None: ...


def cut_all(observations: _Cutter, pieces: Iterable[Piece], identity: Identity) -> Iterator[Part]:
    """Yield the parts in the order of the pieces, each made when it is asked for."""
    for number, piece in enumerate(pieces, start=1):
        try:
            yield Part(number, piece, observations.cutout(piece.dataset, piece.wanted, identity))
        except AweError as error:
            yield Part(number, piece, error=error)


def order_of(pieces: Iterable[Piece]) -> dict[str, object]:
    """Return what a job is to do, as JSON values."""
    return {"pieces": [piece.to_json() for piece in pieces]}


def cutout_kind(observations: _Cutter, tell: Callable[[AweError], str]) -> Kind:
    """Return the kind of job that cuts pieces: a FITS file of each, or a text that says why there is none.

    Parameters
    ----------
    tell
        How that text is worded.
    """

    def run(work: Work) -> Sequence[Result]:
        pieces = [Piece.from_json(said) for said in work.order["pieces"]]  # type: ignore[attr-defined]  # written by `order_of`
        results: list[Result] = []
        errors: list[AweError] = []
        for part in cut_all(observations, pieces, work.identity):
            work.progress("pieces", part.number - 1, len(pieces))
            errors += [part.error] if part.error is not None else []
            results.append(_kept(work, part, tell))
        if len(errors) == len(pieces):
            raise errors[0]
        return results

    return run


def _kept(work: Work, part: Part, tell: Callable[[AweError], str]) -> Result:
    fits = part.cutout is not None
    file = work.folder / f"{part.name}.{'fits' if fits else 'txt'}"
    with file.open("xb") as out:
        if part.cutout is not None:
            out.writelines(part.cutout.write())
        else:
            out.write(tell(part.reason).encode())
    return Result(part.name, file.name, _FITS if fits else _TEXT, file.stat().st_size)


def _interval(said: object) -> tuple[float, float] | None:
    return (float(said[0]), float(said[1])) if isinstance(said, list | tuple) else None
