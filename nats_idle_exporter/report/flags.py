"""Flags of the report: what is accepted, and what it becomes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nats_idle_exporter.config.durations import parse_duration
from nats_idle_exporter.configsource import ConfigSource
from nats_idle_exporter.flags import (
    PROGRAM,
    add_log_flags,
    add_source_flags,
    overrides_of,
    positive_duration,
)
from nats_idle_exporter.urls import parse_endpoint
from nats_idle_exporter.webflags import flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats_idle_exporter.log import Format as LogFormat
    from nats_idle_exporter.log import Level

Format = Literal["text", "json", "csv", "markdown"]
FAIL_ON = ("inactive", "unowned", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """What the flags say.

    ``daemon_url`` None: without a daemon, by ``source``. ``account`` None: all.
    ``sample_seconds`` is between two polls, None for one.
    """

    source: ConfigSource
    daemon_url: str | None
    client_file: Path | None
    sample_seconds: float | None
    format: Format
    account: str | None
    fail_on: tuple[str, ...]
    log_level: Level
    log_format: LogFormat


def parse_report(arguments: Sequence[str]) -> ReportOptions:
    """Return what the flags of ``report`` say.

    Raises:
        SystemExit: by argparse: 2 for wrong usage, 0 for help.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    _check(parser, given)
    return ReportOptions(
        source=ConfigSource(path=given.config_file, overrides=overrides_of(given)),
        daemon_url=given.daemon_url,
        client_file=given.client_file,
        sample_seconds=parse_duration(given.sample) if given.sample else None,
        format=given.format,
        account=given.account,
        fail_on=tuple(given.fail_on or ()),
        log_level=given.log_level,
        log_format=given.log_format,
    )


def _check(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Refuse flags that contradict each other: none is ever ignored."""
    of_polling = {
        "--config.file": given.config_file,
        "--nats.endpoint": given.endpoints,
        "--inactivity.threshold": given.threshold,
        "--poll.interval": given.poll_interval,
        "--sample": given.sample,
    }
    if given.daemon_url:
        for name, value in of_polling.items():
            if value is not None:
                parser.error(f"{name}: not allowed with --from, the daemon has its own")
    elif given.client_file:
        parser.error("--http.config.file: needs --from")
    if given.account is not None and given.format not in {"text", "json"}:
        parser.error("--explain: needs --format text or json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} report",
        description="Say once which accounts nobody uses, and which may go.",
        epilog="Exit codes: 0 done, 1 bad configuration, 2 wrong usage,"
        " 3 --fail-on matched, 4 it could not be observed.",
        allow_abbrev=False,
    )
    _add_report_flags(parser)
    flags = parser.add_argument_group("without a daemon; a flag outranks the file")
    add_source_flags(flags)
    add_log_flags(parser, default="warn")
    return parser


def _add_report_flags(parser: argparse.ArgumentParser) -> None:
    flags = parser.add_argument_group("report")
    flags.add_argument(
        "--from",
        dest="daemon_url",
        metavar="URL",
        type=flag(parse_endpoint),
        help="where a daemon runs whose watching is reported"
        " (default: none, the servers are polled)",
    )
    flags.add_argument(
        "--http.config.file",
        dest="client_file",
        metavar="FILE",
        type=Path,
        help="how it is asked: YAML, in Prometheus' words for HTTP clients",
    )
    flags.add_argument(
        "--sample",
        metavar="DURATION",
        type=flag(positive_duration),
        help="without a daemon: poll again after this time, like 60s (default: once)",
    )
    flags.add_argument(
        "--format",
        choices=("text", "json", "csv", "markdown"),
        default="text",
        help="how it is written to stdout (default: text)",
    )
    flags.add_argument(
        "--explain",
        dest="account",
        metavar="ACCOUNT",
        help="tell all that is known of the account with this id or name",
    )
    flags.add_argument(
        "--fail-on",
        dest="fail_on",
        action="append",
        choices=FAIL_ON,
        help="exit with 3 when there is such an account, repeatable",
    )
