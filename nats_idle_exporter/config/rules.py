"""The operator's rules as the proof asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.policy import Policy
from nats_idle_exporter.removal.registry import (
    NO_ENTRY,
    Decommission,
    Entry,
    Exemption,
    Registry,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats_idle_exporter.config.schema import AccountRule, Config


class UnusedRule(NamedTuple):
    """A rule that no account needs: ``where`` it is, and its glob."""

    where: str
    match: str


class ConfiguredRules:
    """Answer for each account what the configuration says; see ``Rules``.

    ``registry`` also tells owners. One instance belongs to one configuration and one
    state of its registry file, whose rules come after those of ``accounts``.
    """

    def __init__(self, config: Config, registered: Sequence[AccountRule] = ()) -> None:
        rules = [
            Rule(rule.match, _entry(rule)) for rule in (*config.accounts, *registered)
        ]
        self._places = [
            *(f"$.accounts[{index}]" for index in range(len(config.accounts))),
            *(f"{config.registry_file}: $[{n}]" for n in range(len(registered))),
        ]
        self._matches = [rule.match for rule in rules]
        self.registry = Registry(rules, config.exclude)
        self._policies = {
            entry: _policy(entry, config)
            for entry in (NO_ENTRY, *(rule.entry for rule in rules))
        }

    def policy(self, account: str, name: str) -> Policy:
        """Return the policy of an account, by its id and its name."""
        return self._policies[self.registry.entry(account, name)]

    @property
    def unused_rules(self) -> tuple[UnusedRule, ...]:
        """Return the rules that were no account's first match so far."""
        return tuple(
            UnusedRule(self._places[place], self._matches[place])
            for place in self.registry.unused()
        )

    def excludes(self, account: str, name: str) -> bool:
        """Say whether the configuration excludes the account."""
        return self.registry.excludes(account, name)


def _entry(rule: AccountRule) -> Entry:
    return Entry(
        threshold_seconds=rule.threshold_seconds,
        gap_tolerance_seconds=rule.gap_tolerance_seconds,
        owner=rule.owner,
        team=rule.team,
        environment=rule.environment,
        expected_at=rule.expected_at,
        contact=rule.contact,
        purpose=rule.purpose,
        exemption=_exemption(rule),
        decommission=_decommission(rule),
    )


def _exemption(rule: AccountRule) -> Exemption | None:
    if (said := rule.exempt) is None:
        return None
    return Exemption(said.until_at, said.reason, said.by)


def _decommission(rule: AccountRule) -> Decommission:
    if (said := rule.decommission) is None:
        return Decommission()
    return Decommission(said.disabled_on_at, said.approved_by, said.grace_seconds)


def _policy(entry: Entry, config: Config) -> Policy:
    defaults = config.inactivity
    threshold = entry.threshold_seconds
    tolerance = entry.gap_tolerance_seconds
    return Policy(
        threshold_seconds=defaults.threshold_seconds
        if threshold is None
        else threshold,
        gap_tolerance_seconds=(
            defaults.gap_tolerance_seconds if tolerance is None else tolerance
        ),
        expected_at=NEVER if entry.expected_at is None else entry.expected_at,
        exempt_until_at=NEVER if entry.exemption is None else entry.exemption.until_at,
    )
