"""SciServer's addresses are written in several ways; all of them lead to one route.

Its client doubles slashes when a setting ends with one, older clients write ``/tables`` for ``/Tables``,
and a redirect would lose the body of a POST. So the path is put in order before routing.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["SciServerPaths", "in_order"]

_ROOTS = frozenset({"casjobs", "login-portal", "skyserverws"})
_WORDS = {
    word.casefold(): word
    for word in (
        "CasJobs",
        "RestApi",
        "contexts",
        "query",
        "Tables",
        "users",
        "login-portal",
        "keystone",
        "v3",
        "tokens",
        "api",
        "auth",
        "health",
        "validate",
        "jobs",
        "services",
        "jobs.asmx",
        "casusers.asmx",
        "quick_casjobs.cgi",
        "output",
        "SkyServerWS",
        "SearchTools",
        "SqlSearch",
        "RadialSearch",
        "RectangularSearch",
        "ObjectSearch",
        "ConeSearch",
        "ConeSearchService",
        "ImgCutout",
        "getjpeg",
    )
}


def in_order(path: str) -> str:
    """Return the path in its one spelling; paths of other faces stay as they are."""
    parts = [part for part in path.split("/") if part]
    roots = [part.casefold() for part in parts[:2]]
    if not roots or not (roots[0] in _ROOTS or roots[1:] == ["skyserverws"]):
        return path
    return "/" + "/".join(_WORDS.get(part.casefold(), part) for part in parts)


class SciServerPaths:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its path in order."""
        if scope["type"] == "http":
            path = in_order(scope["path"])
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
