"""The registry file: a list of rules, as strict as the configuration."""

from __future__ import annotations

import pytest

from nats_idle_exporter.config import AccountRule, Inactivity, parse_registry_file
from nats_idle_exporter.errors import ConfigError

DEFAULTS = Inactivity()


def test_rules_are_read() -> None:
    """Each entry is a rule as below ``accounts``."""
    text = """
    - match: "A*"
      owner: ann
      exempt: {until: 1970-01-02, reason: r, by: b}
    - {match: B, threshold: 2d, decommission: {grace: 1h}}
    """

    one, other = parse_registry_file(text, DEFAULTS)

    assert (one.match, one.owner) == ("A*", "ann")
    assert one.exempt is not None
    assert one.exempt.until_at == 86400.0
    assert other.decommission is not None
    assert other.decommission.grace_seconds == 3600.0


def test_no_rules() -> None:
    """A list may be empty, if somebody wrote that."""
    assert parse_registry_file("[]", DEFAULTS) == ()


@pytest.mark.parametrize(
    ("text", "where", "expected", "found"),
    [
        ("", "$", "a list of rules", "nothing"),
        ("accounts: []", "$", "a list of rules", "a mapping"),
        ("- {}", "$[0].match", "a glob on account ids and names", "nothing"),
        ("- {match: a}\n- b", "$[1]", "a mapping", '"b"'),
        ("- {match: a, ownr: x}", "$[0].ownr", "one of the keys match, ", '"ownr"'),
        (
            "- {match: a, exempt: {until: 2027-01-01}}",
            "$[0].exempt.reason",
            "why it is exempt",
            "nothing",
        ),
        (
            "- {match: a, exempt: {untl: 2027-01-01}}",
            "$[0].exempt.untl",
            "one of the keys until, reason, by",
            '"untl"',
        ),
        (
            "- {match: a, decommission: {by: x}}",
            "$[0].decommission.by",
            "one of the keys disabled_on, approved_by, grace",
            '"by"',
        ),
        (
            "- {match: a, gap_tolerance: 2d}",
            "$[0].gap_tolerance",
            "less than the threshold of 1d",
            "2d",
        ),
        ("- {match: a, match: b}", "$[0].match", "each key once", "it again in line 1"),
    ],
)
def test_mistakes(text: str, where: str, expected: str, found: str) -> None:
    """A mistake is told with its place in the file."""
    with pytest.raises(ConfigError) as caught:
        parse_registry_file(text, DEFAULTS)

    assert (caught.value.path, caught.value.found) == (where, found)
    assert caught.value.expected.startswith(expected)


def test_it_takes_what_the_configuration_takes() -> None:
    """A rule without a word but its glob is a rule."""
    assert parse_registry_file("- {match: A}", DEFAULTS) == (AccountRule(match="A"),)
