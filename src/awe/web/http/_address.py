"""What a request is addressed to: the services behind the application, and the address they are known under."""

from starlette.requests import Request

from awe.platform import Platform

__all__ = ["base_url", "platform_of"]


def platform_of(request: Request) -> Platform:
    """Return the services behind the application."""
    platform: Platform = request.app.state.platform
    return platform


def base_url(request: Request) -> str:
    """Return the address of this service as the caller knows it, without a slash at the end."""
    configured = platform_of(request).settings.base_url
    return (configured or str(request.base_url)).rstrip("/")
