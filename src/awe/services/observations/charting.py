"""A chart of a piece of the sky, from the images that are nearest its centre: which ones, and their values on it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import nan

import numpy as np

from awe.core.science.celestial import Floats
from awe.core.science.chart import Frame, charted
from awe.core.science.layout import Layout, Reader
from awe.core.sky import Region, parse_stcs
from awe.services.observations.model import Dataset

__all__ = ["Chart", "make_chart"]

_IMAGES_OF_A_BAND = 12
_BANDS = 3

Row = Mapping[str, object]
Open = Callable[[str], AbstractContextManager[tuple[Dataset, Layout, Reader]]]


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What is known of the pixels of a chart.

    Attributes
    ----------
    frame
        Where it is.
    collection
        Whose images it was made from.
    bands
        Values by row from the top, NaN without data; the shortest wavelengths first, three bands at the most.
    images
        The datasets that were used.
    outlines
        The regions they cover.
    left_out
        How many more images of these bands touch it.
    """

    frame: Frame
    collection: str
    bands: tuple[Floats, ...]
    images: tuple[str, ...]
    outlines: tuple[Region, ...]
    left_out: int


def make_chart(rows: Iterable[Row], opened: Open, frame: Frame) -> Chart | None:
    """Fill a chart from images.

    Of several collections that one is taken whose image lies nearest the centre, among those that cover it; of more
    than three of its bands the shortest, the longest and the one in the middle.

    Parameters
    ----------
    rows
        Of the index: the images that touch the chart, the nearest first.
    opened
        Opens a dataset by its name.

    Returns
    -------
    Chart or None
        None where no image has data.
    """
    listed = list(rows)
    if not listed:
        return None
    centred = [row for row in listed if _covers(row, frame)] or listed
    collection = str(centred[0]["obs_collection"])
    bands = _bands([row for row in listed if row["obs_collection"] == collection], centred)
    used = [row for band in bands for row in band[:_IMAGES_OF_A_BAND]]
    values = [_filled(frame, band[:_IMAGES_OF_A_BAND], opened) for band in bands]
    if not any(np.isfinite(band).any() for band in values):
        return None
    return Chart(
        frame,
        collection,
        tuple(values),
        tuple(str(row["obs_id"]) for row in used),
        tuple(region for row in used if (region := _region(row)) is not None),
        sum(map(len, bands)) - len(used),
    )


def _bands(rows: list[Row], centred: list[Row]) -> list[list[Row]]:
    """Return the images of up to three bands, by wavelength; those that have none at the centre only if all have."""
    found: dict[float, list[Row]] = {}
    for row in rows:
        found.setdefault(_wavelength(row), []).append(row)
    at_centre = {_wavelength(row) for row in centred if row["obs_collection"] == rows[0]["obs_collection"]}
    known = sorted(middle for middle in at_centre if middle > 0) or [next(iter(at_centre))]
    if len(known) > _BANDS:
        known = [known[0], known[len(known) // 2], known[-1]]
    return [found[middle] for middle in known]


def _wavelength(row: Row) -> float:
    """Return the middle of an image's wavelengths; 0 where they are not known."""
    low, high = row["em_min"], row["em_max"]
    return 0.5 * (float(str(low)) + float(str(high))) if low is not None and high is not None else 0.0


def _filled(frame: Frame, rows: list[Row], opened: Open) -> Floats:
    total, weight = np.zeros((frame.height, frame.width)), np.zeros((frame.height, frame.width))
    for row in rows:
        with opened(str(row["obs_publisher_did"])) as (dataset, layout, reader):
            for image in (one for one in layout.science if one.hdu in dataset.hdus):
                found = charted(frame, partial(reader.pixels, layout.images[image.hdu]), image)
                if found is not None:
                    total += found[0] * found[1]
                    weight += found[1]
    return np.asarray(np.divide(total, weight, out=np.full(total.shape, nan), where=weight > 0))


def _covers(row: Row, frame: Frame) -> bool:
    region = _region(row)
    return region is not None and bool(np.all(region.contains(frame.ra, frame.dec)))


def _region(row: Row) -> Region | None:
    return parse_stcs(str(row["s_region"])) if row["s_region"] else None
