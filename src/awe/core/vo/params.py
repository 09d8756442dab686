"""A request parameter is declared once.

A `Param` has a name, a type, and the metadata that astronomers' clients read; `Params` is the list that
one service takes. From the same declaration come: the parsed values of a GET or POST request, the
``param`` elements of VOSI capabilities, the input parameters of a service descriptor, and the pages of
the documentation. VO rules hold (DALI 1.1 section 2.2): names ignore case, unknown names are ignored,
an empty value counts as not given. Nothing here knows HTTP.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from awe.errors import ParameterError, PositionError

__all__ = ["Param", "Params", "Values", "choice", "integer", "number", "real", "text"]

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Param(Generic[T_co]):
    """One parameter.

    Attributes
    ----------
    name
        As its standard spells it; requests may use any case.
    parse
        Text to value; raises ValueError or `PositionError` with the reason.
    description
        For people.
    datatype, arraysize, unit, ucd, utype, xtype
        As in VOTable 1.5 section 4.1.
    repeated
        Several values may be given (alternatives).
    required
        A request without it is an error.
    values
        What it can be, where that is a short list.
    example
        A value that is accepted.
    """

    name: str
    parse: Callable[[str], T_co]
    description: str
    datatype: str = "char"
    arraysize: str = ""
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    xtype: str = ""
    repeated: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    example: str = ""

    @property
    def size(self) -> str:
        """The arraysize; ``*`` for text."""
        return self.arraysize or ("*" if self.datatype == "char" else "")

    def read(self, given: str) -> T_co:
        """Parse one value.

        Raises
        ------
        ParameterError
            Naming this parameter, the value and the reason.
        """
        try:
            return self.parse(given)
        except PositionError as error:
            raise ParameterError(self.name, given, error.message, hint=error.hint or self._hint()) from None
        except ValueError as error:
            raise ParameterError(self.name, given, str(error), hint=self._hint()) from None

    def _hint(self) -> str | None:
        return f"for example {self.name}={self.example}" if self.example else None


@dataclass(frozen=True, slots=True)
class Values:
    """The parsed parameters of one request, asked for by their declaration."""

    _given: dict[str, tuple[object, ...]]

    def all(self, param: Param[T]) -> tuple[T, ...]:
        """Return every value given."""
        return self._given.get(param.name, ())  # type: ignore[return-value]  # `Params.parse` filled it with T

    def get(self, param: Param[T]) -> T | None:
        """Return the value, or None when it was not given."""
        found = self.all(param)
        return found[0] if found else None

    def need(self, param: Param[T]) -> T:
        """Return the value.

        Raises
        ------
        ParameterError
            If it was not given.
        """
        found = self.all(param)
        if not found:
            raise ParameterError(param.name, "", "is needed", hint=param._hint())  # noqa: SLF001  # one module
        return found[0]


class Params:
    """The parameters of a service, in order.

    Parameters
    ----------
    params
        What the service takes.
    refused
        Names that its standard has and the service does not offer, with the reason: to ignore them would
        answer something else than was asked.
    """

    def __init__(self, *params: Param[object], refused: Mapping[str, str] | None = None) -> None:
        self._params = params
        self._named = tuple((param.name.upper(), param) for param in params)
        self._refused = dict(refused or {})

    def __iter__(self) -> Iterator[Param[object]]:
        return iter(self._params)

    def parse(self, pairs: Iterable[tuple[str, str]]) -> Values:
        """Parse the name-value pairs of a request.

        Parameters
        ----------
        pairs
            As they came; the case of names does not matter and unknown names are ignored.

        Raises
        ------
        ParameterError
            If a value cannot be read, is needed and missing, is given twice where one is taken, or
            belongs to a parameter that is not offered.
        """
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            if said := value.strip():
                given.setdefault(name.upper(), []).append(said)
        for name in self._refused.keys() & given.keys():
            raise ParameterError(name, ", ".join(given[name]), self._refused[name])
        found: dict[str, tuple[object, ...]] = {}
        for name, param in self._named:
            if name in given:
                found[param.name] = _read(param, given[name])
            elif param.required:
                raise ParameterError(param.name, "", "is needed", hint=param._hint())  # noqa: SLF001  # one module
        return Values(found)


def _read(param: Param[object], given: list[str]) -> tuple[object, ...]:
    if len(given) == 1:
        return (param.read(given[0]),)
    distinct = list(dict.fromkeys(given))
    if len(distinct) > 1 and not param.repeated:
        raise ParameterError(param.name, ", ".join(distinct), "takes one value")
    return tuple(param.read(value) for value in distinct)


def text(given: str) -> str:
    """Accept any text."""
    return given


def number(given: str) -> float:
    """Parse a number as the standards write it: ASCII digits, and no ``_`` between them.

    Raises
    ------
    ValueError
        If it is not one.
    """
    try:
        return float(given.encode("ascii", "replace").replace(b"_", b"?"))
    except ValueError:
        raise ValueError("is not a number") from None


def real(low: float = -math.inf, high: float = math.inf) -> Callable[[str], float]:
    """Return a parser of finite numbers between two limits (both included)."""

    def parse(given: str) -> float:
        value = number(given)
        if not math.isfinite(value):
            raise ValueError("is not a finite number")
        if not low <= value <= high:
            raise ValueError(f"must lie between {low:g} and {high:g}")
        return value

    return parse


def integer(low: int = 0, high: int | None = None) -> Callable[[str], int]:
    """Return a parser of whole numbers between two limits (both included)."""

    def parse(given: str) -> int:
        if not _WHOLE.fullmatch(given):
            raise ValueError("is not a whole number")
        value = int(given)
        if value < low or (high is not None and value > high):
            raise ValueError(
                f"must be {low} or more" if high is None else f"must lie between {low} and {high}"
            )
        return value

    return parse


def choice(*values: str) -> Callable[[str], str]:
    """Return a parser that takes one of some words, ignoring case, and returns it as listed."""
    known = {value.casefold(): value for value in values}

    def parse(given: str) -> str:
        try:
            return known[given.casefold()]
        except KeyError:
            raise ValueError(f"is not one of {', '.join(values)}") from None

    return parse
