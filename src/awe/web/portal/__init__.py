"""The pages for people: plain files that use only the API and the VO services. Nothing comes from elsewhere."""

from functools import cache
from importlib.resources import files

from starlette.responses import Response

from awe.errors import NotFoundError
from awe.web.http import Call

__all__ = [
    "account",
    "api_docs",
    "consent",
    "device",
    "login",
    "logout",
    "page",
    "password",
    "query",
    "register",
    "shared",
    "static",
]

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = frozenset(
    {
        "index.html", "style.css", "app.js", "page.js", "samp.js", "docs.html", "docs.js", "icon.svg",
        "account.html", "account.js", "account-access.js", "account-groups.js", "account-people.js",
        "account-tables.js", "account-usage.js", "account-ways.js",
        "consent.html", "consent.js", "device.html", "device.js", "scopes.js", "logout.html", "logout.js",
        "login.html", "login.js", "register.html", "register.js", "password.html", "password.js",
        "shared.html", "shared.js", "query.html", "query.js", "rows.js",
    }
)  # fmt: skip


def page(_call: Call) -> Response:
    """Return the page."""
    return _file("index.html")


def api_docs(_call: Call) -> Response:
    """Return the page that shows the API's description: ``/api/docs``."""
    return _file("docs.html")


def login(_call: Call) -> Response:
    """Return the page where people log in: ``/auth?next=PAGE``."""
    return _file("login.html")


def register(_call: Call) -> Response:
    """Return the page where people ask for an account: ``/auth/register``."""
    return _file("register.html")


def consent(_call: Call) -> Response:
    """Return the page where people allow a tool to use their account: ``/auth/consent``."""
    return _file("consent.html")


def device(_call: Call) -> Response:
    """Return the page where people enter the code of a program: ``/auth/device#CODE``."""
    return _file("device.html")


def logout(_call: Call) -> Response:
    """Return the page that asks whether to log out here, too: ``/auth/logout``."""
    return _file("logout.html")


def account(_call: Call) -> Response:
    """Return the page where people look after their account: ``/account``."""
    return _file("account.html")


def password(_call: Call) -> Response:
    """Return the page where a link sets a password: ``/auth/password#KEY``."""
    return _file("password.html")


def query(_call: Call) -> Response:
    """Return the page that runs a query and says what it reads: ``/query``."""
    return _file("query.html")


def shared(_call: Call) -> Response:
    """Return the page that shows what a link opens: ``/shared#KEY``."""
    return _file("shared.html")


def static(call: Call) -> Response:
    """Return a file of the page: ``/static/<name>``."""
    return _file(call.path("name"))


def _file(name: str) -> Response:
    if name not in _FILES:
        raise NotFoundError(f"the page has no file {name}")
    kind = _TYPES[name.rpartition(".")[2]]
    return Response(_content(name), media_type=kind, headers={"Cache-Control": "no-cache"})


@cache
def _content(name: str) -> bytes:
    return (files("awe.web.portal") / "static" / name).read_bytes()
