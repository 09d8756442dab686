"""The columns of the simulated SDSS tables: names and units as in SDSS's own schema."""

from collections.abc import Iterator

import pyarrow as pa

from awe.core.tables import Column, Schema

__all__ = ["BANDS", "SDSS_REFERENCES", "SDSS_SCHEMAS"]

BANDS = "ugriz"
SDSS_REFERENCES = (
    "columns, flags and identifiers: York et al. 2000, AJ 120, 1579; Stoughton et al. 2002, AJ 123, 485; "
    "colours of stars: Jordi, Grebel & Ammon 2006, A&A 460, 339; Covey et al. 2007, AJ 134, 2398"
)

_SHORT, _INT, _LONG, _REAL, _FLOAT = pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()
_WORDS = dict(zip(BANDS, ("em.opt.U", "em.opt.B", "em.opt.R", "em.opt.I", "em.opt.I"), strict=True))


def _column(
    name: str, kind: pa.DataType, description: str, ucd: str = "", unit: str = "", *, principal: bool = False
) -> Column:
    return Column(name, kind, unit, ucd, description=description, principal=principal)


def _identifier(name: str, description: str, *, main: bool = False) -> Column:
    return _column(name, _LONG, description, "meta.id;meta.main" if main else "meta.id", principal=main)


def _position(*, main: bool = True) -> Iterator[Column]:
    word = ";meta.main" if main else ""
    yield _column("ra", _FLOAT, "right ascension (ICRS)", f"pos.eq.ra{word}", "deg", principal=True)
    yield _column("dec", _FLOAT, "declination (ICRS)", f"pos.eq.dec{word}", "deg", principal=True)


def _vector() -> Iterator[Column]:
    for axis in "xyz":
        yield _column(
            f"c{axis}", _FLOAT, f"{axis} of the unit vector to the position", f"pos.cartesian.{axis}"
        )
    yield _column("htmID", _LONG, "triangle of the Hierarchical Triangular Mesh, level 20", "pos.HTM")


def _place_in_survey() -> Iterator[Column]:
    yield _column("run", _SHORT, "number of the scan", "meta.id;obs")
    yield _column("rerun", _SHORT, "number of the reduction", "meta.id")
    yield _column("camcol", pa.uint8(), "column of the camera, 1 to 6", "meta.id;instr.det")
    yield _column("field", _SHORT, "number of the field in the scan", "meta.id;obs.field")


_MAGNITUDES = (
    ("", "shorthand of modelMag_{}"),
    ("psfMag_", "magnitude of a point source in {}"),
    ("modelMag_", "magnitude of the better of two galaxy models in {}"),
    ("petroMag_", "Petrosian magnitude in {}"),
)


def _photometry() -> Iterator[Column]:
    for prefix, text in _MAGNITUDES:
        for band in BANDS:
            ucd = f"phot.mag;{_WORDS[band]}"
            yield _column(f"{prefix}{band}", _REAL, text.format(band), ucd, "mag", principal=not prefix)
        for band in BANDS:
            name = f"Err_{band}" if not prefix else f"{prefix[:-1]}Err_{band}"
            ucd = f"stat.error;phot.mag;{_WORDS[band]}"
            yield _column(name, _REAL, f"error of {prefix}{band}", ucd, "mag")
    for band in BANDS:
        yield _column(
            f"extinction_{band}", _REAL, f"Galactic extinction in {band}", "phys.absorption.gal", "mag"
        )
    for band in BANDS:
        ucd = f"phot.mag;{_WORDS[band]}"
        yield _column(f"dered_{band}", _REAL, f"modelMag_{band} without the extinction", ucd, "mag")
    for name, text in (
        ("petroRad_r", "Petrosian radius in r"),
        ("petroR50_r", "radius with half of the Petrosian flux in r"),
        ("petroR90_r", "radius with 90 % of the Petrosian flux in r"),
    ):
        yield _column(name, _REAL, text, "phys.angSize;em.opt.R", "arcsec")
    yield _column("expAB_r", _REAL, "axis ratio of the exponential model in r", "src.ellipticity;em.opt.R")
    yield _column("fracDeV_r", _REAL, "share of the de Vaucouleurs model in r", "stat.fit.param")


def _photo() -> Iterator[Column]:
    yield _identifier("objID", "identifier, made of skyVersion, rerun, run, camcol, field and obj", main=True)
    yield _column("skyVersion", pa.uint8(), "version of the sky: 2 is the best", "meta.version")
    yield from _place_in_survey()
    yield _column("obj", _SHORT, "number of the object in its field", "meta.id")
    yield _column("mode", pa.uint8(), "1 primary, 2 secondary: seen in another scan as well", "meta.code")
    yield _column("nChild", _SHORT, "number of children of a blended object", "meta.number")
    yield _column("type", _SHORT, "3 galaxy, 6 star; see PhotoType", "src.class", principal=True)
    yield _column("clean", _INT, "1: the photometry is clean", "meta.code.qual")
    yield _column("insideMask", pa.uint8(), "1: inside a mask", "meta.code")
    yield _column("flags", _LONG, "bits; see PhotoFlags", "meta.code.qual")
    yield from _photometry()
    yield from _position()
    yield _column("raErr", _FLOAT, "error in right ascension", "stat.error;pos.eq.ra", "arcsec")
    yield _column("decErr", _FLOAT, "error in declination", "stat.error;pos.eq.dec", "arcsec")
    yield _column("b", _FLOAT, "galactic latitude", "pos.galactic.lat", "deg")
    yield _column("l", _FLOAT, "galactic longitude", "pos.galactic.lon", "deg")
    yield from _vector()
    yield _identifier("fieldID", "identifier of the field")
    yield _column("parentID", _LONG, "identifier of the blend it is a child of, or 0", "meta.id.parent")
    yield _column("specObjID", pa.uint64(), "identifier of its best spectrum, or 0", "meta.id.cross")
    yield _column("mjd", _INT, "day of the observation (MJD)", "time.epoch", "d")


