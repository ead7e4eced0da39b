"""The operator's rules while we run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.activity import Rules
from nats_idle_exporter.config import UnusedRule, load_config
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.liverules import LiveRules, RulesFollower
from tests.support.clock import FakeClock

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

    @pytest.mark.parametrize(
        "text",
        ["", "[{match: ]", '[{match: "B*", ownr: x}]', '[{match: "\\U00110000"}]'],
    )
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

    def test_before_any_account_was_asked_for(self, file: Path) -> None:
        """As long as no account is known every rule is unused, which means nothing."""
        rules = live(file)

        with capture_logs() as logs:
            rules.tell_unused()

        assert (len(rules.unused_rules), logs) == (2, [])

    def test_an_account_that_comes_later(self, file: Path) -> None:
        """Then the rule is not unused any more."""
        rules = live(file)
        rules.policy("A1", "")
        rules.policy("B1", "")

        with capture_logs() as logs:
            rules.tell_unused()

        assert (rules.unused_rules, logs) == ((), [])


class TestFollower:
    """The file is looked at between cycles."""

    async def test_not_within_a_cycle(self, file: Path) -> None:
        """Within one cycle all accounts are judged by the same rules."""
        between_cycles, told = asyncio.Lock(), list[str]()
        rules = live(file)
        follower = RulesFollower(rules, between_cycles, lambda: told.append(owner()))

        def owner() -> str:
            return rules.registry.entry("B1", "").owner

        replace(file, '[{match: "B*", owner: bob}]')
        async with asyncio.TaskGroup() as group, between_cycles:
            group.create_task(follower.look())
            for _ in range(5):
                await asyncio.sleep(0)
            within = owner()

        assert (within, told) == ("ann", ["bob"])

    async def test_again_and_again(self, file: Path) -> None:
        """It looks once per interval, at the file of the newest configuration."""
        clock, looks = FakeClock(), asyncio.Semaphore(0)
        other = file.with_name("other.yaml")
        other.write_text("[]")
        follower = RulesFollower(live(file), asyncio.Lock(), looks.release)
        config = file.with_name("config.yaml")
        config.write_text(f"{CONFIG}registry_file: {other.name}\n")
        rules = live(file)
        follower.follow(rules)
        replace(other, GOOD)
        task = asyncio.create_task(follower.run(clock))
        for _ in range(2):
            await looks.acquire()
        task.cancel()

        assert rules.registry.entry("B1", "").owner == "ann"
        assert clock.sleeps[1] - clock.sleeps[0] == 30.0
