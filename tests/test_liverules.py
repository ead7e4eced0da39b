"""The operator's rules while we run."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.activity import Rules
from nats_idle_exporter.config import UnusedRule, load_config
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.liverules import LiveRules

CONFIG = """
systems: [{endpoints: ["http://h:8222"]}]
accounts: [{match: "A*", owner: config}]
exclude: ["X*"]
"""
GOOD = '[{match: "B*", owner: ann, threshold: 2d}]'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the registry file of the configuration beside it."""
    (tmp_path / "config.yaml").write_text(f"{CONFIG}registry_file: owners.yaml\n")
    registry = tmp_path / "owners.yaml"
    registry.write_text(GOOD)
    return registry


def live(file: Path) -> LiveRules:
    """Return the rules of the configuration beside a registry file."""
    return LiveRules(load_config(file.with_name("config.yaml")))


def replace(file: Path, text: str) -> None:
    """Put another file in its place, as pipelines and volumes do."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


class TestRules:
    """What the proof and all others ask."""

    def test_both_are_asked(self, file: Path) -> None:
        """Rules of the configuration and of the file hold together."""
        rules: Rules = live(file)

        assert rules.policy("B1", "").threshold_seconds == 2 * 86400
        assert rules.policy("A1", "").threshold_seconds == 86400
        assert rules.excludes("X1", "")
        assert live(file).registry.entry("B1", "").owner == "ann"

    def test_without_a_file(self, tmp_path: Path) -> None:
        """There need be none, and then there is nothing to read again."""
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG)
        rules = LiveRules(load_config(config))

        assert rules.registry.entry("A1", "").owner == "config"
        assert not rules.refresh()


class TestRefresh:
    """The file is read again when it changed."""

    def test_a_change_holds(self, file: Path) -> None:
        """After it all answers are by the new rules."""
        rules = live(file)
        asked = rules.registry.entry("B1", "").owner
        replace(file, '[{match: "B1", owner: bob}]')

        assert rules.refresh()
        assert not rules.refresh()
        assert (asked, rules.registry.entry("B1", "").owner) == ("ann", "bob")
        assert rules.policy("B1", "").threshold_seconds == 86400

    @pytest.mark.parametrize("text", ["", "[{match: ]", '[{match: "B*", ownr: x}]'])
    def test_a_mistake_keeps_the_last_good_rules(self, file: Path, text: str) -> None:
        """It is told once, with its place, and again when it is another one."""
        rules = live(file)
        replace(file, text)

        with capture_logs() as logs:
            assert not rules.refresh()
            assert not rules.refresh()

        assert rules.registry.entry("B1", "").owner == "ann"
        assert [log["log_level"] for log in logs] == ["error"]
        assert logs[0]["error"] == rules.error
        assert rules.error.startswith(f"$.registry_file ({file}): $")

    def test_a_file_that_is_gone(self, file: Path) -> None:
        """Who is exempt stays exempt while a volume is away, and once it is back."""
        rules = live(file)
        file.unlink()

        assert not rules.refresh()
        assert "expected a readable file, found no such file" in rules.error
        assert rules.registry.entry("B1", "").owner == "ann"

        file.write_text(GOOD)

        assert rules.refresh()
        assert rules.error == ""

    @pytest.mark.parametrize("text", ["", "- {match: 1}"])
    def test_a_mistake_at_the_start(self, file: Path, text: str) -> None:
        """It ends the start: nothing is known that could stay in use."""
        file.write_text(text)

        with pytest.raises(ConfigError, match=r"^\$\.registry_file \(.*\): \$"):
            live(file)


class TestUnused:
    """Rules that match no account."""

    def test_they_are_told_once(self, file: Path) -> None:
        """A rule for which no account was found is warned of, and only once."""
        rules = live(file)
        rules.policy("A1", "")

        with capture_logs() as logs:
            rules.tell_unused()
            rules.tell_unused()

        unused = UnusedRule(f"{file}: $[0]", "B*")
        assert rules.unused_rules == (unused,)
        assert [(log["rule"], log["match"]) for log in logs] == [unused]

    def test_an_account_that_comes_later(self, file: Path) -> None:
        """Then the rule is not unused any more."""
        rules = live(file)
        rules.policy("A1", "")
        rules.policy("B1", "")

        with capture_logs() as logs:
            rules.tell_unused()

        assert (rules.unused_rules, logs) == ((), [])
