"""The plain query: what a real Prometheus says of the same readings.

It is what one writes over the counters of a plain exporter: nobody was connected
and nothing was counted for the threshold. The readings are given to Prometheus with
their own times, and it is asked at the end of each cycle.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from nats_idle_exporter.errors import StartError
from tests.support.monitoring_stack import Service, running_archive
from tests.support.programs import require_program
from tests.truth.readings import CONNECTIONS, RECEIVED, SENT, Sample, openmetrics

_OK = 200


def query(scene: str, threshold_seconds: float) -> str:
    """Return the expression for the accounts of one scene."""
    of = f'{{scene="{scene}"}}[{round(threshold_seconds * 1000)}ms]'
    return (
        f"sum by (account) (max_over_time({CONNECTIONS}{of})) == 0 and "
        f"sum by (account) (increase({SENT}{of}) + increase({RECEIVED}{of})) == 0"
    )


class Prometheus:
    """A running Prometheus that holds the readings of all scenes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def inactive(
        self, scene: str, threshold_seconds: float, at: float
    ) -> frozenset[str]:
        """Return the accounts that the plain query tells at a moment, Unix seconds."""
        status, body = await self._service.ask(
            "/api/v1/query", query=query(scene, threshold_seconds), time=f"{at:.3f}"
        )
        if status != _OK:
            raise StartError(f"Prometheus refused a query: {body}")
        found: list[dict[str, Any]] = body["data"]["result"]
        return frozenset(each["metric"]["account"] for each in found)


@asynccontextmanager
async def running_prometheus(
    folder: Path, scenes: Iterable[tuple[str, Iterable[Sample]]]
) -> AsyncIterator[Prometheus]:
    """Run Prometheus over the samples of named scenes."""
    text, blocks = folder / "readings.txt", folder / "tsdb"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(openmetrics(scenes))
    command = [require_program("promtool"), "tsdb", "create-blocks-from"]
    command += ["openmetrics", str(text), str(blocks)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    async with running_archive(folder) as service:
        yield Prometheus(service)
