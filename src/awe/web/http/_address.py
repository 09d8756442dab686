"""What a request is addressed to: the services behind the application, and the address they are known under."""

from functools import lru_cache

from starlette.requests import Request

from awe.platform import Platform

__all__ = ["base_url", "platform_of"]

_SHORT = 300
"""Names of hosts that are remembered: who asks may send any."""


def platform_of(request: Request) -> Platform:
    """Return the services behind the application."""
    platform: Platform = request.app.state.platform
    return platform


def base_url(request: Request) -> str:
    """Return the address of this service as the caller knows it, without a slash at the end."""
    configured = platform_of(request).settings.base_url
    if configured:
        return configured.rstrip("/")
    scope = request.scope
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    address = _address if len(host) < _SHORT else _address.__wrapped__
    server, root_path = scope.get("server"), scope.get("app_root_path", scope.get("root_path", ""))
    return address(scope["scheme"], server and tuple(server), host, root_path)


@lru_cache(maxsize=100)
def _address(scheme: str, server: tuple[str, int] | None, host: bytes, root_path: str) -> str:
    scope = {"type": "http", "scheme": scheme, "server": server, "root_path": root_path, "path": "/"}
    return str(Request({**scope, "headers": [(b"host", host)] if host else []}).base_url).rstrip("/")
