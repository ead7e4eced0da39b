"""Loading: defaults, flags over the file, and what good YAML becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from nats_idle_exporter.activity import BriefConnections
from nats_idle_exporter.config import (
    AccountRule,
    Config,
    Inactivity,
    Overrides,
    Poll,
    System,
    UsageError,
    config_without_file,
    converting,
    decoding,
    load_config,
    parse_config,
)
from nats_idle_exporter.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ONE = "systems: [{endpoints: ['http://h:8222/']}]\n"


def test_endpoints_are_all_that_is_needed() -> None:
    """Everything but the endpoints has the default of the contract."""
    config = parse_config(ONE)

    assert config == Config(
        systems=(System(name="default", endpoints=("http://h:8222",)),),
        poll=Poll(
            interval_seconds=30.0,
            timeout_seconds=10.0,
            jetstream_interval_seconds=300.0,
            concurrency=8,
            max_body_bytes=134_217_728,
        ),
        inactivity=Inactivity(
            threshold_seconds=86_400.0,
            gap_tolerance_seconds=300.0,
            forget_after_seconds=2_592_000.0,
            brief_connections=BriefConnections.REQUIRE,
        ),
        accounts=(),
        exclude=(),
    )


def test_every_value_arrives() -> None:
    """What a file says replaces each default, as plain Python values."""
    config = parse_config(
        """
        systems:
          - {name: eu, endpoints: ["https://a/base/", "http://[::1]:8222"]}
          - {name: us, endpoints: ["http://a/base"]}
        poll:
          interval: 1m
          timeout: 500ms
          jetstream_interval: 1h
          concurrency: 1
          max_body_bytes: 1024
        inactivity:
          threshold: 2d
          gap_tolerance: 1m
          forget_after: 1w
          brief_connections: best_effort
        accounts:
          - match: "B[A-Z]*"
            threshold: 40d
            gap_tolerance: 10m
            owner: größe
            team: t
            environment: e
          - {match: x, threshold: null}
        exclude: ["T*", "=", "<<", "2026"]
        """
    )

    assert config.systems == (
        System(name="eu", endpoints=("https://a/base", "http://[::1]:8222")),
        System(name="us", endpoints=("http://a/base",)),
    )
    assert config.poll == Poll(
        interval_seconds=60.0,
        timeout_seconds=0.5,
        jetstream_interval_seconds=3600.0,
        concurrency=1,
        max_body_bytes=1024,
    )
    assert config.inactivity == Inactivity(
        threshold_seconds=172_800.0,
        gap_tolerance_seconds=60.0,
        forget_after_seconds=604_800.0,
        brief_connections=BriefConnections.BEST_EFFORT,
    )
    assert config.accounts == (
        AccountRule(
            match="B[A-Z]*",
            threshold_seconds=3_456_000.0,
            gap_tolerance_seconds=600.0,
            owner="größe",
            team="t",
            environment="e",
        ),
        AccountRule(match="x"),
    )
    assert config.exclude == ("T*", "=", "<<", "2026")
    assert type(config.systems[0].name) is str
    assert type(config.poll.interval_seconds) is float


def test_aliases_repeat_a_value() -> None:
    """An alias that is no loop stands for what it names."""
    config = parse_config(ONE + "accounts: [{match: &a X, owner: *a}]\nexclude: [*a]")

    assert config.accounts == (AccountRule(match="X", owner="X"),)
    assert config.exclude == ("X",)


@pytest.mark.parametrize("text", [f"\ufeff{ONE}", f"---\n{ONE}...\n"])
def test_marks_around_a_document_are_fine(text: str) -> None:
    """A byte order mark and document marks change nothing."""
    assert parse_config(text) == parse_config(ONE)


def test_a_file_is_read_as_utf8(tmp_path: Path) -> None:
    """A file gives what its text gives."""
    file = tmp_path / "c.yaml"
    file.write_text(ONE + "exclude: [größe]", encoding="utf-8")

    assert load_config(file).exclude == ("größe",)


def test_a_timeout_is_cut_to_the_interval() -> None:
    """A timeout above the interval is no mistake, also when a flag made it so."""
    by_file = parse_config(ONE + "poll: {interval: 5s, timeout: 7s}")
    by_flag = parse_config(ONE, Overrides(poll_interval="2s"))

    assert by_file.poll.timeout_seconds == 5.0
    assert by_flag.poll == Poll(interval_seconds=2.0, timeout_seconds=2.0)


@pytest.mark.parametrize(
    "text",
    [
        "inactivity: {threshold: 2s}",
        "accounts: [{match: a, threshold: 2s}]",
        "inactivity: {gap_tolerance: 1h}\naccounts: [{match: a, threshold: 2s}]",
        "inactivity: {threshold: 2s}\naccounts: [{match: a, threshold: 1d}]",
        "accounts: [{match: a, threshold: 1d, gap_tolerance: 1h}]",
    ],
)
def test_an_inherited_tolerance_is_no_mistake(text: str) -> None:
    """A tolerance that nobody wrote beside the threshold adapts to it."""
    assert parse_config(ONE + text).systems[0].name == "default"


def test_flags_outrank_the_file() -> None:
    """A flag replaces one value and leaves the others of its section."""
    config = parse_config(
        ONE + "inactivity: {threshold: 9h, forget_after: 1d}\npoll: {interval: 1h}",
        Overrides(threshold="2s", poll_interval="500ms"),
    )

    assert config.inactivity.threshold_seconds == 2.0
    assert config.inactivity.forget_after_seconds == 86_400.0
    assert config.poll.interval_seconds == 0.5


def test_a_flag_meets_a_tolerance_of_the_file() -> None:
    """A threshold by flag is held against a tolerance that the file sets."""
    with pytest.raises(ConfigError, match="less than the threshold of 2s"):
        parse_config(ONE + "inactivity: {gap_tolerance: 5m}", Overrides(threshold="2s"))


def test_a_flag_does_not_hide_a_broken_section() -> None:
    """A section that is no mapping is refused although a flag reaches into it."""
    with pytest.raises(ConfigError, match=r"\$\.poll: expected a mapping"):
        parse_config(ONE + "poll: []", Overrides(poll_interval="2s"))


def test_endpoints_by_flag_complete_a_file_without_systems() -> None:
    """A file of rules alone takes its endpoints from flags."""
    config = parse_config("exclude: [a]", Overrides(endpoints=("http://x",)))

    assert config.systems == (System(endpoints=("http://x",)),)
    assert config.exclude == ("a",)


def test_endpoints_by_flag_and_systems_by_file_exclude_each_other() -> None:
    """Nobody can say which endpoints were meant."""
    with pytest.raises(UsageError, match=r"--nats\.endpoint"):
        parse_config(ONE, Overrides(endpoints=("http://x",)))


def test_without_a_file_there_is_a_default_endpoint() -> None:
    """Flags alone make a configuration; the endpoint is on this machine."""
    assert config_without_file().systems == (
        System(endpoints=("http://127.0.0.1:8222",)),
    )
    assert config_without_file(
        Overrides(endpoints=("http://x", "http://y"), threshold="2s")
    ) == Config(
        systems=(System(endpoints=("http://x", "http://y")),),
        inactivity=Inactivity(threshold_seconds=2.0),
    )


def test_new_words_of_the_decoder_are_passed_on() -> None:
    """A message of the decoder that we do not know still has its three parts."""
    error = converting._in_plain_words(
        msgspec.ValidationError("Something new - at `$.poll`"),
        {"poll": 5},
        decoding._CONFIG,
    )

    assert str(error) == "$.poll: expected Something new, found 5"
