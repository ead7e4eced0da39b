"""Pages are made off the loop, one at a time, from the newest publication."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from nats_idle_exporter.metrics import (
    Encoding,
    Format,
    Pages,
    make_page,
)
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry
from tests.metrics.builders import (
    NO_PROCESS,
    a_publication,
    a_snapshot,
    shown,
)


@asynccontextmanager
async def running(pages: Pages) -> AsyncIterator[None]:
    """Let pages be rendered inside the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pages.run())
        yield
        task.cancel()


class Gate:
    """Rules that wait in the rendering thread until they are let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.threads: set[int] = set()

    def __call__(self, _account: str, _name: str) -> Entry:
        """Answer as soon as the gate is open."""
        self.threads.add(threading.get_ident())
        self.entered.set()
        assert self.opened.wait(timeout=10)
        return NO_ENTRY


class TestMakePage:
    """One page's bytes."""

    @pytest.mark.parametrize("form", Format, ids=lambda form: form.name)
    def test_gzip_holds_the_same_bytes(self, form: Format) -> None:
        """The compressed body unpacks to the plain one."""
        page = make_page(a_publication(a_snapshot()), NO_PROCESS)

        plain = page.bodies[form, Encoding.IDENTITY]
        packed = page.bodies[form, Encoding.GZIP]
        assert gzip.decompress(packed) == plain
        assert len(packed) < len(plain)

    def test_bytes_do_not_depend_on_when(self) -> None:
        """The compressed bytes hold no time of making."""
        bodies = make_page(a_publication(a_snapshot()), NO_PROCESS).bodies

        packed = bodies[Format.TEXT, Encoding.GZIP]
        assert packed[4:8] == bytes(4)


class TestPages:
    """The holder of the current page."""

    async def test_nothing_is_current_before_the_first_offer(self) -> None:
        """Without an offer there is no page."""
        assert Pages().current is None

    async def test_an_offer_becomes_current(self) -> None:
        """What is offered is rendered with its process metrics."""
        pages = Pages()
        publication = a_publication(a_snapshot())

        async with running(pages):
            pages.offer(publication)
            page = await shown(pages, publication)

        body = page.bodies[Format.TEXT, Encoding.IDENTITY]
        assert b'account_inactive{system="default"' in body
        assert b"\nprocess_cpu_seconds_total " in body

    async def test_rendering_leaves_the_loop_free(self) -> None:
        """While a page is being made, the loop runs and the old page stays."""
        pages = Pages()
        gate = Gate()
        old = a_publication(a_snapshot())
        slow = a_publication(a_snapshot(entries=gate))

        async with running(pages):
            pages.offer(old)
            page = await shown(pages, old)
            pages.offer(slow)
            await asyncio.to_thread(gate.entered.wait, 10)
            current = pages.current
            gate.opened.set()
            await shown(pages, slow)

        assert current is page
        assert threading.get_ident() not in gate.threads

    async def test_the_newest_offer_is_rendered_next(self) -> None:
        """Offers that were overtaken while a page was made are never rendered."""
        pages = Pages()
        gate = Gate()
        seen: list[str] = []

        def overtaken(account: str, _name: str) -> Entry:
            seen.append(account)
            return NO_ENTRY

        newest = a_publication(a_snapshot())

        async with running(pages):
            pages.offer(a_publication(a_snapshot(entries=gate)))
            await asyncio.to_thread(gate.entered.wait, 10)
            pages.offer(a_publication(a_snapshot(entries=overtaken)))
            pages.offer(newest)
            gate.opened.set()
            page = await shown(pages, newest)

        assert page.publication is newest
        assert seen == []

    async def test_a_fault_in_rendering_is_not_swallowed(self) -> None:
        """An unforeseen error ends the task that renders."""

        def broken(_account: str, _name: str) -> Entry:
            raise RuntimeError

        pages = Pages()
        pages.offer(a_publication(a_snapshot(entries=broken)))

        with pytest.raises(RuntimeError):
            await asyncio.wait_for(pages.run(), timeout=10)
