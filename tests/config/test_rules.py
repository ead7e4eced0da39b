"""Rules of the configuration, as the proof asks for them."""

from __future__ import annotations

from nats_idle_exporter.activity import Policy, Rules
from nats_idle_exporter.config import (
    AccountRule,
    Config,
    ConfiguredRules,
    Inactivity,
    System,
)


def configured(*rules: AccountRule, exclude: tuple[str, ...] = ()) -> ConfiguredRules:
    """Return rules beside a threshold of 100 s and a tolerance of 7 s."""
    return ConfiguredRules(
        Config(
            systems=(System(endpoints=("http://h",)),),
            inactivity=Inactivity(threshold_seconds=100.0, gap_tolerance_seconds=7.0),
            accounts=rules,
            exclude=exclude,
        )
    )


def test_they_are_what_the_ledger_takes() -> None:
    """Configured rules are rules in the sense of the proof."""
    rules: Rules = configured()

    assert rules.policy("A", "a") == Policy(100.0, 7.0)
    assert rules.excludes("A", "a") is False


def test_a_rule_replaces_only_what_it_sets() -> None:
    """What a rule leaves open is inherited."""
    rules = configured(
        AccountRule(match="T*", threshold_seconds=50.0),
        AccountRule(match="G*", gap_tolerance_seconds=2.0),
        AccountRule(match="B*", threshold_seconds=9.0, gap_tolerance_seconds=1.0),
    )

    assert rules.policy("T1", "") == Policy(50.0, 7.0)
    assert rules.policy("G1", "") == Policy(100.0, 2.0)
    assert rules.policy("B1", "") == Policy(9.0, 1.0)
    assert rules.policy("X1", "") == Policy(100.0, 7.0)


def test_an_expected_start_is_part_of_the_policy() -> None:
    """Without a rule use is expected at any time."""
    rules = configured(AccountRule(match="T*", expected_at=1e9))

    assert rules.policy("T1", "").expected_at == 1e9
    assert rules.policy("X1", "").expected_at < 0


def test_owners_are_in_the_registry() -> None:
    """Who owns an account is asked of the registry."""
    rules = configured(
        AccountRule(match="T*", owner="o", team="t", environment="e"),
    )

    entry = rules.registry.entry("id", "Tea")
    assert (entry.owner, entry.team, entry.environment) == ("o", "t", "e")


def test_excludes_are_globs() -> None:
    """An exclude glob matches the id or the name."""
    rules = configured(exclude=("T*",))

    assert rules.excludes("T1", "x") is True
    assert rules.excludes("x", "T1") is True
    assert rules.excludes("x", "y") is False
