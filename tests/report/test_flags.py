"""Flags of the report: what they become, and which contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from nats_idle_exporter.report.flags import parse_report
from nats_idle_exporter.report.making import FailOn

DAEMON = "--from=http://h:7778"


def test_without_flags() -> None:
    """By default the default endpoint is polled once, and text comes out."""
    options = parse_report([])

    assert options.daemon_url is None
    assert options.client_file is None
    assert options.sample_seconds is None
    assert (options.format, options.account, options.fail_on) == ("text", None, ())
    assert (options.log_level, options.log_format) == ("warn", "logfmt")
    [system] = options.source.load().systems
    assert system.endpoints == ("http://127.0.0.1:8222",)


def test_all_flags_without_a_daemon(tmp_path: Path) -> None:
    """A file, and flags that outrank it."""
    file = tmp_path / "c.yaml"
    file.write_text("systems: [{endpoints: ['http://h:8222']}]\n")

    options = parse_report(
        [
            f"--config.file={file}",
            "--inactivity.threshold=5d",
            "--poll.interval=7s",
            "--sample=1m",
            "--format=csv",
            "--fail-on=unknown",
            "--fail-on=unowned",
            "--log.level=debug",
            "--log.format=json",
        ]
    )

    config = options.source.load()
    assert config.inactivity.threshold_seconds == 5 * 86400
    assert config.poll.interval_seconds == 7
    assert options.sample_seconds == 60
    assert options.format == "csv"
    assert options.fail_on == (FailOn.UNKNOWN, FailOn.UNOWNED)
    assert (options.log_level, options.log_format) == ("debug", "json")


def test_all_flags_with_a_daemon() -> None:
    """Where it is, how it is asked, and about whom."""
    options = parse_report(
        [f"{DAEMON}/idle/", "--http.config.file=h.yaml", "--explain=A", "--format=json"]
    )

    assert options.daemon_url == "http://h:7778/idle"
    assert options.client_file == Path("h.yaml")
    assert (options.account, options.format) == ("A", "json")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([DAEMON, "--config.file=x"], "--config.file: not allowed with --from"),
        ([DAEMON, "--nats.endpoint=http://x:1"], "--nats.endpoint: not allowed with"),
        ([DAEMON, "--inactivity.threshold=1d"], "--inactivity.threshold: not allowed"),
        ([DAEMON, "--poll.interval=1s"], "--poll.interval: not allowed with --from"),
        ([DAEMON, "--sample=1s"], "--sample: not allowed with --from"),
        (["--http.config.file=x"], "--http.config.file: needs --from"),
        (["--explain=A", "--format=csv"], "--explain: needs --format text or json"),
        (["--explain=A", "--format=markdown"], "--explain: needs --format text or"),
        (["--from=ftp://x"], "argument --from: expected a URL that starts with"),
        (["--from=http://u:secret@x"], "expected a URL without user and password"),
        (["--sample=0s"], "argument --sample: expected a duration above 0, like 24h"),
        (["--format=xml"], "argument --format: invalid choice: 'xml'"),
        (["--fail-on=active"], "argument --fail-on: invalid choice: 'active'"),
        (["--web.listen-address=:1"], "unrecognized arguments"),
    ],
)
def test_mistakes(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flag that cannot be used, or would be ignored, is wrong usage."""
    with pytest.raises(SystemExit) as caught:
        parse_report(flags)

    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert "secret" not in error


def test_every_word_of_fail_on_is_offered() -> None:
    """The flag knows what the report can look for."""
    for each in FailOn:
        assert parse_report([f"--fail-on={each}"]).fail_on == (each,)
