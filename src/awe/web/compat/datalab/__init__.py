"""The services of the Astro Data Lab, as its own Python client speaks them: auth, query, storage, res.

They stand below one address, which the client is given for each of them (`ROOT`): the words ``auth`` and ``sia``
at the archive's own root are other protocols'.
"""

from typing import NamedTuple

from awe.services.identity import READ, RUN
from awe.web.compat.datalab import auth, discovery, jobs, query, service
from awe.web.compat.datalab._errors import datalab_error
from awe.web.http import Handler

__all__ = ["ADDRESSES", "ROOT", "Address", "datalab_error"]

ROOT = "/datalab"


class Address(NamedTuple):
    """An address below `ROOT`; a token needs the `scope`, None where the request carries none for itself."""

    path: str
    handler: Handler
    scope: str | None
    methods: str = "GET"


# fmt: off
ADDRESSES: tuple[Address, ...] = (
    Address("auth/login",               auth.login,             None),
    Address("auth/logout",              auth.logout,            None),
    Address("auth/isValidToken",        auth.is_valid_token,    None),
    Address("auth/isTokenLoggedIn",     auth.is_token_logged_in, None),
    Address("auth/isValidUser",         auth.is_valid_user,     None),
    Address("auth/isUserLoggedIn",      auth.is_user_logged_in, None),
    Address("auth/isValidPassword",     auth.is_valid_password, None),
    Address("auth/hasAccess",           auth.has_access,        None),
    Address("auth/passwordReset",       auth.password_reset,    None),
    Address("auth/profiles",            auth.profiles,          None),
    Address("query/query",              query.query,            READ),
    Address("query/status",             jobs.status,            READ),
    Address("query/results",            jobs.results,           READ),
    Address("query/error",              jobs.error,             READ),
    Address("query/abort",              jobs.abort,             RUN),
    Address("query/schema", discovery.schema, None),
    Address("query/profiles", discovery.profiles, None),
    Address("query/services", discovery.services, READ),
    Address("res/findJobs",             jobs.find,              READ),
    Address("{service}",                service.hello,          None),
    Address("{service}/",               service.hello,          None),
    Address("{service}/{path:path}",    service.absent,         None, "GET POST PUT DELETE"),
)
# fmt: on
