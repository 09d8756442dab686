"""The tables that a request brings along (TAP 1.1 section 2.5), as files."""

from itertools import chain
from pathlib import Path

from awe.core.vo import dali
from awe.core.vo.params import Params
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
    wanted = chain.from_iterable(_PARAMS.parse(call.pairs).all(dali.UPLOAD))
    return call.platform.catalogs.receive(wanted, call.parts, folder)
