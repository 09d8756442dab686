"""The description of all addresses in OpenAPI: the API's by FastAPI, the protocols' from their parameters."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from awe.core.vo.params import Param, Params

__all__ = ["describe"]

_TYPES = {"double": "number", "int": "integer", "long": "integer"}


def describe(app: FastAPI, protocols: Iterable[tuple[str, str, Params]]) -> dict[str, Any]:
    """Return the OpenAPI document.

    Parameters
    ----------
    app
        The application with its API routes.
    protocols
        Path, one sentence, and the parameters of what is served beside the API.
    """
    document: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    for path, summary, params in protocols:
        document["paths"][path] = {"get": _operation(path, summary, params)}
    return document


def _operation(path: str, summary: str, params: Params) -> dict[str, Any]:
    in_path = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in path.split("/")
        if part.startswith("{")
    ]
    return {
        "summary": summary,
        "tags": ["Virtual Observatory"],
        "parameters": in_path + [_parameter(param) for param in params],
        "responses": {"200": {"description": "The answer"}},
    }


def _parameter(param: Param[object]) -> dict[str, Any]:
    kind = "string" if param.size else _TYPES.get(param.datatype, "string")
    schema: dict[str, Any] = {"type": kind}
    if param.values:
        schema["enum"] = [int(value) if kind == "integer" else value for value in param.values]
    if param.repeated:
        schema = {"type": "array", "items": schema}
    unit = f" [{param.unit}]" if param.unit else ""
    return {
        "name": param.name,
        "in": "query",
        "required": param.required,
        "description": f"{param.description}{unit}",
        "schema": schema,
        **({"example": param.example} if param.example else {}),
    }
