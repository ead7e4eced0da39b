"""The readings that both judges get: what accstatz told the exporter's own client.

An endpoint can be cut off here, as by a network: then its polls fail, while its
server serves clients on. A failed poll leaves no reading, as a failed scrape leaves
no sample.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from nats_idle_exporter.activity import Reading, Row
from nats_idle_exporter.monitoring.client import ReadsEndpoint
from nats_idle_exporter.monitoring.failures import UNREACHABLE, failure
from tests.support.reading import Between

CONNECTIONS = "accstatz_current_connections"
SENT = "accstatz_sent_messages"
RECEIVED = "accstatz_received_messages"


class Sample(NamedTuple):
    """One account on one server at one time; ``at`` is Unix seconds."""

    at: float
    endpoint: str
    row: Row

    def values(self) -> Iterator[tuple[str, int]]:
        """Yield what a plain exporter shows of it."""
        yield CONNECTIONS, self.row.connections
        yield SENT, self.row.total.sent_messages
        yield RECEIVED, self.row.total.received_messages


class Recorder(Between):
    """Reads endpoints as the client does, and keeps what accstatz told.

    Args:
        client: reads them.
        wall: Unix seconds.
        samples: takes what was read.
        cut: the endpoints that do not answer now.
    """

    def __init__(
        self,
        client: ReadsEndpoint,
        wall: Callable[[], float],
        samples: list[Sample],
        cut: set[str],
    ) -> None:
        super().__init__(client)
        self._wall = wall
        self._samples = samples
        self._cut = cut

    async def read(
        self,
        url: str,
        *,
        with_jetstream: bool,
        consumers_of: frozenset[str] = frozenset(),
    ) -> Reading:
        """Poll one endpoint, or raise ``EndpointError``."""
        if url in self._cut:
            raise failure(UNREACHABLE, "cut off by the script")
        reading = await super().read(
            url, with_jetstream=with_jetstream, consumers_of=consumers_of
        )
        rows = tuple(reading.rows)
        at = self._wall()
        self._samples.extend(Sample(at, url, row) for row in rows)
        return replace(reading, rows=rows)


def openmetrics(scenes: Iterable[tuple[str, Iterable[Sample]]]) -> Iterator[str]:
    """Yield the lines of an OpenMetrics text with all samples of named scenes."""
    series: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for scene, samples in scenes:
        for sample in samples:
            account = _escaped(sample.row.account)
            labels = f'scene="{scene}",account="{account}",endpoint="{sample.endpoint}"'
            for name, value in sample.values():
                line = f"{name}{{{labels}}} {value} {sample.at:.3f}\n"
                series[name, labels].append(line)
    told = None
    for name, labels in sorted(series):
        if name != told:
            yield f"# TYPE {name} gauge\n"
            told = name
        yield from series[name, labels]
    yield "# EOF\n"


def _escaped(label: str) -> str:
    for character, escape in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n")):
        label = label.replace(character, escape)
    return label
