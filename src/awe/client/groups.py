"""Your groups, and invitations to join some."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from awe.client._base import ServiceClient

__all__ = ["Group", "GroupsClient", "Invitation"]


@dataclass(frozen=True, slots=True)
class Group:
    """A group.

    Attributes
    ----------
    role
        What you may do in it: owner, administrator or member; None if you do not belong to it.
    members
        Name of each user to what they may do in it.
    """

    name: str
    title: str
    owner: str
    role: str | None
    members: dict[str, str]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to a group.

    Attributes
    ----------
    user
        Who is invited; empty for whoever has the key.
    key
        Only where it was just made.
    """

    id: str
    group: str
    user: str
    role: str
    by: str
    expires: datetime
    key: str = field(default="", repr=False)


class GroupsClient(ServiceClient):
    """Groups of people to share with."""

    def groups(self) -> list[Group]:
        """Return the groups that you belong to."""
        found: Any = self.transport.get_json("/api/groups")
        return [_group(one) for one in found["groups"]]

    def group(self, name: str) -> Group:
        """Return a group; `NotFoundError` if you do not belong to it."""
        return _group(self.transport.get_json(f"/api/groups/{quote(name, safe='')}"))

    def new_group(self, name: str, title: str = "") -> Group:
        """Make a group, and own it.

        Raises
        ------
        ConflictError
            If a user, a group or a role has the name.
        """
        return _group(self.transport.post_json("/api/groups", {"name": name, "title": title}))

    def remove_group(self, name: str) -> None:
        """Remove a group of yours for good: its name stays taken, and what was shared with it is nobody's."""
        self._send("DELETE", f"/api/groups/{quote(name, safe='')}")

    def give_group(self, name: str, user: str) -> None:
        """Let another member own a group of yours."""
        self._send("PATCH", f"/api/groups/{quote(name, safe='')}", {"owner": user})

    def set_member_role(self, name: str, user: str, role: str) -> None:
        """Make a member an ``administrator`` of the group, or one a ``member`` again."""
        path = f"/api/groups/{quote(name, safe='')}/members/{quote(user, safe='')}"
        self._send("PUT", path, {"role": role})

    def remove_member(self, name: str, user: str) -> None:
        """End a membership: another's, or your own."""
        self._send("DELETE", f"/api/groups/{quote(name, safe='')}/members/{quote(user, safe='')}")

    def invite(self, name: str, user: str = "", *, role: str = "member", days: float = 14.0) -> Invitation:
        """Invite a user to a group, or whoever comes with the `key` of the answer, once.

        Raises
        ------
        ForbiddenError
            If you do not look after the group.
        NotFoundError
            If there is no such group that you belong to, or no such user.
        """
        body = {"user": user, "role": role, "days": days}
        return _invitation(self.transport.post_json(f"/api/groups/{quote(name, safe='')}/invitations", body))

    def invitations(self, group: str = "") -> list[Invitation]:
        """Return the invitations to you, or those of a group that you look after."""
        path = f"/api/groups/{quote(group, safe='')}/invitations" if group else "/api/invitations"
        found: Any = self.transport.get_json(path)
        return [_invitation(one) for one in found["invitations"]]

    def join(self, invitation: str) -> Group:
        """Join a group by the id of an invitation to you, or by the key of one.

        Raises
        ------
        NotFoundError
            If it is none, was used, or has ended.
        """
        if len(invitation) == _KEY_DIGITS:
            return _group(self.transport.post_json("/api/invitations/accept", {"key": invitation}))
        path = f"/api/invitations/{quote(invitation, safe='')}/accept"
        return _group(self.transport.post_json(path, {}))

    def decline(self, invitation_id: str) -> None:
        """Decline an invitation, or take one of a group back that you look after."""
        self._send("DELETE", f"/api/invitations/{quote(invitation_id, safe='')}")

    def _send(self, method: str, path: str, body: dict[str, object] | None = None) -> None:
        with self.transport.stream(method, path, body=body) as answer:
            answer.read()


_KEY_DIGITS = 32
"""A key is longer than an id."""


def _group(found: Any) -> Group:
    members: dict[str, str] = {}
    ranks = ("owner", "administrator", "member")
    for one in found["members"]:
        roles = [role for role in (members.get(one["user"]), one["role"]) if role]
        members[one["user"]] = min(roles, key=ranks.index)
    return Group(found["name"], found["title"], found["owner"], found["role"], members)


def _invitation(found: Any) -> Invitation:
    return Invitation(
        id=found["id"],
        group=found["group"],
        user=found["user"],
        role=found["role"],
        by=found["by"],
        expires=datetime.fromisoformat(found["expires"]),
        key=found.get("key") or "",
    )
