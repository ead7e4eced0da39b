"""The report command: observe, print, and say by the exit code what was found."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from nats_idle_exporter.api.model import Account
from nats_idle_exporter.config.clientfile import load_client_file
from nats_idle_exporter.config.endpoints import PlacedClient
from nats_idle_exporter.errors import ConfigError, StartError
from nats_idle_exporter.monitoring.access import Accesses
from nats_idle_exporter.monitoring.clock import SystemClock
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.report.daemon import Daemon
from nats_idle_exporter.report.explaining import render_explanation
from nats_idle_exporter.report.flags import Format, ReportOptions
from nats_idle_exporter.report.formats import (
    render_csv,
    render_json,
    render_markdown,
)
from nats_idle_exporter.report.making import FailOn, explain, make_report, matching
from nats_idle_exporter.report.model import (
    Explanation,
    ObservationError,
    Observed,
    Report,
)
from nats_idle_exporter.report.polling import poll
from nats_idle_exporter.report.text import render_text
from nats_idle_exporter.text import one_line

DONE: Final = 0
FAILED_ON: Final = 3
NOT_OBSERVED: Final = 4


def run_report(options: ReportOptions) -> int:
    """Print the report to stdout, and how it goes to stderr; return the exit code.

    Raises:
        ConfigError: the configuration, or a file that it names, cannot be used.
        UsageError: flags and file both name endpoints.
        StartError: the client file cannot be used, or a package is missing.
    """
    try:
        document = asyncio.run(_document(options))
    except ObservationError as error:
        _tell(str(error))
        return NOT_OBSERVED
    write(_rendered(document, options.format))
    found = matching(_accounts(document), map(FailOn, options.fail_on))
    for what, count in found.items():
        _tell(f"--fail-on {what}: {count:,}")
    return FAILED_ON if found else DONE


async def _document(options: ReportOptions) -> Report | Explanation:
    async with _observed(options) as observed:
        if options.account is not None:
            return await explain(observed, options.account)
        return await make_report(observed)


@asynccontextmanager
async def _observed(options: ReportOptions) -> AsyncIterator[Observed]:
    if options.daemon_url is None:
        config = options.source.load()
        yield await poll(config, SystemClock(), options.sample_seconds, _tell)
        return
    accesses = _accesses(options, options.daemon_url)
    async with new_session() as session:
        yield Daemon(session, options.daemon_url, accesses, _tell)


def _accesses(options: ReportOptions, url: str) -> Accesses:
    accesses = Accesses()
    if options.client_file is None:
        return accesses
    try:
        client = load_client_file(options.client_file)
        accesses.use(
            url, PlacedClient(client, dict.fromkeys(client.__struct_fields__, "$"))
        )
    except ConfigError as error:
        raise StartError(f"{options.client_file}: {error}") from error
    return accesses


def _accounts(document: Report | Explanation) -> tuple[Account, ...]:
    if isinstance(document, Report):
        return document.accounts
    return tuple(detail.account for detail in document.accounts)


def _rendered(document: Report | Explanation, form: Format) -> str:
    if form == "json":
        return render_json(document)
    if isinstance(document, Explanation):
        return render_explanation(document)
    renderers: dict[Format, Callable[[Report], str]] = {
        "text": render_text,
        "csv": render_csv,
        "markdown": render_markdown,
    }
    return renderers[form](document)


def write(text: str) -> None:
    """Write to stdout in UTF-8, whatever the terminal is; a reader may leave early."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would complain at its end, when it flushes what nobody reads.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(line: str) -> None:
    sys.stderr.write(f"{one_line(line)}\n")
    sys.stderr.flush()
