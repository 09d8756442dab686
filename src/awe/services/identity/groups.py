"""Groups: make them, invite, join, leave, look after their members."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from awe.errors import AuthenticationError, ConflictError, ForbiddenError, NotFoundError, ParameterError
from awe.services.identity._names import NAME_HINT, is_name
from awe.services.identity._secrets import digest, new_secret
from awe.services.identity.audit import AuditLog
from awe.services.identity.model import Group, GroupRole, Identity, Invitation
from awe.services.identity.stores import AccountStore, GroupStore

__all__ = ["GroupService"]

_LONGEST_TITLE = 200
_LONGEST_DAYS = 90.0
_MOST_OWNED = 100
_RUNS = frozenset({GroupRole.OWNER, GroupRole.ADMINISTRATOR})


class GroupService:
    """Groups and invitations; every act is recorded.

    A group that somebody does not belong to is not there for them: neither its name nor its members can be learned.
    An administrator of the archive may do everything in every group.

    Parameters
    ----------
    store, accounts
        What is kept in the system database.
    audit
        Where it is recorded.
    now
        The moment it is.
    """

    def __init__(
        self,
        store: GroupStore,
        accounts: AccountStore,
        audit: AuditLog,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._audit = audit
        self._now = now

    # What there is

    def mine(self, caller: Identity) -> tuple[Group, ...]:
        """Return the groups that the caller belongs to, by name."""
        return self._store.groups(caller.name) if caller.name else ()

    def all(self) -> tuple[Group, ...]:
        """Return all groups, by name; whether the caller may see them is for the face to ask."""
        return self._store.groups()

    def group(self, caller: Identity, name: str) -> Group:
        """Return a group that the caller belongs to, an administrator any.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        found = self._store.group(name)
        if found is None or not (caller.is_administrator or (caller.name and found.role_of(caller.name))):
            raise NotFoundError(f"there is no group {name!r} that you belong to")
        return found

    # Life of a group

    def add(self, caller: Identity, name: str, title: str = "", *, by: str = "") -> Group:
        """Make a group; the caller owns it, nobody where the machine is commanded (`by`).

        Raises
        ------
        ParameterError
            If the name or the title cannot be used.
        ConflictError
            If the name is taken, by a user, a group or a role, also by one that is gone.
        ForbiddenError
            If the caller is not known, or owns very many groups.
        """
        owner = "" if by else self._known(caller)
        if not is_name(name):
            raise ParameterError("name", name, "not the name of a group", hint=NAME_HINT)
        _check_title(title)
        owned = sum(group.owner == owner for group in self.mine(caller))
        if owner and owned >= _MOST_OWNED and not caller.is_administrator:
            raise ForbiddenError(
                f"you own {owned} groups already", hint="remove one, or ask an administrator"
            )
        self._store.add(name, title, owner)
        self._record("group.added", by or owner, name)
        return self._there(name)

    def rename(self, caller: Identity, name: str, title: str, *, by: str = "") -> Group:
        """Give a group another title: for its owner and administrators.

        Raises
        ------
        NotFoundError, ForbiddenError, ParameterError
            As `remove_member`, and if the title cannot be used.
        """
        self._run(caller, name)
        _check_title(title)
        self._store.rename(name, title)
        self._record("group.changed", by or caller.name, name)
        return self._there(name)

    def remove(self, caller: Identity, name: str, *, by: str = "") -> None:
        """Remove a group for good, its owner can; its name stays taken, and what was shared with it is nobody's.

        Raises
        ------
        NotFoundError, ForbiddenError
            If the caller does not belong to it, or does not own it.
        """
        self._own(caller, name)
        self._store.remove(name)
        self._record("group.removed", by or caller.name, name)

    def give(self, caller: Identity, name: str, user: str, *, by: str = "") -> Group:
        """Make a member the owner; who was it becomes an administrator of the group.

        Raises
        ------
        NotFoundError, ForbiddenError
            As `remove`, and if the user does not belong to the group.
        """
        group = self._own(caller, name)
        if group.role_of(user) is None and not caller.is_administrator:
            raise NotFoundError(f"{user!r} does not belong to {name}", hint="invite them first")
        self._known_user(user)
        self._store.give(name, user)
        self._record("group.given", by or caller.name, name, to=user)
        return self._there(name)

    # Members

    def set_role(self, caller: Identity, name: str, user: str, role: GroupRole, *, by: str = "") -> Group:
        """Make a member an administrator of the group, or one a member again.

        Administrators of the archive can add whom they like.

        Raises
        ------
        NotFoundError
            If the user does not belong to the group.
        ForbiddenError
            If the caller may not, or the user is the owner.
        ParameterError
            If the role is the owner's: `give` does that.
        """
        group = self._run(caller, name)
        if role is GroupRole.OWNER:
            raise ParameterError("role", role, "is given by its owner", hint="give the group")
        has = group.role_of(user)
        if has is None and not caller.is_administrator:
            raise NotFoundError(f"{user!r} does not belong to {name}", hint="invite them")
        if has is GroupRole.OWNER:
            raise ForbiddenError(f"{user} owns {name}", hint="give the group to somebody else first")
        self._known_user(user)
        self._store.put_member(name, user, role)
        self._record("group.member", by or caller.name, name, member=user, role=role.value)
        return self._there(name)

    def remove_member(self, caller: Identity, name: str, user: str, *, by: str = "") -> None:
        """End a membership: one's own, or another's, for the owner and administrators of the group.

        Raises
        ------
        NotFoundError
            If there is no such group that the caller belongs to, or the user does not belong to it.
        ForbiddenError
            If the caller may not.
        ConflictError
            If the user owns the group, or a login provider says that the user belongs to it.
        """
        group = self.group(caller, name) if user == caller.name else self._run(caller, name)
        has = group.role_of(user)
        if has is None:
            raise NotFoundError(f"{user!r} does not belong to {name}")
        if has is GroupRole.OWNER:
            raise ConflictError(f"{user} owns {name}", hint="give the group to somebody else, or remove it")
        if self._store.drop_member(name, user):
            self._record("group.left", by or caller.name, name, member=user)
        sources = {one.source for one in group.members if one.user == user and one.source}
        if sources:
            raise ConflictError(
                f"{', '.join(sorted(sources))} says that {user} belongs to {name}",
                hint="it has to be changed there",
            )

    # Invitations

    def invite(
        self,
        caller: Identity,
        name: str,
        user: str = "",
        *,
        role: GroupRole = GroupRole.MEMBER,
        days: float = 14.0,
        by: str = "",
    ) -> tuple[str, Invitation]:
        """Invite a user, or whoever comes with a key, once: for the owner and administrators of the group.

        Returns
        -------
        The key, which is shown once; empty where a user is invited.

        Raises
        ------
        NotFoundError, ForbiddenError
            As `remove_member`, and if there is no such user.
        ParameterError
            If the role or the time cannot be used.
        ConflictError
            If the user belongs to the group already.
        """
        group = self._run(caller, name)
        if role is GroupRole.OWNER:
            raise ParameterError("role", role, "is given by its owner", hint="give the group")
        if not 0 < days <= _LONGEST_DAYS:
            raise ParameterError("days", days, f"more than 0 and at most {_LONGEST_DAYS:g} days are possible")
        if user:
            self._known_user(user)
            if group.role_of(user) is not None:
                raise ConflictError(f"{user} belongs to {name} already")
        now, who = self._now(), by or caller.name
        made = Invitation(secrets.token_hex(8), name, user, role, who, now, now + timedelta(days=days))
        key = "" if user else new_secret()
        self._store.invite(made, digest(key) if key else None)
        self._record("group.invited", who, name, invitation=made.id, member=user, role=role.value)
        return key, made

    def invitations(self, caller: Identity) -> tuple[Invitation, ...]:
        """Return the invitations to the caller, the newest first."""
        return self._store.invitations(self._now(), user=caller.name) if caller.name else ()

    def invited(self, caller: Identity, name: str) -> tuple[Invitation, ...]:
        """Return whom a group invites, for its owner and administrators; errors as `remove_member`."""
        self._run(caller, name)
        return self._store.invitations(self._now(), group=name)

    def accept(self, caller: Identity, invitation_id: str = "", *, key: str = "") -> Group:
        """Join a group by an invitation to the caller, or by the key of one.

        Raises
        ------
        NotFoundError
            If there is no such invitation, or it has ended.
        AuthenticationError
            If the caller is not known.
        """
        user = self._known(caller)
        made = self._invitation(caller, invitation_id, key)
        if not self._store.accept(made, user):
            raise NotFoundError("the invitation was used already or has ended", hint="ask for another one")
        self._record("group.joined", user, made.group, invitation=made.id, invited_by=made.by)
        return self._there(made.group)

    def decline(self, caller: Identity, invitation_id: str) -> None:
        """End an invitation: who is invited can, and the owner and administrators of the group.

        Raises
        ------
        NotFoundError
            If there is no such invitation.
        """
        made = self._store.invitation(invitation_id, self._now())
        if made is None or not (made.user == self._known(caller) or self._runs(caller, made.group)):
            raise NotFoundError(f"there is no invitation {invitation_id!r}")
        self._store.drop_invitation(invitation_id)
        self._record("group.declined", caller.name, made.group, invitation=made.id)

    # Inside

    def _invitation(self, caller: Identity, invitation_id: str, key: str) -> Invitation:
        now = self._now()
        if key:
            made = self._store.invitation_of(digest(key), now)
        else:
            made = self._store.invitation(invitation_id, now)
            made = made if made is not None and made.user == caller.name else None
        if made is None:
            raise NotFoundError("the invitation was used already or has ended", hint="ask for another one")
        return made

    def _run(self, caller: Identity, name: str) -> Group:
        group = self.group(caller, name)
        if not self._runs(caller, name):
            raise ForbiddenError(f"this is for the owner and the administrators of {name}")
        return group

    def _runs(self, caller: Identity, name: str) -> bool:
        group = self._store.group(name)
        return group is not None and (
            caller.is_administrator or bool(caller.name and group.role_of(caller.name) in _RUNS)
        )

    def _own(self, caller: Identity, name: str) -> Group:
        group = self.group(caller, name)
        if group.role_of(caller.name) is not GroupRole.OWNER and not caller.is_administrator:
            raise ForbiddenError(f"this is for the owner of {name}")
        return group

    def _there(self, name: str) -> Group:
        found = self._store.group(name)
        if found is None:
            raise NotFoundError(f"there is no group {name!r} any more")
        return found

    def _known_user(self, user: str) -> None:
        if self._accounts.identity(user) is None:
            raise NotFoundError(f"there is no user {user!r}")

    @staticmethod
    def _known(caller: Identity) -> str:
        if caller.is_anonymous:
            raise AuthenticationError("groups are for who is logged in", hint="awe login")
        return caller.name

    def _record(self, action: str, by: str, group: str, **details: str) -> None:
        self._audit.record(action, user=by, target=f"group:{group}", outcome="done", **details)


def _check_title(title: str) -> None:
    if len(title) > _LONGEST_TITLE or not (title.isprintable() or not title):
        raise ParameterError("title", title, f"up to {_LONGEST_TITLE} printable characters are possible")
