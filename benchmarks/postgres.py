"""PostgreSQL with q3c and pgSphere as a peer: a server of our own over the same rows, at a socket in its folder.

The rows are copied in the order of the sky, as ``CLUSTER`` would leave them; each table has an index for q3c and one for
pgSphere, as their manuals say.
"""

import atexit
import fcntl
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from frame import AbsentError
from sky import Sky, kept

from awe.core.sky import healpix_index

__all__ = ["postgresql"]

_BINARIES = Path("/usr/lib/postgresql/15/bin")
_EXTENSIONS = Path("/usr/share/postgresql/15/extension")
_PG_SPHERE = _EXTENSIONS / "pg_sphere--1.2.0.sql"
_OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "2GB",
    "effective_cache_size": "8GB",
    "random_page_cost": "1.1",
    "max_wal_size": "8GB",
    "jit": "off",
    "fsync": "off",
}
_TYPES = {"int64": "bigint", "int32": "integer", "double": "double precision", "float": "real"}
_BATCH = 1_000_000


def postgresql(sky: Sky) -> str:
    """Return how to connect to a server that holds the tables ``sources`` and ``partner``; it runs until we end.

    Raises
    ------
    AbsentError
        If PostgreSQL 15 or one of the two extensions is not installed.
    """
    for path, package in (
        (_BINARIES / "postgres", "postgresql-15"),
        (_EXTENSIONS / "q3c.control", "postgresql-15-q3c"),
        (_PG_SPHERE, "postgresql-15-pgsphere"),
    ):
        if not path.exists():
            raise AbsentError(f"install the Debian package {package}")
    return _started(kept(sky.folder, f"{sky.rows}-postgresql", lambda part: _made(part, sky)))


@cache
def _started(folder: Path) -> str:
    stack = ExitStack()
    atexit.register(stack.close)
    lock = stack.enter_context(folder.with_name(f"{folder.name}.running").open("w"))
    fcntl.flock(lock, fcntl.LOCK_EX)  # whoever else measures now has the server first
    return stack.enter_context(_running(folder))


def _made(folder: Path, sky: Sky) -> None:
    print(f"copying {sky.rows:,} rows into PostgreSQL", flush=True)
    who = _user(folder)
    initdb = [
        _BINARIES / "initdb",
        "-D",
        folder / "data",
        "-U",
        "awe",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "-N",
    ]
    subprocess.run([str(word) for word in initdb], check=True, capture_output=True, cwd=folder, **who)
    with _running(folder) as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION q3c")
        connection.execute(_pg_sphere())
        for name, path in (("sources", sky.catalogue), ("partner", sky.partner)):
            _copy(connection, name, path)
            print(f"indexing {name}", flush=True)
            connection.execute(f"CREATE INDEX {name}_q3c ON {name} (q3c_ang2ipix(ra, dec))")
            connection.execute(
                f"CREATE INDEX {name}_pg_sphere ON {name} USING gist (spoint(radians(ra), radians(dec)))"
            )
            connection.execute(f"VACUUM ANALYZE {name}")
        connection.execute("CHECKPOINT")


def _pg_sphere() -> str:
    """Return pgSphere's script, which PostgreSQL 15.20 refuses as it is: its operators name one another twice."""
    text = _PG_SPHERE.read_text(encoding="utf-8")
    text = re.sub(r"^\\.*$", "", text, flags=re.MULTILINE).replace("MODULE_PATHNAME", "$libdir/pg_sphere")
    text = re.sub(r"(?im)^\s*(COMMUTATOR|NEGATOR)\s*=.*$", "", text)
    return re.sub(r",(\s*\))", r"\1", text)


def _copy(connection: psycopg.Connection, name: str, path: Path) -> None:
    table = pq.read_table(path)
    columns = ", ".join(f'"{f.name}" {_TYPES[str(f.type)]}' for f in table.schema)
    connection.execute(f"CREATE TABLE {name} ({columns})")
    index = healpix_index(table["ra"].to_numpy(), table["dec"].to_numpy())
    table = table.take(pa.array(np.argsort(index, kind="stable")))
    with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT binary)") as out:
        out.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for first in range(0, table.num_rows, _BATCH):
            out.write(_rows(table.slice(first, _BATCH)).tobytes())
        out.write(b"\xff\xff")


def _rows(table: pa.Table) -> npt.NDArray[Any]:
    """Return rows as PostgreSQL's binary COPY has them: each value behind its length, most significant byte first."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    values = [column.to_numpy() for column in table.columns]
    for i, column in enumerate(values):
        layout += [(f"n{i}", ">i4"), (f"v{i}", column.dtype.newbyteorder(">").str)]
    rows = np.empty(table.num_rows, layout)
    rows["fields"] = len(values)
    for i, column in enumerate(values):
        rows[f"n{i}"] = column.dtype.itemsize
        rows[f"v{i}"] = column
    return rows


def _user(folder: Path) -> dict[str, Any]:
    """Return who the server is, since root it may not be; the folder becomes theirs."""
    if os.getuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@contextmanager
def _running(folder: Path) -> Iterator[str]:
    who = _user(folder)
    socket = Path(mkdtemp(prefix="awe-pg-"))  # short: it becomes part of a socket's name
    _user(socket)
    (folder / "data" / "postmaster.pid").unlink(missing_ok=True)  # of a server that was killed
    options = {**_OPTIONS, "unix_socket_directories": str(socket)}
    command = [str(_BINARIES / "postgres"), "-D", str(folder / "data")]
    command += [f"-c{name}={value}" for name, value in options.items()]
    with (socket / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **who)
    address = f"host={socket} user=awe dbname=postgres"
    try:
        while True:
            if server.poll() is not None:
                raise AbsentError(f"PostgreSQL does not start: {(socket / 'log').read_text()[-500:]}")
            try:
                psycopg.connect(address).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.05)
        yield address
    finally:
        server.send_signal(signal.SIGINT)  # whoever is connected is cut off
        server.wait(60)
        shutil.rmtree(socket, ignore_errors=True)
