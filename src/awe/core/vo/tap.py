"""Table Access Protocol 1.1 (REC 2019-09-27): its parameters and what it says of itself.

The capability is that of TAPRegExt 1.0 (REC 2012-08-27): query languages with their optional features,
output formats, limits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from awe.core.vo import dali
from awe.core.vo._xml import NAMESPACES, Element, document, node
from awe.core.vo.params import Param, Params, text

__all__ = [
    "FEATURES",
    "LANG",
    "LANGUAGES",
    "OPTIONAL_FUNCTIONS",
    "PARAMS",
    "QUERY",
    "STANDARD_ID",
    "SYNTAX",
    "Example",
    "LanguageFeature",
    "OutputFormat",
    "details",
    "examples_document",
]

STANDARD_ID = "ivo://ivoa.net/std/TAP"
FEATURES = "ivo://ivoa.net/std/TAPRegExt#features-"
"""Types of language features begin with this (TAPRegExt 1.0 section 2.3, in its spelling)."""

_SPELT_BY_ADQL = {"adql-conditional": "ivo://ivoa.net/std/tapregext#features-adql-conditional"}
"""Features that came with ADQL 2.1 after validators had made their list of TAPRegExt's. IVOA identifiers ignore
case: in ADQL's own spelling (section 4.10.1) stilts 3.4 takes it for a custom feature, in the other for an error."""

_UPLOAD_METHOD = "ivo://ivoa.net/std/TAPRegExt#upload-"
_ADQL_VERSIONS = ("2.0", "2.1")

LANGUAGES: Mapping[str, str] = {"ADQL": "adql", "ADQL-2.0": "adql", "ADQL-2.1": "adql"}
"""LANG values and the dialect of each."""


def _language(given: str) -> str:
    found = LANGUAGES.get(given.upper())
    if found is None:
        raise ValueError(f"is not a query language of this service ({', '.join(LANGUAGES)})")
    return found


LANG: Param[str] = Param("LANG", _language, "Query language", values=tuple(LANGUAGES), example="ADQL")
QUERY: Param[str] = Param(
    "QUERY", text, "The query", required=True, example="SELECT TOP 10 * FROM tap_schema.tables"
)
PARAMS = Params(
    LANG, QUERY, dali.MAXREC, dali.RESPONSEFORMAT, dali.FORMAT, dali.REQUEST, dali.UPLOAD,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LanguageFeature:
    """One optional feature of ADQL: ``kind`` is the part of its type behind `FEATURES`."""

    kind: str
    form: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A format that RESPONSEFORMAT may name."""

    media_type: str
    aliases: tuple[str, ...] = ()


def details(
    features: Iterable[LanguageFeature],
    formats: Sequence[OutputFormat],
    *,
    default_rows: int,
    rows: int,
    seconds: tuple[float, float],
    days: tuple[float, float],
    data_models: Mapping[str, str],
    upload_methods: Iterable[str],
    upload_bytes: int,
) -> list[Element]:
    """Return the elements of a ``tr:TableAccess`` capability, behind its interface.

    Parameters
    ----------
    features
        Optional language features, as the compiler offers them.
    formats
        Output formats, the default one first.
    default_rows, rows
        Row limit when the request names none, and at the most.
    seconds
        Time that a job may take, when it asks for none and at the most.
    days
        Time that a job is kept, likewise.
    data_models
        Name to IVOA identifier of the data models that tables follow.
    upload_methods
        Ways in which tables come with a query: ``inline``, ``http``, ``https``.
    upload_bytes
        Size of an uploaded table at the most.
    """
    return [
        *(node("dataModel", {"ivo-id": ivoid}, name) for name, ivoid in data_models.items()),
        _adql(features),
        *(_output(output) for output in formats),
        *(node("uploadMethod", {"ivo-id": _UPLOAD_METHOD + method}) for method in upload_methods),
        node("retentionPeriod", None, *_limits(86_400 * days[0], 86_400 * days[1], None)),
        node("executionDuration", None, *_limits(*seconds, None)),
        node("outputLimit", None, *_limits(default_rows, rows, "row")),
        node("uploadLimit", None, *_limits(upload_bytes, upload_bytes, "byte")),
    ]


def _adql(features: Iterable[LanguageFeature]) -> Element:
    by_kind: dict[str, list[LanguageFeature]] = {}
    for feature in features:
        by_kind.setdefault(feature.kind, []).append(feature)
    versions = (
        node("version", {"ivo-id": f"ivo://ivoa.net/std/ADQL#v{version}"}, version)
        for version in _ADQL_VERSIONS
    )
    lists = (
        node(
            "languageFeatures",
            {"type": _SPELT_BY_ADQL.get(kind, FEATURES + kind)},
            *(_feature(feature) for feature in listed),
        )
        for kind, listed in by_kind.items()
    )
    return node("language", None, node("name", None, "ADQL"), *versions, *lists)


def _feature(feature: LanguageFeature) -> Element:
    about = node("description", None, feature.description) if feature.description else None
    return node("feature", None, node("form", None, feature.form), about)


def _output(output: OutputFormat) -> Element:
    aliases = (node("alias", None, alias) for alias in output.aliases)
    return node("outputFormat", None, node("mime", None, output.media_type), *aliases)


def _limits(default: float, hard: float, unit: str | None) -> tuple[Element, Element]:
    attributes = {"unit": unit}
    return (
        node("default", attributes, str(int(default))),
        node("hard", attributes, str(int(hard))),
    )


OPTIONAL_FUNCTIONS: Mapping[str, str] = {
    "LOWER": "adql-string",
    "UPPER": "adql-string",
    "COALESCE": "adql-conditional",
    "IN_UNIT": "adql-unit",
}
"""Functions that ADQL 2.1 section 4 leaves to services, and the feature each belongs to."""

SYNTAX: tuple[tuple[str, str], ...] = (
    ("adql-string", "ILIKE"),
    ("adql-common-table", "WITH"),
    ("adql-sets", "UNION"),
    ("adql-sets", "EXCEPT"),
    ("adql-sets", "INTERSECT"),
    ("adql-type", "CAST"),
    ("adql-offset", "OFFSET"),
)
"""Optional syntax of ADQL 2.1 section 4 that the compiler takes."""


@dataclass(frozen=True, slots=True)
class Example:
    """A query to begin with: an identifier, a title, ADQL, and the table it reads."""

    name: str
    title: str
    query: str
    table: str


def examples_document(examples: Iterable[Example]) -> bytes:
    """Return the document of ``/examples`` (DALI 1.1 section 2.3): XHTML with RDFa."""
    body = node(
        "xhtml:body",
        {"vocab": "http://www.ivoa.net/rdf/examples#"},
        node("xhtml:h1", None, "Examples"),
        *(_example(example) for example in examples),
    )
    head = node("xhtml:head", None, node("xhtml:title", None, "Examples of queries"))
    return document(node("xhtml:html", {"lang": "en"}, head, body, prefixes={None: NAMESPACES["xhtml"]}))


def _example(example: Example) -> Element:
    return node(
        "xhtml:div",
        {"id": example.name, "resource": f"#{example.name}", "typeof": "example"},
        node("xhtml:h2", {"property": "name"}, example.title),
        node("xhtml:p", None, "Table ", node("xhtml:em", {"property": "table"}, example.table)),
        node("xhtml:pre", {"property": "query"}, example.query),
    )
