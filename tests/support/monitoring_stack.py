"""Run the daemon, Prometheus and Alertmanager for real, configured by ``deploy/``.

The shipped files are used as they are, but for addresses and for times, which
are cut to a second or less. Every process is ended by its id when its block is
left.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from nats_idle_exporter.demo.child import Child, running
from nats_idle_exporter.demo.ports import ReservedPort
from tests.support.programs import require_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yaml"
SCRAPE = DEPLOY / "prometheus" / "scrape.yaml"
ROUTES = DEPLOY / "alertmanager" / "alertmanager.example.yaml"
_SHORT = "500ms"
_OK = 200


class Service(NamedTuple):
    """One running process that is asked over HTTP."""

    child: Child
    url: str
    session: aiohttp.ClientSession

    @property
    def address(self) -> str:
        """Where it listens, as ``host:port``."""
        return self.url.removeprefix("http://")

    async def is_ready(self) -> bool:
        """Tell whether it says that it is ready."""
        try:
            async with self.session.get(f"{self.url}/-/ready") as answer:
                return answer.status == _OK
        except aiohttp.ClientError:
            return False

    async def ask(self, path: str, **parameters: str) -> tuple[int, Any]:
        """Return the status and the JSON body of a path."""
        async with self.session.get(self.url + path, params=parameters) as answer:
            return answer.status, await answer.json()


class Receiver(NamedTuple):
    """A webhook receiver that keeps what it was sent."""

    url: str
    received: list[tuple[str, dict[str, Any]]]

    def alerts(self, status: str, **labels: str) -> list[tuple[str, dict[str, Any]]]:
        """Return what was told about such alerts, each with the receiver's path."""
        return [
            (path, alert)
            for path, message in self.received
            for alert in message["alerts"]
            if alert["status"] == status and labels.items() <= alert["labels"].items()
        ]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Listen for Alertmanager's messages on any path."""
    received: list[tuple[str, dict[str, Any]]] = []

    async def take(request: web.Request) -> web.Response:
        received.append((request.path, await request.json()))
        return web.Response()

    application = web.Application()
    application.router.add_post("/{path:.*}", take)
    async with TestServer(application) as server:
        yield Receiver(str(server.make_url("")).rstrip("/"), received)


@asynccontextmanager
async def running_daemon(
    folder: Path, config: Mapping[str, Any]
) -> AsyncIterator[Service]:
    """Run the daemon with a configuration; ready once its first cycle ended."""
    _written(folder / "exporter.yaml", config)
    async with _serving(folder, "exporter", _exporting(folder)) as service:
        yield service


@asynccontextmanager
async def running_again(folder: Path, daemon: Service) -> AsyncIterator[Service]:
    """End the daemon, and run it anew at its address, by the file it had."""
    await daemon.child.end()
    async with _serving_at(
        daemon.address, folder, "exporter", _exporting(folder)
    ) as service:
        yield service


@asynccontextmanager
async def running_prometheus(
    folder: Path, exporter: Service, alertmanager: Service | None = None
) -> AsyncIterator[Service]:
    """Run Prometheus with the shipped job and rules, all waiting times cut."""
    _written(folder / "rules.yaml", _impatient_rules())
    config = yaml.safe_load(SCRAPE.read_text())
    config["global"] = {"scrape_interval": _SHORT, "evaluation_interval": _SHORT}
    (job,) = config["scrape_configs"]
    job["scrape_interval"] = job["scrape_timeout"] = _SHORT
    job["static_configs"] = [{"targets": [exporter.address]}]
    (managers,) = config["alerting"]["alertmanagers"]
    managers["static_configs"] = [
        {"targets": [alertmanager.address] if alertmanager else []}
    ]
    async with _prometheus(folder, config) as service:
        yield service


@asynccontextmanager
async def running_scraper(
    folder: Path, address: str, job: Mapping[str, Any]
) -> AsyncIterator[Service]:
    """Run Prometheus that does nothing but scrape one address, as the job says."""
    job = {
        "job_name": "nats-idle-exporter",
        "scrape_interval": _SHORT,
        "scrape_timeout": _SHORT,
        "static_configs": [{"targets": [address]}],
        **job,
    }
    async with _prometheus(folder, {"scrape_configs": [job]}) as service:
        yield service


@asynccontextmanager
async def running_archive(folder: Path) -> AsyncIterator[Service]:
    """Run Prometheus that scrapes nothing: it tells what lies in ``tsdb``."""
    async with _prometheus(folder, {}) as service:
        yield service


@asynccontextmanager
async def _prometheus(
    folder: Path, config: Mapping[str, Any]
) -> AsyncIterator[Service]:
    path = _written(folder / "prometheus.yaml", config)
    command = [require_program("prometheus"), f"--config.file={path}"]
    command += [f"--storage.tsdb.path={folder / 'tsdb'}"]
    async with _serving(folder, "prometheus", command) as service:
        yield service


@asynccontextmanager
async def running_alertmanager(
    folder: Path, receiver: Receiver
) -> AsyncIterator[Service]:
    """Run Alertmanager with the shipped routes, all waiting times cut."""
    config = yaml.safe_load(ROUTES.read_text())
    for route in (config["route"], *config["route"]["routes"]):
        route.update(group_wait="0s", group_interval="1s")
    for told in config["receivers"]:
        for webhook in told.get("webhook_configs", ()):
            webhook["url"] = f"{receiver.url}/{told['name']}"
    path = _written(folder / "alertmanager.yaml", config)
    command = [require_program("prometheus-alertmanager"), f"--config.file={path}"]
    command += [f"--storage.path={folder / 'alerts'}", "--cluster.listen-address="]
    async with _serving(folder, "alertmanager", command) as service:
        yield service


def _impatient_rules() -> Any:
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = "1s"
    return rules


def _written(path: Path, document: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(document)))
    return path


def _exporting(folder: Path) -> list[str]:
    path = folder / "exporter.yaml"
    return [sys.executable, "-m", "nats_idle_exporter", f"--config.file={path}"]


@asynccontextmanager
async def _serving(
    folder: Path, name: str, command: Sequence[str]
) -> AsyncIterator[Service]:
    with closing(ReservedPort()) as port:
        address = f"127.0.0.1:{port.number}"
        async with _serving_at(address, folder, name, command) as service:
            yield service


@asynccontextmanager
async def _serving_at(
    address: str, folder: Path, name: str, command: Sequence[str]
) -> AsyncIterator[Service]:
    command = [*command, f"--web.listen-address={address}"]
    async with (
        aiohttp.ClientSession() as session,
        running(name, command, folder / f"{name}.log") as child,
    ):
        service = Service(child, f"http://{address}", session)
        await child.until(service.is_ready, "became ready")
        yield service
