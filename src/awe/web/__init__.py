"""HTTP: faces that turn one request into one service call, and no rules of their own.

`build_app` is the only place where addresses are born. ``http`` holds what the faces share; ``vo``,
``api``, ``compat`` and ``portal`` are the faces and do not know each other.
"""

from awe.web._memory import spare_pandas
from awe.web.app import ROUTES, build_app
from awe.web.server import Listener, bind, serve
from awe.web.workers import Workers, apart

__all__ = ["ROUTES", "Listener", "Workers", "apart", "bind", "build_app", "serve", "spare_pandas"]
