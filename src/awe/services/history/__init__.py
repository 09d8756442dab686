"""What people asked: every query of everyone known, also those that failed.

`HistoryService` remembers each one while it runs and after it: its text, where it came in, how long it took, how
many rows it gave, what went wrong. Whoever runs queries begins a `Recording`; jobs tell by themselves how they are.
Callers without an account leave nothing behind.
"""

from awe.services.history.model import ASKED, Entry
from awe.services.history.recording import Recording
from awe.services.history.service import HistoryService
from awe.services.history.store import HistoryStore

__all__ = ["ASKED", "Entry", "HistoryService", "HistoryStore", "Recording"]
