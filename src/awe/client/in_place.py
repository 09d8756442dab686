"""Catalogues opened where they are: with LSDB, which works on their files partition by partition, over Dask."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awe.client._base import ServiceClient
from awe.errors import MissingExtraError

if TYPE_CHECKING:
    from lsdb.catalog.catalog import Catalog

__all__ = ["InPlaceClient"]


class InPlaceClient(ServiceClient):
    """The files of tables."""

    def lsdb(self, table: str, *, margin: bool = False, **options: Any) -> "Catalog":
        """Open a table with LSDB: nothing is read but what is computed with it, by the Dask of this program.

        Where the archive's files are on this machine they are read as they are, else in ranges over HTTP, in your name:
        the workers of Dask are given your token. A table that is written anew while it is read gives an error, and not
        the rows of both.

        Parameters
        ----------
        table
            ``schema.name`` of a table with positions, also of your own.
        margin
            With the rows near the borders of partitions: the right side of a cross-match needs them to be complete. The
            service makes them when they are first asked for.
        options
            For `lsdb.open_catalog`: ``columns``, ``filters``, ``search_filter`` ...

        Raises
        ------
        NotFoundError
            If there is no such table, or it has no files of this kind: a view, a table without positions.
        ForbiddenError
            If you may read only some of its rows: a query gives those; or if files are not given out there.
        MissingExtraError
            If LSDB is not installed.
        """
        try:
            lsdb: Any = import_module("lsdb")  # an extra, which takes seconds to load
        except ImportError:
            raise MissingExtraError("lsdb", "lsdb") from None
        found: Any = self.transport.get_json(f"/api/tables/{table}/files", {"margin": str(margin).lower()})
        here = found["path"] is not None and Path(found["path"]).is_dir()
        options["path"] = found["path"] if here else found["hats"]
        headers = self.transport.authorization()
        sent = {"client_kwargs": {"headers": headers}} if headers and not here else {}
        if margin:
            opened_by: Any = import_module(
                "hats.io.file_io"
            )  # LSDB passes its options on to the catalogue alone
            options["margin_cache"] = opened_by.get_upath(found["margin_path" if here else "margin"], **sent)
        opened: Catalog = lsdb.open_catalog(storage_options=sent, **options)
        return opened
