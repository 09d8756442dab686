"""What is asked for most goes straight to its endpoint: past layers that concern other addresses, which took a tenth of its time."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Straight"]


class Straight:
    """ASGI middleware.

    Parameters
    ----------
    app
        Answers the other requests.
    routes
        Routes of that application, whose endpoints raise nothing that it renders.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[Route]) -> None:
        self._app = app
        self._routes = tuple(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "http":
            for route in self._routes:
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    answer = await route.endpoint(Request(scope, receive, send))
                    await answer(scope, receive, send)
                    return
        await self._app(scope, receive, send)
