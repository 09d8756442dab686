"""What every answer says of the datasets in it: where their links are, and who cuts them.

The one place where service descriptors are put together (DataLink 1.1 section 4, SODA 1.0 section 4). A table has
datasets when one of its columns holds publisher DIDs, whatever a query called that column: it is known by its utype.
"""

from collections.abc import Mapping
from dataclasses import replace

from awe.core.tables import Schema
from awe.core.tables.formats import VOTableOptions
from awe.core.vo import datalink, soda
from awe.core.vo._xml import Element

__all__ = ["cutouts_of", "links_url", "with_links"]

_DID_UTYPES = ("curation.publisherdid", "plane.publisherid")
_FIELD_ID = "publisher_did"
_FORMAT_OF_ROW = "ssa:access.format"
"""Rows of SSA are files, of which a dataset has one in each format; elsewhere a row is a dataset."""
_CUTTERS = ((soda.STANDARD_ID, "/soda/sync", "cutout"), (soda.ASYNC_ID, "/soda/async", "cutout_job"))
"""Standard, path and name. pyvo 1.9 sorts links by what stands in them: by name the answer at once comes first."""


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
    column = next((c.name for c in schema if c.utype.lower().endswith(_DID_UTYPES)), None)
    if column is None:
        return options
    ids = {column: _FIELD_ID, **options.ids}
    media_type = next((c.name for c in schema if c.utype.lower() == _FORMAT_OF_ROW), "")
    found = [datalink.descriptor(links_url(base_url), ids[column], ids.get(media_type, ""))]
    if cut:
        found += (soda.descriptor(base_url + path, standard, ids[column]) for standard, path, _ in _CUTTERS)
    return replace(options, ids=ids, resources=(*options.resources, *found))


def cutouts_of(base_url: str, row: Mapping[str, object], number: int) -> dict[str, Element]:
    """Return the descriptors of the services that cut one dataset, by the XML ID of each.

    Parameters
    ----------
    row
        The dataset's row of the index.
    number
        Of the dataset in the document.
    """
    return {
        (identifier := f"{name}_{number}"): soda.dataset_descriptor(
            base_url + path, standard, identifier, row
        )
        for standard, path, name in _CUTTERS
    }


def links_url(base_url: str) -> str:
    """Return where links are."""
    return f"{base_url}/datalink/links"
