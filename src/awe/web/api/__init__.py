"""awe's own JSON API, for its page and its client; its description is at ``/api/openapi.json``."""

from awe.web.api._router import router
from awe.web.api.openapi import describe

__all__ = ["describe", "router"]
