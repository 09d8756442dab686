"""The module that the notebook of 2016 wished for: search the Hubble Legacy Archive, open its images.

    import awe.mast as MAST
    table = MAST.HLA_executeQuery(RA=187.687, Dec=12.369, instruments="", image_type="best", format_type="image/fits")
    path = MAST.HLA_getImage("hst_9401_02_acs_wfc_total")

Names and arguments are those of that notebook; `awe.connect` is the client to use today. The service is
the one that ``AWE_URL`` names (this machine's ``awe up`` otherwise), or the one given to `use`.
"""

from urllib.parse import urlencode

from astropy.table import Table

from awe.client import Client, connect, fetch_table
from awe.errors import ParameterError

__all__ = ["HLA_executeQuery", "HLA_getImage", "use"]

_IMAGE_TYPES = {"best": ("2", "3", "4", "5"), "all": ()}
"""Which HLA levels an ``image_type`` means: "best" leaves single exposures (level 1) out."""

_service: list[Client] = []


def use(service: Client) -> None:
    """Ask this service from now on."""
    _service[:] = [service]


def _client() -> Client:
    if not _service:
        _service.append(connect())
    return _service[0]


def HLA_executeQuery(
    RA: float,
    Dec: float,
    instruments: str = "",
    image_type: str = "best",
    format_type: str = "image/fits",
    size: float = 0.0,
) -> Table:
    """Return the images that cover a position, with the columns of the Hubble Legacy Archive.

    Parameters
    ----------
    RA, Dec
        ICRS degrees.
    instruments
        Detectors to keep, separated by commas (``"ACS/WFC,WFPC2"``); all when empty.
    image_type
        ``"best"`` or ``"all"``.
    format_type
        A media type, such as ``image/fits``.
    size
        Width of the region in degrees; 0 means images that cover the position.

    Raises
    ------
    ParameterError
        If `image_type` is not known.
    """
    if image_type not in _IMAGE_TYPES:
        raise ParameterError("image_type", image_type, "not known", hint=f"one of {', '.join(_IMAGE_TYPES)}")
    service = _client()
    params: dict[str, str | float] = {
        "POS": f"{float(RA)!r},{float(Dec)!r}",
        "SIZE": float(size),
        "FORMAT": format_type,
    }
    print(f"Calling: {service.url}/sia?{urlencode(params, safe=',/')}")
    table = fetch_table(service.transport, "GET", "/sia", params=params)
    print("Done.")
    wanted = [name.strip() for name in instruments.split(",") if name.strip()]
    if wanted:
        table = table[[detector in wanted for detector in table["Detector"]]]
    levels = _IMAGE_TYPES[image_type]
    return table[[str(level) in levels for level in table["Level"]]] if levels else table


def HLA_getImage(dataset: str) -> str:
    """Return the path of an image by its dataset name: in place beside the archive, a copy elsewhere.

    Raises
    ------
    NotFoundError
        If there is none of that name; the message says what is near.
    """
    return str(_client().path(dataset))
