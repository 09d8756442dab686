"""SciServer's REST interfaces, as its own Python client speaks them: CasJobs' quick queries, the login."""

from awe.web.compat.sciserver import casjobs, login
from awe.web.compat.sciserver._errors import casjobs_error, keystone_error
from awe.web.compat.sciserver._paths import SciServerPaths

__all__ = ["SciServerPaths", "casjobs", "casjobs_error", "keystone_error", "login"]
