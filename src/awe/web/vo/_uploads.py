"""The tables that a request brings along (TAP 1.1 section 2.5), as files."""

from io import BytesIO
from itertools import chain
from pathlib import Path

from awe.core.vo import dali
from awe.core.vo.params import Params
from awe.services.catalogs import SentFile
from awe.web.http import Call

__all__ = ["received"]

_PARAMS = Params(dali.UPLOAD)


def received(call: Call, folder: Path) -> dict[str, Path]:
    """Write the tables of UPLOAD into a folder; return the file of each by its name in the query.

    A query that runs at once takes them from a temporary folder (`CatalogService.query` has read them when it
    returns), a job from the folder that it keeps.

    Raises
    ------
    ParameterError
        If UPLOAD cannot be read, names a part that did not come, or an address that may not be asked.
    LimitError
        If there are too many tables, or they are too large.
    """
    wanted = tuple(chain.from_iterable(_PARAMS.parse(call.pairs).all(dali.UPLOAD)))
    asked = {place for _, place in wanted}
    # a part without a file name is a field to a form's reader, and a table all the same
    fields = {
        name: SentFile(BytesIO(value.encode())) for name, value in call.pairs if f"param:{name}" in asked
    }
    return call.platform.catalogs.receive(wanted, {**fields, **call.parts}, folder)
