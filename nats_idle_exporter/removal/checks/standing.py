"""What it is to the system and to people: role, credentials, approval, exemption."""

from __future__ import annotations

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.checks.saying import (
    REGISTRY,
    Says,
    asked,
    is_outdated,
    outdated_words,
)
from nats_idle_exporter.removal.dossier import Check, Item
from nats_idle_exporter.removal.facts import UNLIMITED, AccountFacts, Role
from nats_idle_exporter.removal.words import day, moment, quoted

GLOBAL_ACCOUNT = "$G"

_ROLES = {
    Role.SYSTEM: "the system account",
    Role.GLOBAL: "the global account $G",
    Role.DEFAULT: "the account of clients without credentials",
    Role.LEAF_REMOTE: "the account of a server's own leafnode link",
    Role.AUTH_CALLOUT: "the account that answers for logins of others",
}


def check_role(case: Case, now_at: float) -> Item:
    """Judge whether the system itself needs the account."""
    says, facts = Says(Check.ROLE, asked(case, now_at)), case.facts
    roles = set(facts.roles)
    if facts.account == GLOBAL_ACCOUNT:
        roles.add(Role.GLOBAL)
    if roles:
        return says.fails(len(roles), _roles(roles))
    if unknown := facts.unknown_roles:
        return says.doubts(f"it may be {_roles(unknown)}", len(unknown))
    if is_outdated(facts.told_at, now_at):
        return says.doubts(outdated_words(facts.told_at, now_at))
    return says.passes("the system itself does not need it")


def check_credentials(case: Case, now_at: float) -> Item:
    """Judge whether anybody can still log in.

    It passes only after the account was disabled, or its JWT is over: deletion comes
    second. Revoked users are no proof, a user that was issued since may log in.
    """
    says, facts = Says(Check.CREDENTIALS, asked(case, now_at)), case.facts
    if is_outdated(facts.told_at, now_at):
        return says.doubts(outdated_words(facts.told_at, now_at))
    if closed := _why_closed(facts, now_at):
        return says.passes(closed)
    if doubt := _why_unclear(facts, now_at):
        return says.doubts(doubt)
    if (limits := facts.limits) is None:
        where = "" if facts.is_operator_mode else "; the inventory nats_config would"
        return says.doubts(f"nobody told whether clients may connect{where}")
    return says.fails(
        1,
        f"clients may log in; connections: {_bound(limits.connections)}, "
        f"leafnode links: {_bound(limits.leafnodes)}{_validity(facts)}",
    )


def check_approval(case: Case, _: float) -> Item:
    """Judge whether somebody who may say so approved."""
    says, by = Says(Check.APPROVAL, REGISTRY), case.entry.decommission.approved_by
    if not by:
        owner = case.entry.owner
        asked_of = f"; its owner is {quoted(owner)}" if owner else "; it has no owner"
        return says.fails(1, f"nobody approved (decommission.approved_by){asked_of}")
    if case.is_entry_shared:
        name = quoted(case.facts.name)
        words = f"approved by {quoted(by)}, but several accounts are called {name}"
        return says.fails(1, f"{words}: its rule must match its id")
    return says.passes(f"approved by {quoted(by)}")


def check_exemption(case: Case, now_at: float) -> Item:
    """Judge whether somebody asked to leave it alone, until a day."""
    says, exemption = Says(Check.EXEMPTION, REGISTRY), case.entry.exemption
    if exemption is None:
        return says.passes("no exemption")
    until, by = moment(exemption.until_at), quoted(exemption.by)
    if exemption.until_at > now_at:
        words = f"exempt until {until} by {by}: {quoted(exemption.reason)}"
        return says.fails(1, words)
    return says.passes(f"its exemption by {by} ended at {until}")


def _roles(roles: set[Role] | frozenset[Role]) -> str:
    return ", ".join(_ROLES[role] for role in Role if role in roles)


def _why_closed(facts: AccountFacts, now_at: float) -> str:
    if facts.limits is not None and facts.limits.is_disabled:
        return "disabled: no client and no leafnode link may connect"
    is_over = facts.is_expired is None and _is_over(facts, now_at)
    if facts.is_expired or is_over:
        return f"its JWT has expired{_expiry(facts)}"
    return ""


def _why_unclear(facts: AccountFacts, now_at: float) -> str:
    if _is_over(facts, now_at):
        return f"its JWT is over{_expiry(facts)}, but the servers still take it"
    if facts.jwt and facts.jwt.are_users_revoked:
        return "its users are revoked, but not those issued since then"
    return ""


def _is_over(facts: AccountFacts, now_at: float) -> bool:
    expires_at = facts.jwt.expires_at if facts.jwt else None
    return expires_at is not None and expires_at <= now_at


def _expiry(facts: AccountFacts) -> str:
    expires_at = facts.jwt.expires_at if facts.jwt else None
    return "" if expires_at is None else f" at {moment(expires_at)}"


def _bound(limit: int) -> str:
    return "unlimited" if limit == UNLIMITED else f"at most {limit:,}"


def _validity(facts: AccountFacts) -> str:
    if facts.jwt is None:
        return ""
    expires_at = facts.jwt.expires_at
    until = "for ever" if expires_at is None else f"until {day(expires_at)}"
    return f"; JWT valid {until}"
