"""What the answers to a request say of the datasets in them: where their links are, and who cuts them."""

from collections.abc import Mapping

from awe.core.tables import Schema
from awe.core.tables.formats import VOTableOptions
from awe.core.vo import links, soda
from awe.core.vo.datalink import Element
from awe.web.http import Call

__all__ = ["cutouts_of", "links_url", "soda_url", "with_links"]


def with_links(call: Call, schema: Schema, options: VOTableOptions, *, cut: bool = True) -> VOTableOptions:
    """Return the options of an answer with the descriptors that lead from its rows to links and cutouts."""
    return links.with_links(call.base_url, schema, options, cut=cut)


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
    return links.links_url(call.base_url)


def soda_url(call: Call) -> str:
    """Return where cutouts are."""
    return links.soda_url(call.base_url)
