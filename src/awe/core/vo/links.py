"""What a table states of the datasets in it: where their links are, and who cuts them.

The one place where the service descriptors of tables come from. A table has datasets when one of its columns holds
publisher DIDs, whatever the query called that column: it is known by its utype.
"""

from dataclasses import replace

from awe.core.tables import Schema
from awe.core.tables.formats import VOTableOptions
from awe.core.vo import datalink, soda

__all__ = ["links_url", "soda_url", "with_links"]

_DID_UTYPE = "curation.publisherdid"
_FIELD_ID = "publisher_did"
_FORMAT_OF_ROW = "ssa:access.format"
"""Rows of SSA are files, of which a dataset has one in each format; elsewhere a row is a dataset."""


def with_links(base_url: str, schema: Schema, options: VOTableOptions, *, cut: bool = True) -> VOTableOptions:
    """Return the options of an answer with the descriptors that lead from its rows to links and cutouts.

    Parameters
    ----------
    base_url
        Address of the archive.
    schema
        The columns of the answer.
    options
        What it says otherwise.
    cut
        Whether its rows are of a kind that can be cut.
    """
    column = next((c.name for c in schema if c.utype.lower().endswith(_DID_UTYPE)), None)
    if column is None:
        return options
    ids = {column: _FIELD_ID, **options.ids}
    media_type = next((c.name for c in schema if c.utype.lower() == _FORMAT_OF_ROW), "")
    found = [datalink.descriptor(links_url(base_url), ids[column], ids.get(media_type, ""))]
    if cut:
        found.append(soda.descriptor(soda_url(base_url), ids[column]))
    return replace(options, ids=ids, resources=(*options.resources, *found))


def links_url(base_url: str) -> str:
    """Return where links are."""
    return f"{base_url}/datalink/links"


def soda_url(base_url: str) -> str:
    """Return where cutouts are."""
    return f"{base_url}/soda/sync"
