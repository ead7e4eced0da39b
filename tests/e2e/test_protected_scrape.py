"""A real Prometheus scrapes by TLS, with a client certificate and a password."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from nats_idle_exporter.metrics import Refusal
from tests.support.certificates import Authority, Pair
from tests.support.monitoring_stack import Service, running_scraper
from tests.web.serving import Protected, hashed, protected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.live, pytest.mark.no_cover]
RIGHT = "a right password"


def web_file(folder: Path) -> Path:
    """Write a file that asks for a certificate and a password."""
    content = {
        "tls_server_config": {
            "cert_file": "server-one.pem",
            "key_file": "server-one.key",
            "client_ca_file": "clients.pem",
            "client_auth_type": "RequireAndVerifyClientCert",
        },
        "basic_auth_users": {"prometheus": hashed(RIGHT)},
    }
    path = folder / "web.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@asynccontextmanager
async def scraped(
    folder: Path, client: Pair, password: str
) -> AsyncIterator[tuple[Protected, Service]]:
    """Run Prometheus against the protected pages, as this client."""
    server = Authority(folder, "server")
    server.issue("one")
    job: dict[str, Any] = {
        "scheme": "https",
        "basic_auth": {"username": "prometheus", "password": password},
        "tls_config": {
            "ca_file": str(server.path),
            "cert_file": str(client.cert),
            "key_file": str(client.key),
        },
    }
    async with protected(web_file(folder)) as exporter:
        address = f"127.0.0.1:{exporter.port}"
        async with running_scraper(folder, address, job) as prometheus:
            yield exporter, prometheus


async def up(prometheus: Service) -> str | None:
    """Return what Prometheus says of its last scrape; None before the first."""
    _, body = await prometheus.ask("/api/v1/query", query="up")
    result = body["data"]["result"]
    value: str | None = result[0]["value"][1] if result else None
    return value


async def test_a_client_with_both_is_served(tmp_path: Path) -> None:
    """With the right certificate and password Prometheus gets its samples."""
    client = Authority(tmp_path, "clients").issue("prometheus")

    async with scraped(tmp_path, client, RIGHT) as (exporter, prometheus):

        async def is_up() -> bool:
            return await up(prometheus) == "1"

        await prometheus.child.until(is_up, "scraped")
        refused = exporter.state.refusals.read()

    assert set(refused.values()) == {0}


@pytest.mark.parametrize(
    ("issuer", "password", "reason"),
    [
        ("clients", "a wrong password", Refusal.AUTHORIZATION),
        ("others", RIGHT, Refusal.CERTIFICATE),
    ],
)
async def test_a_client_with_a_wrong_one_is_refused(
    issuer: str, password: str, reason: Refusal, tmp_path: Path
) -> None:
    """A wrong password or certificate gets nothing, and is counted by its reason."""
    Authority(tmp_path, "clients")
    client = Authority(tmp_path, issuer).issue("prometheus")

    async with scraped(tmp_path, client, password) as (exporter, prometheus):

        async def is_down() -> bool:
            return await up(prometheus) == "0"

        await prometheus.child.until(is_down, "was refused")
        refused = exporter.state.refusals.read()

    assert refused[reason] > 0
    assert sum(refused.values()) == refused[reason]
