"""Flags of our own web server: where it listens, and who may ask."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nats_idle_exporter.config.web import (
    DEFAULT_MAX_REQUESTS,
    DEFAULT_PORT,
    WebOptions,
    parse_listen_address,
    parse_max_requests,
    parse_route_prefix,
    parse_telemetry_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


def add_web_flags(parser: argparse.ArgumentParser) -> None:
    """Let a parser take the flags that :func:`web_options` reads."""
    flags = parser.add_argument_group("web")
    _add_listen_flags(flags)
    flags.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        metavar="PATH",
        type=flag(parse_telemetry_path),
        default="/metrics",
        help="where the metrics are served (default: /metrics)",
    )
    flags.add_argument(
        "--web.route-prefix",
        dest="route_prefix",
        metavar="PATH",
        type=flag(parse_route_prefix),
        default="/",
        help="what stands before every path (default: /)",
    )
    flags.add_argument(
        "--web.config.file",
        dest="web_config_file",
        metavar="FILE",
        type=Path,
        help="the YAML file for TLS, users and headers (default: none)",
    )
    flags.add_argument(
        "--web.max-requests",
        dest="max_requests",
        metavar="N",
        type=flag(parse_max_requests),
        default=DEFAULT_MAX_REQUESTS,
        help="requests served at once, 0 for no limit"
        f" (default: {DEFAULT_MAX_REQUESTS})",
    )
    flags.add_argument(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="let POST and PUT of /-/reload load the configuration anew",
    )
    flags.add_argument(
        "--healthcheck",
        action="store_true",
        help="ask the daemon that runs at the first listen address, and exit",
    )


def _add_listen_flags(flags: argparse._ArgumentGroup) -> None:
    flags.add_argument(
        "--web.listen-address",
        dest="listen_addresses",
        metavar="ADDRESS",
        action="append",
        type=flag(parse_listen_address),
        help=f":port, host:port or [::1]:port, repeatable (default: :{DEFAULT_PORT})",
    )
    flags.add_argument(
        "--web.systemd-socket",
        dest="systemd_socket",
        action="store_true",
        help="listen on the sockets that systemd passes, and on no address",
    )


def web_options(
    parser: argparse.ArgumentParser, given: argparse.Namespace
) -> WebOptions:
    """Return what the flags say.

    Raises:
        SystemExit: by argparse, for flags that contradict each other.
    """
    addresses = tuple(given.listen_addresses or [("", DEFAULT_PORT)])
    if len(set(addresses)) < len(addresses):
        parser.error("--web.listen-address: each address can be given once")
    if given.systemd_socket and given.listen_addresses:
        parser.error("--web.systemd-socket: not allowed with --web.listen-address")
    if given.systemd_socket and given.healthcheck:
        parser.error("--healthcheck: needs --web.listen-address to know whom to ask")
    return WebOptions(
        listen_addresses=() if given.systemd_socket else addresses,
        telemetry_path=given.telemetry_path,
        route_prefix=given.route_prefix,
        config_file=given.web_config_file,
        max_requests=given.max_requests,
        enables_lifecycle=given.enable_lifecycle,
    )


def flag(parse: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Keep the parser's own words: argparse would print the value as it is."""

    def parse_flag(text: str) -> _Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_flag
