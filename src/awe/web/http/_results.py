"""What a job made, as an answer."""

from pathlib import Path

from starlette.responses import FileResponse

from awe.services.jobs import Result

__all__ = ["result_response"]

_PACKED = ".gz"


def result_response(result: Result, path: Path) -> FileResponse:
    """Return a result of a job; ranges of bytes can be asked for.

    Parameters
    ----------
    path
        Where it is.
    """
    name = result.file.removesuffix(_PACKED)
    packed = {"Content-Encoding": "gzip"} if name != result.file else {}
    headers = {"X-Awe-Overflow": "true" if result.overflow else "false", **packed}
    return FileResponse(path, media_type=result.media_type, filename=name, headers=headers)
