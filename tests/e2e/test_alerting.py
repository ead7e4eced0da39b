"""From a real nats-server to a message of a real Alertmanager, and back."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.clients import connected
from tests.support.monitoring_stack import (
    Receiver,
    Service,
    receiving,
    running_alertmanager,
    running_daemon,
    running_prometheus,
)
from tests.support.servers import VERSIONS
from tests.support.topology import a_single

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

INACTIVE = {"alertname": "NatsAccountInactive", "account": "QUIET"}


class Stack(NamedTuple):
    """Everything between a server and the one who is told."""

    daemon: Service
    alertmanager: Service
    receiver: Receiver

    async def until_told(self, status: str, **labels: str) -> None:
        """Return once the receiver was told about such an alert."""

        async def is_told() -> bool:
            return bool(self.receiver.alerts(status, **labels))

        await self.alertmanager.child.until(is_told, f"told of {status} {labels}")


@asynccontextmanager
async def watching(
    server: NatsServer, folder: Path, threshold: str
) -> AsyncIterator[Stack]:
    """Run everything, with the accounts of one owner."""
    config = {
        "systems": [{"name": "shop", "endpoints": [server.monitoring_url]}],
        "poll": {"interval": "500ms"},
        "inactivity": {"threshold": threshold, "gap_tolerance": "500ms"},
        "accounts": [{"match": "*", "owner": "sales", "team": "web"}],
    }
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        daemon = await stack.enter_async_context(running_daemon(folder, config))
        receiver = await stack.enter_async_context(receiving())
        alertmanager = await stack.enter_async_context(
            running_alertmanager(folder, receiver)
        )
        await stack.enter_async_context(
            running_prometheus(folder, daemon, alertmanager)
        )
        yield Stack(daemon, alertmanager, receiver)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_unused_account_alerts_until_its_first_use(
    version: str, tmp_path: Path
) -> None:
    """The alert reaches the owner, and one empty message resolves it."""
    server = a_single("QUIET", "BUSY", version=version)
    # The threshold leaves time to tell of the end before it is unused once more.
    async with (
        watching(server, tmp_path, threshold="10s") as stack,
        connected(server, "BUSY"),
    ):
        await stack.until_told("firing", **INACTIVE)
        status, alerts = await stack.alertmanager.ask(
            "/api/v2/alerts", filter='alertname="NatsAccountInactive"'
        )
        ended_before = stack.receiver.alerts("resolved", **INACTIVE)
        async with connected(server, "QUIET") as client:
            await client.publish("any.subject", b"")
            await client.flush()
        await stack.until_told("resolved", **INACTIVE)

        assert status == 200
        assert [alert["labels"] for alert in alerts] == [
            {
                "alertname": "NatsAccountInactive",
                "severity": "info",
                "check_id": "OPT_IDLE_005",
                "system": "shop",
                "account": "QUIET",
                "account_name": "QUIET",
                "owner": "sales",
                "team": "web",
            }
        ]
        assert ended_before == []
        assert stack.receiver.alerts("firing", account="BUSY") == []
        told = stack.receiver.alerts("firing", **INACTIVE)
        assert {path for path, _ in told} == {"/account-owners"}


async def test_no_outage_ends_the_alert(tmp_path: Path) -> None:
    """It goes on while the server hangs, and then while the exporter is down."""
    server = a_single("QUIET")
    async with watching(server, tmp_path, threshold="3s") as stack:
        await stack.until_told("firing", **INACTIVE)
        server.pause()
        await stack.until_told("firing", alertname="NatsIdleExporterEndpointDown")
        await stack.daemon.child.end()
        await stack.until_told("firing", alertname="NatsIdleExporterDown")
        _, alerts = await stack.alertmanager.ask(
            "/api/v2/alerts", filter='alertname="NatsAccountInactive"', active="true"
        )

        assert "QUIET" in {alert["labels"]["account"] for alert in alerts}
        assert stack.receiver.alerts("resolved", **INACTIVE) == []
