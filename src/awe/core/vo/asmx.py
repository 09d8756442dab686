"""The plain XML in which services written in ASP.NET answer: one value, or a list of records.

CasJobs' older interface is one; its clients read the elements by their names and know no namespace.
"""

from collections.abc import Iterable, Mapping

from awe.core.vo._xml import document, node

__all__ = ["records", "scalar"]


def scalar(kind: str, value: str) -> bytes:
    """Return the document of one value, such as ``<int>5</int>``."""
    return document(node(kind, None, value))


def records(root: str, item: str, rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return the document of a list; an empty value has no element, since clients expect text in each."""
    made = (
        node(item, None, *(node(name, None, value) for name, value in row.items() if value)) for row in rows
    )
    return document(node(root, None, *made))
