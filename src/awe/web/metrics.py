"""``/metrics``: figures for Prometheus.

They tell how much an archive is used and by how many, which is not for everybody: the caller is an operator or an
administrator, or, where the settings allow it, a program on the machine itself.
"""

from ipaddress import ip_address

from starlette.responses import Response

from awe.errors import AuthenticationError, ForbiddenError
from awe.services.identity import OPERATOR, ORIGIN
from awe.web.http import METRICS_TYPE, Call, Metrics

__all__ = ["metrics"]

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""What a proxy puts into a request that came from somewhere else."""


def metrics(call: Call) -> Response:
    """Return figures of this process and the archive, for Prometheus: ``/metrics``."""
    identity = call.identity
    if not (identity.is_administrator or OPERATOR in identity.roles or _is_local(call)):
        if identity.is_anonymous:
            raise AuthenticationError("this is for operators", hint="use the token of one")
        raise ForbiddenError(f"this is for operators; {identity.name} is none", role=OPERATOR)
    figures: Metrics = call.request.app.state.metrics
    return Response(figures.text(), media_type=METRICS_TYPE)


def _is_local(call: Call) -> bool:
    if not call.platform.settings.local_metrics or any(name in call.request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(ORIGIN.get().address).is_loopback
    except ValueError:
        return False
