"""The daemon and real servers: a reload changes what was asked for, and no more."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.test_restarts import families, wait_for_a_save, wait_until
from tests.monitoring.scripted import ScriptedServer
from tests.monitoring.scripted import running as scripted
from tests.support.clients import connected
from tests.support.daemon import Daemon
from tests.support.topology import a_single

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

THRESHOLD = "3s"
RELOADED = "nats_idle_exporter_config_last_reload_success"


class Operator:
    """Who writes the file of a daemon, and has it loaded."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.yaml"
        self.config: dict[str, Any] = {
            "poll": {"interval": "200ms", "jetstream_interval": "200ms"},
            "inactivity": {"threshold": THRESHOLD},
            "state": {"path": "state.sqlite"},
        }

    def write(self, systems: dict[str, list[Any]], **sections: Any) -> None:
        """Write the file: endpoints by system, and other sections than before."""
        named = [{"name": name, "endpoints": urls} for name, urls in systems.items()]
        self.config |= {"systems": named, **sections}
        # At once, as whoever replaces a file does: half of it is no configuration.
        new = self.file.with_suffix(".new")
        new.write_text(yaml.safe_dump(self.config))
        new.replace(self.file)

    @contextmanager
    def running(self, *flags: str) -> Iterator[Daemon]:
        """Run a daemon by the file."""
        file = f"--config.file={self.file}"
        with Daemon(file, "--web.enable-lifecycle", *flags) as daemon:
            yield daemon


def reload(daemon: Daemon) -> None:
    """Have the file loaded, which must be good."""
    assert daemon.fetch("/-/reload", "POST") == (200, "reloaded\n")


def values(daemon: Daemon, family: str) -> dict[str, float]:
    """Return a family's values by labels."""
    lines = re.findall(rf"^{family}(?:{{(.*)}})? (\S+)$", daemon.page(), re.MULTILINE)
    return {labels: float(value) for labels, value in lines}


def wait_for_endpoints(daemon: Daemon, *urls: str) -> None:
    """Return once these endpoints are shown, all of them up, and no others."""
    while True:
        found = values(daemon, "nats_idle_exporter_endpoint_up")
        shown = sorted(re.findall('endpoint="(.*?)"', " ".join(found)))
        if shown == sorted(urls) and all(found.values()):
            return


async def test_raised_verdict(tmp_path: Path) -> None:
    """It stays raised over reloads, until the threshold is longer than was proven."""
    operator = Operator(tmp_path)
    async with a_single("QUIET", "OTHER") as server:
        systems = {"default": [server.monitoring_url]}
        operator.write(systems)
        with operator.running() as daemon:
            wait_until(daemon, "QUIET", inactive=1, observed=1)
            operator.write(systems, exclude=["OTHER"], poll={"interval": "100ms"})
            reload(daemon)
            seen = [families(daemon, "QUIET")]
            while 'account="OTHER"' in daemon.page():
                seen.append(families(daemon, "QUIET"))
            rules = [{"match": "Q*", "threshold": "2s", "owner": "me"}]
            operator.write(systems, accounts=rules)
            reload(daemon)
            while seen[-1]["account_inactivity_threshold_seconds"] != 2:
                seen.append(families(daemon, "QUIET"))
            owned = values(daemon, "account_info")
            operator.write(systems, accounts=[{"match": "Q*", "threshold": "1h"}])
            reload(daemon)
            fallen = wait_until(daemon, "QUIET", inactive=0, observed=0)
            assert daemon.end(signal.SIGTERM) == 0

    assert {each["account_inactive"] for each in seen} == {1}
    assert 'owner="me"' in next(iter(owned))
    assert fallen["account_idle_seconds"] > 3


async def test_endpoints_and_systems_come_and_go(tmp_path: Path) -> None:
    """Those that stay are watched on; one that comes back goes on where it was."""
    operator = Operator(tmp_path)
    async with a_single("QUIET") as one, a_single("OTHER") as two:
        here, there = one.monitoring_url, two.monitoring_url
        operator.write({"north": [here]})
        with operator.running() as daemon:
            wait_until(daemon, "QUIET", inactive=1, observed=1)
            operator.write({"north": [here, there]})
            reload(daemon)
            wait_for_endpoints(daemon, here, there)
            joined = wait_until(daemon, "QUIET", observed=1)
            operator.write({"north": [here], "south": [there]})
            reload(daemon)
            wait_for_endpoints(daemon, here, there)
            wait_until(daemon, "OTHER", inactive=1)
            since = wait_until(daemon, "QUIET", observed=1)
            operator.write({"south": [there]})
            reload(daemon)
            wait_for_endpoints(daemon, there)
            operator.write({"north": [here], "south": [there]})
            reload(daemon)
            back = wait_until(daemon, "QUIET", observed=1)
            wait_for_a_save(daemon)
            assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
        with operator.running() as daemon:
            restarted = [families(daemon, account) for account in ("QUIET", "OTHER")]
            assert daemon.end(signal.SIGTERM) == 0

    assert joined["account_inactive"] == 1
    assert back["account_inactive"] == 1
    name = "account_quiet_since_timestamp_seconds"
    assert back[name] == since[name]
    assert [each["account_inactive"] for each in restarted] == [1, 1]


async def test_use_while_a_system_was_not_configured(tmp_path: Path) -> None:
    """It is seen at the first poll after the system came back."""
    operator = Operator(tmp_path)
    async with a_single("QUIET") as one, a_single("OTHER") as two:
        north, south = [one.monitoring_url], [two.monitoring_url]
        operator.write({"north": north, "south": south})
        with operator.running() as daemon:
            wait_until(daemon, "QUIET", inactive=1)
            operator.write({"south": south})
            reload(daemon)
            wait_for_endpoints(daemon, *south)
            async with connected(one, "QUIET"):
                pass
            operator.write({"north": north, "south": south})
            reload(daemon)
            back = families(daemon, "QUIET")
            assert daemon.end(signal.SIGTERM) == 0

    assert (back["account_inactive"], back["account_observed"]) == (0, 1)


