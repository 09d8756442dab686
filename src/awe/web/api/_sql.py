"""A query in the body of a request: JSON, or a form whose files are tables that come with it."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from awe.web.http import Given, platform_of, read_given

__all__ = ["SqlBatch", "SqlQuery", "asked_for", "body_of"]


class SqlQuery(BaseModel, extra="forbid"):
    """One query."""

    query: str = Field(description="One SELECT")
    lang: Literal["adql", "tsql", "postgres"] = Field("adql", description="Its language")
    context: str | None = Field(None, description="Schema in which unqualified names are looked up")
    max_rows: int | None = Field(None, ge=0, description="Rows at the most; the service's default when null")
    format: str = Field("json", description="Format of the answer")


class SqlBatch(SqlQuery):
    """Statements, one after the other: several in T-SQL and PostgreSQL, one query in ADQL."""

    query: str = Field(
        description="SELECT, and in T-SQL and PostgreSQL what makes and changes tables of yours"
    )
    into: str | None = Field(
        None, description="Table of yours that the rows of the one query become: mydb.name"
    )
    replace: bool = Field(False, description="Replace that table if it is there")


Q = TypeVar("Q", bound=SqlQuery)


def asked_for(kind: type[Q]) -> Callable[[Request], Awaitable[tuple[Q, Given]]]:
    """Return what reads a query from a request, and what came with it, which its reader closes."""

    async def read(request: Request) -> tuple[Q, Given]:
        settings = platform_of(request).settings
        given = await read_given(request, settings.limits.upload_bytes)
        try:
            if given.body or not given.pairs:
                return kind.model_validate_json(given.body), given
            return kind.model_validate(dict(given.pairs)), given
        except ValidationError as error:
            given.close()
            told = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
            raise RequestValidationError(told) from None

    return read


def body_of(kind: type[SqlQuery]) -> dict[str, Any]:
    """Return what OpenAPI says of such a body."""
    schema = {"schema": kind.model_json_schema()}
    return {"requestBody": {"content": {"application/json": schema, "multipart/form-data": schema}}}
