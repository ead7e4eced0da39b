"""The daemon with a flaw in its poll loop, as a process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nats_idle_exporter.cli import main
from tests.support.daemon import Daemon

ENDPOINT = "--nats.endpoint=http://127.0.0.1:1"
FLAWED = """
import asyncio, sys
from nats_idle_exporter import pulse
from nats_idle_exporter.cli import main
from nats_idle_exporter.monitoring.poller import Poller

async def run(_):
    {flaw}

Poller.run = run
pulse.LEAST_PATIENCE_SECONDS = 0.0
sys.exit(main(sys.argv[1:]))
"""


def flawed(flaw: str) -> tuple[str, str]:
    """Return a program whose poll loop does this instead."""
    return "-c", FLAWED.format(flaw=flaw)


def test_a_loop_that_hangs_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    """The page for probes and the health check tell it; the rest still serves."""
    hangs = flawed("await asyncio.Event().wait()")
    with Daemon(ENDPOINT, "--poll.interval=50ms", program=hangs) as daemon:
        while (answer := daemon.fetch("/-/healthy"))[0] == 200:
            daemon.page()
        code = main(["--healthcheck", f"--web.listen-address=127.0.0.1:{daemon.port}"])
        page = daemon.fetch("/metrics")[0]
        daemon.wait_for("poll loop hangs: a flaw of this program")

    assert answer[0] == 503
    assert answer[1].startswith("not healthy: no cycle of polls ended for ")
    assert code == 1
    assert "answered with status 503" in capsys.readouterr().err
    assert page == 200


def ended(flaw: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Return how a daemon with such a loop ended."""
    listen = "--web.listen-address=127.0.0.1:0"
    return subprocess.run(
        [sys.executable, *flawed(flaw), ENDPOINT, listen, *flags],
        capture_output=True,
        check=False,
        text=True,
    )


def test_a_loop_that_dies_ends_all_with_one_line() -> None:
    """What failed, and where, is one event of the log; the exit code is 1."""
    process = ended("raise RuntimeError('two\\nlines')", "--log.format=json")

    *_, last = map(json.loads, process.stderr.splitlines())
    assert (process.returncode, process.stdout) == (1, "")
    assert (last["level"], last["msg"]) == ("error", "ended by a flaw of this program")
    assert last["error"] == "RuntimeError: two\nlines"
    assert "Traceback (most recent call last)" in last["exception"]
    assert "in run\n" in last["exception"]


def test_all_that_failed_is_named() -> None:
    """Groups of errors only say where; the line tells the errors in them."""
    process = ended("raise ExceptionGroup('g', [KeyError('a'), ValueError('b')])")

    assert process.returncode == 1
    assert "error=\"KeyError: 'a'; ValueError: b\"" in process.stderr.splitlines()[-1]
