"""CasJobs' quick queries: SQL in, a DataFrame out."""

import io
import json
from typing import Any
from urllib.parse import quote

import pandas as pd

from awe.client import Transport
from awe.errors import ParameterError
from awe.sciserver import Authentication
from awe.settings import ClientSettings

__all__ = ["executeQuery", "getTables"]

_ACCEPT = {
    "pandas": "application/json+array",
    "json": "application/json+array",
    "dict": "application/json+array",
    "csv": "text/plain",
    "readable": "text/plain",
    "StringIO": "text/plain",
    "fits": "application/fits",
    "BytesIO": "application/fits",
}


def executeQuery(
    sql: str,
    context: str = "MyDB",
    format: str = "pandas",
    *,
    token: str | None = None,
) -> Any:
    """Run a query in the quick queue.

    Parameters
    ----------
    sql
        One T-SQL SELECT.
    context
        The database in which unqualified names are looked up, such as ``"HSC"``.
    format
        ``"pandas"`` (default), ``"dict"``, ``"json"``, ``"csv"``, ``"readable"``, ``"StringIO"``,
        ``"fits"`` or ``"BytesIO"``, as in SciServer's client.
    token
        Of the caller, as the client of 2016 took it; `Authentication.getToken` when None.

    Returns
    -------
    A DataFrame, or what `format` says; a list of DataFrames for several result sets.

    Raises
    ------
    QueryError
        If the query is wrong: with line, column and a hint.
    """
    if format not in _ACCEPT:
        raise ParameterError("format", format, "not known", hint=f"one of {', '.join(_ACCEPT)}")
    path = f"/CasJobs/RestApi/contexts/{quote(context, safe='')}/query"
    headers = {"Accept": _ACCEPT[format]}
    with (
        _service(token) as service,
        service.stream("POST", path, body={"Query": sql}, headers=headers) as answer,
    ):
        content = answer.read()
    if _ACCEPT[format] == "application/fits":
        return io.BytesIO(content)
    text = content.decode()
    if format in {"csv", "readable"}:
        return text
    if format == "StringIO":
        return io.StringIO(text)
    if format == "json":
        return text
    found: Any = json.loads(text)
    if format == "dict":
        return found
    frames = [pd.DataFrame(r["Data"], columns=r["Columns"]) for r in found["Result"]]
    return frames[0] if len(frames) == 1 else frames


def getTables(context: str = "MyDB") -> Any:
    """Return the tables of a context: name, rows, size in kB, date in .NET ticks."""
    with _service(None) as service:
        return service.get_json(f"/CasJobs/RestApi/contexts/{quote(context, safe='')}/Tables")


def _service(token: str | None) -> Transport:
    return Transport(ClientSettings().url, token=Authentication.getToken() if token is None else token)
