"""``/gms/search``: which groups the caller belongs to (GMS 1.0)."""

from starlette.responses import PlainTextResponse, Response

from awe.core.vo import gms, vosi
from awe.errors import AuthenticationError
from awe.web.http import Call
from awe.web.vo._vosi import Capabilities, capabilities

__all__ = ["gms_capabilities", "search"]


def search(call: Call) -> Response:
    """Return the caller's groups, one a line; of those that are named, when some are."""
    if call.identity.is_anonymous:
        raise AuthenticationError("only who is logged in belongs to groups", hint="log in")
    wanted = gms.PARAMS.parse(call.pairs).all(gms.GROUP)
    groups = call.identity.groups & set(wanted) if wanted else call.identity.groups
    return PlainTextResponse(gms.answer(groups), headers={"Cache-Control": "no-store"})


def gms_capabilities(call: Call) -> Capabilities:
    """Say where the groups are: ``/gms/capabilities``."""
    own = vosi.Capability(
        gms.STANDARD_ID,
        f"{call.base_url}/gms/search",
        version="1.0",
        params=gms.PARAMS,
        result_type="text/plain",
        security=gms.SECURITY,
    )
    return capabilities(call, "gms", own)
