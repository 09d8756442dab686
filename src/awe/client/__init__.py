"""awe for astronomers: query, cone, images, cutouts, pictures, from Python.

    import awe
    archive = awe.connect()                      # or a URL, or a folder: without a server
    archive.query("SELECT TOP 5 * FROM hsc.SumCat")

Tables come back as astropy Tables with units, images as HDULists, positions as SkyCoord. The same code
runs against a service and against a folder.
"""

from awe.client._base import fetch_table
from awe.client._client import Client, connect
from awe.client._transport import OverflowWarning, Transport
from awe.client._values import positions
from awe.client.history import PastQuery
from awe.client.jobs import Job
from awe.client.tables import LoadWarning, TableInfo

__all__ = [
    "Client",
    "Job",
    "LoadWarning",
    "OverflowWarning",
    "PastQuery",
    "TableInfo",
    "Transport",
    "connect",
    "fetch_table",
    "positions",
]
