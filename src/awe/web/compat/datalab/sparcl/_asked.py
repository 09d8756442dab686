"""What a request of SPARCL's client asks for: lists in JSON, names with commas between them, and who may be served."""

import json
from collections.abc import Iterator, Sequence

from awe.core.tables import TableStream
from awe.errors import NotFoundError, ParameterError, QueryError, UnknownNameError
from awe.services.identity import ANONYMOUS
from awe.services.observations import INDEX_TABLE
from awe.web.compat.datalab._asked import given
from awe.web.compat.datalab.sparcl._fields import FIELDS, Field
from awe.web.http import Call

__all__ = [
    "body", "datasets", "field_named", "identifiers", "names_given", "number_of", "of_datasets", "rows", "some_of", "tuples",
]  # fmt: skip

_MOST_IDS = 25_000
_TOGETHER = 1000
_SPECTRA = "dataproduct_type = 'spectrum'"


def body(call: Call) -> object:
    """Return the JSON that came; `QueryError` if it is none."""
    try:
        return json.loads(call.body)
    except (ValueError, RecursionError):
        raise QueryError("the body is no JSON") from None


def identifiers(call: Call) -> list[str | int]:
    """Return the list of identifiers that came; `QueryError` if it is none, or too long."""
    found = body(call)
    if not isinstance(found, list) or any(isinstance(x, bool) or not isinstance(x, str | int) for x in found):
        raise QueryError("the body is no list of identifiers")
    if len(found) > _MOST_IDS:
        raise QueryError(
            f"{len(found)} spectra are too many at once", hint=f"ask for {_MOST_IDS} at the most"
        )
    return found


def names_given(call: Call, name: str) -> list[str]:
    """Return the names that a parameter lists with commas between them."""
    return [one.strip() for one in given(call, name).split(",") if one.strip()]


def field_named(name: object) -> Field:
    """Return a field that spectra are found by; `UnknownNameError` with those that there are."""
    found = FIELDS.get(name) if isinstance(name, str) else None
    if found is None:
        raise UnknownNameError(f"there is no field {name}", hint=f"there are {', '.join(FIELDS)}")
    return found


def datasets(call: Call) -> list[str]:
    """Return the names of the collections with spectra that everybody may see."""
    if "specid" not in _columns(call):  # nothing is published
        return []
    text = f"SELECT DISTINCT obs_collection FROM {INDEX_TABLE} WHERE {_SPECTRA} ORDER BY obs_collection"
    return [str(row[0]) for row in tuples(_asked(call, text, None))]


def of_datasets(call: Call, among: Sequence[str]) -> list[str]:
    """Return the data sets that ``dataset_list`` names, all where it names none; `ParameterError` for others."""
    wanted = names_given(call, "dataset_list")
    for name in wanted:
        if name not in among:
            raise ParameterError(
                "dataset_list", name, "is no data set", hint=f"there are {', '.join(among) or 'none'}"
            )
    return wanted or list(among)


def rows(
    call: Call,
    fields: Sequence[Field],
    conditions: Sequence[str],
    *,
    order: str = "obs_publisher_did",
    limit: int | None = None,
) -> TableStream:
    """Return the spectra that meet all conditions: a column for each field, then the name of the data set."""
    wanted = ", ".join(f"{field.column} AS c{number}" for number, field in enumerate(fields))
    where = " AND ".join(f"({one})" for one in (_SPECTRA, *conditions))
    text = f"SELECT {wanted}, obs_collection AS dr FROM {INDEX_TABLE} WHERE {where} ORDER BY {order}"
    return _asked(call, text, limit)


def number_of(call: Call, conditions: Sequence[str]) -> int:
    """Return how many spectra meet all conditions."""
    where = " AND ".join(f"({one})" for one in (_SPECTRA, *conditions))
    ((found,),) = tuples(_asked(call, f"SELECT COUNT(*) AS n FROM {INDEX_TABLE} WHERE {where}", None))
    return int(str(found))


def some_of(
    call: Call,
    fields: Sequence[Field],
    by: Field,
    values: Sequence[str | int],
    among: Sequence[str],
) -> Iterator[tuple[object, ...]]:
    """Yield `rows` of the spectra of some data sets for which a field has one of the values, which may be many."""
    one_of = FIELDS["data_release"].condition(list(among)) if among else "1 = 0"
    for start in range(0, len(values), _TOGETHER):
        some = by.condition(list(values[start : start + _TOGETHER]))
        yield from tuples(rows(call, fields, [some, one_of]))


def tuples(stream: TableStream) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a stream as tuples, and close it."""
    with stream:
        for batch in stream:
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _columns(call: Call) -> Sequence[str]:
    try:
        return call.platform.catalogs.table(INDEX_TABLE, ANONYMOUS).columns.names
    except NotFoundError:
        return ()


def _asked(call: Call, text: str, limit: int | None) -> TableStream:
    most = call.platform.settings.limits.rows
    return call.platform.catalogs.query(
        text, identity=ANONYMOUS, max_rows=most if limit is None else min(limit, most), asked=False
    )
