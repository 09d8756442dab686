"""The columns of the simulated summary catalogue: names as in the Hubble Source Catalog version 3."""

from collections.abc import Iterator

import pyarrow as pa

from awe.core.science.simulation._founding import FOUNDING_ROWS
from awe.core.science.simulation._published import PUBLISHED
from awe.core.tables import Column, Schema

__all__ = ["CATALOG_SCHEMA", "MAGNITUDES"]

MAGNITUDES: tuple[tuple[str, str, str], ...] = (
    ("A_F475W", "ACS/WFC F475W", "em.opt.B"),
    ("A_F606W", "ACS/WFC F606W", "em.opt.V"),
    ("A_F814W", "ACS/WFC F814W", "em.opt.I"),
    ("A_F850LP", "ACS/WFC F850LP", "em.opt.I"),
    ("W2_F606W", "WFPC2 F606W", "em.opt.V"),
    ("W2_F814W", "WFPC2 F814W", "em.opt.I"),
    ("W3_F814W", "WFC3/UVIS F814W", "em.opt.I"),
)
"""Column, instrument and filter, UCD word of the wavelength."""

_TIME = pa.timestamp("ms")


def _magnitude_columns() -> Iterator[Column]:
    for name, filter_, word in MAGNITUDES:
        principal = name in {"A_F606W", "A_F814W", "W2_F606W", "W2_F814W"}
        yield Column(
            name, pa.float64(), "mag", f"phot.mag;{word}", principal=principal,
            description=f"AB magnitude in {filter_}; null where it was not measured",
        )  # fmt: skip
        yield Column(
            f"{name}_Sigma", pa.float64(), "mag", f"stat.error;phot.mag;{word}",
            description=f"error of {name}",
        )  # fmt: skip
        yield Column(
            f"{name}_N", pa.int32(), "", "meta.number;obs.image",
            description=f"number of images that {name} was measured in",
        )  # fmt: skip


_LEADING: tuple[Column, ...] = (
    Column(
        "MatchID", pa.int64(), "", "meta.id;meta.main", principal=True,
        description="identifier of the object; simulated ones start at 2000001",
    ),
    Column("MatchRA", pa.float64(), "deg", "pos.eq.ra;meta.main", principal=True, description="right ascension (ICRS)"),
    Column("MatchDec", pa.float64(), "deg", "pos.eq.dec;meta.main", principal=True, description="declination (ICRS)"),
    Column("DSigma", pa.float64(), "mas", "stat.stdev;pos", description="scatter of the positions in single images"),
    Column("AbsCorr", pa.string(), "", "meta.code", description="Y where the astrometry is tied to an outside frame"),
    Column("NumFilters", pa.int32(), "", "meta.number;instr.filter", description="number of filters with a measurement"),
    Column("NumVisits", pa.int32(), "", "meta.number;obs", description="number of visits"),
    Column(
        "NumImages", pa.int32(), "", "meta.number;obs.image", principal=True,
        description="number of images the object was detected in",
    ),
    Column("StartTime", _TIME, "", "time.start;obs", description="start of the first exposure (UTC)"),
    Column("StopTime", _TIME, "", "time.end;obs", description="end of the last exposure (UTC)"),
    Column("StartMJD", pa.float64(), "d", "time.start;obs", description="start of the first exposure (MJD, UTC)"),
    Column("StopMJD", pa.float64(), "d", "time.end;obs", description="end of the last exposure (MJD, UTC)"),
    Column("TargetName", pa.string(), "", "meta.id;obs.field", description="target of the observation"),
    Column(
        "CI", pa.float64(), "mag", "phys.angSize;stat.value", principal=True,
        description="concentration index, mag(inner aperture) - mag(outer aperture): near 0.95 for a point source, larger for an extended one",
    ),
    Column("CI_Sigma", pa.float64(), "mag", "stat.error", description="error of CI"),
    Column("KronRadius", pa.float64(), "arcsec", "phys.angSize", description="Kron radius"),
    Column("KronRadius_Sigma", pa.float64(), "arcsec", "stat.error;phys.angSize", description="error of KronRadius"),
    Column("Extinction", pa.float64(), "mag", "phys.absorption.gal", description="foreground reddening E(B-V)"),
    Column("SpectrumFlag", pa.string(), "", "meta.code", description="Y where an HST spectrum exists"),
    Column(
        "Origin", pa.string(), "", "meta.code.class",
        description="simulation, or founding document: one of the ten real rows printed there",
    ),
)  # fmt: skip

_DESCRIPTION = (
    "SIMULATED. A catalogue like the summary catalogue of the Hubble Source Catalog version 3 "
    "(Whitmore et al. 2016, AJ 151, 134): globular clusters of M87 and of the Virgo cluster, foreground "
    "stars and background galaxies, drawn at random after published numbers, as measured in an imagined "
    f"mosaic of M87 and pointings within two degrees. Only {len(FOUNDING_ROWS)} rows are real: those of "
    "Origin = 'founding document' (their MatchID, MatchRA, MatchDec, CI, W2_F606W and W2_F814W)."
)


def _references() -> str:
    return "; ".join(dict.fromkeys(row.reference for row in PUBLISHED))


CATALOG_SCHEMA = Schema(
    (*_LEADING, *_magnitude_columns()),
    name="SumCat",
    description=_DESCRIPTION,
    metadata={
        "simulated": "yes: everything but the rows with Origin = 'founding document'",
        "reference": _references(),
    },
)
"""Columns with units, UCDs and descriptions, and what is said of the table."""
