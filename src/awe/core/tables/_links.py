"""Addresses in tables: an archive's own are kept without its name, and completed when they leave it."""

import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._stream import TableStream

__all__ = ["absolute_links"]


def absolute_links(stream: TableStream, base_url: str) -> TableStream:
    """Return the stream with the site's own addresses made complete.

    Columns whose UCD is ``meta.ref.url`` may hold addresses that begin with ``/``: the index does not know
    under which name the service is reached.
    """
    names = [
        index
        for index, column in enumerate(stream.schema)
        if column.ucd.startswith("meta.ref.url") and pa.types.is_string(column.type)
    ]
    if not names:
        return stream

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = list(batch.columns)
        for index in names:
            links = arrays[index]
            complete = pc.binary_join_element_wise(base_url, links, "")
            arrays[index] = pc.if_else(pc.starts_with(links, "/"), complete, links)
        return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)

    return stream.map(stream.schema, change)
