"""``/moc/...``: the part of the sky that a table or a collection covers (MOC 2.0)."""

from collections.abc import Callable

from starlette.responses import Response

from awe.core.sky import Moc, moc_to_fits
from awe.core.vo import dali
from awe.core.vo.params import Params
from awe.errors import ParameterError
from awe.web.http import Call

__all__ = ["PARAMS", "collection_moc", "table_moc"]

PARAMS = Params(dali.RESPONSEFORMAT, dali.FORMAT)
_Write = Callable[[Moc], bytes]
_FORMATS: dict[str, tuple[str, str, _Write]] = {
    "fits": ("application/fits", "fits", moc_to_fits),
    "json": ("application/json", "json", lambda moc: moc.to_json().encode()),
    "ascii": ("text/plain; charset=us-ascii", "txt", lambda moc: moc.to_ascii().encode()),
}
_NAMES = {"application/fits": "fits", "image/fits": "fits", "application/json": "json", "text/plain": "ascii"}


def table_moc(call: Call) -> Response:
    """Return the cells that hold rows of a table: ``/moc/<schema>.<table>``."""
    record = call.platform.catalogs.table(call.path("table"), call.identity)
    return _answer(call, record.full_name, call.platform.catalogs.coverage(record.full_name, call.identity))


def collection_moc(call: Call) -> Response:
    """Return the part of the sky that a collection covers: ``/moc/collection/<name>``."""
    name = call.path("name")
    return _answer(call, name, call.platform.observations.coverage(name, call.identity))


def _answer(call: Call, name: str, moc: Moc) -> Response:
    media_type, ending, write = _FORMATS[_chosen(call)]
    headers = {
        "Content-Disposition": f'inline; filename="{name}.moc.{ending}"',
        "Vary": "Accept",
        "Access-Control-Allow-Origin": "*",  # Aladin Lite runs in pages of other sites
    }
    return Response(write(moc), media_type=media_type, headers=headers)


def _chosen(call: Call) -> str:
    values = PARAMS.parse(call.pairs)
    named = values.get(dali.RESPONSEFORMAT) or values.get(dali.FORMAT)
    if named:
        name = _NAMES.get(named.lower(), named.lower())
        if name not in _FORMATS:
            raise ParameterError("format", named, f"a MOC comes as {', '.join(_FORMATS)}")
        return name
    accepted = (part.partition(";")[0].strip() for part in call.accept.split(","))
    return next((_NAMES[kind] for kind in accepted if kind in _NAMES), "fits")
