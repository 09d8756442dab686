"""``/tap/data``: what ``GaiaClass.load_data`` asks for, products by the numbers of Gaia's sources."""

from starlette.responses import Response

from awe.errors import NotOfferedError
from awe.web.http import Call

__all__ = ["data"]


def data(call: Call) -> Response:
    """Say that products are not had by numbers of sources here, and what leads to them."""
    place = f"{call.base_url}/datalink/links"
    raise NotOfferedError(
        "load_data is not offered here: spectra and light curves have identifiers of their own",
        hint=f"get_datalinks(identifier) leads to the files, as {place} does",
    )
