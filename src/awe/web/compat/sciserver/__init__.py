"""SciServer's REST interfaces, as its own Python client and CasJobs' older ones speak them."""

from awe.web.compat.sciserver import asmx, casjobs, cutout, login, skyserver
from awe.web.compat.sciserver._errors import casjobs_error, keystone_error
from awe.web.compat.sciserver._jobs import output
from awe.web.compat.sciserver._params import CONE, CUTOUT, OBJECT_SEARCH, RADIAL, RECTANGULAR, SQL
from awe.web.compat.sciserver._paths import SciServerPaths

__all__ = [
    "CONE", "CUTOUT", "OBJECT_SEARCH", "RADIAL", "RECTANGULAR", "SQL", "SciServerPaths", "asmx", "casjobs", "casjobs_error",
    "cutout", "keystone_error", "login", "output", "skyserver",
]  # fmt: skip
