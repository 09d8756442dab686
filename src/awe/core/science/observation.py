"""From the headers of a FITS file to rows of the observation index.

`observe` looks at every HDU of an open file, finds the images that say where they are on the sky, and
makes an `Observation` of each dataset in the file: usually one; one for each filter where the images of
a file were taken through different filters. Nothing is read but headers. Spectra and time series make their
rows of the same pieces (`known_of`, `ruled`, `row_of`).

The *product* of ``j94f05bgq_flt.fits`` is ``flt``.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from types import MappingProxyType

import pyarrow as pa
from astropy.io import fits

from awe.core.science.axes import spectral_axis, stokes_axis, time_axis
from awe.core.science.celestial import quiet
from awe.core.science.filters import Band, band, spectral_element
from awe.core.science.footprint import footprint
from awe.core.science.images import ScienceImage, science_images
from awe.core.science.keywords import FILTER_KEYWORDS, KEYWORDS, Cards, mjd
from awe.core.science.obscore import OBSCORE_SCHEMA, POLARISATIONS

__all__ = [
    "PRODUCTS", "Observation", "Rules", "known_of", "observe", "part_of", "row_of", "ruled", "split_name",
]  # fmt: skip

PRODUCTS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(["raw", "d0f", "spt", "asn"], 1),
        **dict.fromkeys(
            [
                "flt",
                "flc",
                "crj",
                "crc",
                "cal",
                "c0f",
                "c0m",
                "c0h",
                "sfl",
                "single",
                "rms",
                "wht",
                "err",
                "exp",
                "ctx",
                "mask",
                "x1d",
                "x1dsum",
                "sx1",
            ],
            2,
        ),
        **dict.fromkeys(["drz", "drc", "i2d", "mos", "sci"], 3),
    }
)
"""Products that names of files end in, and their calibration level."""

_PRINCIPAL = frozenset({"", "drz", "drc", "sci", "i2d", "mos"})


_FACILITIES = MappingProxyType({"2.5m": "SDSS 2.5m"})
_HLA = re.compile(r"^hst_(?P<proposal>\d{5}|\d{4})_(?P<visit>[0-9a-z]{2})_", re.IGNORECASE)
_ROOTNAME = re.compile(r"^[a-z][0-9a-z]{3}(?P<visit>[0-9a-z]{2})[0-9a-z]{2}[a-z0-9]$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a publisher says of a collection beyond the headers.

    Attributes
    ----------
    constants
        Index column to the value of every row.
    keywords
        Index column to the keyword that holds it.
    files
        Pattern of file names (``*`` and ``?`` stand for any text and any letter) to the values of their rows.
    """

    constants: Mapping[str, object] = field(default_factory=dict)
    keywords: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """One dataset: a row of the index but for what only the publisher knows (identifier, address, size).

    The attributes are the columns of `awe.core.science.obscore` of the same names; None is unknown.
    `hdus` are the numbers of the dataset's images. `part` tells datasets of one observation apart: the
    product where it is not the principal one, and the HDU where a file holds several; None otherwise.
    """

    hdus: tuple[int, ...]
    part: str | None
    s_ra: float | None = None
    s_dec: float | None = None
    s_fov: float | None = None
    s_region: str | None = None
    s_pixel_scale: float | None = None
    s_xel1: int | None = None
    s_xel2: int | None = None
    s_resolution: float | None = None
    dataproduct_type: str = "image"
    dataproduct_subtype: str | None = None
    calib_level: int = 2
    target_name: str | None = None
    target_class: str | None = None
    redshift: float | None = None
    specid: str | None = None
    t_min: float | None = None
    t_max: float | None = None
    t_exptime: float | None = None
    t_resolution: float | None = None
    t_xel: int = 1
    em_min: float | None = None
    em_max: float | None = None
    em_res_power: float | None = None
    em_xel: int = 1
    em_ucd: str | None = None
    em_unit: str | None = None
    em_calib_status: str | None = None
    spectral_medium: str | None = None
    o_ucd: str | None = None
    o_unit: str | None = None
    o_calib_status: str | None = None
    snr: float | None = None
    pol_states: str | None = None
    pol_xel: int = 0
    facility_name: str | None = None
    instrument_name: str | None = None
    obs_title: str | None = None
    obs_creator_name: str | None = None
    obs_creator_did: str | None = None
    obs_creation_date: str | None = None
    bib_reference: str | None = None
    obs_release_date: str | None = None
    data_rights: str | None = None
    proposal_id: str | None = None
    pi_name: str | None = None
    visit: str | None = None
    level: int | None = None
    detector: str | None = None
    aperture: str | None = None
    spectral_elt: str | None = None
    n_exposures: int | None = None

    def to_row(self) -> dict[str, object]:
        """Return the columns of the index that it fills."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in {"hdus", "part"}}


def split_name(stem: str) -> tuple[str, str]:
    """Split a file's name without its extension into the observation's name and the product.

    ``j94f05bgq_flt`` gives ``("j94f05bgq", "flt")``; the product is empty where the name has none.
    """
    head, _, product = stem.rpartition("_")
    return (head, product.lower()) if head and product.lower() in PRODUCTS else (stem, "")


def observe(hdus: fits.HDUList, stem: str, rules: Rules | None = None, file: str = "") -> list[Observation]:
    """Return the datasets in an open file.

    Parameters
    ----------
    hdus
        The file; only headers are read.
    stem
        The file's name without its extension; the names of HST and the Hubble Legacy Archive hold facts.
    rules
        The publisher's word, which wins over the headers.
    file
        The file's name, for what the publisher says of single files.

    Raises
    ------
    NoCelestialWCSError
        If no HDU is an image with celestial coordinates.
    """
    rules = rules or Rules()
    with quiet():
        primary = hdus[0].header
        groups: dict[str | None, list[ScienceImage]] = {}
        for image in science_images(hdus):
            groups.setdefault(_element(Cards((image.header, primary))), []).append(image)
        found = []
        for element, images in groups.items():
            cards = Cards((images[0].header, primary))
            known = _known(cards, images[0], element, stem) | ruled(cards, rules, file or stem)
            part = part_of(stem, str(images[0].hdu) if len(groups) > 1 else "")
            found.append(_observation(images, part, known))
    return found


def part_of(stem: str, key: str) -> str | None:
    """Name a dataset among those that share the observation's name; None for the principal one.

    Parameters
    ----------
    stem
        The file's name without its extension.
    key
        What tells the dataset from the others in its file; empty where it is the only one.
    """
    product = split_name(stem)[1]
    return ".".join(([] if product in _PRINCIPAL else [product]) + ([key] if key else [])) or None


def _element(cards: Cards) -> str | None:
    names = [cards.first((keyword,)) for keyword in FILTER_KEYWORDS]
    # WFPC2 writes the filters' numbers in FILTER1 and FILTER2, and their names in FILTNAM1 and FILTNAM2.
    return spectral_element(tuple(name for name in names if isinstance(name, str)))


def _observation(images: list[ScienceImage], part: str | None, known: Mapping[str, object]) -> Observation:
    place = footprint([image.wcs for image in images])
    computed: dict[str, object] = {
        "s_ra": place.ra,
        "s_dec": place.dec,
        "s_fov": place.diameter,
        "s_region": place.region.to_stcs(),
        "s_pixel_scale": images[0].wcs.pixel_scale,
        "s_xel1": images[0].wcs.shape[0],
        "s_xel2": images[0].wcs.shape[1],
    }
    # what the pixels' coordinates say of the place is exact, and nobody's word wins over it
    return row_of({**known, **computed}, tuple(image.hdu for image in images), part)


def row_of(known: Mapping[str, object], hdus: tuple[int, ...], part: str | None) -> Observation:
    """Return the row of what is known of a dataset, each value in the type of its column."""
    typed = {name: _column(name, value) for name, value in known.items() if value is not None}
    return Observation(hdus=hdus, part=part, **{k: v for k, v in typed.items() if v is not None})  # type: ignore[arg-type]


def known_of(cards: Cards, stem: str) -> dict[str, object]:
    """Return what headers say of a dataset of any kind: target, people, instrument, time."""
    name, product = split_name(stem)
    return {
        **_texts(cards, name),
        **_instrument(cards),
        **_time(cards),
        "s_resolution": cards.number("s_resolution"),
        "calib_level": PRODUCTS.get(product, 2),
        "level": cards.number("level"),
        "n_exposures": cards.number("n_exposures"),
    }


def _known(cards: Cards, image: ScienceImage, element: str | None, stem: str) -> dict[str, object]:
    name, _ = split_name(stem)
    return {
        **known_of(cards, stem),
        **_spectral(cards, element),
        **_axes(image),
        # The archive's "total" images are the sum of all filters, made to detect sources.
        "spectral_elt": element or ("detection" if name.lower().endswith("_total") else None),
    }


def ruled(cards: Cards, rules: Rules, file: str) -> dict[str, object]:
    """Return what the publisher says of a dataset: of all, of what its keywords hold, of this very file."""
    mapped = {column: cards.first((keyword,)) for column, keyword in rules.keywords.items()}
    found: dict[str, object] = {k: v for k, v in mapped.items() if v is not None} | dict(rules.constants)
    for pattern, values in rules.files.items():
        if fnmatchcase(file, pattern):
            found |= dict(values)
    return found


_CONVERT: Mapping[pa.DataType, Callable[[str], object]] = {
    pa.string(): str,
    pa.float64(): float,
    pa.int32(): lambda text: int(float(text)),
    pa.int64(): lambda text: int(float(text)),
}


def _column(name: str, value: object) -> object:
    """Return a value in the type of its column; None where it cannot be read as that."""
    try:
        return None if value is None else _CONVERT[OBSCORE_SCHEMA[name].type](str(value))
    except (ValueError, OverflowError):
        return None


def _texts(cards: Cards, name: str) -> dict[str, object]:
    found: dict[str, object] = {
        thing: cards.text(thing)
        for thing in (
            "target_name", "aperture", "proposal_id", "pi_name", "visit", "obs_title", "obs_creator_name",
            "bib_reference", "obs_release_date", "obs_creation_date",
        )
    }  # fmt: skip
    hla, root = _HLA.match(name), _ROOTNAME.match(name)
    if hla:
        found["proposal_id"] = found["proposal_id"] or hla["proposal"]
        found["visit"] = found["visit"] or hla["visit"]
    elif root and str(cards.text("facility_name")).upper() == "HST":
        found["visit"] = found["visit"] or root["visit"]
    unit = (cards.text("o_unit") or "").lower()
    found["o_unit"] = cards.text("o_unit")
    found["o_ucd"] = "phot.count" if re.match(r"(electron|count|dn|adu|cps|e-)", unit) else None
    if re.match(r"(m|u|µ|n)?jy|.*erg|nanomagg", unit):
        found["o_ucd"] = "phot.flux.density"
    return found


def _instrument(cards: Cards) -> dict[str, object]:
    facility, instrument = cards.text("facility_name"), cards.text("instrument")
    detector = cards.first(KEYWORDS["detector"])
    camera = detector.strip() if isinstance(detector, str) and not detector.strip().isdigit() else None
    name = instrument
    if instrument and camera and camera.upper() not in instrument.upper():
        name = f"{instrument}/{camera}"
    return {
        "facility_name": _FACILITIES.get(facility or "", facility),
        "instrument_name": name,
        "detector": name or camera,
    }


def _time(cards: Cards) -> dict[str, object]:
    start = cards.number("start_mjd")
    if start is None:
        start = mjd(cards.text("start_date"), cards.text("start_time"))
    exposure = cards.number("exposure")
    end = cards.number("end_mjd")
    if end is None:
        end = mjd(cards.text("end_date"), None)
    if end is None and start is not None and exposure is not None:
        end = start + exposure / 86400
    return {"t_min": start, "t_max": end, "t_exptime": exposure, "t_resolution": exposure}


def _spectral(cards: Cards, element: str | None) -> dict[str, object]:
    found = band(element, cards.text("instrument"), cards.text("facility_name"))
    pivot, rms = cards.number("pivot_angstrom"), cards.number("rms_width_angstrom")
    if found is None and pivot and rms:
        # PHOTBW is the standard deviation of the passband; its full width is taken as a Gaussian's.
        found = Band.around(pivot / 10, math.sqrt(8 * math.log(2)) * rms / 10, "PHOTPLAM, PHOTBW")
    if found is None:
        return {}
    return {"em_min": found.low, "em_max": found.high, "em_res_power": found.resolving_power}


def _axes(image: ScienceImage) -> dict[str, object]:
    """Return what the axes beside the spatial ones say: spectral, polarisation and time."""
    found: dict[str, object] = {}
    for axis, count, low, high in (
        (spectral_axis(image), "em_xel", "em_min", "em_max"),
        (time_axis(image), "t_xel", "t_min", "t_max"),
    ):
        if axis is not None:
            found |= {count: len(axis.low), low: float(axis.low.min()), high: float(axis.high.max())}
    polarised = stokes_axis(image)
    if polarised is not None:
        states = sorted(filter(None, polarised[1]), key=POLARISATIONS.index)
        found |= {"pol_xel": len(polarised[1]), "pol_states": f"/{'/'.join(states)}/" if states else None}
    others = math.prod(image.shape) // (image.wcs.shape[0] * image.wcs.shape[1])
    return {**found, "dataproduct_type": "cube" if others > 1 else "image"}
