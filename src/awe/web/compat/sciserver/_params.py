"""The parameters of SkyServer's searches, each declared once."""

from collections.abc import Callable
from typing import TypeVar

from awe.core.vo.params import Param, Params, choice, integer, real, text
from awe.web.compat.sciserver._tables import FORMAT_NAMES

__all__ = [
    "APID", "CMD", "CONE", "COORD_TYPE", "CUTOUT", "DEC", "FIBER", "FORMAT", "HEIGHT", "IDENTIFIERS", "LIMIT", "MAX_DEC",
    "MAX_RA", "MIN_DEC", "MIN_RA", "OBJECT_SEARCH", "OBJID", "OPT", "PHOTOMETRY", "QUERY", "RA", "RADIAL", "RADIUS",
    "RECTANGULAR", "SCALE", "SPECOBJID", "SQL", "SR", "TABLE_NAME", "WIDTH",
]  # fmt: skip

T = TypeVar("T")
_EQUATORIAL, _GALACTIC = "equatorial", "galactic"
_OPTICAL, _INFRARED = "optical", "infrared"


def _angle(name: str, what: str, low: float, high: float, *, required: bool = True) -> Param[float]:
    return Param(name, real(low, high), what, "double", unit="deg", required=required)


def _identifier(name: str, what: str, parse: Callable[[str], T]) -> Param[T]:
    return Param(name, parse, what, "long")


FORMAT: Param[str] = Param("format", text, "Format of the answer", values=FORMAT_NAMES, example="csv")
CMD: Param[str] = Param(
    "cmd", text, "One SELECT in T-SQL", required=True, example="SELECT TOP 3 objID FROM PhotoObj"
)
TABLE_NAME: Param[str] = Param(
    "TableName", text, "The table of yours that format=mydb makes", example="bright"
)
SQL = Params(CMD, FORMAT, TABLE_NAME)

RA = _angle("ra", "Right ascension of the centre, or galactic longitude", -360.0, 360.0)
DEC = _angle("dec", "Declination of the centre, or galactic latitude", -90.0, 90.0)
RADIUS: Param[float] = Param("radius", real(0.0, 60.0 * 180), "Radius", "double", unit="arcmin", example="1")
COORD_TYPE: Param[str] = Param(
    "coordtype", choice(_EQUATORIAL, _GALACTIC), "What the coordinates are", values=(_EQUATORIAL, _GALACTIC)
)
PHOTOMETRY: Param[str] = Param(
    "whichphotometry", choice(_OPTICAL, _INFRARED),
    "optical: photometric objects; infrared: stars of APOGEE", values=(_OPTICAL, _INFRARED),
)  # fmt: skip
LIMIT: Param[int] = Param(
    "limit", integer(0), "Rows at the most; 0 for as many as the operator allows", "int"
)
RADIAL = Params(RA, DEC, RADIUS, COORD_TYPE, PHOTOMETRY, LIMIT, FORMAT)

SR: Param[float] = Param("sr", real(0.0, 180.0), "Radius", "double", unit="deg", required=True)
CONE = Params(RA, DEC, SR, FORMAT)

MIN_RA = _angle("min_ra", "Lowest right ascension, or galactic longitude", -360.0, 360.0)
MAX_RA = _angle("max_ra", "Highest one; below the lowest for a box across 0 degrees", -360.0, 360.0)
MIN_DEC = _angle("min_dec", "Lowest declination, or galactic latitude", -90.0, 90.0)
MAX_DEC = _angle("max_dec", "Highest one", -90.0, 90.0)
RECTANGULAR = Params(MIN_RA, MAX_RA, MIN_DEC, MAX_DEC, COORD_TYPE, PHOTOMETRY, LIMIT, FORMAT)

OBJID: Param[int] = _identifier("objid", "Of a photometric object", integer(0))
SPECOBJID: Param[int] = _identifier("specobjid", "Of a spectrum", integer(0))
APID: Param[str] = Param("apid", text, "Identifier of a star of APOGEE, or of its combined spectrum")
IDENTIFIERS: tuple[Param[int], ...] = tuple(
    _identifier(name, f"The {name} of an object or a spectrum", integer(0))
    for name in ("run", "rerun", "camcol", "field", "obj", "plate", "mjd")
)
FIBER: Param[int] = _identifier("fiber", "The fibre of a spectrum", integer(0))
_NEAR_RA = _angle("ra", "Right ascension, for the nearest object", -360.0, 360.0, required=False)
_NEAR_DEC = _angle("dec", "Declination", -90.0, 90.0, required=False)
OBJECT_SEARCH = Params(OBJID, SPECOBJID, APID, *IDENTIFIERS, FIBER, _NEAR_RA, _NEAR_DEC, FORMAT)

SCALE: Param[float] = Param(
    "scale", real(0.005, 60.0), "Size of a pixel", "double", unit="arcsec", example="0.4"
)
WIDTH: Param[int] = Param("width", integer(1), "Pixels across; of more than 2048 there are 2048", "int")
HEIGHT: Param[int] = Param("height", integer(1), "Pixels from the top down; likewise", "int")
OPT: Param[str] = Param(
    "opt", text, "Letters: G grid, L label, P objects, S spectra, F outlines of the images, I inverted"
)
QUERY: Param[str] = Param(
    "query", text, "Objects to mark: SQL, a list with ra and dec, or such as G R (14, 20)"
)
CUTOUT = Params(RA, DEC, SCALE, WIDTH, HEIGHT, OPT, QUERY)
