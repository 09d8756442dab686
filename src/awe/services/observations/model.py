"""Values of the observations: what one may ask for, what a dataset is, what publishing did."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from awe.core.science.cutout import Known
from awe.core.science.obscore import CALIB_LEVELS, POLARISATIONS
from awe.core.science.spectra import Reading
from awe.core.science.timeseries import TARGET_PIXELS
from awe.core.sky import Region
from awe.errors import ParameterError

__all__ = [
    "COLLECTION",
    "IMAGES",
    "INDEX_TABLE",
    "PLOTTED",
    "Collection",
    "Criteria",
    "Dataset",
    "Interval",
    "PublishReport",
    "Rejected",
]

COLLECTION = "collection"
"""The kind of a collection, for the policy."""

INDEX_TABLE = "ivoa.obscore"
"""The published table that holds the index."""

IMAGES = ("image", "cube")
"""The data products of image searches."""

PLOTTED = ("spectrum", "timeseries")
"""The data products whose pictures are plots."""

Interval = tuple[float, float]
"""Closed on both sides; an open side is an infinity."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What datasets are wanted (SIA 2.0 section 2.1): values of a field are alternatives, fields add up.

    A dataset for which a thing is not known satisfies no criterion about it.

    Attributes
    ----------
    regions
        The covered region has a point in common with one of them.
    band
        Wavelength (m): the coverage meets one of the intervals.
    time
        MJD (UTC): the observation meets one of the intervals.
    exposure, fov, resolution, resolving_power, time_resolution
        The value (s, deg, arcsec, 1, s) is in one of the intervals.
    ids
        Publisher DIDs, case ignored.
    collections, facilities, instruments, dataproduct_types, targets, formats
        Exact values.
    calib_levels
        0 to 4.
    pol
        Polarisation states of which the data hold one.
    redshift, snr
        The value is in one of the intervals.
    modified
        Text as in the index: the file was changed between two moments, ISO 8601 (UTC).
    names, classes, creator_ids
        Target's name and class, identifier given by the creator; case ignored.
    calibrations, spectral_calibrations
        Of the flux and of the spectral axis; exact values.
    """

    regions: tuple[Region, ...] = ()
    band: tuple[Interval, ...] = ()
    time: tuple[Interval, ...] = ()
    exposure: tuple[Interval, ...] = ()
    fov: tuple[Interval, ...] = ()
    resolution: tuple[Interval, ...] = ()
    resolving_power: tuple[Interval, ...] = ()
    time_resolution: tuple[Interval, ...] = ()
    ids: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    dataproduct_types: tuple[str, ...] = ()
    calib_levels: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    pol: tuple[str, ...] = ()
    redshift: tuple[Interval, ...] = ()
    snr: tuple[Interval, ...] = ()
    modified: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    creator_ids: tuple[str, ...] = ()
    calibrations: tuple[str, ...] = ()
    spectral_calibrations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in _INTERVALS:
            for low, high in getattr(self, name):
                if math.isnan(low) or math.isnan(high) or low > high:
                    raise ParameterError(
                        name,
                        f"{low:g} {high:g}",
                        "not an interval: two numbers, the smaller one first",
                        hint="leave a side open with -Inf or +Inf",
                    )
        for level in self.calib_levels:
            if level not in CALIB_LEVELS:
                raise ParameterError("calib_levels", level, "a calibration level is 0, 1, 2, 3 or 4")
        for state in self.pol:
            if state not in POLARISATIONS:
                raise ParameterError("pol", state, f"known states: {', '.join(POLARISATIONS)}")


_INTERVALS = (
    "band", "time", "exposure", "fov", "resolution", "resolving_power", "time_resolution", "redshift", "snr",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset and the file that it is.

    Attributes
    ----------
    publisher_did
        Its identifier, ``ivo://<authority>/<collection>?<obs_id>``, with ``#part`` where several
        datasets share the ``obs_id``.
    obs_id, collection
        As in the index.
    path
        The file.
    hdus
        The numbers of its HDUs in the file; none where the file is not FITS.
    size, mtime
        Bytes and time of change (seconds since 1970) of the file when it was published.
    header
        What the headers said, by column of the index.
    about
        What the publisher said of the collection: title, description, and statements such as
        ``simulated``.
    rules
        Digest of the describe file it was read with.
    reading
        How its spectra are read, where the file does not say it.
    large_tiles
        Whether images of the file may be packed in large tiles; None where it was published before that was looked at.
    """

    publisher_did: str
    obs_id: str
    collection: str
    path: Path
    hdus: tuple[int, ...]
    size: int
    mtime: float
    header: Mapping[str, object]
    about: Mapping[str, str] = field(default_factory=dict)
    rules: str = ""
    reading: Reading = field(default_factory=Reading)
    large_tiles: bool | None = None

    @property
    def dataproduct_type(self) -> str:
        """What kind of data it is: image, cube, spectrum, timeseries."""
        return str(self.header.get("dataproduct_type") or "image")

    @property
    def has_images(self) -> bool:
        """Whether it holds images of the sky, which can be cut: not so a target pixel file, which is a table."""
        tabled = self.header.get("dataproduct_subtype") == TARGET_PIXELS
        return self.dataproduct_type in IMAGES and not tabled

    @property
    def media_type(self) -> str:
        """Media type of the file."""
        return _MEDIA_TYPES.get(self.path.suffix.lower(), "application/fits")

    @property
    def known(self) -> Known:
        """What is known of its wavelengths, times and polarisation states."""
        states = str(self.header.get("pol_states") or "").strip("/")
        return Known(
            _interval(self.header, "em_min", "em_max"),
            _interval(self.header, "t_min", "t_max"),
            tuple(states.split("/")) if states else (),
        )

    def to_row(self) -> dict[str, object]:
        """Return its row of the index."""
        return {
            **self.header,
            "obs_publisher_did": self.publisher_did,
            "obs_id": self.obs_id,
            "obs_collection": self.collection,
            "access_url": f"/api/datasets/{quote(self.publisher_did, safe='')}/file",
            "access_format": self.media_type,
            "access_estsize": max(1, round(self.size / 1000)),
            "filename": self.path.name,
            "modified": datetime.fromtimestamp(self.mtime, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        }


def _interval(row: Mapping[str, object], low: str, high: str) -> Interval | None:
    if row.get(low) is None or row.get(high) is None:
        return None
    return float(str(row[low])), float(str(row[high]))


_VOTABLE, _PLAIN = "application/x-votable+xml", "text/plain"
_MEDIA_TYPES = {
    ".gz": "application/gzip", ".bz2": "application/x-bzip2", ".vot": _VOTABLE, ".votable": _VOTABLE,
    ".xml": _VOTABLE, ".csv": "text/csv", ".tsv": "text/tab-separated-values", ".dat": _PLAIN, ".txt": _PLAIN,
    ".asc": _PLAIN, ".ascii": _PLAIN, ".ecsv": _PLAIN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Collection:
    """What was published under one name."""

    name: str
    datasets: int
    bytes: int
    about: Mapping[str, str]


class Rejected(NamedTuple):
    """A file, or an HDU of it, that could not be published, and why."""

    file: str
    hdu: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What publishing a folder did.

    Attributes
    ----------
    collection
        Its name.
    found
        Files in the folder that may hold data.
    published
        Datasets of the folder that are in the index now.
    unchanged
        Files that were not read again, because neither they nor the describe file have changed.
    removed
        Datasets that went, because their files did.
    rejected
        What was left out.
    """

    collection: str
    found: int
    published: int
    unchanged: int = 0
    removed: int = 0
    rejected: tuple[Rejected, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the report as a JSON object."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {"rejected": [entry._asdict() for entry in self.rejected]}