def _spectra() -> Iterator[Column]:
    yield _column(
        "specObjID", pa.uint64(), "identifier, made of plate, fiberID, mjd and run2d; exceeds 63 bits",
        "meta.id;meta.main", principal=True,
    )  # fmt: skip
    yield _identifier("bestObjID", "objID of the photometric object, or 0")
    yield _column("plate", _SHORT, "number of the plate", "meta.id;instr.plate")
    yield _column("mjd", _INT, "day of the observation (MJD)", "time.epoch", "d")
    yield _column("fiberID", _SHORT, "number of the fibre", "meta.id;instr")
    yield _column("run2d", pa.string(), "version of the reduction", "meta.version")
    yield _column("survey", pa.string(), "survey: sdss or eboss", "meta.id;obs.proposal")
    yield _column("sciencePrimary", _SHORT, "1: the best spectrum of this place", "meta.code")
    yield _column("class", pa.string(), "GALAXY, QSO or STAR", "src.class", principal=True)
    yield _column("subClass", pa.string(), "kind of star or galaxy", "src.class")
    yield _column("z", _REAL, "redshift, heliocentric", "src.redshift", principal=True)
    yield _column("zErr", _REAL, "error of z", "stat.error;src.redshift", principal=True)
    yield _column("zWarning", _INT, "0: nothing is wrong with z", "meta.code.qual")
    yield _column("snMedian", _REAL, "median signal to noise", "stat.snr")
    yield from _position()
    yield from _vector()


def _fields() -> Iterator[Column]:
    yield _identifier("fieldID", "identifier of the field", main=True)
    yield _column("skyVersion", pa.uint8(), "version of the sky", "meta.version")
    yield from _place_in_survey()
    yield _column("nObjects", _INT, "number of objects", "meta.number")
    yield _column("nStars", _INT, "number of stars", "meta.number")
    yield _column("nGalaxy", _INT, "number of galaxies", "meta.number")
    yield _column("quality", _INT, "1 bad, 2 acceptable, 3 good", "meta.code.qual")
    yield _column("mjd", _INT, "day of the observation (MJD)", "time.epoch", "d")
    yield _column("psfWidth_r", _REAL, "width (FWHM) of a point source in r", "instr.obsty.seeing", "arcsec")
    yield from _position()
    for name, text, word in (
        ("raMin", "smallest right ascension", "pos.eq.ra;stat.min"),
        ("raMax", "largest right ascension", "pos.eq.ra;stat.max"),
        ("decMin", "smallest declination", "pos.eq.dec;stat.min"),
        ("decMax", "largest declination", "pos.eq.dec;stat.max"),
    ):
        yield _column(name, _FLOAT, text, word, "deg")


def _neighbors() -> Iterator[Column]:
    yield _identifier("objID", "identifier of an object")
    yield _identifier("neighborObjID", "identifier of a neighbour")
    yield _column("distance", _FLOAT, "distance between them", "pos.angDistance", "arcmin", principal=True)
    yield _column("type", _SHORT, "type of the object", "src.class")
    yield _column("neighborType", _SHORT, "type of the neighbour", "src.class")
    yield _column("mode", pa.uint8(), "mode of the object", "meta.code")
    yield _column("neighborMode", pa.uint8(), "mode of the neighbour", "meta.code")


def _named(what: str) -> Iterator[Column]:
    yield _column("name", pa.string(), f"name of the {what}", "meta.id;meta.main", principal=True)
    yield _column("value", _LONG, "number that stands for it", "meta.code", principal=True)
    yield _column("description", pa.string(), "what it means", "meta.note", principal=True)


_TABLES = {
    "PhotoFlags": ("Names of the bits of flags.", _named("bit")),
    "PhotoType": ("Names of the types of objects.", _named("type")),
    "Field": ("SIMULATED. Fields of the imaging: one row each.", _fields()),
    "PhotoObjAll": (
        (
            "SIMULATED. Objects of the imaging, primary and secondary: point sources and galaxies around M87, drawn at "
            "random and measured in the five bands of SDSS (AB magnitudes)."
        ),
        _photo(),
    ),
    "Neighbors": (
        "SIMULATED. Pairs of primary objects within half an arcminute, each in both orders.",
        _neighbors(),
    ),
    "SpecObjAll": (
        "SIMULATED. Spectra of bright galaxies, quasars and some stars: what a pipeline would say of them.",
        _spectra(),
    ),
}

SDSS_SCHEMAS = {
    name: Schema(
        tuple(columns),
        name=name,
        description=text,
        metadata={"simulated": "yes: every row", "reference": SDSS_REFERENCES}
        if text.startswith("SIMULATED")
        else {"reference": SDSS_REFERENCES},
    )
    for name, (text, columns) in _TABLES.items()
}
"""Columns with units, UCDs and descriptions, by table, in the order in which they refer to each other."""
