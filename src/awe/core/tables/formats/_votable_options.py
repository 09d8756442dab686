"""What a protocol adds to the document it answers with: INFO, PARAM, GROUP, service descriptors, other UCDs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lxml.etree import _Element

__all__ = ["NO_OPTIONS", "VOTableOptions"]


@dataclass(frozen=True, slots=True)
class VOTableOptions:
    """What a protocol adds to a document; formats without a place for a statement leave it out.

    Attributes
    ----------
    infos
        (name, value, text) of INFO elements at the head of the results RESOURCE, after QUERY_STATUS.
    params, groups
        PARAM and GROUP elements of the TABLE, with or without namespace.
    head_params
        PARAM elements of the results RESOURCE, before its table (SSA 1.1 section 5.2).
    resources
        RESOURCE elements behind the results, such as service descriptors (DataLink 1.1 section 4).
    status
        QUERY_STATUS at the head (DALI 1.1 section 4.4.1); empty leaves it out.
    ucds
        Column name to the UCD written instead of its own: Simple Cone Search 1.03 and SIA 1.0 want UCD1
        words such as ``POS_EQ_RA_MAIN``.
    ids
        Column name to the XML ID of its FIELD, for the references of service descriptors and groups.
    description
        Of the results as a whole; the table brings its own.
    on_error
        What happens when the rows fail on their way: ``state`` ends the document well-formed with
        QUERY_STATUS ERROR, as an answer that has begun must; ``raise`` lets the error out, as a job wants.
    """

    infos: Sequence[tuple[str, str, str]] = ()
    params: Sequence[_Element] = ()
    groups: Sequence[_Element] = ()
    head_params: Sequence[_Element] = ()
    resources: Sequence[_Element] = ()
    status: str = "OK"
    ucds: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    on_error: Literal["state", "raise"] = "state"


NO_OPTIONS = VOTableOptions()
