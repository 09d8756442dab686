"""What a query is going to cost, asked before it is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awe.client._base import ServiceClient
from awe.client._uploads import TableLike, opened
from awe.client.catalogs import Language

__all__ = ["Estimate", "EstimatesClient", "Reading"]

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query reads of one table.

    Attributes
    ----------
    table
        Its full name.
    rows
        Rows that are read.
    bytes
        Compressed size of the columns that are read of them.
    files, of_files
        How many of its files are read, and how many there are.
    area_deg2
        The part of the sky in which these rows lie.
    """

    table: str
    rows: int
    bytes: int
    files: int
    of_files: int
    area_deg2: float

    def __str__(self) -> str:
        return (
            f"{self.table}: {self.files} of {_counted(self.of_files, 'file')}, {_cost(self.rows, self.bytes)}"
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a query is going to cost; as a text, a few lines for people.

    Attributes
    ----------
    engine
        Which engine would run it.
    rows, bytes, partitions
        What it reads: rows, their compressed size, and how many files they are in.
    pairs
        Rows that its sky joins make, roughly.
    why
        Why this engine; empty where there is only one.
    gives, gives_most
        Rows that it gives: about, and at the most; None where that is not known. Conditions are taken to let every row
        through, but for equalities that join tables.
    readings
        The same for each table.
    """

    engine: str
    rows: int
    bytes: int
    partitions: int
    pairs: int
    why: str
    gives: int | None
    gives_most: int | None
    readings: tuple[Reading, ...]

    def __str__(self) -> str:
        lines = [
            f"reads {_cost(self.rows, self.bytes)} in {_counted(self.partitions, 'file')}, with {self.engine}"
        ]
        if self.why:
            lines[0] += f" ({self.why})"
        if len(self.readings) > 1 or self.pairs:
            lines += [f"  {one}" for one in self.readings]
        if self.pairs:
            lines.append(f"  about {_counted(self.pairs, 'pair')} on the sky")
        if self.gives is not None and self.gives == self.gives_most:
            lines.append(f"  gives at most {_counted(self.gives, 'row')}")
        elif self.gives is not None:
            most = "" if self.gives_most is None else f", at most {self.gives_most:,}"
            lines.append(f"  gives about {_counted(self.gives, 'row')}{most}")
        return "\n".join(lines)


class EstimatesClient(ServiceClient):
    """Estimates of queries."""

    def estimate(
        self,
        sql: str,
        *,
        lang: Language = "adql",
        context: str | None = None,
        uploads: Mapping[str, TableLike] | None = None,
    ) -> Estimate:
        """Return what a query would read, without running it.

        Parameters
        ----------
        sql, lang, context, uploads
            As for `query`.

        Raises
        ------
        QueryError
            If it is wrong: with line, column and a hint.
        """
        body = {"query": sql, "lang": lang, "context": context}
        with (
            opened(uploads or {}) as files,
            self.transport.stream("POST", "/api/estimate", body=body, files=files) as answer,
        ):
            answer.read()
            found: Any = answer.json()
        return Estimate(**{**found, "readings": tuple(Reading(**one) for one in found["readings"])})


def _cost(rows: int, size: int) -> str:
    return f"{_counted(rows, 'row')}, {_size(size)}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _size(size: float) -> str:
    unit = 0
    while size >= 1000 and unit + 1 < len(_UNITS):
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}" if unit else f"{size:.0f} {_UNITS[0]}"
