"""Service descriptors: how a document tells a client what it can ask about its rows (DataLink 1.1 section 4)."""

from collections.abc import Iterable
from dataclasses import dataclass

from awe.core.vo._xml import Element, node
from awe.core.vo.params import Param

__all__ = ["Input", "descriptor"]


@dataclass(frozen=True, slots=True)
class Input:
    """An input parameter of a service as its descriptor shows it.

    Attributes
    ----------
    param
        Its declaration.
    ref
        ``ID`` attribute of the FIELD that holds its values.
    value
        The one value that it has here.
    low, high
        Ends of what gives results, in the notation of the parameter (``MIN`` and ``MAX``).
    options
        What it can be, where that is a short list.
    """

    param: Param[object]
    ref: str = ""
    value: str = ""
    low: str = ""
    high: str = ""
    options: tuple[str, ...] = ()

    def to_element(self) -> Element:
        """Return the PARAM."""
        param = self.param
        attributes = {
            "name": param.name,
            "datatype": param.datatype,
            "arraysize": param.size or None,
            "unit": param.unit or None,
            "ucd": param.ucd or None,
            "xtype": param.xtype or None,
            "ref": self.ref or None,
            "value": self.value,
        }
        return node("vot:PARAM", attributes, node("vot:DESCRIPTION", None, param.description), self._values())

    def _values(self) -> Element | None:
        ends = [node(f"vot:{tag}", {"value": v}) for tag, v in (("MIN", self.low), ("MAX", self.high)) if v]
        listed = [node("vot:OPTION", {"value": option}) for option in self.options]
        return node("vot:VALUES", None, *ends, *listed) if ends or listed else None


def descriptor(
    name: str,
    access_url: str,
    standard_id: str,
    inputs: Iterable[Input],
    *,
    description: str,
    content_type: str,
    identifier: str = "",
    of_itself: bool = False,
) -> Element:
    """Return the RESOURCE that describes a service.

    Parameters
    ----------
    name
        A short name, for people.
    access_url, standard_id
        Where it is, and the standard that it follows.
    inputs
        What it takes.
    description
        What it does.
    content_type
        Media type of its answers.
    identifier
        XML ID of the descriptor, where rows refer to it.
    of_itself
        Whether the service that answers describes itself (section 4.4).
    """
    said = {"accessURL": access_url, "standardID": standard_id, "contentType": content_type}
    return node(
        "vot:RESOURCE",
        {
            "ID": identifier or None,
            "type": "meta",
            "utype": "adhoc:this" if of_itself else "adhoc:service",
            "name": name,
        },
        node("vot:DESCRIPTION", None, description),
        *(
            node("vot:PARAM", {"name": word, "datatype": "char", "arraysize": "*", "value": value})
            for word, value in said.items()
        ),
        node("vot:GROUP", {"name": "inputParams"}, *(one.to_element() for one in inputs)),
    )
