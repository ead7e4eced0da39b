"""One fault on stage: three real servers, one of them hurt, and what comes of it.

Time is the fake clock's, so that thresholds pass at once; the faults, the servers
and all of the exporter but its clock are real. What happens meanwhile:

* RAISED is never used. It is inactive before the fault begins and stays so.
* LATE was used once, and its threshold passes while the fault lasts.
* HIDDEN was used with LATE, and again during the fault, at the hurt server only.
* BUSY sends through the hurt server in every cycle.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from nats.aio.client import Client
from structlog.testing import capture_logs
from structlog.types import EventDict

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.config import parse_config
from nats_idle_exporter.monitoring.client import ReadsEndpoint
from nats_idle_exporter.snapshot import EndpointStatus
from tests.chaos.faults import CALM, Fault
from tests.chaos.measures import Stopwatch, forget_peak, peak_bytes
from tests.chaos.outcome import Outcome
from tests.chaos.proxy import RunningProxy, proxied
from tests.chaos.truth import Truth
from tests.support.clients import connected
from tests.support.natsserver import NatsServer
from tests.support.servers import NEWEST
from tests.support.topology import a_cluster, running
from tests.support.watching import INTERVAL, Watching, watching_as

RAISED, LATE, HIDDEN, BUSY = ACCOUNTS = ("RAISED", "LATE", "HIDDEN", "BUSY")
THRESHOLD_CYCLES = 8
USED_IN, FAULT_IN = 4, 10
"""The cycles in which LATE and HIDDEN are used, and in which the fault begins."""
FAULT_CYCLES, AFTER_CYCLES = 7, 4
PATIENCE_SECONDS, HANG_SECONDS = 20.0, 1.5
"""Real time for a poll, and for one that hangs by design."""
MOST_BYTES = 16 * 1024 * 1024
"""Of a body; endless ones are cut there."""


class Stage(NamedTuple):
    """Servers that run, the proxy before the first, and BUSY's connection to it."""

    servers: Sequence[NatsServer]
    proxy: RunningProxy
    busy: Client

    @property
    def urls(self) -> list[str]:
        """The endpoints, the hurt one first."""
        return [self.proxy.url, *(each.monitoring_url for each in self.servers[1:])]


@asynccontextmanager
async def staged(version: str = NEWEST, niceness: int = 0) -> AsyncIterator[Stage]:
    """Start what faults are played on.

    Args:
        version: of the servers.
        niceness: of the proxy; one that gives way costs servers no time of a core.
    """
    servers = a_cluster(*ACCOUNTS, version=version)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(*servers))
        proxy = await stack.enter_async_context(
            proxied(servers[0], servers[1], niceness)
        )
        busy = await stack.enter_async_context(connected(servers[0], BUSY))
        yield Stage(servers, proxy, busy)


def _config(stage: Stage) -> dict[str, Any]:
    client = {"follow_redirects": True}
    return {
        "systems": [{"endpoints": stage.urls, "http_client": client}],
        "poll": {
            "interval": f"{INTERVAL:.0f}s",
            "jetstream_interval": f"{INTERVAL:.0f}s",
            "max_body_bytes": MOST_BYTES,
        },
        "inactivity": {"threshold": f"{THRESHOLD_CYCLES * INTERVAL:.0f}s"},
    }


async def play(fault: Fault, stage: Stage) -> Outcome:
    """Play one fault from the calm before to the calm after."""
    watches: list[Stopwatch] = []

    def around(reader: ReadsEndpoint) -> Stopwatch:
        watches.append(Stopwatch(reader, stage.proxy.url))
        return watches[0]

    with capture_logs() as logs:
        async with watching_as(
            parse_config(json.dumps(_config(stage))),
            timeout_seconds=HANG_SECONDS if _hangs(fault) else PATIENCE_SECONDS,
            around=around,
        ) as watch:
            scene = _Scene(fault, stage, watch, watches[0])
            try:
                await scene.play()
            finally:
                await stage.proxy.switch(CALM.name)
    return scene.outcome([line for line in logs if line["log_level"] == "warning"])


def _hangs(fault: Fault) -> bool:
    return fault.expected == "timeout"


