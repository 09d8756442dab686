"""TAP+, ESA's extension of TAP, as astroquery's ``TapPlus`` and ``GaiaClass`` speak it."""

from awe.web.compat.tapplus._paths import TapPlusPaths
from awe.web.compat.tapplus.jobs import delete_jobs, search
from awe.web.compat.tapplus.login import login, logout
from awe.web.compat.tapplus.people import notification, users
from awe.web.compat.tapplus.sharing import share

__all__ = ["TapPlusPaths", "delete_jobs", "login", "logout", "notification", "search", "share", "users"]
