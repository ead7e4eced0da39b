"""A report without a daemon, from real servers."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.config import (
    Config,
    Overrides,
    config_without_file,
    parse_config,
)
from nats_idle_exporter.monitoring.clock import SystemClock
from nats_idle_exporter.report.making import make_report
from nats_idle_exporter.report.model import ObservationError
from nats_idle_exporter.report.polling import ONCE, PROVEN, TWICE, UNKNOWN, poll
from nats_idle_exporter.report.run import write
from tests.live.test_first_sight import THRESHOLD_SECONDS, has_run
from tests.support.clients import connected
from tests.support.natsserver import NatsServer
from tests.support.servers import NEWEST
from tests.support.topology import a_single, running


def ignore(_line: str) -> None:
    """Take no interest in the progress."""


def a_config(*servers: NatsServer, more: str = "") -> Config:
    """Return the configuration of some servers, with a threshold of two seconds."""
    urls = [server.monitoring_url for server in servers]
    threshold = f"inactivity: {{threshold: {THRESHOLD_SECONDS}s}}\n"
    return parse_config(f"systems: [{{endpoints: {urls}}}]\n{threshold}{more}")


class BusyClock(SystemClock):
    """A clock on which an account is used while it is waited."""

    def __init__(self, server: NatsServer, account: str) -> None:
        super().__init__()
        self._server = server
        self._account = account
        self.waits: list[float] = []

    async def sleep_until(self, monotonic_at: float) -> None:
        """Use the account instead of sleeping."""
        self.waits.append(monotonic_at - self.monotonic())
        async with connected(self._server, self._account) as client:
            await client.publish("x", b"")
            await client.flush()


@pytest.mark.live
async def test_one_poll() -> None:
    """One poll tells who was never used; of all others it says that it cannot."""
    server = a_single("NEVER", "USED", version=NEWEST)
    async with running(server):
        async with connected(server, "USED") as client:
            await client.publish("x", b"")
            await client.flush()
        await has_run(server)
        config = a_config(server, more="accounts: [{match: NEVER, owner: me}]\n")
        lines: list[str] = []
        polled = await poll(config, SystemClock(), None, lines.append)
        report = await make_report(polled)
        detail = await polled.detail("default", "NEVER")

    verdicts = {each.account: each.verdict for each in report.accounts}
    assert verdicts["NEVER"] is Verdict.INACTIVE
    assert verdicts["USED"] is not Verdict.INACTIVE
    assert report.notes == (ONCE, PROVEN, UNKNOWN)
    assert report.source == "one poll"
    assert report.accounts[0].owner == "me"
    assert detail.account == report.accounts[0]
    assert lines == ["polling 1 endpoint"]


@pytest.mark.live
async def test_two_polls() -> None:
    """Use between two polls is seen, and makes the account active."""
    server = a_single("NEVER", "BUSY", version=NEWEST)
    async with running(server):
        await has_run(server)
        clock = BusyClock(server, "BUSY")
        lines: list[str] = []
        report = await make_report(
            await poll(a_config(server), clock, 60.0, lines.append)
        )

    verdicts = {each.account: each.verdict for each in report.accounts}
    assert verdicts == {"NEVER": Verdict.INACTIVE, "BUSY": Verdict.ACTIVE}
    assert [round(seconds) for seconds in clock.waits] == [60]
    assert report.notes == (TWICE, PROVEN, UNKNOWN)
    assert report.source == "two polls, 1m apart"
    assert lines == ["polling 1 endpoint", "polling again in 1m"]


@pytest.mark.live
async def test_the_command(tmp_path: Path) -> None:
    """The program prints the table alone on stdout, and touches no state."""
    server = a_single("NEVER", version=NEWEST)
    state = tmp_path / "state.sqlite"
    file = tmp_path / "c.yaml"
    async with running(server):
        await has_run(server)
        file.write_text(
            f"systems: [{{endpoints: [{server.monitoring_url}]}}]\n"
            f"inactivity: {{threshold: {THRESHOLD_SECONDS}s}}\n"
            f"state: {{path: {state}}}\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "nats_idle_exporter",
            "report",
            f"--config.file={file}",
            "--fail-on=inactive",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()

    assert process.returncode == 3
    assert out.startswith(b"1 account: 1 inactive\n")
    assert err == b"polling 1 endpoint\n--fail-on inactive: 1\n"
    assert not state.exists()


@pytest.mark.live
async def test_every_kind_of_account_by_its_inventory(tmp_path: Path) -> None:
    """Where accounts are listed beside the servers is read, too."""
    listed = tmp_path / "accounts.yaml"
    listed.write_text("[NEVER, ELSEWHERE]\n")
    server = a_single("NEVER", version=NEWEST)
    async with running(server):
        config = parse_config(
            f"systems: [{{endpoints: [{server.monitoring_url}],"
            f" inventory: [{{accounts_file: {listed}}}]}}]\n"
        )
        polled = await poll(config, SystemClock(), None, ignore)
        watch = await polled.watch()
        with pytest.raises(ObservationError, match="no such account in this system"):
            await polled.detail("default", "NOBODY")

    [source] = watch.inventories
    assert (source.is_up, source.accounts) == (True, 2)


async def test_nothing_answers() -> None:
    """What cannot be observed is no report, and the reason is told."""
    config = config_without_file(Overrides(endpoints=("http://127.0.0.1:1",)))
    polled = await poll(config, SystemClock(), None, ignore)

    with pytest.raises(ObservationError, match="no endpoint of the system default"):
        await make_report(polled)


class TestCommandLine:
    """What the report's trouble becomes."""

    @pytest.mark.parametrize(
        ("flags", "code", "words"),
        [
            (["--config.file={folder}/none"], 1, "none: $: expected a readable file"),
            (["--config.file={folder}/c", "--nats.endpoint=http://x"], 2, "c: --nats."),
            (
                ["--from=http://127.0.0.1:1", "--http.config.file={folder}/none"],
                1,
                "none: $: expected a readable file",
            ),
            (
                ["--from=http://127.0.0.1:1"],
                4,
                "the daemon at http://127.0.0.1:1:",
            ),
            (
                ["--nats.endpoint=http://127.0.0.1:1"],
                4,
                "no endpoint of the system",
            ),
        ],
    )
    def test_exit_codes(
        self, flags: list[str], code: int, words: str, tmp_path: Path
    ) -> None:
        """Bad configuration is 1, wrong usage 2, and nothing to observe 4."""
        (tmp_path / "c").write_text("systems: [{endpoints: ['http://h:8222']}]\n")
        arguments = [flag.format(folder=tmp_path) for flag in flags]

        ended = reporting(*arguments)

        assert ended.returncode == code
        assert words in ended.stderr
        assert ended.stdout == ""

    def test_help(self) -> None:
        """The help names the exit codes."""
        ended = reporting("--help")

        assert ended.returncode == 0
        assert "3 --fail-on matched" in " ".join(ended.stdout.split())


def reporting(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "nats_idle_exporter", "report", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_reader_that_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads only the beginning, as head does, makes no complaint."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        write("x" * 100_000)
        print("more", file=stdout, flush=True)


def test_any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a terminal's encoding cannot say is written in UTF-8."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    write("名前")

    assert raw.getvalue() == "名前".encode()
