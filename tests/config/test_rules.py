"""Rules of the configuration, as the proof asks for them."""

from __future__ import annotations

from nats_idle_exporter.activity import Policy, Rules
from nats_idle_exporter.config import (
    AccountRule,
    Config,
    ConfiguredRules,
    Decommissioned,
    Exempt,
    Inactivity,
    System,
    UnusedRule,
)
from nats_idle_exporter.removal.registry import Decommission, Exemption


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


def test_exemptions_are_part_of_the_policy() -> None:
    """The proof is told the end, the registry the reason and who says so."""
    exempt = Exempt(until_at=1e9, reason="r", by="b")
    rules = configured(AccountRule(match="T*", exempt=exempt))

    assert rules.policy("T1", "").exempt_until_at == 1e9
    assert rules.policy("X1", "").exempt_until_at < 0
    assert rules.registry.entry("T1", "").exemption == Exemption(1e9, "r", "b")


def test_the_way_out_is_in_the_registry() -> None:
    """All that a rule says of it comes through; without a rule 30 days of grace."""
    out = Decommissioned(disabled_on_at=5.0, approved_by="a", grace_seconds=7.0)
    rules = configured(
        AccountRule(match="T*", decommission=out, contact="c", purpose="p")
    )
    entry = rules.registry.entry("T1", "")

    assert entry.decommission == Decommission(5.0, "a", 7.0)
    assert (entry.contact, entry.purpose) == ("c", "p")
    assert rules.registry.entry("X", "").decommission.grace_seconds == 30 * 86400


def test_rules_of_the_registry_file_come_after_the_others() -> None:
    """The first match wins, over both; each is told by where it is."""
    config = Config(
        systems=(System(endpoints=("http://h",)),),
        accounts=(AccountRule(match="A*", owner="config"),),
        registry_file="owners.yaml",
    )
    registered = [AccountRule(match=glob, owner="file") for glob in ("A1", "B*")]
    rules = ConfiguredRules(config, registered)

    owners = [rules.registry.entry(account, "").owner for account in ("A1", "B1")]

    assert owners == ["config", "file"]
    assert rules.unused_rules == (UnusedRule("owners.yaml: $[0]", "A1"),)
