"""Every error a user of awe can meet.

The tree (code, HTTP status)::

    AweError
    ├── UsageError            usage            400   the request cannot be understood or carried out
    │   ├── ParameterError    bad_parameter    400   one parameter is wrong: which, what was given, why
    │   ├── PositionError     bad_position     400   a position, radius or region is not on the sky
    │   ├── QueryError        bad_query        400   SQL: line, column, the reason
    │   │   ├── QuerySyntaxError  bad_syntax       400   the text is not in the language
    │   │   ├── UnknownNameError  unknown_name     400   no such table, column or function: did you mean
    │   │   └── NotOfferedError   not_offered      400   understood, and refused: says what to use instead
    │   └── InputFileError    bad_file         400   a file given to us: file, line or HDU, the reason
    ├── AuthenticationError   not_authenticated 401  who are you
    ├── ForbiddenError      forbidden        403   you are known, and may not
    ├── NotFoundError         not_found        404   no such thing, or none that you may see
    ├── ConflictError         conflict         409   it exists already, or changed meanwhile
    ├── LimitError            limit            413   too many rows, bytes or megabytes of memory
    │   ├── RateLimitError    rate_limit       429   too many tries in a short time: when to try again
    │   │   └── QuotaError        quota            429   as much as the caller may use: of what, how much, until when
    │   └── TimeLimitError    time_limit       408   it took longer than it may
    ├── CancelledError        cancelled        409   somebody asked it to stop
    ├── UnavailableError      unavailable      503   something we need is not there now
    │   ├── BusyError         busy             503   too many ask at once: when to try again
    │   └── MissingExtraError missing_extra    503   an optional package is not installed: which extra
    └── ServiceError          internal         500   a fault of ours

Codes and statuses are stable: clients may depend on them. The client raises the class that the
service raised (`from_json`). This module imports nothing of awe.
"""

from collections.abc import Mapping
from typing import ClassVar, Self

__all__ = [
    "AuthenticationError",
    "AweError",
    "BusyError",
    "CancelledError",
    "ConflictError",
    "ForbiddenError",
    "InputFileError",
    "LimitError",
    "MissingExtraError",
    "NotFoundError",
    "NotOfferedError",
    "ParameterError",
    "PositionError",
    "QueryError",
    "QuerySyntaxError",
    "QuotaError",
    "RateLimitError",
    "ServiceError",
    "TimeLimitError",
    "UnavailableError",
    "UnknownNameError",
    "UsageError",
]


class AweError(Exception):
    """The root: a message for people, a code and fields for programs.

    Parameters
    ----------
    message
        What is wrong, in one sentence, with the value that was given.
    hint
        What to do about it.
    fields
        Details for programs (JSON values), such as ``line`` and ``column``.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    request: str = ""
    """The number of the request that failed, as the log of the service has it; of errors that a service answered."""

    def __init__(self, message: str, *, hint: str | None = None, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields: dict[str, object] = {k: v for k, v in fields.items() if v is not None}

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def to_json(self) -> dict[str, object]:
        """Return the error as the JSON object that every face of awe's own API answers."""
        body: dict[str, object] = {"code": self.code, "message": self.message}
        if self.hint:
            body["hint"] = self.hint
        if self.fields:
            body["fields"] = self.fields
        if self.request:
            body["request"] = self.request
        return {"error": body}

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> "AweError":
        """Rebuild the error that `to_json` wrote; an unknown code becomes a `ServiceError`."""
        inner = body.get("error")
        if not isinstance(inner, Mapping):
            return ServiceError("the service answered an error without a description")
        kind = _by_code().get(str(inner.get("code")), ServiceError)
        return kind._rebuild(inner)  # noqa: SLF001  # a class method of this very tree

    @classmethod
    def _rebuild(cls, inner: Mapping[str, object]) -> Self:
        error = cls.__new__(cls)
        fields = inner.get("fields")
        hint = inner.get("hint")
        AweError.__init__(error, str(inner.get("message", "")), hint=str(hint) if hint else None)
        if isinstance(fields, Mapping):
            error.fields = {str(k): v for k, v in fields.items()}
        error.request = str(inner.get("request", ""))
        return error


def _by_code() -> dict[str, type[AweError]]:
    found: dict[str, type[AweError]] = {}
    todo: list[type[AweError]] = [AweError]
    while todo:
        kind = todo.pop()
        found[kind.code] = kind
        todo.extend(kind.__subclasses__())
    return found


