"""Which format an answer has: what a parameter names, else what Accept names, else VOTable; whether gzip packs it."""

from math import isnan

from awe.core.tables.formats import FORMATS, Format, format_for
from awe.errors import ParameterError

__all__ = ["chosen_format", "takes_gzip"]

_ANY = frozenset({"*/*", "application/*", "text/*", "text/html", "application/xhtml+xml", "application/xml"})


def chosen_format(
    named: str | None, accept: str = "", *, parameter: str = "RESPONSEFORMAT"
) -> tuple[Format, str]:
    """Return the format of an answer and its content type.

    Parameters
    ----------
    named
        The value of RESPONSEFORMAT, if any: a media type or a short name; the caller gets this type back.
    accept
        The Accept header; what it names and we do not have is passed over, as browsers name much.
    parameter
        What the caller knows `named` by, for the error.

    Raises
    ------
    ParameterError
        If `named` is not offered; it says what is.
    """
    if named:
        form = _named(named, parameter)
        return form, _content_type(form, named)
    for part in accept.split(","):
        wanted = part.strip()
        if wanted and wanted.partition(";")[0] not in _ANY:
            try:
                return format_for(wanted.partition(";q=")[0]), wanted.partition(";q=")[0]
            except ParameterError:
                continue
    form = FORMATS["votable"]
    return form, form.media_types[0]


def _named(named: str, parameter: str) -> Format:
    try:
        return format_for(named)
    except ParameterError as error:
        raise ParameterError(parameter, named, "no such format", hint=error.hint) from None


def _content_type(form: Format, named: str) -> str:
    """Return the media type that was named, as the format spells it; a short name is none ("votable/td")."""
    spelt = {media_type.lower(): media_type for media_type in form.media_types}
    asked = spelt.get(named.lower(), "")
    return asked if asked.startswith(("application/", "text/", "image/")) else form.media_types[0]


def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether an Accept-Encoding header lets an answer be packed with gzip (RFC 9110 section 12.5.3).

    What is named counts before ``*``; a weight that is none refuses, as the plain answer is always right.
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, _, rest = part.partition(";")
        weights[name.strip()] = _weight(rest)
    given = [weights[name] for name in ("gzip", "x-gzip", "*") if name in weights]
    return bool(given) and given[0] > 0


def _weight(parameters: str) -> float:
    name, _, value = parameters.replace(" ", "").partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name == "q" else 0.0
    except ValueError:
        return 0.0
    return 0.0 if isnan(weight) else weight
