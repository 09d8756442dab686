"""Published and user tables, and queries over them.

`CatalogService` answers what is published, runs queries and cone searches, and publishes. The rows are
kept by an `Engine` (the seam in ``interface.py``), the records in the system database: a table is
immutable Parquet files and a record that names the current version, so a reader never sees half a table.
"""

from awe.services.catalogs._many_cones import MOST_CONES
from awe.services.catalogs.batches.model import ROWS_AFFECTED, Results, ResultSet
from awe.services.catalogs.batches.service import BatchRun, BatchService
from awe.services.catalogs.estimates import Estimate, Reading
from awe.services.catalogs.examples import example_query
from awe.services.catalogs.external.service import ExternalTap, ExternalTapRun, ExternalTapService
from awe.services.catalogs.filing import filed
from awe.services.catalogs.in_place import HatsFolder
from awe.services.catalogs.interface import Engine, Features, Limits, RowFilter, StoredTable, WriteSpec
from awe.services.catalogs.jobs import BATCH, QUERY, SQL_KINDS, QueryOrder, SqlJobs
from awe.services.catalogs.memory import MemorySchema, RowGuard
from awe.services.catalogs.model import MYDB, TABLE, SchemaRecord, TableKey, TableRecord, View
from awe.services.catalogs.own.describing import ColumnChange
from awe.services.catalogs.own.extending import CONVENIENCE
from awe.services.catalogs.own.incoming import Piece
from awe.services.catalogs.own.indexing import INDEX, IndexOrder, index_kind
from awe.services.catalogs.own.loading import UploadService
from awe.services.catalogs.own.model import TableVersion
from awe.services.catalogs.own.places import Places
from awe.services.catalogs.own.reading import OwnTables
from awe.services.catalogs.own.room import TableRoom
from awe.services.catalogs.own.service import TableService
from awe.services.catalogs.own.store import OwnStore
from awe.services.catalogs.own.upload import LoadOrder, Upload, UploadPhase
from awe.services.catalogs.own.versions import VersionService
from awe.services.catalogs.own.writing import aligned
from awe.services.catalogs.routing import ENGINE, RoutingEngine
from awe.services.catalogs.service import CatalogService
from awe.services.catalogs.store import CatalogStore
from awe.services.catalogs.tap_schema import as_written
from awe.services.catalogs.uploads import SentFile

__all__ = [
    "BATCH",
    "CONVENIENCE",
    "ENGINE",
    "INDEX",
    "MOST_CONES",
    "MYDB",
    "QUERY",
    "ROWS_AFFECTED",
    "SQL_KINDS",
    "TABLE",
    "BatchRun",
    "BatchService",
    "CatalogService",
    "CatalogStore",
    "ColumnChange",
    "Engine",
    "Estimate",
    "ExternalTap",
    "ExternalTapRun",
    "ExternalTapService",
    "Features",
    "HatsFolder",
    "IndexOrder",
    "Limits",
    "LoadOrder",
    "MemorySchema",
    "OwnStore",
    "OwnTables",
    "Piece",
    "Places",
    "QueryOrder",
    "Reading",
    "ResultSet",
    "Results",
    "RoutingEngine",
    "RowFilter",
    "RowGuard",
    "SchemaRecord",
    "SentFile",
    "SqlJobs",
    "StoredTable",
    "TableKey",
    "TableRecord",
    "TableRoom",
    "TableService",
    "TableVersion",
    "Upload",
    "UploadPhase",
    "UploadService",
    "VersionService",
    "View",
    "WriteSpec",
    "aligned",
    "as_written",
    "example_query",
    "filed",
    "index_kind",
]
