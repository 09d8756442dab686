"""The tables of RegTAP 1.2 section 8 and their columns, as a list: name, type, utype, and what it holds."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["COLUMNS", "KEYS", "TABLES", "Told"]


class Told(NamedTuple):
    """One column; `kind` is the standard's word for its type."""

    name: str
    kind: str
    utype: str
    description: str
    unit: str = ""
    xtype: str = ""


TABLES: Mapping[str, tuple[str, str]] = {
    "resource": ("xpath:/", "The resources: services, tables, collections, the organisation."),
    "res_role": ("", "People and organisations, and what they are to a resource."),
    "res_subject": ("xpath:/content/", "What a resource is about."),
    "capability": ("xpath:/capability/", "What a resource can do."),
    "res_schema": ("xpath:/tableset/schema/", "The schemas of a resource's tables."),
    "res_table": ("xpath:/(tableset/schema/|)table/", "The tables of a resource."),
    "table_column": ("xpath:/(tableset/schema/|)/table/column/", "The columns of the tables."),
    "interface": ("xpath:/capability/interface/", "Where and how a capability is used."),
    "intf_param": ("xpath:/capability/interface/param/", "The parameters of an interface."),
    "relationship": ("xpath:/content/relationship/", "How resources belong together."),
    "validation": ("xpath:/(capability/|)validationLevel", "Whether somebody has looked at a resource."),
    "res_date": ("xpath:/curation/", "Dates in the life of a resource."),
    "res_detail": ("", "Further statements about a resource, by their place in its record."),
    "alt_identifier": ("xpath:/(curation/creator/|)altIdentifier", "DOIs and other identifiers."),
    "stc_spatial": ("xpath:/coverage/spatial", "Which part of the sky a resource covers."),
    "stc_temporal": ("xpath:/coverage/temporal", "Which times a resource covers."),
    "stc_spectral": ("xpath:/coverage/spectral", "Which energies a resource covers."),
    "tap_table": ("", "The tables that can be queried, each once."),
}
"""Utype and description of each table."""

_IVOID = "ivoid|string|xpath:/identifier|the resource"
_TYPED = (
    "ucd|string|xpath:ucd|its UCD",
    "unit|string|xpath:unit|its unit",
    "utype|string|xpath:utype|its utype",
    "std|integer|xpath:@std|1: a standard defines it",
    "datatype|string|xpath:dataType|type of its values",
    "extended_schema|string|xpath:dataType/@extendedSchema|where extended_type is defined",
    "extended_type|string|xpath:dataType/@extendedType|its VOTable xtype",
    "arraysize|string|xpath:dataType/@arraysize|shape of its values, as in VOTable",
    "delim|string|xpath:dataType/@delim|what stands between the elements of an array",
)

