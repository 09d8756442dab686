"""What spectra there are: ``datafields``, ``find``, ``missing`` and ``missing_specids``."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from starlette.responses import JSONResponse, Response

from awe.errors import LimitError, ParameterError, QueryError
from awe.web.compat.datalab._asked import flag, given
from awe.web.compat.datalab.sparcl._answer import Listed, header
from awe.web.compat.datalab.sparcl._asked import (
    body,
    datasets,
    field_named,
    identifiers,
    number_of,
    of_datasets,
    rows,
    some_of,
    tuples,
)
from awe.web.compat.datalab.sparcl._fields import ARRAYS, FIELDS, Field
from awe.web.http import Call

__all__ = ["datafields", "find", "missing", "missing_specids"]

_MOST_FOUND = 500_000
_LONGEST_LIMIT = 9


def datafields(call: Call) -> Response:
    """Say which fields each data set has."""
    both = [(name, "C", one.default) for name, one in FIELDS.items()]
    both += [(name, "S", default) for name, default in ARRAYS.items()]
    return JSONResponse(
        [
            {
                "data_release": dr,
                "origdp": name,
                "newdp": name,
                "storage": kind,
                "default": default,
                "all": True,
            }
            for dr in datasets(call)
            for name, kind, default in both
        ]
    )


def find(call: Call) -> Response:
    """Find spectra by what is known of them; answer fields of each, or how many there are."""
    asked = body(call)
    if not isinstance(asked, dict) or not isinstance(asked.get("search") or [], list):
        raise QueryError("the body is no object with outfields and search")
    fields = [field_named(name) for name in asked.get("outfields") or ["sparcl_id"]]
    conditions = [_condition(one) for one in asked.get("search") or []]
    if given(call, "count").lower() == "y":
        return Listed(lambda: _counted(call, conditions))
    order, limit = _order(given(call, "sort")), _limit(given(call, "limit"))
    units = flag(call, "units", unset=True)
    return Listed(lambda: _found(call, fields, conditions, order, limit, units=units))


def missing(call: Call) -> Response:
    """Say which of a list of ``sparcl_id`` are not there."""
    return _not_there(call, FIELDS["sparcl_id"])


def missing_specids(call: Call) -> Response:
    """Say which of a list of ``specid`` are not there."""
    return _not_there(call, FIELDS["specid"])


def units_of(
    names: Sequence[str], fields: Sequence[Field], *, units: bool
) -> dict[str, dict[str, str | None]]:
    """Return the units of fields for each data set; None for all where they are not wanted."""
    return {name: {field.name: field.unit if units else None for field in fields} for name in names}


def _not_there(call: Call, field: Field) -> Response:
    wanted = identifiers(call)
    among = of_datasets(call, datasets(call))

    def left() -> Iterator[object]:
        there = {str(row[0]) for row in some_of(call, [field], field, wanted, among)}
        yield from (one for one in wanted if str(one) not in there)

    return Listed(left)


def _condition(asked: object) -> str:
    if not isinstance(asked, list) or not asked:
        raise QueryError(f"{str(asked)[:100]} is no list of a field and its values")
    return field_named(asked[0]).condition(asked[1:])


def _counted(call: Call, conditions: Sequence[str]) -> Iterator[Mapping[str, object]]:
    number = number_of(call, conditions) if datasets(call) else 0
    yield header({}, {})
    yield {"count": number}


def _found(
    call: Call, fields: Sequence[Field], conditions: Sequence[str], order: str, limit: int, *, units: bool
) -> Iterator[Mapping[str, object]]:
    found: list[tuple[object, ...]] = []
    if datasets(call):
        with rows(call, fields, conditions, order=order, limit=min(limit, _MOST_FOUND)) as stream:
            found = list(tuples(stream))
        if stream.overflow and limit > len(found):
            raise LimitError(
                f"more than {len(found)} spectra are found", hint="ask for a smaller piece, or set limit"
            )
    count = Counter(str(row[-1]) for row in found)
    yield header(count, units_of(list(count), fields, units=units))
    for row in found:
        yield record(fields, row)


def record(fields: Sequence[Field], row: Sequence[object]) -> dict[str, object]:
    """Return a record of a row: the fields, and the name of the data set."""
    said = {field.name: field.value(value) for field, value in zip(fields, row, strict=False)}
    return {**said, "_dr": row[-1]}


def _order(said: str) -> str:
    """Return what spectra are ordered by: fields with commas between them, a ``-`` before one that falls."""
    parts = [one.strip() for one in said.strip("[]").replace("'", "").split(",") if one.strip()]
    ordered = [
        f"{field_named(part.lstrip('-')).column}{' DESC' if part.startswith('-') else ''}" for part in parts
    ]
    return ", ".join([*ordered, "obs_publisher_did"])


def _limit(said: str) -> int:
    if not said:
        return _MOST_FOUND + 1
    if not said.isdecimal() or len(said) > _LONGEST_LIMIT:
        raise ParameterError("limit", said, "is no number of records")
    return int(said)
