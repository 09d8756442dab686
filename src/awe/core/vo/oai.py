"""OAI-PMH 2.0 (2015-01-08) as a publishing registry speaks it (Registry Interfaces 1.1 section 2).

A request is a verb and its arguments; an answer, an error too, is a document with HTTP status 200. A list that is long
comes in parts: the *resumption token* says where the next one begins and holds all that is needed, so that nothing is
kept between requests. Records are listed by the time of their last change; what changes while somebody reads the list
comes again at its end.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from awe.core.vo._xml import NAMESPACES, Element, document, node
from awe.core.vo.registry import utc

__all__ = [
    "DC",
    "PAGE",
    "SET",
    "VERBS",
    "VOR",
    "Element",
    "Header",
    "OaiError",
    "Request",
    "Window",
    "answer",
    "failure",
    "identity",
    "metadata_formats",
    "one",
    "parse",
    "sets",
    "some",
]

PAGE = 100
"""Records of one answer."""

SET = "ivo_managed"
"""The set of the records that originate here (Registry Interfaces 1.1 section 2.3)."""

VOR, DC = "ivo_vor", "oai_dc"
_FORMATS = {
    VOR: (NAMESPACES["ri"], NAMESPACES["ri"]),
    DC: (NAMESPACES["oai_dc"], "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"),
}
_DAY, _SECOND = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_LIST = ("metadataPrefix", "from", "until", "set", "resumptionToken")

VERBS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), ("resumptionToken",)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
    "ListIdentifiers": (("metadataPrefix",), _LIST),
    "ListRecords": (("metadataPrefix",), _LIST),
}
"""The verbs, the arguments each needs, and those that it may have besides (section 4)."""


class OaiError(Exception):
    """A request that OAI-PMH has a word for (section 3.6).

    Parameters
    ----------
    code
        The word: ``badArgument``.
    message
        For people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Window:
    """Which records a list has, and behind which one it goes on.

    Attributes
    ----------
    prefix
        Format of the metadata.
    since, until
        Times of the last change, both included.
    after
        Time and identifier of the last record of the part before.
    seen
        Records of the parts before.
    """

    prefix: str
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    seen: int = 0

    def holds(self, changed: datetime, ivoid: str) -> bool:
        """Tell whether a record belongs into the list, or what is left of it."""
        return (
            (self.since is None or changed >= self.since)
            and (self.until is None or changed <= self.until)
            and (self.after is None or (changed, ivoid) > self.after)
        )

    def to_token(self) -> str:
        """Return the window as a resumption token."""
        last = [utc(self.after[0]), self.after[1]] if self.after else None
        said = [self.prefix, *(utc(t) if t else None for t in (self.since, self.until)), last, self.seen]
        return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> "Window":
        """Read a resumption token; `OaiError` if it is not one of ours."""
        try:
            padded = token + "=" * (-len(token) % 4)
            prefix, since, until, last, seen = json.loads(base64.urlsafe_b64decode(padded.encode()))
            after = (_moment(last[0]), str(last[1]))
            window = cls(prefix, since and _moment(since), until and _moment(until), after, int(seen))
        except (ValueError, TypeError, IndexError, KeyError, binascii.Error, RecursionError):
            raise OaiError("badResumptionToken", "this is not a resumption token of this registry") from None
        if prefix not in _FORMATS:
            raise OaiError("badResumptionToken", "this is not a resumption token of this registry")
        return window


@dataclass(frozen=True, slots=True)
class Request:
    """A request that could be understood; `window` is there for lists of records."""

    verb: str
    arguments: Mapping[str, str]
    window: Window | None = None