_LINES: Mapping[str, tuple[str, ...]] = {
    "resource": (
        "ivoid|string|xpath:identifier|IVOA identifier",
        "res_type|string|xpath:@xsi:type|kind of resource",
        "created|moment|xpath:@created|when its record was first written, UTC",
        "short_name|string|xpath:shortName|name of at most 16 characters",
        "res_title|string|xpath:title|full name",
        "updated|moment|xpath:@updated|when its record last changed, UTC",
        "content_level|string|xpath:content/contentLevel|for whom, separated by #",
        "res_description|string|xpath:content/description|what it is",
        "reference_url|string|xpath:content/referenceURL|page to read about it",
        "creator_seq|string|xpath:curation/creator/name|who made it, in order, separated by semicolons",
        "content_type|string|xpath:content/type|what it is of, separated by #",
        "source_format|string|xpath:content/source/@format|what kind of reference source_value is",
        "source_value|string|xpath:content/source|publication it is taken from",
        "res_version|string|xpath:curation/version|version of the data",
        "region_of_regard|real|xpath:coverage/regionOfRegard|by how much to widen a search for it|deg",
        "waveband|string|xpath:coverage/waveband|parts of the spectrum, separated by #",
        "rights|string|xpath:/rights|conditions of use",
        "rights_uri|string|xpath:/rights/@rightsURI|address of the licence",
    ),
    "res_role": (
        _IVOID,
        "role_name|string||name of the person or organisation",
        "role_ivoid|string||its IVOA identifier",
        "street_address|string||its postal address",
        "email|string||its electronic mail",
        "telephone|string||its telephone number",
        "logo|string||address of its logo",
        "base_role|string||contact, publisher, contributor or creator",
    ),
    "res_subject": (_IVOID, "res_subject|string|xpath:subject|a keyword"),
    "capability": (
        _IVOID,
        "cap_index|integer||number of the capability within the resource",
        "cap_type|string|xpath:@xsi:type|type of the capability",
        "cap_description|string|xpath:description|what it is for",
        "standard_id|string|xpath:@standardID|standard that it follows",
    ),
    "res_schema": (
        _IVOID,
        "schema_index|integer||number of the schema within the resource",
        "schema_description|string|xpath:description|what it holds",
        "schema_name|string|xpath:name|its name",
        "schema_title|string|xpath:title|its title",
        "schema_utype|string|xpath:utype|its utype",
    ),
    "res_table": (
        _IVOID,
        "schema_index|integer||number of its schema",
        "table_description|string|xpath:description|what it holds",
        "table_name|string|xpath:name|its name, as it is written in a query",
        "table_index|integer||number of the table within the resource",
        "table_title|string|xpath:title|its title",
        "table_type|string|xpath:@type|base_table, view or output",
        "table_utype|string|xpath:utype|its utype",
    ),
    "table_column": (
        _IVOID,
        "table_index|integer||number of the table",
        "name|string|xpath:name|name of the column",
        *_TYPED,
        "type_system|string|xpath:dataType/@xsi:type|whose words datatype is in",
        "flag|string|xpath:flag|indexed and other traits, separated by #",
        "column_description|string|xpath:description|what it holds",
    ),
    "interface": (
        _IVOID,
        "cap_index|integer||number of its capability",
        "intf_index|integer||number of the interface within the resource",
        "intf_type|string|xpath:@xsi:type|type of the interface",
        "intf_role|string|xpath:@role|std: the one that the standard prescribes",
        "std_version|string|xpath:@version|version of the standard",
        "query_type|string|xpath:queryType|get and post, separated by #",
        "result_type|string|xpath:resultType|media type of the answers",
        "wsdl_url|string|xpath:wsdlURL|address of a WSDL document",
        "url_use|string|xpath:accessURL/@use|full, base or dir: how the address is completed",
        "access_url|string|xpath:accessURL|its address",
        "mirror_url|string|xpath:mirrorURL|further addresses, separated by #",
        "authenticated_only|integer||1: only those who log in are served",
    ),
    "intf_param": (
        _IVOID,
        "intf_index|integer||number of the interface",
        "name|string|xpath:name|name of the parameter",
        *_TYPED,
        "param_use|string|xpath:@use|required, optional or ignored",
        "param_description|string|xpath:description|what it says",
    ),
    "relationship": (
        _IVOID,
        "relationship_type|string|xpath:relationshipType|what the other is to this one",
        "related_id|string|xpath:relatedResource/@ivo-id|the other resource",
        "related_name|string|xpath:relatedResource|its name",
    ),
    "validation": (
        _IVOID,
        "validated_by|string|xpath:validationLevel/@validatedBy|who has looked",
        "val_level|integer|xpath:validationLevel|0 to 4: how good it was found",
        "cap_index|integer||number of the capability that was looked at",
    ),
    "res_date": (
        _IVOID,
        "date_value|moment|xpath:date|a date, UTC",
        "value_role|string|xpath:date/@role|what happened then",
    ),
    "res_detail": (
        _IVOID,
        "cap_index|integer||number of the capability it belongs to",
        "detail_xpath|string||place in the record",
        "detail_value|string||what stands there",
    ),
    "alt_identifier": (_IVOID, "alt_identifier|string||identifier of the resource elsewhere, as a URI"),
    "stc_spatial": (
        _IVOID,
        "coverage|moc|xpath:.|part of the sky, a MOC in ASCII",
        "ref_system_name|string|xpath:@frame|null: ICRS",
    ),
    "stc_temporal": (
        _IVOID,
        "time_start|real|xpath:.|begin of an interval, MJD|d",
        "time_end|real|xpath:.|its end, MJD|d",
    ),
    "stc_spectral": (
        _IVOID,
        "spectral_start|real|xpath:.|lowest energy of an interval|J",
        "spectral_end|real|xpath:.|highest energy of it|J",
    ),
    "tap_table": (
        "resid|string||resource that tells most of the table",
        "svcid|string||resource of the service that can query it",
        "table_name|string|xpath:name|its name, as it is written in a query",
        "table_title|string|xpath:title|its title",
        "table_description|string|xpath:description|what it holds",
        "table_utype|string|xpath:utype|its utype",
    ),
}
_XTYPES = {"moment": "timestamp", "moc": "moc"}


def _told(line: str) -> Told:
    name, kind, utype, description, *unit = line.split("|")
    return Told(
        name, "string" if kind in _XTYPES else kind, utype, description, "".join(unit), _XTYPES.get(kind, "")
    )


COLUMNS: Mapping[str, tuple[Told, ...]] = {name: tuple(map(_told, lines)) for name, lines in _LINES.items()}
"""The columns of each table, in the order of the standard."""

_RESOURCE = (("ivoid", "ivoid"),)
_TO_RESOURCE = ("resource", _RESOURCE)
KEYS: Mapping[str, tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = {
    **{name: (_TO_RESOURCE,) for name in TABLES if name not in {"resource", "tap_table"}},
    "table_column": (("res_table", (*_RESOURCE, ("table_index", "table_index"))),),
    "interface": (("capability", (*_RESOURCE, ("cap_index", "cap_index"))),),
    "intf_param": (("interface", (*_RESOURCE, ("intf_index", "intf_index"))),),
}
"""Which table refers to which other one, and by which columns."""
