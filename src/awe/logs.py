"""The log of a process: lines for people, or JSON for programs, on standard error.

A line in JSON has ``at`` (UTC), ``level``, ``logger`` and ``message``; ``request`` where it is about one, under the
number that its answer has in ``X-Request-Id``; ``error`` with the trace of a fault; and what a logger says with
``extra={"fields": {...}}``.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from awe.settings import Settings

__all__ = ["JsonLines", "configure"]


class JsonLines(logging.Formatter):
    """One JSON object a line.

    Parameters
    ----------
    request
        Says the number of the request that is answered now; empty outside of one.
    """

    def __init__(self, request: Callable[[], str]) -> None:
        super().__init__()
        self._request = request

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := self._request():
            line["request"] = number
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        line.update(getattr(record, "fields", {}))
        return json.dumps(line, ensure_ascii=True, default=str)


def configure(settings: Settings, request: Callable[[], str] = str) -> None:
    """Write this process's log as the settings say; whatever was set up before is replaced.

    Parameters
    ----------
    request
        As for `JsonLines`.
    """
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(JsonLines(request))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
