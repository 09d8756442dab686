"""Tables as answers: rows leave while the engine makes them.

The first batch is made before the answer's head is sent, so that what goes wrong early has its proper
status; what goes wrong later is stated in the document.
"""

from collections.abc import Iterator

import pyarrow as pa

from awe.core.tables import TableStream
from awe.core.tables.formats import Format, VOTableOptions, gzipped
from awe.services.catalogs import ENGINE
from awe.web.http._turn import TurnResponse

__all__ = ["SILENT", "TableResponse"]

SILENT = frozenset({"csv", "tsv", "ecsv"})
"""Formats that cannot say behind the rows that some were left out: for them a header has to say it before."""
_PACKED = frozenset({"parquet"})
"""Formats that are compressed in themselves."""
_AHEAD_ROWS = 200_000
"""Rows made before the header of such an answer goes; more than an answer has unless its caller asks for more."""


class TableResponse(TurnResponse):
    """The rows of a stream in a format.

    Parameters
    ----------
    stream
        Closed by this response, whatever happens.
    form
        The format.
    options
        What the protocol adds to the document.
    media_type
        Content type; the format's own when None.
    gzip
        Whether it is packed whatever the client says of itself, because it asked for that.
    """

    def __init__(
        self,
        stream: TableStream,
        form: Format,
        options: VOTableOptions | None = None,
        *,
        media_type: str | None = None,
        gzip: bool = False,
    ) -> None:
        packed = gzip or form.name in _PACKED
        super().__init__(media_type or form.media_types[0], packed=packed, prompt=stream.prompt)
        self._gzip = gzip
        self._stream = stream.map(stream.schema, self._counted)
        self._format = form
        self._options = options or VOTableOptions()
        self._ahead = _AHEAD_ROWS if form.name in SILENT else 1

    def begun(self) -> Iterator[bytes]:
        """Make the first rows."""
        self._stream = self._stream.primed(self._ahead)
        self.headers.update(_told(self._stream, self._format))
        chunks = self._format.write(self._stream, self._options)
        if not self._gzip:
            return chunks
        self.headers["Content-Encoding"] = "gzip"
        return gzipped(chunks)

    def closed(self) -> None:
        """Close the stream."""
        self._stream.close()

    def _counted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self.rows += batch.num_rows
        return batch


def _told(stream: TableStream, form: Format) -> dict[str, str]:
    """Return the headers that say which engine makes the rows, and, where the format cannot, whether some are left out."""
    name = stream.schema.metadata.get(ENGINE)
    engine = {"X-Awe-Engine": name} if name else {}
    if form.name not in SILENT:
        return engine
    known = "true" if stream.overflow else "false"
    return engine | {"X-Awe-Overflow": known if stream.complete else "unknown"}
