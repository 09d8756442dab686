"""What an operator decides about a provider's people: who may log in, and what their groups are here."""

from awe.services.identity._names import is_name
from awe.services.identity.claims import Claims
from awe.services.identity.stores import Brought
from awe.settings.login import LoginProviderSettings

__all__ = ["brought", "refusal"]


def refusal(claims: Claims, rules: LoginProviderSettings) -> str:
    """Return which rule keeps somebody out: ``groups``, ``domains`` or ``require NAME``; empty if none does."""
    if rules.allow_groups and not claims.groups & set(rules.allow_groups):
        return "groups"
    domain = claims.email.rpartition("@")[2].casefold()
    if rules.allow_domains and domain not in {allowed.casefold() for allowed in rules.allow_domains}:
        return "domains"
    for name, values in rules.require.items():
        if not set(values) & set(claims.attributes.get(name, ())):
            return f"require {name}"
    return ""


def brought(claims: Claims, rules: LoginProviderSettings) -> Brought:
    """Return what somebody has here because of the groups at the provider."""
    rest = claims.groups - rules.groups.keys() if rules.group_prefix else frozenset()
    return Brought(
        roles=frozenset(rules.roles[group] for group in claims.groups & rules.roles.keys()),
        groups=frozenset(rules.groups[group] for group in claims.groups & rules.groups.keys()),
        alike=frozenset(name for group in rest if is_name(name := f"{rules.group_prefix}{group}")),
    )
