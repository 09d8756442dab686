"""What an API function is given: the services, and who asks; settled before the body of a request is read."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from awe.errors import AuthenticationError, ForbiddenError
from awe.platform import Platform
from awe.services.identity import ADMIN, ADMINISTRATOR, WRITE, Identity
from awe.web.http import caller, platform_of, read_body

__all__ = ["SCOPE", "Caller", "Services", "Writer", "administrator", "get", "make_router", "needs", "place"]

F = TypeVar("F", bound=Callable[..., Any])


SCOPE = "x-awe-scope"
"""Where a route, and its description, say which scope a token needs."""
_LARGEST_JSON = 1_000_000
"""Bytes of a body that is read as a whole."""


def needs(scope: str | None) -> dict[str, Any]:
    """Return what a route is given as ``openapi_extra`` to say which scope a token needs; None asks for no token."""
    return {SCOPE: scope}


class _Asking(APIRoute):
    """A route that asks who it is, and whether the token allows it, before it reads what is sent."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        extra = self.openapi_extra or {}
        scope, open_to_all = extra.get(SCOPE), SCOPE in extra and extra[SCOPE] is None

        async def asked(request: Request) -> Response:
            services = platform_of(request)
            try:
                if not open_to_all:
                    request.state.identity = await run_in_threadpool(
                        caller, request, services.identity, scope
                    )
                answer = await handle(await _small(request) if self.body_field else request)
            except ForbiddenError as error:
                if scope == ADMIN:
                    await run_in_threadpool(_note, services, request, error)
                raise
            if request.method not in {"GET", "HEAD"}:  # many of these answers hold secrets
                answer.headers.setdefault("Cache-Control", "no-store")
            return answer

        return asked


def _note(services: Platform, request: Request, error: ForbiddenError) -> None:
    """Record that somebody known was refused what administrators do, or what is done to accounts."""
    if who := getattr(request.state, "caller", ""):
        place = f"{request.method} {request.url.path}"
        services.audit.record("admin", user=who, target=place, outcome="refused", why=error.message)


async def _small(request: Request) -> Request:
    """Return a request whose body was read already; `LimitError` if it is too large."""
    body = await read_body(request, _LARGEST_JSON)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


def make_router(**options: Any) -> APIRouter:
    """Return a router whose routes ask who it is before they read what is sent."""
    return APIRouter(route_class=_Asking, **options)


def _identity(request: Request) -> Identity:
    found: Identity = request.state.identity
    return found


Services = Annotated[Platform, Depends(platform_of)]
Caller = Annotated[Identity, Depends(_identity)]


def _writer(request: Request) -> Identity:
    identity = _identity(request)
    return identity.finding if WRITE in identity.scopes else identity


Writer = Annotated[Identity, Depends(_writer)]
"""Who changes something."""


def administrator(caller: Identity, *others: str) -> str:
    """Return the name of an administrator, or of who has one of some other roles.

    Raises
    ------
    AuthenticationError, ForbiddenError
        If the caller is none.
    """
    if caller.is_anonymous:
        raise AuthenticationError("this is for administrators", hint="awe login")
    if not (caller.is_administrator or caller.roles & set(others)):
        raise ForbiddenError(f"this is for administrators; {caller.name} is none", role=ADMINISTRATOR)
    return caller.name


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
