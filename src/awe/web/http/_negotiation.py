"""Which format an answer has: what a parameter names, else what Accept names, else VOTable."""

from awe.core.tables.formats import FORMATS, Format, format_for
from awe.errors import ParameterError

__all__ = ["chosen_format"]

_ANY = frozenset({"*/*", "application/*", "text/*", "text/html", "application/xhtml+xml", "application/xml"})


def chosen_format(named: str | None, accept: str = "") -> tuple[Format, str]:
    """Return the format of an answer and its content type.

    Parameters
    ----------
    named
        The value of RESPONSEFORMAT, if any: a media type or a short name; the caller gets this type back.
    accept
        The Accept header; what it names and we do not have is passed over, as browsers name much.

    Raises
    ------
    ParameterError
        If `named` is not offered; it says what is.
    """
    if named:
        form = format_for(named)
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


def _content_type(form: Format, named: str) -> str:
    return named if "/" in named and named.lower() in form.media_types else form.media_types[0]
