"""What every answer says of the datasets in it: where their links are, and who cuts them.

The one place where service descriptors come from. A table has datasets when one of its columns holds publisher DIDs,
whatever the query called that column: it is known by its utype.
"""

from collections.abc import Mapping
from dataclasses import replace

from awe.core.tables import Schema
from awe.core.tables.formats import VOTableOptions
from awe.core.vo import datalink, soda
from awe.core.vo.datalink import Element
from awe.web.http import Call

__all__ = ["cutouts_of", "links_url", "soda_url", "with_links"]

_DID_UTYPE = "curation.publisherdid"
_FIELD_ID = "publisher_did"
_FORMAT_OF_ROW = "ssa:access.format"
"""Rows of SSA are files, of which a dataset has one in each format; elsewhere a row is a dataset."""


def with_links(call: Call, schema: Schema, options: VOTableOptions, *, cut: bool = True) -> VOTableOptions:
    """Return the options of an answer with the descriptors that lead from its rows to links and cutouts.

    Parameters
    ----------
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
    found = [datalink.descriptor(links_url(call), ids[column], ids.get(media_type, ""))]
    if cut:
        found.append(soda.descriptor(soda_url(call), ids[column]))
    return replace(options, ids=ids, resources=(*options.resources, *found))


def cutouts_of(call: Call, row: Mapping[str, object], number: int) -> dict[str, Element]:
    """Return the descriptors of the services that cut one dataset, by the XML ID of each.

    Parameters
    ----------
    row
        The dataset's row of the index.
    number
        Of the dataset in the document.
    """
    identifier = f"soda_sync_{number}"
    return {identifier: soda.dataset_descriptor(soda_url(call), identifier, row)}


def links_url(call: Call) -> str:
    """Return where links are."""
    return f"{call.base_url}/datalink/links"


def soda_url(call: Call) -> str:
    """Return where cutouts are."""
    return f"{call.base_url}/soda/sync"