async def test_bad_file(tmp_path: Path) -> None:
    """The last good one stays in use, the gauge and the answer tell, the log too."""
    operator = Operator(tmp_path)
    async with a_single("QUIET") as server:
        systems = {"default": [server.monitoring_url]}
        operator.write(systems)
        with operator.running() as daemon:
            wait_until(daemon, "QUIET", inactive=1)
            since = values(daemon, f"{RELOADED}_timestamp_seconds")
            operator.write(systems, poll={"interval": "never"})
            refused = daemon.fetch("/-/reload", "PUT")
            daemon.hang_up()
            daemon.wait_for("level=error .*trigger=SIGHUP .*poll.interval: expected")
            while values(daemon, f"{RELOADED}ful") != {"": 0}:
                pass
            kept = families(daemon, "QUIET")
            unchanged = values(daemon, f"{RELOADED}_timestamp_seconds")
            operator.write(systems, poll={"interval": "100ms"})
            reload(daemon)
            while values(daemon, f"{RELOADED}ful") != {"": 1}:
                pass
            later = values(daemon, f"{RELOADED}_timestamp_seconds")
            assert daemon.end(signal.SIGTERM) == 0

    assert refused[0] == 500
    assert "$.poll.interval: expected a duration" in refused[1]
    assert kept["account_inactive"] == 1
    assert since == unchanged
    assert later[""] > since[""]


async def test_registry_file(tmp_path: Path) -> None:
    """It holds from the next cycle on; a mistake in it changes only the gauge."""
    operator = Operator(tmp_path)
    registry = tmp_path / "registry.yaml"

    def register(rules: str) -> None:
        new = registry.with_suffix(".new")
        new.write_text(rules)
        new.replace(registry)

    async with a_single("QUIET") as server:
        systems = {"default": [server.monitoring_url]}
        register("[{match: NOBODY}]")
        operator.write(systems, registry_file=registry.name)
        with operator.running() as daemon:
            wait_until(daemon, "QUIET", inactive=1)
            daemon.wait_for("rule matches no account.*NOBODY")
            exempt = "exempt: {until: 2099-01-01, reason: r, by: b}"
            register(f"[{{match: QUIET, owner: me, {exempt}}}]")
            wait_until(daemon, "QUIET", inactive=0, observed=1)
            owned = values(daemon, "account_info")
            register("[{match: QUIET, exempt: {}}]")
            while values(daemon, f"{RELOADED}ful") != {"": 0}:
                pass
            kept = families(daemon, "QUIET")
            refused = daemon.fetch("/-/reload", "POST")
            register("[]")
            wait_until(daemon, "QUIET", inactive=1, observed=1)
            reload(daemon)
            while values(daemon, f"{RELOADED}ful") != {"": 1}:
                pass
            register("")
            while values(daemon, f"{RELOADED}ful") != {"": 0}:
                pass
            register("[]")
            while values(daemon, f"{RELOADED}ful") != {"": 1}:
                pass
            assert daemon.end(signal.SIGTERM) == 0

    assert 'owner="me"' in next(iter(owned))
    assert (kept["account_inactive"], kept["account_observed"]) == (0, 1)
    assert "$[0].exempt.until: expected a date" in refused[1]
    told = [line for line in daemon.lines if "registry file not read" in line]
    assert [line.count("level=error") for line in told] == [1, 1]


async def test_file_that_changes(tmp_path: Path) -> None:
    """With the flag nobody has to ask."""
    operator = Operator(tmp_path)
    flags = ("--config.enable-auto-reload", "--config.auto-reload-interval=50ms")
    async with a_single("QUIET") as one, a_single("OTHER") as two:
        operator.write({"default": [one.monitoring_url]})
        with operator.running(*flags) as daemon:
            operator.write({"default": [two.monitoring_url]})
            wait_for_endpoints(daemon, two.monitoring_url)
            assert daemon.end(signal.SIGTERM) == 0

    (told,) = [line for line in daemon.lines if "configuration reloaded" in line]
    assert 'trigger="changed file"' in told
    assert "changed=$.systems[0].endpoints[0]" in told


async def test_secrets(tmp_path: Path) -> None:
    """Another secret is used at the next poll, by a reload or by its own file."""
    operator = Operator(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"{name} hunter")

    def watch(server: ScriptedServer) -> None:
        def until_sent(secret: str) -> None:
            while f"Authorization: Bearer {secret}" not in server.heads[-1]:
                daemon.page()

        endpoint = {"url": server.url, "authorization": {"credentials_file": "one"}}
        operator.write({"default": [endpoint]})
        with operator.running() as daemon:
            daemon.wait_for("first cycle ended")
            until_sent("one hunter")
            (tmp_path / "one").write_text("rotated")
            until_sent("rotated")
            endpoint["authorization"] = {"credentials_file": "two"}
            operator.write({"default": [endpoint]})
            reload(daemon)
            until_sent("two hunter")
            endpoint["authorization"] = {"credentials_file": "three"}
            operator.write({"default": [endpoint]})
            refused = daemon.fetch("/-/reload", "POST")
            assert daemon.end(signal.SIGTERM) == 0

        assert refused[0] == 500
        assert "credentials_file: expected a readable file" in refused[1]
        assert "hunter" not in "".join(daemon.lines)

    async with scripted(server := ScriptedServer()):
        await asyncio.to_thread(watch, server)