class _Scene:
    def __init__(
        self, fault: Fault, stage: Stage, watch: Watching, stopwatch: Stopwatch
    ) -> None:
        self._fault = fault
        self._stage = stage
        self._watch = watch
        self._stopwatch = stopwatch
        clock = watch.clock
        self._truth = Truth(THRESHOLD_CYCLES * INTERVAL)
        # These are not new to the servers: other scenes used them.
        for account in (LATE, HIDDEN, BUSY):
            self._truth.use(account, clock.monotonic())
        self._errors: dict[str, int] = {}
        self._cycles = 0
        self._kept = self._peak = 0
        self._calm_seconds: list[float] = []
        self._hurt_seconds: list[float] = []
        self._up_after: int | None = None
        self._proven_after: int | None = None

    async def play(self) -> None:
        if self._fault.is_first_sight:
            await self._stage.proxy.switch(self._fault.name)
        else:
            await self._calm_before()
            raised = self._watch.account(RAISED)
            assert raised.verdict is Verdict.INACTIVE, self._watch.snapshot.endpoints
        self._calm_seconds = self._stopwatch.take()
        forget_peak()
        self._kept = peak_bytes()
        await self._fault_itself()
        if _hangs(self._fault):
            # Their cycles follow each other slowly, and a rested server answers late.
            self._calm_seconds.clear()
        self._peak, self._hurt_seconds = peak_bytes(), self._stopwatch.take()
        await self._calm_after()
        self._calm_seconds += self._stopwatch.take()

    async def _calm_before(self) -> None:
        for number in range(1, FAULT_IN):
            if number == USED_IN:
                await self._use(LATE)
                await self._use(HIDDEN)
            await self._cycle()

    async def _fault_itself(self) -> None:
        before = self._errors_so_far()
        await self._stage.proxy.switch(self._fault.name)
        for number in range(FAULT_CYCLES):
            if number == 1:
                await self._use(HIDDEN)
            self._watch.clock.step(self._fault.our_step)
            await self._cycle()
        after = self._errors_so_far()
        self._errors = {
            reason: count - before.get(reason, 0)
            for reason, count in after.items()
            if count > before.get(reason, 0)
        }

    async def _calm_after(self) -> None:
        await self._stage.proxy.switch(CALM.name)
        for number in range(1, AFTER_CYCLES + 1):
            if _hangs(self._fault):
                await asyncio.sleep(HANG_SECONDS)
            await self._cycle()
            if self._status().is_up:
                self._up_after = self._up_after or number
            if self._is_proven():
                self._proven_after = self._proven_after or number

    def _is_proven(self) -> bool:
        """Say whether all that is idle is raised and backed."""
        views = [self._watch.account(each) for each in (RAISED, LATE)]
        return all(v.verdict is Verdict.INACTIVE and v.is_observed for v in views)

    def _errors_so_far(self) -> Mapping[str, int]:
        return self._status().errors if self._cycles else {}

    def _status(self) -> EndpointStatus:
        return self._watch.snapshot.endpoints[0]

    async def _use(self, account: str) -> None:
        async with connected(self._stage.servers[0], account) as client:
            await client.publish("x", b"")
            await client.flush()
        self._truth.use(account, self._watch.clock.monotonic())

    async def _cycle(self) -> None:
        await self._stage.busy.publish("x", b"")
        await self._stage.busy.flush()
        clock = self._watch.clock
        self._truth.use(BUSY, clock.monotonic())
        view = await self._watch.cycles()
        self._cycles += 1
        self._truth.judge(view.accounts, clock.monotonic())

    def outcome(self, warnings: list[EventDict]) -> Outcome:
        """Return what came of it; the log is that of the whole scene."""
        told = [
            f"{line['event']}: {line.get('detail', '')}".rstrip(": ")
            for line in warnings
        ]
        return Outcome(
            fault=self._fault.name,
            expected=self._fault.expected,
            costs_proof=self._fault.costs_proof or self._fault.is_first_sight,
            errors=self._errors,
            told=told[0] if told else "",
            false_raises=tuple(self._truth.false_raises),
            false_clears=tuple(self._truth.false_clears),
            kept_bytes=self._kept,
            peak_bytes=self._peak,
            calm_seconds=tuple(self._calm_seconds),
            others_seconds=tuple(self._hurt_seconds),
            up_after=self._up_after,
            proven_after=self._proven_after,
        )
