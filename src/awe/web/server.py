"""Listen at an address and serve a platform there, in this process, until told to stop."""

import errno
import gc
import socket
import sys
from dataclasses import dataclass, replace

import uvicorn
from fastapi import FastAPI

from awe.errors import UnavailableError
from awe.platform import Platform
from awe.settings import Settings
from awe.web._protocol import Protocol
from awe.web.app import build_app
from awe.web.http import SharedFigures, Waiters

__all__ = ["PATIENCE_S", "Listener", "bind", "configured", "serve"]

_WAITING = 2048
"""Connections that wait until they are taken."""
PATIENCE_S = 5
"""How long running answers may go on after the service is told to stop."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens already: whoever connects waits until the service answers."""

    socket: socket.socket
    host: str
    port: int

    @property
    def url(self) -> str:
        """The address, as a browser takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def shared(self, many: int) -> tuple["Listener", ...]:
        """Return so many in its place, one for each process that answers; it is closed.

        Linux deals connections out among sockets of one address; elsewhere all processes take them from one socket.
        """
        if sys.platform != "linux":
            return (self,) * many
        self.socket.close()
        sockets = [_socket(self.host) for _ in range(many)]
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind((self.host, self.port))
            one.listen(_WAITING)
        return tuple(replace(self, socket=one) for one in sockets)


def bind(settings: Settings) -> Listener:
    """Take the address of the settings; port 0 takes a free one.

    Raises
    ------
    UnavailableError
        If the port is taken, or the address is not this machine's.
    """
    listening = _socket(settings.host)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        reason = "is in use" if taken else f"cannot be used: {error.strerror}"
        hint = "another `awe up` may run there; --port 0 takes a free one" if taken else None
        raise UnavailableError(f"{settings.host}:{settings.port} {reason}", hint=hint) from None
    listening.listen(_WAITING)
    return Listener(listening, settings.host, listening.getsockname()[1])


def _socket(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def serve(platform: Platform, listener: Listener, shared: SharedFigures | None = None) -> None:
    """Serve, and run jobs, until a signal (Ctrl-C, TERM) says to stop; running answers have a few seconds to end.

    Parameters
    ----------
    shared
        Where this process tells its figures to the others that serve with it, if there are others.
    """
    app = build_app(platform, shared)
    platform.jobs.start()
    gc.collect()
    gc.freeze()  # what stays for good is not looked through again: it took 0.4 s of somebody's request
    _Server(configured(app), app.state.waiters).run(sockets=[listener.socket])


def configured(app: FastAPI) -> uvicorn.Config:
    """Return how an application is served."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE_S,
        http=Protocol,
        ws="none",
    )


class _Server(uvicorn.Server):
    """A server that, when it is told to stop, lets those go who wait for a job."""

    def __init__(self, config: uvicorn.Config, waiters: Waiters) -> None:
        super().__init__(config)
        self._waiters = waiters

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._waiters.release()
        await super().shutdown(sockets)
