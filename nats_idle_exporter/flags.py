"""Flags of each command: what is accepted, and what it becomes."""

from __future__ import annotations

import argparse
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nats_idle_exporter import __version__
from nats_idle_exporter.config.durations import parse_duration
from nats_idle_exporter.config.loading import DEFAULT_ENDPOINT
from nats_idle_exporter.config.overrides import Overrides
from nats_idle_exporter.config.scalars import POSITIVE_EXPECTED, describe
from nats_idle_exporter.config.web import WebOptions
from nats_idle_exporter.configsource import ConfigSource
from nats_idle_exporter.lookups import parse_place
from nats_idle_exporter.webflags import add_web_flags, flag, web_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats_idle_exporter.log import Format, Level

PROGRAM = "nats-idle-exporter"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the flags of ``serve`` say."""

    source: ConfigSource
    is_config_check: bool
    is_healthcheck: bool
    web: WebOptions
    log_level: Level
    log_format: Format


def parse_serve(arguments: Sequence[str]) -> ServeOptions:
    """Return what the flags of ``serve`` say.

    Raises:
        SystemExit: by argparse: 2 for wrong usage, 0 for help and version.
    """
    parser = _serve_parser()
    given = parser.parse_args(arguments)
    return ServeOptions(
        source=_source(parser, given),
        is_config_check=given.config_check,
        is_healthcheck=given.healthcheck,
        web=web_options(parser, given),
        log_level=given.log_level,
        log_format=given.log_format,
    )


def _source(parser: argparse.ArgumentParser, given: argparse.Namespace) -> ConfigSource:
    if given.auto_reload and given.config_file is None:
        parser.error("--config.enable-auto-reload: needs --config.file")
    look_seconds = parse_duration(given.auto_reload_interval)
    return ConfigSource(
        path=given.config_file,
        overrides=overrides_of(given),
        look_seconds=look_seconds if given.auto_reload else None,
    )


def overrides_of(given: argparse.Namespace) -> Overrides:
    """Return what outranks the file."""
    return Overrides(
        endpoints=tuple(given.endpoints or ()),
        threshold=given.threshold,
        poll_interval=given.poll_interval,
    )


def parse_demo(arguments: Sequence[str]) -> float | None:
    """Return how many seconds the demonstration runs; None is until stopped.

    Raises:
        SystemExit: by argparse: 2 for wrong usage, 0 for help.
    """
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} demo",
        description="Watch a real three-node NATS cluster on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--duration",
        metavar="DURATION",
        type=flag(positive_duration),
        help="end after this time, like 60s (default: when interrupted)",
    )
    duration = parser.parse_args(arguments).duration
    return None if duration is None else parse_duration(duration)


def version_text() -> str:
    """Return what ``--version`` prints."""
    return (
        f"{PROGRAM}, version {__version__}\n"
        f"  python version: {platform.python_version()}\n"
        f"  platform:       {platform.system().lower()}/{platform.machine()}"
    )


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [serve] [flags]\n       {PROGRAM} report [flags]"
        f"\n       {PROGRAM} demo [--duration 60s]",
        description="Tell Prometheus which NATS accounts nobody uses.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version_text())
    _add_config_flags(parser)
    add_web_flags(parser)
    add_log_flags(parser)
    return parser


def _add_config_flags(parser: argparse.ArgumentParser) -> None:
    flags = parser.add_argument_group("configuration; a flag outranks the file")
    add_source_flags(flags)
    flags.add_argument(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="check the configuration and exit",
    )
    flags.add_argument(
        "--config.enable-auto-reload",
        dest="auto_reload",
        action="store_true",
        help="load the file anew when it changed",
    )
    flags.add_argument(
        "--config.auto-reload-interval",
        dest="auto_reload_interval",
        metavar="DURATION",
        type=flag(positive_duration),
        default="30s",
        help="how often it is looked at for that (default: 30s)",
    )


def add_source_flags(flags: argparse._ArgumentGroup) -> None:
    """Let a group take the file, and the flags that :func:`overrides_of` reads."""
    flags.add_argument(
        "--config.file",
        dest="config_file",
        metavar="FILE",
        type=Path,
        help="the YAML file (default: none)",
    )
    flags.add_argument(
        "--nats.endpoint",
        dest="endpoints",
        metavar="URL",
        action="append",
        type=flag(parse_place),
        help="monitoring URL of a server, or a name that leads to several, repeatable;"
        " not with systems in a file"
        f" (default without a file: {DEFAULT_ENDPOINT})",
    )
    flags.add_argument(
        "--inactivity.threshold",
        dest="threshold",
        metavar="DURATION",
        type=flag(positive_duration),
        help="how long an account must be unused (default: 24h)",
    )
    flags.add_argument(
        "--poll.interval",
        dest="poll_interval",
        metavar="DURATION",
        type=flag(positive_duration),
        help="how often each endpoint is polled (default: 30s)",
    )


def add_log_flags(parser: argparse.ArgumentParser, default: Level = "info") -> None:
    """Let a parser take the flags of logging."""
    flags = parser.add_argument_group("logging")
    flags.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warn", "error"),
        default=default,
        help=f"the least severe events that are logged (default: {default})",
    )
    flags.add_argument(
        "--log.format",
        dest="log_format",
        choices=("logfmt", "json"),
        default="logfmt",
        help="how events are written to stderr (default: logfmt)",
    )


def positive_duration(text: str) -> str:
    """Return the text of a duration above zero.

    Raises:
        ValueError: it is none.
    """
    try:
        is_positive = parse_duration(text) > 0
    except ValueError:
        is_positive = False
    if not is_positive:
        raise ValueError(f"expected {POSITIVE_EXPECTED}, found {describe(text)}")
    return text
