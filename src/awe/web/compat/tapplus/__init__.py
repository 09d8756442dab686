"""TAP+, ESA's extension of TAP, as astroquery's ``TapPlus`` and ``GaiaClass`` speak it."""

from awe.web.compat.tapplus._paths import TapPlusPaths
from awe.web.compat.tapplus.data import data
from awe.web.compat.tapplus.jobs import delete_jobs, search
from awe.web.compat.tapplus.login import login, logout
from awe.web.compat.tapplus.own import upload
from awe.web.compat.tapplus.people import notification, users
from awe.web.compat.tapplus.sharing import share
from awe.web.compat.tapplus.tool import table_tool

__all__ = [
    "TapPlusPaths",
    "data",
    "delete_jobs",
    "login",
    "logout",
    "notification",
    "search",
    "share",
    "table_tool",
    "upload",
    "users",
]
