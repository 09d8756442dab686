"""The one policy: who may read, write, share, run and publish what.

Something is allowed to an administrator, to the owner, and to whom a *grant* allows it. Nothing else is: what nobody
was granted is closed. A token allows no more than its scopes, which are named like the actions. `permits` says it for
one resource, `Policy.visible` says the same as a condition of SQL; a test finds that the two agree.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from awe.errors import ConflictError, ForbiddenError, InputFileError, NotFoundError
from awe.services.identity.model import ADMINISTRATOR, READ, Identity
from awe.services.identity.stores import GrantStore
from awe.services.identity.stores.grants import Grant, Resource
from awe.services.system import Condition, Connection, SqlValue

__all__ = ["Names", "Policy", "permits"]


def permits(
    identity: Identity, action: str, resource: Resource, grants: Iterable[Grant], now: datetime
) -> bool:
    """Return whether a caller may do something with a resource.

    Parameters
    ----------
    action
        `READ`, `WRITE`, `SHARE`, `RUN` or `PUBLISH`.
    grants
        Those of the resource, good or not.
    """
    if action not in identity.scopes:
        return False
    if identity.is_administrator or (resource.owner and resource.owner == identity.name):
        return True
    return any(
        grant.gives(action) and grant.is_good(now) and grant.principal in identity.principals
        for grant in grants
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """Ask what a caller may.

    Parameters
    ----------
    grants
        Who was allowed what.
    now
        The moment it is.
    """

    grants: GrantStore
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def allowed(self, identity: Identity, action: str, resource: Resource) -> bool:
        """Return whether a caller may do something with a resource."""
        return permits(identity, action, resource, self.grants.of(resource), self.now())

    def by_role(self, identity: Identity, action: str, resource: Resource) -> bool:
        """Return whether a caller may do something with what is somebody else's only because he is an administrator."""
        if not (identity.is_administrator and resource.owner):
            return False
        plain = replace(identity, roles=identity.roles - {ADMINISTRATOR})
        return self.allowed(identity, action, resource) and not self.allowed(plain, action, resource)

    def check(self, identity: Identity, action: str, resource: Resource) -> None:
        """Refuse what a caller may not do with a resource.

        Raises
        ------
        NotFoundError
            If the caller may not even know that it is there.
        ForbiddenError
            If the caller may read it, and not do this.
        """
        grants, now = self.grants.of(resource), self.now()
        if permits(identity, action, resource, grants, now):
            return
        if not permits(identity, READ, resource, grants, now):
            raise NotFoundError(f"there is no {resource.kind} {resource.name}, or none that you may see")
        raise ForbiddenError(f"you may not {action} the {resource.kind} {resource.name}")

    def visible(
        self,
        identity: Identity,
        kind: str,
        *,
        name: SqlValue,
        owner: SqlValue | None = None,
        action: str = READ,
    ) -> Condition:
        """Return the condition of SQL that holds for what a caller may do something with.

        Parameters
        ----------
        name, owner
            The columns with the names and, if they have owners, the owners' names.
        """
        return self.grants.visible(identity, kind, name=name, owner=owner, action=action, now=self.now())

    def names(self, identity: Identity, kind: str, action: str = READ) -> "Names":
        """Return the names of what is allowed to a caller, of a kind that has no owners."""
        if action not in identity.scopes:
            return Names(frozenset())
        if identity.is_administrator:
            return Names(None)
        return Names(self.grants.names(identity, kind, action, self.now()))

    def granted(self, identity: Identity, kind: str, action: str = READ) -> frozenset[str]:
        """Return the names, in lower case, of what was granted to a caller; the role of an administrator opens nothing.

        For what is people's own, and administrators look after only when they are asked to.
        """
        if action not in identity.scopes:
            return frozenset()
        return self.grants.names(identity, kind, action, self.now())

    def next_end(self) -> datetime | None:
        """Return when the next grant ends by itself; None where none will."""
        return self.grants.next_end(self.now())

    def declare(
        self, kind: str, name: str, readers: Iterable[str] | None, *, file: Path | None
    ) -> Callable[[Connection], None]:
        """Return what writes down, in the transaction it is called in, who may read what is published.

        What was granted besides, by people, stays.

        Parameters
        ----------
        readers
            Principals, with their prefix or without it; everybody when None.
        file
            The description that names them; without one, what was declared before stays.

        Raises
        ------
        InputFileError
            If a name means nobody who is there, or several.
        """
        try:
            known = None if readers is None else [self.grants.resolved(reader) for reader in readers]
        except ConflictError as error:
            raise InputFileError(file, error.message, where=f"[{kind}] readers", hint=error.hint) from None
        return lambda connection: self.grants.declare(
            connection, kind, name, known, self.now(), keep=file is None
        )

    def forget(self, kind: str, name: str) -> Callable[[Connection], None]:
        """Return what takes back all that was granted on something that goes, in the transaction it is called in."""
        return lambda connection: self.grants.forget(connection, kind, name)

    def rename(self, kind: str, old: str, new: str) -> Callable[[Connection], None]:
        """Return what lets all that was granted on something hold under its new name, in the transaction it is called in."""
        return lambda connection: self.grants.rename(connection, kind, old, new)


@dataclass(frozen=True, slots=True)
class Names:
    """A set of names, ignoring case; None stands for all names."""

    only: frozenset[str] | None

    def __contains__(self, name: str) -> bool:
        return self.only is None or name.casefold() in self.only
