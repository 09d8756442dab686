"""Share: let a user, a group, everybody or whoever holds a link do something with what is yours."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from awe.errors import AuthenticationError, ForbiddenError, NotFoundError, ParameterError
from awe.services.identity._secrets import digest, new_secret
from awe.services.identity.audit import AuditLog
from awe.services.identity.model import PUBLISH, READ, SHARE, Identity
from awe.services.identity.policy import Policy
from awe.services.identity.principals import EVERYBODY, LINK, checked_principal
from awe.services.identity.stores import GrantStore
from awe.services.identity.stores.grants import Grant, Resource

__all__ = ["ShareService"]

_LONGEST_DAYS = 3660
_LONGEST_LABEL = 100
Find = Callable[[str, Identity], Resource]
"""From a name to the resource that a caller may see; raises `NotFoundError`."""


class ShareService:
    """Give and take back grants; every one is recorded.

    What can be shared, other services tell it (`offer`).

    Parameters
    ----------
    store
        The grants.
    policy
        Who may share what.
    audit
        Where it is recorded.
    now
        The moment it is.
    """

    def __init__(
        self,
        store: GrantStore,
        policy: Policy,
        audit: AuditLog,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._policy = policy
        self._audit = audit
        self._now = now
        self._kinds: dict[str, tuple[Find, frozenset[str]]] = {}

    def offer(self, kind: str, find: Find, actions: frozenset[str] = frozenset({READ})) -> None:
        """Let resources of a kind be shared.

        Parameters
        ----------
        find
            Finds one by its name.
        actions
            What others can be allowed to do with it.
        """
        self._kinds[kind] = (find, actions)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What can be shared."""
        return tuple(sorted(self._kinds))

    def resource(self, kind: str, name: str, caller: Identity) -> Resource:
        """Return a resource that the caller may see.

        Raises
        ------
        ParameterError
            If nothing of this kind can be shared.
        NotFoundError
            If there is none that the caller may see.
        """
        if kind not in self._kinds:
            raise ParameterError("kind", kind, "cannot be shared", hint=f"one of {', '.join(self.kinds)}")
        return self._kinds[kind][0](name, caller.finding)

    def share(
        self,
        caller: Identity,
        kind: str,
        name: str,
        principal: str,
        *,
        action: str = READ,
        days: float | None = None,
        by: str = "",
    ) -> Grant:
        """Let somebody do something with a resource.

        Parameters
        ----------
        principal
            ``user:NAME``, ``group:NAME``, ``role:NAME`` or ``everybody``.
        days
            So long; for good when None.
        by
            Who is recorded as acting; the caller's name when empty.

        Raises
        ------
        NotFoundError
            If there is no such resource that the caller may see, or no such user, group or role.
        ForbiddenError
            If the caller may not share it, or the token does not allow to offer it to everybody.
        ParameterError
            If the principal, the action or the time cannot be used.
        """
        resource = self._to_share(caller, kind, name, action)
        if checked_principal(principal) == EVERYBODY and PUBLISH not in caller.scopes:
            raise ForbiddenError(f"the token lacks the scope {PUBLISH}", scope=PUBLISH)
        if not self._store.is_known(principal):
            raise NotFoundError(f"there is no {principal}")
        made = self._made(by or caller.name, resource, action, principal, days)
        self._store.add(made)
        self._record("grant.made", by or caller.name, made)
        return made

    def link(
        self,
        caller: Identity,
        kind: str,
        name: str,
        *,
        days: float,
        label: str = "",
        by: str = "",
    ) -> tuple[str, Grant]:
        """Let whoever holds a key read a resource.

        Returns
        -------
        The key, which is shown once, and the grant.

        Raises
        ------
        NotFoundError, ForbiddenError, ParameterError
            As `share`.
        """
        resource = self._to_share(caller, kind, name, READ)
        if len(label) > _LONGEST_LABEL or not (label.isprintable() or not label):
            raise ParameterError("label", label, f"up to {_LONGEST_LABEL} printable characters are possible")
        made = self._made(by or caller.name, resource, READ, "", days)
        made = replace(made, principal=f"{LINK}:{made.id}", label=label)
        key = new_secret()
        self._store.add(made, digest(key))
        self._record("grant.made", by or caller.name, made)
        return key, made

    def revoke(self, caller: Identity, grant_id: str, *, by: str = "") -> None:
        """Take a grant back: who gave it can, and who may share the resource.

        Raises
        ------
        NotFoundError
            If there is no such grant that the caller can take back.
        ForbiddenError
            If it is what the description says that the resource was published with.
        """
        grant = self._store.grant(grant_id)
        if grant is None or not self._may_revoke(caller, grant):
            raise NotFoundError(f"there is no grant {grant_id!r} that you can take back")
        if grant.is_declared:
            raise ForbiddenError(
                f"the {grant.kind} {grant.name} is published so", hint="publish it again with other readers"
            )
        self._store.drop(grant_id)
        self._record("grant.revoked", by or caller.name, grant)

    def of(self, caller: Identity, kind: str, name: str) -> tuple[Grant, ...]:
        """Return who may do what with a resource, for those who may share it.

        Raises
        ------
        NotFoundError, ForbiddenError, ParameterError
            As `share`.
        """
        resource = self._to_share(caller, kind, name, READ)
        now = self._now()
        return tuple(grant for grant in self._store.of(resource) if grant.is_good(now))

    def given(self, caller: Identity) -> tuple[Grant, ...]:
        """Return what the caller granted and is good."""
        now = self._now()
        return tuple(g for g in self._store.by(caller.name) if g.is_good(now)) if caller.name else ()

    def received(self, caller: Identity) -> tuple[Grant, ...]:
        """Return what people granted to the caller, or to a group or role of the caller, and is good."""
        now = self._now()
        mine = caller.principals - {EVERYBODY}
        return tuple(g for g in self._store.to(mine) if g.is_good(now))

    def visitor(self, key: str) -> Identity | None:
        """Return who comes with the key of a link, if the link is good: nobody known, who may read one thing."""
        grant = self._store.link(digest(key), self._now())
        return Identity("", scopes=frozenset({READ}), link=grant.id) if grant else None

    def opened(self, caller: Identity) -> Grant:
        """Return what the link that the caller came by grants; `AuthenticationError` if there is none."""
        grant = self._store.grant(caller.link) if caller.link else None
        if grant is None or not grant.is_good(self._now()):
            raise AuthenticationError("the link is not known, was taken back or has ended")
        return grant

    def _to_share(self, caller: Identity, kind: str, name: str, action: str) -> Resource:
        resource = self.resource(kind, name, caller)
        actions = self._kinds[kind][1]
        if not resource.owner:
            actions &= {READ}  # administrators look after it
        if action not in actions:
            hint = f"possible: {', '.join(sorted(actions))}"
            raise ParameterError("action", action, f"cannot be granted on a {kind}", hint=hint)
        self._policy.check(caller, SHARE, resource)
        return resource

    def _may_revoke(self, caller: Identity, grant: Grant) -> bool:
        if grant.by and grant.by == caller.name and SHARE in caller.scopes:
            return True
        try:
            resource = self.resource(grant.kind, grant.name, caller)
        except (NotFoundError, ForbiddenError):
            return False
        return self._policy.allowed(caller, SHARE, resource)

    def _made(self, by: str, resource: Resource, action: str, principal: str, days: float | None) -> Grant:
        if days is not None and not 0 < days <= _LONGEST_DAYS:
            raise ParameterError("days", days, f"more than 0 and at most {_LONGEST_DAYS} days are possible")
        now = self._now()
        expires = None if days is None else now + timedelta(days=days)
        return Grant(secrets.token_hex(8), resource.kind, resource.key, action, principal, by, now, expires)

    def _record(self, what: str, by: str, grant: Grant) -> None:
        until = {"until": grant.expires.isoformat()} if grant.expires else {}
        self._audit.record(
            what,
            user=by,
            target=f"{grant.kind}:{grant.name}",
            grant=grant.id,
            allows=grant.action,
            to=grant.principal,
            outcome="done",
            **until,
        )