def parse(pairs: Sequence[tuple[str, str]]) -> Request:
    """Read a request.

    Raises
    ------
    OaiError
        With the word of the standard for what is wrong.
    """
    verbs = [value for name, value in pairs if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise OaiError("badVerb", f"verb is one of {', '.join(VERBS)}, given once")
    verb = verbs[0]
    arguments: dict[str, str] = {}
    needed, allowed = VERBS[verb]
    for name, value in pairs:
        if name == "verb":
            continue
        if name not in (*needed, *allowed):
            raise OaiError("badArgument", f"{verb} has no argument {name}")
        if name in arguments:
            raise OaiError("badArgument", f"{name} is given twice")
        arguments[name] = value
    if "resumptionToken" in arguments:
        return _resumed(verb, arguments)
    for name in needed:
        if not arguments.get(name):
            raise OaiError("badArgument", f"{verb} needs {name}")
    prefix = arguments.get("metadataPrefix", VOR)
    if prefix not in _FORMATS:
        raise OaiError("cannotDisseminateFormat", f"the formats are {', '.join(_FORMATS)}")
    window = _window(prefix, arguments) if verb in {"ListRecords", "ListIdentifiers"} else None
    return Request(verb, arguments, window)


def _resumed(verb: str, arguments: Mapping[str, str]) -> Request:
    if len(arguments) > 1:
        raise OaiError("badArgument", "beside resumptionToken there is no other argument")
    if verb == "ListSets":
        raise OaiError("badResumptionToken", "the list of sets comes in one part")
    return Request(verb, arguments, Window.from_token(arguments["resumptionToken"]))


def _window(prefix: str, arguments: Mapping[str, str]) -> Window:
    given = {name: arguments[name] for name in ("from", "until") if name in arguments}
    by_day = {name: bool(_DAY.fullmatch(value)) for name, value in given.items()}
    for name, value in given.items():
        if not by_day[name] and not _SECOND.fullmatch(value):
            raise OaiError("badArgument", f"{name}={value} is not like 2026-01-31 or 2026-01-31T12:00:00Z")
    if len(set(by_day.values())) > 1:
        raise OaiError("badArgument", "from and until have to be of the same granularity")
    try:
        since = _moment(given["from"]) if "from" in given else None
        until = _moment(given["until"]) if "until" in given else None
    except ValueError:
        raise OaiError("badArgument", "from or until is not a date of the calendar") from None
    if since and until and since > until:
        raise OaiError("badArgument", "from is later than until")
    if until and by_day["until"]:
        until += timedelta(days=1, seconds=-1)
    if arguments.get("set", SET) != SET:
        raise OaiError("noRecordsMatch", f"the only set is {SET}")
    return Window(prefix, since, until)


def _moment(text: str) -> datetime:
    form = "%Y-%m-%d" if _DAY.fullmatch(text) else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Header:
    """What a list says of each record."""

    ivoid: str
    changed: datetime
    deleted: bool


def _header(said: Header) -> Element:
    """Return the header of a record (section 2.5)."""
    return node(
        "oai:header",
        {"status": "deleted" if said.deleted else None},
        node("oai:identifier", None, said.ivoid),
        node("oai:datestamp", None, utc(said.changed)),
        node("oai:setSpec", None, SET),
    )


def some(
    request: Request,
    headers: Sequence[Header],
    metadata: Callable[[Header, str], Element],
) -> Element:
    """Return a part of a list: of headers, or of whole records.

    Parameters
    ----------
    request
        With its window.
    headers
        All records, by time of their last change and identifier.
    metadata
        Returns what is told of a record that is not gone, in a format.

    Raises
    ------
    OaiError
        If nothing is in the window.
    """
    window = request.window
    assert window is not None  # noqa: S101  # `parse` gave the request one
    left = [one for one in headers if window.holds(one.changed, one.ivoid)]
    if not left:
        raise OaiError("noRecordsMatch", "no record has changed in that time")
    shown = left[:PAGE]
    children = (
        _header(one) if request.verb == "ListIdentifiers" else _whole(one, window.prefix, metadata)
        for one in shown
    )
    return node(f"oai:{request.verb}", None, *children, _token(window, shown, len(left)))


def one(said: Header, prefix: str, metadata: Callable[[Header, str], Element]) -> Element:
    """Return the answer to GetRecord."""
    return node("oai:GetRecord", None, _whole(said, prefix, metadata))


def _whole(said: Header, prefix: str, metadata: Callable[[Header, str], Element]) -> Element:
    """Return a record with its metadata; one that is gone has none."""
    told = None if said.deleted else node("oai:metadata", None, metadata(said, prefix))
    return node("oai:record", None, _header(said), told)


def _token(window: Window, shown: Sequence[Header], left: int) -> Element | None:
    """Return the resumption token: none where all fits into one part, an empty one in the last of several."""
    attributes = {"completeListSize": str(window.seen + left), "cursor": str(window.seen)}
    if len(shown) < left:
        last = (shown[-1].changed, shown[-1].ivoid)
        going_on = replace(window, after=last, seen=window.seen + len(shown))
        return node("oai:resumptionToken", attributes, going_on.to_token())
    return node("oai:resumptionToken", attributes) if window.after else None


def identity(name: str, address: str, email: str, earliest: datetime, registry: Element) -> Element:
    """Return the answer to Identify, with the registry's own record (Registry Interfaces 1.1 section 2.2)."""
    return node(
        "oai:Identify",
        None,
        node("oai:repositoryName", None, name),
        node("oai:baseURL", None, address),
        node("oai:protocolVersion", None, "2.0"),
        node("oai:adminEmail", None, email),
        node("oai:earliestDatestamp", None, utc(earliest)),
        node("oai:deletedRecord", None, "persistent"),
        node("oai:granularity", None, "YYYY-MM-DDThh:mm:ssZ"),
        node("oai:description", None, registry),
    )


def metadata_formats() -> Element:
    """Return the answer to ListMetadataFormats."""
    formats = (
        node(
            "oai:metadataFormat",
            None,
            node("oai:metadataPrefix", None, prefix),
            node("oai:schema", None, schema),
            node("oai:metadataNamespace", None, namespace),
        )
        for prefix, (namespace, schema) in _FORMATS.items()
    )
    return node("oai:ListMetadataFormats", None, *formats)


def sets() -> Element:
    """Return the answer to ListSets."""
    name = node("oai:setName", None, "Records that originate from this registry")
    return node("oai:ListSets", None, node("oai:set", None, node("oai:setSpec", None, SET), name))


def answer(request: Request, address: str, body: Element) -> bytes:
    """Return the document that answers a request."""
    return _document(address, {"verb": request.verb, **request.arguments}, body)


def failure(error: OaiError, address: str, pairs: Sequence[tuple[str, str]]) -> bytes:
    """Return the document that says what is wrong with a request (section 3.6)."""
    # of what could not be read, nothing is repeated
    said = {} if error.code in {"badVerb", "badArgument"} else dict(pairs)
    return _document(address, said, node("oai:error", {"code": error.code}, str(error)))


def _document(address: str, said: Mapping[str, str], body: Element) -> bytes:
    location = f"{NAMESPACES['oai']} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
    root = node(
        "oai:OAI-PMH",
        {"xsi:schemaLocation": location},
        node("oai:responseDate", None, utc(datetime.now(UTC))),
        node("oai:request", dict(said), address),
        body,
        prefixes={"oai": NAMESPACES["oai"], "xsi": NAMESPACES["xsi"]},
    )
    return document(root)
