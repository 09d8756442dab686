"""Groups and invitations: ``/api/groups``, ``/api/invitations``; all groups for administrators."""

from typing import Any

from pydantic import BaseModel, Field, SecretStr

from awe.services.identity import ADMIN, SHARE, Group, GroupRole, Invitation
from awe.web.api._caller import Caller, Services, administrator, get, make_router, needs

__all__ = ["router"]

router = make_router(tags=["groups"])


class NewGroup(BaseModel, extra="forbid"):
    """A group that you will own."""

    name: str
    title: str = Field("", description="What it is, for people")


class GroupChange(BaseModel, extra="forbid"):
    """What is given is changed."""

    title: str | None = None
    owner: str | None = Field(None, description="The member who owns it from now on")


class MemberRole(BaseModel, extra="forbid"):
    """What a member may do in the group."""

    role: GroupRole = Field(GroupRole.MEMBER, description="administrator or member")


class NewInvitation(BaseModel, extra="forbid"):
    """An invitation: of a user, or of whoever comes with the key that is answered, once."""

    user: str = Field("", description="Who is invited; empty for a key")
    role: GroupRole = Field(GroupRole.MEMBER, description="administrator or member")
    days: float = Field(14.0, description="Its life, in days")


class InvitationKey(BaseModel, extra="forbid"):
    """The key of an invitation."""

    key: SecretStr


@get(router, "/groups")
def groups(services: Services, caller: Caller) -> dict[str, Any]:
    """List the groups that you belong to."""
    return {"groups": [_group(group, caller.name) for group in services.groups.mine(caller)]}


@router.post("/groups", openapi_extra=needs(SHARE))
def add(given: NewGroup, services: Services, caller: Caller) -> dict[str, Any]:
    """Make a group, and own it."""
    return _group(services.groups.add(caller, given.name, given.title), caller.name)


@get(router, "/groups/{name}")
def group(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Describe a group that you belong to, with its members."""
    return _group(services.groups.group(caller, name), caller.name)


@router.patch("/groups/{name}", openapi_extra=needs(SHARE))
def change(name: str, given: GroupChange, services: Services, caller: Caller) -> dict[str, Any]:
    """Change a group's title, or give it to another member."""
    found = services.groups.group(caller, name)
    if given.title is not None:
        found = services.groups.rename(caller, name, given.title)
    if given.owner is not None:
        found = services.groups.give(caller, name, given.owner)
    return _group(found, caller.name)


@router.delete("/groups/{name}", openapi_extra=needs(SHARE))
def remove(name: str, services: Services, caller: Caller) -> dict[str, str]:
    """Remove a group for good; its name stays taken, and what was shared with it is nobody's."""
    services.groups.remove(caller, name)
    return {"name": name}


@router.put("/groups/{name}/members/{user}", openapi_extra=needs(SHARE))
def set_role(name: str, user: str, given: MemberRole, services: Services, caller: Caller) -> dict[str, Any]:
    """Make a member an administrator of the group, or one a member again."""
    return _group(services.groups.set_role(caller, name, user, given.role), caller.name)


@router.delete("/groups/{name}/members/{user}", openapi_extra=needs(SHARE))
def remove_member(name: str, user: str, services: Services, caller: Caller) -> dict[str, str]:
    """End a membership: your own, or another's if you look after the group."""
    services.groups.remove_member(caller, name, user)
    return {"name": name, "user": user}


@get(router, "/groups/{name}/invitations")
def invited(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """List whom a group invites, for those who look after it."""
    return {"invitations": [_invitation(one) for one in services.groups.invited(caller, name)]}


@router.post("/groups/{name}/invitations", openapi_extra=needs(SHARE))
def invite(name: str, given: NewInvitation, services: Services, caller: Caller) -> dict[str, Any]:
    """Invite a user, or whoever comes with `key`, once; the answer is the only place where it is shown."""
    key, made = services.groups.invite(caller, name, given.user, role=given.role, days=given.days)
    return {**_invitation(made), "key": key or None}


@get(router, "/invitations")
def invitations(services: Services, caller: Caller) -> dict[str, Any]:
    """List the invitations to you."""
    return {"invitations": [_invitation(one) for one in services.groups.invitations(caller)]}


@router.post("/invitations/accept", openapi_extra=needs(SHARE))
def join(given: InvitationKey, services: Services, caller: Caller) -> dict[str, Any]:
    """Join a group by the key of an invitation."""
    return _group(services.groups.accept(caller, key=given.key.get_secret_value()), caller.name)


@router.post("/invitations/{invitation_id}/accept", openapi_extra=needs(SHARE))
def accept(invitation_id: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Join a group by an invitation to you."""
    return _group(services.groups.accept(caller, invitation_id), caller.name)


@router.delete("/invitations/{invitation_id}", openapi_extra=needs(SHARE))
def decline(invitation_id: str, services: Services, caller: Caller) -> dict[str, str]:
    """Decline an invitation to you, or take one back if you look after the group."""
    services.groups.decline(caller, invitation_id)
    return {"id": invitation_id}


@get(router, "/admin/groups", openapi_extra=needs(ADMIN))
def all_groups(services: Services, caller: Caller) -> dict[str, Any]:
    """List all groups."""
    administrator(caller)
    return {"groups": [_group(group, caller.name) for group in services.groups.all()]}


def _group(group: Group, you: str) -> dict[str, Any]:
    return {
        "name": group.name,
        "title": group.title,
        "owner": group.owner,
        "created": group.created.isoformat(),
        "role": group.role_of(you),
        "members": [
            {"user": one.user, "role": one.role, "since": one.since.isoformat(), "source": one.source}
            for one in group.members
        ],
    }


def _invitation(one: Invitation) -> dict[str, Any]:
    return {
        "id": one.id,
        "group": one.group,
        "user": one.user,
        "role": one.role,
        "by": one.by,
        "created": one.created.isoformat(),
        "expires": one.expires.isoformat(),
    }
