"""Margin caches: beside each partition of a catalogue the rows that lie near it in others (HATS 1.0, "margin cache").

Whoever works on partitions one by one, as LSDB does, needs them to find pairs across borders. A row is in the margin of
every partition that its own cells in reach touch, and perhaps of some a little further: those that use it measure
distances anyway. Where the catalogue has no rows its partitions leave holes; a margin has partitions there, too.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.progress import Progress, silent
from awe.core.sky import MAX_ORDER, cells_in_reach, healpix_index
from awe.services.catalogs._directory import Listing, read_listing
from awe.services.catalogs._partitions import Partition
from awe.services.catalogs.hats import PARTITION_INFO, write_file, write_info, write_properties, write_summary
from awe.services.catalogs.model import HEALPIX

__all__ = ["MARGINS", "MOST_ARCSEC", "write_margin"]

IntArray = npt.NDArray[np.int64]

MARGINS = ".margins"
"""The folder, beside the versions, of their margin caches."""
MOST_ARCSEC = 30.0
"""Cells in reach of more than this would be larger than the finest partitions."""


def write_margin(
    folder: Path, catalog: Path, ra: str, dec: str, margin_arcsec: float, progress: Progress = silent
) -> int:
    """Write the margin cache of a catalogue; return how many rows it has.

    Parameters
    ----------
    folder
        An empty one.
    catalog
        The folder of a HATS catalogue that `write_hats` wrote.
    ra, dec
        Its position columns.
    margin_arcsec
        How near the rows are, at most `MOST_ARCSEC`.
    progress
        Is told how many partitions have been gone through.
    """
    listing = read_listing(catalog)
    work = folder / "pieces"
    work.mkdir()
    for number in range(len(listing.paths)):
        _scatter(listing, number, (ra, dec), margin_arcsec / 3600, work)
        progress("margins", number + 1, len(listing.paths))
    arrow = pq.read_schema(listing.empty)
    dataset = folder / "dataset"
    dataset.mkdir()
    partitions, footers = [], []
    for span, rows in _gathered(work):
        partition = _partition(span, rows.num_rows)
        footers.append(write_file(dataset, partition.path, rows.cast(arrow)))
        partitions.append(partition)
    work.rmdir()
    write_summary(folder, arrow, footers)
    write_info(folder / PARTITION_INFO, partitions)
    count = sum(partition.rows for partition in partitions)
    write_properties(
        folder,
        {
            "obs_collection": f"{catalog.name}_margin",
            "dataproduct_type": "margin",
            "hats_nrows": count,
            "hats_primary_table_url": catalog.name,
            "hats_margin_threshold": margin_arcsec,
            "hats_col_ra": ra,
            "hats_col_dec": dec,
            "hats_col_healpix": HEALPIX,
            "hats_col_healpix_order": MAX_ORDER,
            "hats_npix_suffix": ".parquet",
            "hats_order": max((partition.order for partition in partitions), default=0),
        },
    )
    return count


def _scatter(listing: Listing, number: int, position: tuple[str, str], margin_deg: float, work: Path) -> None:
    """Write the rows of one partition that are near others into a file for each of these."""
    assert listing.spans is not None  # noqa: S101  # the catalogue has positions
    path = listing.paths[number]
    places = pq.read_table(path, columns=list(position), partitioning=None)
    ra, dec = (places.column(name).to_numpy().astype(np.float64) for name in position)
    rows, begins, ends = _near_others(ra, dec, margin_deg, listing.spans, number)
    if not rows.size:
        return
    wanted, place = np.unique(rows, return_inverse=True)
    near = pq.read_table(path, partitioning=None).take(pa.array(wanted))
    for begin in np.unique(begins):
        chosen = begins == begin
        piece = near.take(pa.array(place[chosen]))
        to = work / f"{begin}-{ends[chosen][0]}"
        to.mkdir(exist_ok=True)
        with (
            pa.OSFile(str(to / f"{number}.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, piece.schema) as writer,
        ):
            writer.write_table(piece)


def _near_others(
    ra: npt.NDArray[np.float64],
    dec: npt.NDArray[np.float64],
    margin_deg: float,
    spans: IntArray,
    own: int,
) -> tuple[IntArray, IntArray, IntArray]:
    """Return rows near other partitions, and the cells at order 29 of these; a row once for each of them."""
    found = cells_in_reach(healpix_index(ra, dec), margin_deg)
    cells, numbers = (np.concatenate(column) for column in zip(*found.lists, strict=True))
    shift = 2 * (MAX_ORDER - found.order)
    low, high = cells << shift, (cells + 1) << shift
    first = spans[:, 1].searchsorted(low, side="right")
    count = spans[:, 0].searchsorted(high, side="left") - first
    each = np.repeat(np.arange(low.size), count)
    nth = first[each] + np.arange(each.size) - np.repeat(np.cumsum(count) - count, count)
    other = nth != own
    empty = np.flatnonzero(count == 0)
    begin, end = _holes(low[empty], spans)
    rows = np.concatenate([numbers[each[other]], numbers[empty]])
    begins = np.concatenate([spans[nth[other], 0], begin])
    ends = np.concatenate([spans[nth[other], 1], end])
    once = np.unique(np.stack([rows, begins]), axis=1, return_index=True)[1]
    return rows[once], begins[once], ends[once]


def _holes(cells: IntArray, spans: IntArray) -> tuple[IntArray, IntArray]:
    """Return the largest HEALPix cells around cells of order 29 that meet no partition."""
    begins, ends = cells.copy(), cells + 1
    open_ = np.ones(cells.size, bool)
    for order in range(MAX_ORDER):
        shift = 2 * (MAX_ORDER - order)
        low = (cells >> shift) << shift
        high = low + (1 << shift)
        free = spans[:, 1].searchsorted(low, side="right") == spans[:, 0].searchsorted(high, side="left")
        now = open_ & free
        begins[now], ends[now] = low[now], high[now]
        open_ &= ~free
    return begins, ends


def _gathered(work: Path) -> Iterator[tuple[tuple[int, int], pa.Table]]:
    """Yield the cells of each partition of the margin and its rows, sorted; what was read is removed."""
    spans = sorted(tuple(int(part) for part in folder.name.split("-")) for folder in work.iterdir())
    for begin, end in spans:
        folder = work / f"{begin}-{end}"
        pieces = sorted(folder.iterdir())
        tables = [pa.ipc.open_file(piece.read_bytes()).read_all() for piece in pieces]
        rows = pa.concat_tables(tables)
        yield (begin, end), rows.take(pa.array(np.argsort(rows.column(HEALPIX).to_numpy(), kind="stable")))
        for piece in pieces:
            piece.unlink()
        folder.rmdir()


def _partition(span: tuple[int, int], rows: int) -> Partition:
    order = MAX_ORDER - ((span[1] - span[0]).bit_length() - 1) // 2
    return Partition(order, span[0] >> (2 * (MAX_ORDER - order)), rows)
