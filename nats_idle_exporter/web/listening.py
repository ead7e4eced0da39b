"""Listening: on every address or on none, or on the sockets that systemd passes."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from nats_idle_exporter.config.web import WebOptions, format_listen_address
from nats_idle_exporter.errors import ConfigError, StartError
from nats_idle_exporter.text import os_words
from nats_idle_exporter.web.accepting import complain_seldom
from nats_idle_exporter.web.app import ServingState, make_app
from nats_idle_exporter.web.running import make_runner
from nats_idle_exporter.web.security import Guard

FIRST_PASSED: Final = 3
"""The first socket that systemd passes (sd_listen_fds(3))."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def listening(state: ServingState, options: WebOptions) -> AsyncIterator[None]:
    """Serve on every address, or on none: a start that half works is no start.

    Raises:
        StartError: an address cannot be listened on, or not as securely as asked.
    """
    guard = _guard(state, options)
    runner = make_runner(make_app(state, options, guard), state.refusals)
    await runner.setup()
    complain_seldom(asyncio.get_running_loop())
    try:
        context = guard.ssl_context
        for host, port in options.listen_addresses:
            await _listen(runner, host, port, context)
        if not options.listen_addresses:
            for passed in passed_sockets(os.environ):
                await web.SockSite(runner, passed, ssl_context=context).start()
        for address in runner.addresses:
            _log.info("listening", address=_shown(address), tls=context is not None)
        yield
    finally:
        await runner.cleanup()


def passed_sockets(environment: MutableMapping[str, str]) -> Iterator[socket.socket]:
    """Take over the listening sockets that systemd passes; no child inherits them.

    Raises:
        StartError: none was passed to this process, or one cannot be served.
    """
    count = environment.pop("LISTEN_FDS", "")
    process = environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if process != str(os.getpid()) or not count.isdecimal() or int(count) < 1:
        raise StartError(
            "--web.systemd-socket: systemd passed no socket to this process"
        )
    for number in range(FIRST_PASSED, FIRST_PASSED + int(count)):
        yield _passed(number)


def _passed(number: int) -> socket.socket:
    try:
        os.set_inheritable(number, False)  # noqa: FBT003 - the function's own way
        passed = socket.socket(fileno=number)
        is_listening = passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise StartError(
            f"--web.systemd-socket: socket {number}: {os_words(error)}"
        ) from error
    if not is_listening:
        passed.close()
        raise StartError(f"--web.systemd-socket: socket {number} does not listen")
    return passed


def _guard(state: ServingState, options: WebOptions) -> Guard:
    try:
        return Guard(options.config_file, state.refusals)
    except ConfigError as error:
        raise StartError(f"{options.config_file}: {error}") from error


async def _listen(
    runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None
) -> None:
    try:
        site = web.TCPSite(runner, host or None, port, ssl_context=context)
        await site.start()
    except OSError as error:
        address = format_listen_address(host, port)
        raise StartError(f"cannot listen on {address}: {os_words(error)}") from error


def _shown(address: object) -> str:
    """Return host and port, or the path of a Unix socket."""
    if isinstance(address, tuple):
        return format_listen_address(*address[:2])
    return str(address)
