"""What is missing or wrong in what an archive publishes: findings, each with what to do about it.

`RULES` are pure functions of what the archive holds (`Archive`); `CheckService` gathers that and applies them.
"""

from awe.services.checks.model import Archive, Files, Finding, Severity
from awe.services.checks.rules import RULES, findings
from awe.services.checks.service import CheckService

__all__ = ["RULES", "Archive", "CheckService", "Files", "Finding", "Severity", "findings"]
