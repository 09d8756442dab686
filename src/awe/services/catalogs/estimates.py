"""What a query is going to read, told before it is run, from the directories that engines keep: no row is looked at.

Words: a *reading* is what a query reads of one table: the files that its region touches, the rows in them, and the
bytes of the columns that it needs. An *estimate* is all readings of a query, and how many pairs its sky joins make.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from awe.core.sql import Count, Query, Side, SkyMatch

__all__ = ["SKY_DEG2", "Estimate", "Reading", "estimated"]

_LEAST_ROWS = 25_000
"""Engines read whole row groups."""
SKY_DEG2 = 4 * math.pi * math.degrees(1) ** 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query reads of one table.

    Attributes
    ----------
    table
        Its full name.
    rows
        Rows of the row groups that are read.
    bytes
        Compressed size of the columns that are read of them.
    files, of_files
        How many files are read, and how many there are.
    area_deg2
        The part of the sky in which these rows lie; the whole where nobody knows.
    values
        How many different values columns have at the most, NULL counted, where that is known.
    """

    table: str
    rows: int
    bytes: int
    files: int
    of_files: int
    area_deg2: float = SKY_DEG2
    values: Mapping[str, float] = field(default_factory=dict, repr=False)

    def part(self, share: float) -> "Reading":
        """Return the reading of a share of the files; of one file at the least."""
        files = min(self.files, max(1, math.ceil(self.files * share)))
        share = files / max(1, self.files)
        return replace(
            self, files=files, rows=math.ceil(self.rows * share), bytes=math.ceil(self.bytes * share)
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a query is going to cost.

    Attributes
    ----------
    engine
        Which engine would run it.
    readings
        What it reads of each table that is stored, in the order in which the query names them.
    pairs
        Rows that its sky joins make, roughly: counterparts, and chance at the mean density.
    why
        Why this engine, in a sentence; empty where there is only one.
    gives, gives_most
        Rows that it gives: about, and at the most; None where nobody knows. Conditions are taken to let every row through, but
        for equalities that join tables.
    """

    engine: str
    readings: tuple[Reading, ...] = ()
    pairs: int = 0
    why: str = ""
    gives: int | None = None
    gives_most: int | None = None

    @property
    def rows(self) -> int:
        """Rows that are read."""
        return sum(one.rows for one in self.readings)

    @property
    def bytes(self) -> int:
        """Compressed bytes that are read."""
        return sum(one.bytes for one in self.readings)

    @property
    def partitions(self) -> int:
        """Files that are read."""
        return sum(one.files for one in self.readings)


def estimated(engine: str, query: Query, readings: Mapping[str, Reading]) -> Estimate:
    """Return the estimate of a query.

    Parameters
    ----------
    engine
        Who would run it.
    readings
        What it reads by the keys of its table uses, each as if it stood alone. Of a table without a region of its own
        that is matched with few positions only the files near those are read.
    """
    known = dict(readings)
    counts = {key: Count(one.rows, one.rows, one.values) for key, one in readings.items()}
    pairs = 0
    for match in query.matches:
        held = _rows(match.held, known)
        other = known.get(match.other.indexed or "")
        if other is not None and other.files == other.of_files and not match.full:
            known[str(match.other.indexed)] = other.part(_met(other, held, match.radius_deg))
        made = _pairs(match, held, _rows(match.other, readings), other)
        pairs += made
        counts[match.key] = Count(made, _most_pairs(match, counts))
    if query.enough is not None and len(known) == 1:
        ((key, all_rows),) = known.items()
        rows = max(query.enough, _LEAST_ROWS)
        known[key] = all_rows.part(rows / max(rows, all_rows.rows))
    gives = query.counted(counts)
    read = tuple(known[use.key] for use in query.uses if use.key in known)
    return Estimate(engine, read, pairs, gives=_whole(gives.about), gives_most=_whole(gives.most))


def _whole(count: float) -> int | None:
    return math.ceil(count) if math.isfinite(count) else None


def _most_pairs(match: SkyMatch, counts: Mapping[str, Count]) -> float:
    """Return how many rows a sky join gives at the most."""
    held, other = (
        counts[side.indexed].most if side.indexed is not None and side.indexed in counts else side.rows
        for side in (match.held, match.other)
    )
    if match.exists is not None:
        return held
    most = held * max(1.0, min(other, match.nearest or math.inf))
    return most + other if match.full else most


def _rows(side: Side, readings: Mapping[str, Reading]) -> float:
    """Return how many rows a side of a sky join has at the most; as many as all tables where nobody says."""
    reading = readings.get(side.indexed or "")
    if reading is not None:
        return min(reading.rows, side.rows)
    every = float(sum(one.rows for one in readings.values()))
    return side.rows if math.isfinite(side.rows) else every


def _met(reading: Reading, positions: float, radius_deg: float | None) -> float:
    """Return which share of a table's files is met by circles around positions that lie anywhere in it."""
    if radius_deg is None or not reading.area_deg2:
        return 1.0
    file_deg2 = reading.area_deg2 / max(1, reading.files)
    around = _cap_deg2(radius_deg + math.sqrt(file_deg2 / math.pi)) / reading.area_deg2
    return -math.expm1(-positions * around)


def _pairs(match: SkyMatch, held: float, other: float, reading: Reading | None) -> int:
    """Return how many rows a sky join gives: every row's counterpart, and what is near it by chance."""
    area = SKY_DEG2 if reading is None else reading.area_deg2
    cap = 0.0 if match.radius_deg is None else _cap_deg2(match.radius_deg)
    chance = cap / max(area, cap) if cap else 0.0
    found = min(held, other) + held * other * chance
    most = held if match.exists is not None else math.inf if match.nearest is None else held * match.nearest
    least = max(held if match.outer else 0.0, other if match.full else 0.0)
    return math.ceil(max(min(found, most), least))


def _cap_deg2(radius_deg: float) -> float:
    """Return the area of a circle on the sphere."""
    return SKY_DEG2 * math.sin(math.radians(min(radius_deg, 180.0)) / 2) ** 2
