"""What administrators look at and do of what is other people's.

Their role opens what people asked for and the jobs that do it, so that they can help. It is written down in the audit
log whenever it was the role that opened it, and not the owner: then their own things, and what was shared with them,
make no lines.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from awe.services.identity.audit import AuditLog
from awe.services.identity.model import READ, Identity
from awe.services.identity.policy import Policy
from awe.services.identity.stores.grants import Resource

__all__ = ["HelpLog"]

_ONCE_S = 60.0
_KEPT = 1000


class HelpLog:
    """Write lines of the audit log for what the role of an administrator opened.

    Parameters
    ----------
    policy
        What else opens it.
    audit
        Where the lines go.
    clock
        Counts seconds.
    """

    def __init__(self, policy: Policy, audit: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._audit = audit
        self._clock = clock
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, identity: Identity, action: str, resource: Resource) -> None:
        """Write that somebody did something: ``KIND.seen`` for `READ`, else ``KIND.changed``.

        One act asks several times whether it is allowed, and a page is asked for again and again: within a minute
        they are one line.
        """
        if not self._policy.by_role(identity, action, resource):
            return
        what = f"{resource.kind}.{'seen' if action == READ else 'changed'}"
        if self._is_new((identity.name, what, resource.name)):
            target = f"{resource.kind}:{resource.name}"
            self._audit.record(what, user=identity.name, target=target, owner=resource.owner)

    def note_list(self, identity: Identity, kind: str, owners: Iterable[str]) -> None:
        """Write that somebody saw a list of things of others: ``KIND.listed``, with their names."""
        names = ", ".join(sorted(set(owners) - {"", identity.name}))
        if identity.is_administrator and names and self._is_new((identity.name, f"{kind}.listed", names)):
            self._audit.record(f"{kind}.listed", user=identity.name, owners=names)

    def _is_new(self, act: tuple[str, str, str]) -> bool:
        now = self._clock()
        with self._lock:
            told = self._told.pop(act, float("-inf"))
            is_new = now - told >= _ONCE_S
            self._told[act] = now if is_new else told
            if len(self._told) > _KEPT:
                self._told.popitem(last=False)
        return is_new
