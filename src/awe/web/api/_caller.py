"""What an API function is given: the services, and who asks."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request

from awe.platform import Platform
from awe.services.identity import Identity
from awe.web.http import caller, platform_of

__all__ = ["SCOPE", "Caller", "Services", "get", "needs", "place"]

F = TypeVar("F", bound=Callable[..., Any])


SCOPE = "x-awe-scope"
"""Where a route, and its description, say which scope a token needs."""


def needs(scope: str) -> dict[str, Any]:
    """Return what a route is given as ``openapi_extra`` to say which scope a token needs."""
    return {SCOPE: scope}


def _identity(request: Request) -> Identity:
    extra = request.scope["route"].openapi_extra or {}
    return caller(request, platform_of(request).identity, extra.get(SCOPE))


Services = Annotated[Platform, Depends(platform_of)]
Caller = Annotated[Identity, Depends(_identity)]


def place(services: Platform, text: str) -> tuple[float, float]:
    """Return the ICRS degrees of a position or of an object's name.

    Raises
    ------
    PositionError, NotFoundError
        If it is neither.
    """
    return services.names.position(text)


def get(router: APIRouter, path: str, **options: Any) -> Callable[[F], F]:
    """Register a function for GET, and for HEAD without a second entry in the description."""

    def register(function: F) -> F:
        router.head(path, include_in_schema=False, **options)(function)
        return router.get(path, **options)(function)

    return register
