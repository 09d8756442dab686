"""The addresses of the Gaia archive lead to those of the query service, and its client is known.

``GaiaClass`` asks at ``/tap-server`` and ``/data-server``, other users of ``TapPlus`` where they are told to. Some
documents that the client reads are not those of the standards: `Call.tapplus` tells the faces who asks. The client
says nothing of itself when it reads, and who it is when it sends.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["TapPlusPaths", "in_order", "is_tapplus"]

_ROOTS = ("tap-server", "data-server")
_DATALINK = "datalink"


def in_order(path: str) -> str:
    """Return the path of the query service; paths of other faces stay as they are."""
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] not in _ROOTS:
        return path
    inner = parts[2:] if parts[1:2] == ["tap"] else parts[1:]
    return "/" + "/".join(inner if inner[:1] == [_DATALINK] else ["tap", *inner])


def is_tapplus(headers: Headers) -> bool:
    """Return whether astroquery's ``TapPlus`` sent them."""
    if "user-agent" not in headers:
        return "accept" not in headers
    return headers["user-agent"].startswith("astroquery/") and headers.get("accept") == "text/plain"


class TapPlusPaths:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its path in order, and say whether a client of TAP+ asks."""
        if scope["type"] == "http":
            path = in_order(scope["path"])
            scope["state"]["tapplus"] = path != scope["path"] or is_tapplus(Headers(scope=scope))
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
