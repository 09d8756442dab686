"""The process from which workers are forked: it has loaded everything, and does nothing itself.

A worker that began as a new interpreter would need seconds for its imports; a fork needs milliseconds, and
shares the memory of what is loaded. A process of our own instead of multiprocessing's fork server, because that
one runs the main program again in each worker, which is somebody's script when the archive is used without a
server; and because this one ends with whoever started it.

The control socket carries one byte and one end of a socket pair for each worker wanted. Nobody else holds the
other end, so that a worker sees at once when the process that it works for is gone.
"""

import gc
import importlib
import os
import signal
import socket
from collections.abc import Callable

from awe.services.jobs.backends._worker import ending_with, work
from awe.services.jobs.interface import Workshop
from awe.settings import Settings

__all__ = ["main"]


def main(control: int, opener: str) -> None:
    """Fork a worker for every socket that comes; ends when nobody can ask any more.

    Parameters
    ----------
    control
        File descriptor of the control socket.
    opener
        ``module:function``, what opens a worker's workshop.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the service, not for us
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a worker ended
    module, _, name = opener.partition(":")
    with ending_with(control):  # to load everything takes a while; no thread is left when workers are forked
        open_workshop: Callable[[Settings], Workshop] = getattr(importlib.import_module(module), name)
    gc.collect()
    gc.freeze()  # what is loaded stays where it is, and so is shared
    with socket.socket(fileno=control) as asked:
        while True:
            message, handles, _, _ = socket.recv_fds(asked, 1, 1)
            if not message:
                return
            if os.fork() == 0:
                asked.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                work(handles[0], open_workshop)
            os.close(handles[0])
