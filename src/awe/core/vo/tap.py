"""Table Access Protocol 1.1 (REC 2019-09-27): its parameters and what it says of itself.

The capability is that of TAPRegExt 1.0 (REC 2012-08-27): query languages with their optional features,
output formats, limits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from awe.core.vo import dali
from awe.core.vo._xml import Element, node
from awe.core.vo.params import Param, Params, text

__all__ = ["FEATURES", "LANG", "PARAMS", "QUERY", "STANDARD_ID", "LanguageFeature", "OutputFormat", "details"]

STANDARD_ID = "ivo://ivoa.net/std/TAP"
FEATURES = "ivo://ivoa.net/std/TAPRegExt#features-"
"""Types of language features begin with this (ADQL 2.1 section 4)."""

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
PARAMS = Params(LANG, QUERY, dali.MAXREC, dali.RESPONSEFORMAT, dali.FORMAT, dali.REQUEST)


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
    seconds: float,
    data_models: Mapping[str, str],
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
        Time limit of a query.
    data_models
        Name to IVOA identifier of the data models that tables follow.
    """
    return [
        *(node("dataModel", {"ivo-id": ivoid}, name) for name, ivoid in data_models.items()),
        _adql(features),
        *(_output(output) for output in formats),
        node("executionDuration", None, *_limits(seconds, seconds, None)),
        node("outputLimit", None, *_limits(default_rows, rows, "row")),
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
        node("languageFeatures", {"type": FEATURES + kind}, *(_feature(feature) for feature in listed))
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
