"""The operator's rules as the proof asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.policy import Policy
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry, Registry, Rule

if TYPE_CHECKING:
    from nats_idle_exporter.config.schema import AccountRule, Config


class ConfiguredRules:
    """Answer for each account what the configuration says; see ``Rules``.

    ``registry`` also tells owners. One instance belongs to one configuration.
    """

    def __init__(self, config: Config) -> None:
        rules = [Rule(rule.match, _entry(rule)) for rule in config.accounts]
        self.registry = Registry(rules, config.exclude)
        self._policies = {
            entry: _policy(entry, config)
            for entry in (NO_ENTRY, *(rule.entry for rule in rules))
        }

    def policy(self, account: str, name: str) -> Policy:
        """Return the policy of an account, by its id and its name."""
        return self._policies[self.registry.entry(account, name)]

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
    )


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
    )