class UsageError(AweError):
    """The request cannot be understood or carried out as it is."""

    code = "usage"
    status = 400


_LONGEST_VALUE = 200
"""Characters of a wrong value that an error repeats: it may be a list of ten thousand positions."""


class ParameterError(UsageError):
    """One parameter of a request or call is wrong.

    Parameters
    ----------
    name
        The parameter as its caller spells it.
    value
        What was given.
    reason
        Why it cannot be used.
    """

    code = "bad_parameter"

    def __init__(self, name: str, value: object, reason: str, *, hint: str | None = None) -> None:
        given = str(value)
        if len(given) > _LONGEST_VALUE:
            given = f"{given[:_LONGEST_VALUE]}..."
        shown = f"{name}={given}:" if given else name
        super().__init__(f"{shown} {reason}", hint=hint, name=name, value=given)


class PositionError(UsageError):
    """A position, radius or region is not on the sky."""

    code = "bad_position"


class QueryError(UsageError):
    """A query is wrong at a place in its text.

    Parameters
    ----------
    line, column
        Where, counted from one; None where the text has no such place.
    """

    code = "bad_query"

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, hint: str | None = None
    ) -> None:
        where = f"line {line}, column {column}: " if line is not None else ""
        super().__init__(where + message, hint=hint, line=line, column=column)


class QuerySyntaxError(QueryError):
    """The text is not in the query language."""

    code = "bad_syntax"


class UnknownNameError(QueryError):
    """A table, column or function does not exist, or not for this caller."""

    code = "unknown_name"


class NotOfferedError(QueryError):
    """Understood, and not offered here."""

    code = "not_offered"


class InputFileError(UsageError):
    """A file given to awe cannot be used.

    Parameters
    ----------
    file
        The file's name.
    where
        The place inside it: ``line 12``, ``HDU 3``, ``row 4711, column ra``.
    """

    code = "bad_file"

    def __init__(
        self, file: object, reason: str, *, where: str | None = None, hint: str | None = None
    ) -> None:
        place = f"{file}, {where}" if where else f"{file}"
        super().__init__(f"{place}: {reason}", hint=hint, file=str(file), where=where)


class AuthenticationError(AweError):
    """The caller is not known: no credentials, or wrong or expired ones."""

    code = "not_authenticated"
    status = 401


class ForbiddenError(AweError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403


class NotFoundError(AweError):
    """There is no such thing, or none that the caller may see."""

    code = "not_found"
    status = 404


class ConflictError(AweError):
    """It exists already, or changed meanwhile."""

    code = "conflict"
    status = 409


class LimitError(AweError):
    """A result or an upload is larger than the operator allows."""

    code = "limit"
    status = 413


class RateLimitError(LimitError):
    """Too many tries in a short time."""

    code = "rate_limit"
    status = 429


class QuotaError(RateLimitError):
    """The caller uses as much as is allowed.

    Parameters
    ----------
    message
        What there is too much of.
    measure
        Name of what is counted.
    limit, used
        How much is allowed, and how much is used.
    retry_after
        Seconds after which it helps to try again; None where time alone does not help.
    hint
        What helps, and who can allow more.
    """

    code = "quota"

    def __init__(
        self,
        message: str,
        *,
        measure: str,
        limit: int,
        used: int,
        retry_after: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, measure=measure, limit=limit, used=used, retry_after=retry_after)


class TimeLimitError(LimitError):
    """The work took longer than it may."""

    code = "time_limit"
    status = 408


class CancelledError(AweError):
    """Somebody asked the work to stop."""

    code = "cancelled"
    status = 409


class UnavailableError(AweError):
    """Something that the service needs is not there now."""

    code = "unavailable"
    status = 503


class BusyError(UnavailableError):
    """Too many ask at once.

    Parameters
    ----------
    message
        What there is too much of.
    retry_after
        Seconds after which to try again.
    """

    code = "busy"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message, hint=f"try again in {retry_after} s", retry_after=retry_after)


class MissingExtraError(UnavailableError):
    """An optional package is not installed.

    Parameters
    ----------
    package
        What could not be imported.
    extra
        The extra of awe that brings it.
    """

    code = "missing_extra"

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs {package}, which is not installed",
            hint=f"pip install 'awe[{extra}]'",
            package=package,
            extra=extra,
        )


class ServiceError(AweError):
    """A fault of ours."""

    code = "internal"
    status = 500
