"""A cone search service as one would write it over PostgreSQL with q3c, with awe's own VOTable writer: a peer.

Run: ``python benchmarks/q3c_service.py CONNECTION PROCESSES``; it prints its port.
"""

import os
import socket
import sys
import threading
import time

import psycopg
import pyarrow as pa
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS

_QUERY = "SELECT * FROM sources WHERE q3c_radial_query(ra, dec, %s, %s, %s)"
_TYPES = {20: pa.int64(), 23: pa.int32(), 700: pa.float32(), 701: pa.float64()}


def main(address: str, processes: int) -> None:
    """Serve until stopped."""
    listening = _socket(0)
    port = listening.getsockname()[1]
    for _ in range(processes - 1):
        if os.fork() == 0:
            listening = _socket(port)
            threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
            break
    else:
        print(port, flush=True)
    _serve(address, listening)


def _socket(port: int) -> socket.socket:
    """Return a socket at a port that others share, as awe's have it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", port))
    made.listen(512)
    return made


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


def _serve(address: str, listening: socket.socket) -> None:
    local = threading.local()

    def cone(request: Request) -> Response:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(address, autocommit=True)
        where = [float(request.query_params[name]) for name in ("RA", "DEC", "SR")]
        cursor = local.connection.execute(_QUERY, where, prepare=False)
        columns = [(column.name, _TYPES[column.type_code]) for column in cursor.description]
        rows = cursor.fetchall()
        arrays = [pa.array([row[i] for row in rows], kind) for i, (_, kind) in enumerate(columns)]
        table = pa.Table.from_arrays(arrays, schema=pa.schema(columns))
        body = b"".join(FORMATS["votable"].write(TableStream.from_table(table)))
        return Response(body, media_type="application/x-votable+xml")

    app = Starlette(routes=[Route("/scs", cone)])
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
