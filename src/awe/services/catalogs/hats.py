"""Write a table as Parquet files in the HATS layout, larger than memory if need be.

HATS (IVOA Note "HATS: Hierarchical Adaptive Tiling Scheme", 1.0) puts the rows of one HEALPix cell
into one file, sorted by the column ``_healpix_29``; cells are large where the sky is empty. Rows come
in any order, so they go through *chunks*: sorted pieces on disk (Arrow files, memory-mapped) that the
partitions are then cut from. A table without positions becomes parts in the order of its input.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from awe.core.progress import Progress
from awe.core.sky import Moc
from awe.core.tables import Column, TableStream
from awe.services.catalogs._encodings import Encodings
from awe.services.catalogs._partitions import Histogram, Partition
from awe.services.catalogs._positions import PositionCheck
from awe.services.catalogs.interface import WriteSpec
from awe.services.catalogs.model import HEALPIX

__all__ = [
    "COVERAGE",
    "EMPTY",
    "PARTITION_INFO",
    "coverage",
    "write_file",
    "write_hats",
    "write_info",
    "write_parts",
    "write_properties",
    "write_summary",
]

PARTITION_INFO = "partition_info.csv"
COVERAGE = "moc.json"
"""The cells that hold rows: a MOC in JSON (MOC 2.0 appendix B)."""
EMPTY = "dataset/_common_metadata"
"""A Parquet file with the table's columns and no rows."""

_MOST_RANGES = 20_000
"""Of a coverage map: 300 kB in FITS; a look-up takes a tenth of a millisecond."""
_CHUNK_ROWS = 1_000_000
_CHUNK_BYTES = 256 << 20
_PARTITION_BYTES = 512 << 20
_GROUP_ROWS = 25_000
"""Decoding one is most of the first search in it; an engine's scans are as quick as with twice as many."""
_INDEX = Column(
    HEALPIX, pa.int64(), ucd="pos.healpix", description="HEALPix index, order 29, nested, ICRS", indexed=True
)


def write_hats(folder: Path, spec: WriteSpec, stream: TableStream, progress: Progress) -> int:
    """Write a table with positions as a HATS catalogue; return the number of rows.

    Raises
    ------
    InputFileError
        If a position is not on the sky: with the row.
    """
    arrow = stream.schema.with_columns((_INDEX, *stream.schema.columns)).to_arrow()
    work = folder / "chunks"
    work.mkdir()
    chunks = _Chunks(work, arrow)
    for batch in _indexed(spec, stream, arrow):
        chunks.add(batch)
        progress("sorting", chunks.rows, None)
    chunks.flush()
    most_rows = min(spec.rows_per_partition, max(_GROUP_ROWS, int(_PARTITION_BYTES / chunks.row_bytes)))
    partitions = chunks.histogram.partitions(most_rows)
    footers = _write_partitions(folder / "dataset", partitions, chunks, progress)
    chunks.remove()
    write_summary(folder, arrow, footers)
    write_info(folder / PARTITION_INFO, partitions)
    (folder / COVERAGE).write_text(chunks.histogram.coverage(_MOST_RANGES).to_json(), encoding="ascii")
    _write_own_properties(folder, spec, partitions, chunks.rows)
    return chunks.rows


def coverage(files: Iterable[Path]) -> Moc:
    """Return the cells that hold rows, from the index column of a version's files."""
    histogram = Histogram()
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_CHUNK_ROWS, columns=[HEALPIX]):
                histogram.add(batch.column(0).to_numpy())
    return histogram.coverage(_MOST_RANGES)


def write_parts(folder: Path, spec: WriteSpec, stream: TableStream, progress: Progress) -> int:
    """Write a table without positions as Parquet parts in the order of its rows."""
    arrow = stream.schema.to_arrow()
    dataset = folder / "dataset"
    dataset.mkdir()
    footers: list[pq.FileMetaData] = []
    rows = 0
    for number, table in enumerate(_pieces(stream, arrow, spec.rows_per_partition)):
        name = f"part-{number:05}.parquet"
        footers.append(write_file(dataset, name, table))
        rows += table.num_rows
        progress("writing", rows, None)
    write_summary(folder, arrow, footers)
    return rows


class _Chunks:
    """Sorted pieces of the table on disk, memory-mapped, and the histogram of all of them."""

    def __init__(self, folder: Path, arrow: pa.Schema) -> None:
        self.rows = 0
        self.histogram = Histogram()
        self._bytes = 0
        self._folder = folder
        self._arrow = arrow
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._chunks: list[tuple[pa.Table, npt.NDArray[np.int64]]] = []

    @property
    def row_bytes(self) -> float:
        """Memory of a row on average."""
        return max(1.0, self._bytes / max(1, self.rows))

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch; write a chunk when enough of them wait."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        self.rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._waiting_rows >= _CHUNK_ROWS or self._waiting_bytes >= _CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Sort what waits and write it."""
        if not self._waiting_rows:
            return
        table = _sorted(pa.Table.from_batches(self._waiting, self._arrow)).combine_chunks()
        path = self._folder / f"{len(self._chunks)}.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        mapped = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        index = mapped.column(HEALPIX).combine_chunks().to_numpy()
        self.histogram.add(index)
        self._chunks.append((mapped, index))
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0

    def cut(self, first: int, last: int) -> pa.Table:
        """Return the rows whose cells are in ``[first, last)``, sorted."""
        slices = []
        for table, index in self._chunks:
            start, stop = np.searchsorted(index, [first, last])
            if stop > start:
                slices.append(table.slice(start, stop - start))
        found = pa.concat_tables(slices)
        return found if len(slices) == 1 else _sorted(found)

    def remove(self) -> None:
        """Remove the files."""
        self._chunks.clear()
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()


