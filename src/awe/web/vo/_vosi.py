"""The VOSI documents that every VO service has: capabilities of its own, availability of all."""

from collections.abc import Iterable
from datetime import UTC, datetime

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from awe.core.vo import vosi
from awe.core.vo.auth import SECURITY
from awe.core.vo.params import Params
from awe.web.http import VOTABLE_TYPE, Call, offer_login

__all__ = ["XML", "Capabilities", "availability", "capabilities", "protocol"]

XML = "application/xml"
_STARTED = datetime.now(UTC)


class Capabilities(Response):
    """The document of ``/capabilities``; where it is an answer, it says how to log in.

    Attributes
    ----------
    listed
        What it lists.
    """

    def __init__(self, listed: Iterable[vosi.Capability]) -> None:
        self.listed = tuple(listed)
        super().__init__(vosi.capabilities_document(self.listed), media_type=XML)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the document."""
        offer_login(scope)
        await super().__call__(scope, receive, send)


def availability(call: Call) -> Response:
    """Say that the service is there: ``/<service>/availability``."""
    title = call.platform.settings.archive.title
    return Response(vosi.availability_document(since=_STARTED, note=title), media_type=XML)


def capabilities(call: Call, service: str, *own: vosi.Capability) -> Capabilities:
    """Return the capabilities of the service at a path, its own and the VOSI ones."""
    place = f"{call.base_url}/{service}"
    common = (
        vosi.Capability(vosi.CAPABILITIES, f"{place}/capabilities", version="1.0"),
        vosi.Capability(vosi.AVAILABILITY, f"{place}/availability", version="1.0"),
    )
    return Capabilities((*own, *common))


def protocol(call: Call, path: str, standard_id: str, version: str, params: Params | None) -> vosi.Capability:
    """Return the capability of a protocol with parameters at a path."""
    return vosi.Capability(
        standard_id,
        f"{call.base_url}/{path}",
        version=version,
        params=params,
        result_type=VOTABLE_TYPE,
        security=SECURITY,
    )
