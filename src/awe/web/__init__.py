"""HTTP: faces that turn one request into one service call, and no rules of their own.

`build_app` is the only place where addresses are born. ``http`` holds what the faces share; ``vo``,
``api``, ``compat`` and ``portal`` are the faces and do not know each other.
"""

from awe.web.app import ROUTES, build_app
from awe.web.server import Listener, bind, serve

__all__ = ["ROUTES", "Listener", "bind", "build_app", "serve"]