def _indexed(spec: WriteSpec, stream: TableStream, arrow: pa.Schema) -> Iterator[pa.RecordBatch]:
    check = PositionCheck(
        stream.schema.name or spec.location,
        str(spec.ra),
        str(spec.dec),
        unplaced=spec.unplaced,
        anywhere=spec.anywhere,
    )
    for batch in stream:
        named = pa.RecordBatch.from_arrays(batch.columns, names=stream.schema.names)
        index = pa.array(check.index(named))
        yield pa.RecordBatch.from_arrays([index, *batch.columns], schema=arrow)


def _sorted(table: pa.Table) -> pa.Table:
    # Stable, so that rows at one place keep the order of the input and a rewrite gives the same files.
    index = table.column(HEALPIX).combine_chunks().to_numpy()
    return table.take(pa.array(np.argsort(index, kind="stable")))


def _pieces(stream: TableStream, arrow: pa.Schema, most_rows: int) -> Iterator[pa.Table]:
    """Collect batches into tables of `most_rows` rows (the last one: of the rest)."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in stream:
        left = pa.RecordBatch.from_arrays(batch.columns, schema=arrow)
        while rows + left.num_rows >= most_rows or size + left.nbytes >= _PARTITION_BYTES:
            head = left.slice(0, min(left.num_rows, most_rows - rows))
            yield pa.Table.from_batches([*waiting, head], arrow)
            left = left.slice(head.num_rows)
            waiting, rows, size = [], 0, 0
            if not left.num_rows:
                break
        if left.num_rows:
            waiting.append(left)
            rows += left.num_rows
            size += left.nbytes
    if waiting:
        yield pa.Table.from_batches(waiting, arrow)


def _write_partitions(
    dataset: Path, partitions: Iterable[Partition], chunks: _Chunks, progress: Progress
) -> list[pq.FileMetaData]:
    dataset.mkdir()
    footers = []
    done = 0
    for partition in partitions:
        footers.append(write_file(dataset, partition.path, chunks.cut(*partition.span)))
        done += partition.rows
        progress("writing", done, chunks.rows)
    return footers


def _bounded(table: pa.Table) -> list[str] | bool:
    """Return the columns that may have statistics: Parquet's leave NaN out, and engines take them for all values."""
    nan = {f.name for f in table.schema if pa.types.is_floating(f.type) and _has_nan(table.column(f.name))}
    return [f.name for f in table.schema if f.name not in nan] if nan else True


def _has_nan(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.is_nan(column)).as_py())


def write_file(dataset: Path, name: str, table: pa.Table) -> pq.FileMetaData:
    """Write one Parquet file of a dataset; return its footer, for `write_summary`."""
    path = dataset / name
    path.parent.mkdir(parents=True, exist_ok=True)
    footer: list[pq.FileMetaData] = []
    encodings = Encodings.of(table, _GROUP_ROWS)
    try:
        pq.write_table(
            table,
            path,
            row_group_size=_GROUP_ROWS,
            compression=encodings.compression,
            column_encoding=encodings.column_encoding,
            use_dictionary=encodings.use_dictionary,
            write_statistics=_bounded(table),
            metadata_collector=footer,
        )
    except RuntimeError as error:
        # of a disk that is full pyarrow says, first of all, that it cannot say how the file ends
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise
    footer[0].set_file_path(name)
    return footer[0]


def write_summary(folder: Path, arrow: pa.Schema, footers: list[pq.FileMetaData]) -> None:
    """Write the footers of all files of a dataset, and a file without rows."""
    pq.write_metadata(arrow, folder / "dataset" / "_metadata", metadata_collector=footers)
    pq.write_metadata(arrow, folder / EMPTY)


def write_info(path: Path, partitions: Iterable[Partition]) -> None:
    """Write the list of partitions."""
    with path.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("Norder", "Npix", "num_rows"))
        writer.writerows((p.order, p.pixel, p.rows) for p in partitions)


def _write_own_properties(
    folder: Path, spec: WriteSpec, partitions: tuple[Partition, ...], rows: int
) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    said = {
        "obs_collection": spec.location,
        "dataproduct_type": "object",
        "hats_nrows": rows,
        "hats_col_ra": spec.ra,
        "hats_col_dec": spec.dec,
        "hats_col_healpix": HEALPIX,
        "hats_col_healpix_order": 29,
        "hats_npix_suffix": ".parquet",
        "hats_max_rows": max((p.rows for p in partitions), default=0),
        "hats_order": max((p.order for p in partitions), default=0),
        "hats_estsize": size // 1024,
        "moc_sky_fraction": f"{sum(4.0**-p.order for p in partitions) / 12:.8f}",
    }
    write_properties(folder, said)


def write_properties(folder: Path, said: Mapping[str, object]) -> None:
    """Write what a HATS catalogue says of itself, and who wrote it and when."""
    ours = {
        "hats_builder": "awe",
        "hats_creation_date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MUTC"),
        "hats_version": "v1.0",
    }
    said = {**said, **ours}
    text = "#HATS catalog\n" + "".join(f"{key}={_escaped(value)}\n" for key, value in said.items())
    for name in ("hats.properties", "properties"):
        (folder / name).write_text(text, encoding="utf-8")


def _escaped(value: object) -> str:
    """Escape what a Java properties file reads otherwise."""
    return str(value).replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")
