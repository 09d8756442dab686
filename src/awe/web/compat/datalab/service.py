"""What all of the Data Lab's services answer: that they are there, and that something is not offered."""

from starlette.responses import PlainTextResponse, Response

from awe.errors import NotFoundError
from awe.web.http import Call

__all__ = ["ROOT", "SERVICES", "absent", "hello"]

ROOT = "/datalab"
"""Where the services are."""

SERVICES = ("auth", "query", "storage", "res", "spec")
"""The services that the client is told the addresses of."""

_INSTEAD = {
    "storage": "storeClient has ls, get, put, rm, mkdir, rmdir, cp, mv, stat, access, load",
    "res": "accounts and groups are looked after on the account page, or with awe group",
    "query": f"images are found at {ROOT}/sia/COLLECTION with pyvo.dal.SIAService",
    "spec": "specClient has list_contexts, query, getSpec, preview; SPARCL's client has more",
    "sparcl": f"SparclClient(url=ADDRESS + '{ROOT}/sparcl') is the address, of sparclclient 1.3 or newer",
}


def hello(call: Call) -> Response:
    """Say that a service is there: ``/auth``, ``/query``, ``/storage``, ``/res``, ``/spec``."""
    service = call.path("service")
    if service not in SERVICES:
        return absent(call)
    return PlainTextResponse(
        f"Hello World, this is the {service} service of {call.platform.settings.archive.title}\n"
    )


def absent(call: Call) -> Response:
    """Refuse what is not offered, and say what to use instead."""
    service = call.path("service")
    hint = _INSTEAD.get(service, f"there are {', '.join(SERVICES)}")
    raise NotFoundError(f"{call.request.url.path} is not offered", hint=hint)
