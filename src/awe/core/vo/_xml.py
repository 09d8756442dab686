"""XML as values: elements are built, never pasted together from text.

The only module of `awe.core.vo` that knows lxml. An element is made by `node`, a document by
`document`; namespaces are written as in the standards, ``node("vosi:capabilities")``.
"""

from collections.abc import Mapping

from lxml import etree

__all__ = ["NAMESPACES", "Element", "comment", "document", "local_name", "node", "parsed", "set_attribute"]

Element = etree._Element  # noqa: SLF001  # lxml has no public name for the type of an element

NAMESPACES: Mapping[str, str] = {
    "vosi": "http://www.ivoa.net/xml/VOSICapabilities/v1.0",
    "vosia": "http://www.ivoa.net/xml/VOSIAvailability/v1.0",
    "vosit": "http://www.ivoa.net/xml/VOSITables/v1.0",
    "vs": "http://www.ivoa.net/xml/VODataService/v1.1",
    "vr": "http://www.ivoa.net/xml/VOResource/v1.0",
    "tr": "http://www.ivoa.net/xml/TAPRegExt/v1.0",
    "cs": "http://www.ivoa.net/xml/ConeSearch/v1.0",
    "sia": "http://www.ivoa.net/xml/SIA/v1.1",
    "ssap": "http://www.ivoa.net/xml/SSA/v1.1",
    "vg": "http://www.ivoa.net/xml/VORegistry/v1.0",
    "ri": "http://www.ivoa.net/xml/RegistryInterface/v1.0",
    "oai": "http://www.openarchives.org/OAI/2.0/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "esatapplus": "http://esa.int/xml/EsaTapPlus",
    "uws": "http://www.ivoa.net/xml/UWS/v1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "vot": "http://www.ivoa.net/xml/VOTable/v1.3",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
"""The prefixes awe writes. VODataService 1.2 and VOResource 1.1 keep the namespaces of their 1.1 and 1.0."""

_INVALID = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])


def node(
    tag: str,
    attributes: Mapping[str, str | None] | None = None,
    *children: "Element | str | None",
    prefixes: Mapping[str | None, str] | None = None,
) -> Element:
    """Return an element.

    Parameters
    ----------
    tag
        ``name`` or ``prefix:name``; the prefix is one of `NAMESPACES`.
    attributes
        Names in the same form; a value of None leaves the attribute out.
    children
        Elements, text, or None for nothing. Characters that XML 1.0 cannot hold are left out.
    prefixes
        Namespace declarations to stand at this element.
    """
    made = etree.Element(_qualified(tag), nsmap=dict(prefixes or {}) or None)  # type: ignore[arg-type]  # lxml takes None for the default
    for name, value in (attributes or {}).items():
        if value is not None:
            set_attribute(made, name, value)
    for child in children:
        if isinstance(child, str):
            _append_text(made, child.translate(_INVALID))
        elif child is not None:
            made.append(child)
    return made


def comment(text: str) -> Element:
    """Return a comment: what people who read a document should know, and its schema has no place for."""
    return etree.Comment(text.translate(_INVALID).replace("--", "- -"))


def set_attribute(element: Element, name: str, value: str) -> None:
    """Set an attribute; its name in the form that `node` takes."""
    element.set(_qualified(name), value.translate(_INVALID))


def document(root: Element) -> bytes:
    """Return the document of a root element, with declaration, in UTF-8."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def parsed(text: bytes) -> Element:
    """Return the root element of a document that somebody sent; nothing that it refers to is read.

    Raises
    ------
    ValueError
        If it is none.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from None


def local_name(element: Element) -> str:
    """Return an element's name without its namespace; empty for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _qualified(name: str) -> str:
    prefix, colon, local = name.rpartition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if colon else local
