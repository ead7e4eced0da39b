"""What it is to the system and to people: role, credentials, approval, exemption."""

from __future__ import annotations

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.checks.saying import (
    Finding,
    Words,
    doubts,
    fails,
    is_outdated,
    outdated,
    passes,
)
from nats_idle_exporter.removal.facts import UNLIMITED, AccountFacts, Limits, Role
from nats_idle_exporter.removal.registry import Entry, Exemption
from nats_idle_exporter.removal.words import day, moment, quoted

GLOBAL_ACCOUNT = "$G"

_NO_LIMITS_OF_JWT = "nobody told whether clients may connect"
_NO_LIMITS = f"{_NO_LIMITS_OF_JWT}; the inventory nats_config would"

_ROLES = {
    Role.SYSTEM: "the system account",
    Role.GLOBAL: "the global account $G",
    Role.DEFAULT: "the account of clients without credentials",
    Role.LEAF_REMOTE: "the account of a server's own leafnode link",
    Role.AUTH_CALLOUT: "the account that answers for logins of others",
}


def check_role(case: Case, now_at: float) -> Finding:
    """Judge whether the system itself needs the account."""
    facts = case.facts
    roles, unknown = facts.roles, facts.unknown_roles
    if facts.account == GLOBAL_ACCOUNT:
        roles |= {Role.GLOBAL}
    if roles:
        return fails(len(roles), lambda: _roles(roles))
    if unknown:
        return doubts(lambda: f"it may be {_roles(unknown)}", len(unknown))
    if is_outdated(facts.told_at, now_at):
        return outdated(facts.told_at, now_at)
    return passes("the system itself does not need it")


def check_credentials(case: Case, now_at: float) -> Finding:
    """Judge whether anybody can still log in.

    It passes only after the account was disabled, or its JWT is over: deletion comes
    second. Revoked users are no proof, a user that was issued since may log in.
    """
    facts, limits = case.facts, case.facts.limits
    if is_outdated(facts.told_at, now_at):
        return outdated(facts.told_at, now_at)
    if closed := _why_closed(facts, now_at):
        return passes(closed)
    if doubt := _why_unclear(facts, now_at):
        return doubts(doubt)
    if limits is None:
        return doubts(_NO_LIMITS_OF_JWT if facts.is_operator_mode else _NO_LIMITS)
    return fails(1, lambda: _open(limits, facts))


def check_approval(case: Case, _: float) -> Finding:
    """Judge whether somebody who may say so approved."""
    entry = case.entry
    if not entry.decommission.approved_by:
        return fails(1, lambda: _unapproved(entry))
    if case.is_entry_shared:
        return fails(1, lambda: _ambiguous(entry, case.facts.name))
    return passes(lambda: _approved(entry))


def check_exemption(case: Case, now_at: float) -> Finding:
    """Judge whether somebody asked to leave it alone, until a day."""
    exemption = case.entry.exemption
    if exemption is None:
        return passes("no exemption")
    if exemption.until_at > now_at:
        return fails(1, lambda: _exempt(exemption))
    return passes(lambda: _exempt_before(exemption))


def _approved(entry: Entry) -> str:
    return f"approved by {quoted(entry.decommission.approved_by)}"


def _ambiguous(entry: Entry, name: str) -> str:
    why = f"but several accounts are called {quoted(name)}"
    return f"{_approved(entry)}, {why}: its rule must match its id"


def _unapproved(entry: Entry) -> str:
    owner = f"its owner is {quoted(entry.owner)}" if entry.owner else "it has no owner"
    return f"nobody approved (decommission.approved_by); {owner}"


def _exempt(exemption: Exemption) -> str:
    until, by = moment(exemption.until_at), quoted(exemption.by)
    return f"exempt until {until} by {by}: {quoted(exemption.reason)}"


def _exempt_before(exemption: Exemption) -> str:
    until, by = moment(exemption.until_at), quoted(exemption.by)
    return f"its exemption by {by} ended at {until}"


def _roles(roles: frozenset[Role]) -> str:
    return ", ".join(_ROLES[role] for role in Role if role in roles)


def _why_closed(facts: AccountFacts, now_at: float) -> Words:
    if facts.limits is not None and facts.limits.is_disabled:
        return "disabled: no client and no leafnode link may connect"
    is_over = facts.is_expired is None and _is_over(facts, now_at)
    if facts.is_expired or is_over:
        return lambda: f"its JWT has expired{_expiry(facts)}"
    return ""


def _why_unclear(facts: AccountFacts, now_at: float) -> Words:
    if _is_over(facts, now_at):
        return lambda: f"its JWT is over{_expiry(facts)}, but the servers still take it"
    if facts.jwt and facts.jwt.are_users_revoked:
        return "its users are revoked, but not those issued since then"
    return ""


def _is_over(facts: AccountFacts, now_at: float) -> bool:
    expires_at = facts.jwt.expires_at if facts.jwt else None
    return expires_at is not None and expires_at <= now_at


def _expiry(facts: AccountFacts) -> str:
    expires_at = facts.jwt.expires_at if facts.jwt else None
    return "" if expires_at is None else f" at {moment(expires_at)}"


def _open(limits: Limits, facts: AccountFacts) -> str:
    return (
        f"clients may log in; connections: {_bound(limits.connections)}, "
        f"leafnode links: {_bound(limits.leafnodes)}{_validity(facts)}"
    )


def _bound(limit: int) -> str:
    return "unlimited" if limit == UNLIMITED else f"at most {limit:,}"


def _validity(facts: AccountFacts) -> str:
    if facts.jwt is None:
        return ""
    expires_at = facts.jwt.expires_at
    until = "for ever" if expires_at is None else f"until {day(expires_at)}"
    return f"; JWT valid {until}"
