"""SPARCL, the Data Lab's service of spectra, as its Python client (`sparclclient`) asks it: ``/sparcl/api``.

A *data set* (or data release) is a collection that holds spectra, a *field* a column of the observation index or an
array of the spectra. The client learns all fields of all data sets when it begins, before anybody has logged in, and
can do nothing with others: so what is served is what everybody may see.
"""

from awe.web.compat.datalab.sparcl._errors import sparcl_error
from awe.web.compat.datalab.sparcl.finding import datafields, find, missing, missing_specids
from awe.web.compat.datalab.sparcl.login import announcement, auth_status, get_token, renew_token, version
from awe.web.compat.datalab.sparcl.retrieving import retrieve

__all__ = [
    "announcement",
    "auth_status",
    "datafields",
    "find",
    "get_token",
    "missing",
    "missing_specids",
    "renew_token",
    "retrieve",
    "sparcl_error",
    "version",
]
