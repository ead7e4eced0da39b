"""The page: what a scrape is answered with, rendered before anybody asks.

Pages are made in a thread, one at a time, each from the newest publication; a
scrape only picks up bytes.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass

from nats_idle_exporter.metrics.exposition import Format
from nats_idle_exporter.metrics.negotiation import Encoding
from nats_idle_exporter.metrics.process import ProcessMetrics
from nats_idle_exporter.metrics.publication import Publication
from nats_idle_exporter.metrics.render import render

GZIP_LEVEL = 1
"""Higher levels make a page a tenth smaller for twice the time."""


@dataclass(frozen=True, slots=True)
class Page:
    """One publication and its bytes in every format and encoding."""

    publication: Publication
    bodies: Mapping[tuple[Format, Encoding], bytes]


def make_page(publication: Publication, process: Mapping[Format, bytes]) -> Page:
    """Render and compress a publication; the same arguments, the same bytes."""
    bodies: dict[tuple[Format, Encoding], bytes] = {}
    for form, body in render(publication, process).items():
        bodies[form, Encoding.IDENTITY] = body
        bodies[form, Encoding.GZIP] = gzip.compress(body, GZIP_LEVEL, mtime=0)
    return Page(publication, bodies)


class Pages:
    """Hold the current page and make the next one; use from one event loop.

    ``offer`` at the end of each cycle, and let :meth:`run` be a task of its own.
    """

    def __init__(self) -> None:
        self._process = ProcessMetrics()
        self._waiting: asyncio.Queue[Publication] = asyncio.Queue(maxsize=1)
        self._current: Page | None = None

    @property
    def current(self) -> Page | None:
        """Return the page to serve; None until the first was rendered."""
        return self._current

    def offer(self, publication: Publication) -> None:
        """Have a publication rendered next, instead of any that still waits."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(publication)

    async def run(self) -> None:
        """Render what is offered, until cancelled."""
        while True:
            publication = await self._waiting.get()
            self._current = await asyncio.to_thread(self._make, publication)

    def _make(self, publication: Publication) -> Page:
        return make_page(publication, self._process.read())
