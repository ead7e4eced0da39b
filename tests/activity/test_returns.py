"""Streams that come back after they were believed to be gone."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import Consumer, Stream, Verdict
from nats_idle_exporter.activity.record import MISSES_UNTIL_GONE
from nats_idle_exporter.activity.rows import Kind
from nats_idle_exporter.activity.traces import MOST_GONE
from tests.activity.builders import HOUR, POLL, Process, Watcher, a_row, at
from tests.activity.keeping import no_time
from tests.activity.rounds import (
    BOOT,
    LATER,
    START,
    a_stream,
    read_by,
    told,
    watch,
)

GONE = LATER + MISSES_UNTIL_GONE * POLL
"""The first cycle after the stream is believed to be gone."""


def recover(watcher: Watcher, server: Process, *streams: Stream) -> None:
    """Show an account whose streams are lost until they seem gone for good."""
    watch(watcher, server, *streams)
    assert watcher.account().verdict is Verdict.INACTIVE
    watch(watcher, server, start=LATER, end=GONE - POLL)


class TestReturn:
    """A server may recover for longer than anybody waits for its streams."""

    def test_what_comes_back_as_it_was_is_no_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """The old numbers under the old stamp are the old stream."""
        recover(watcher, server, a_stream())
        watch(watcher, server, a_stream(), start=GONE, end=GONE + 4 * POLL)

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().is_observed
        assert watcher.account().idle_seconds >= HOUR

    def test_what_comes_back_as_it_was_first_is_no_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A server that recovers may show an empty stream before it shows none."""
        watch(watcher, server, a_stream())
        watch(watcher, server, Stream("TEAM", "S"), start=LATER, end=LATER)
        watch(watcher, server, start=LATER + POLL, end=GONE)
        back = GONE + POLL
        watch(watcher, server, a_stream(), start=back, end=back + 4 * POLL)

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().is_observed

    @pytest.mark.parametrize(
        "stream",
        [
            pytest.param(a_stream(6), id="more"),
            pytest.param(a_stream(4), id="less"),
            pytest.param(a_stream(written_at=BOOT - 1), id="another stamp"),
        ],
    )
    def test_what_comes_back_otherwise_is_new(
        self, watcher: Watcher, server: Process, stream: Stream
    ) -> None:
        """With any other number it was written since, whatever its stamp."""
        recover(watcher, server, a_stream())
        watcher.cycle(GONE, told(server, GONE, stream))

        assert watcher.account().verdict is Verdict.ACTIVE
        assert watcher.account().idle_seconds == 0.0

    @pytest.mark.parametrize(
        "stream",
        [
            pytest.param(read_by(used_at=BOOT)._replace(written_at=None), id="written"),
            pytest.param(read_by()._replace(is_copy=True), id="read"),
        ],
    )
    def test_what_has_no_stamp_is_new(
        self, watcher: Watcher, server: Process, stream: Stream
    ) -> None:
        """Numbers alone do not tell the old from what got as far anew."""
        recover(watcher, server, stream)
        watch(watcher, server, stream, start=GONE, end=GONE + POLL)

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_what_is_written_after_it_came_back_is_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """It grows from where it was."""
        recover(watcher, server, a_stream())
        watcher.cycle(GONE, told(server, GONE, a_stream()))
        assert watcher.account().verdict is Verdict.INACTIVE

        watcher.cycle(GONE + POLL, told(server, GONE + POLL, a_stream(6)))

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_its_consumers_come_back_with_it(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Their numbers tell of no use, though servers forget their stamps."""
        recover(watcher, server, read_by(used_at=BOOT))
        watch(watcher, server, read_by(), start=GONE, end=GONE + 2 * POLL)

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().is_observed

    def test_copy_comes_back_with_its_consumers(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Nobody wrote into it, but who read it did so before."""
        mirror = read_by(used_at=BOOT)._replace(is_copy=True)
        recover(watcher, server, mirror)
        watch(watcher, server, mirror, start=GONE, end=GONE + 2 * POLL)

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().is_observed

    @pytest.mark.parametrize(
        "consumer", [Consumer("C", 3, 3, BOOT + HOUR), Consumer("NEW", 1, 1, BOOT)]
    )
    def test_use_of_a_copy_that_is_made_anew_is_seen(
        self, watcher: Watcher, server: Process, consumer: Consumer
    ) -> None:
        """A newer stamp, or another consumer, is use as ever."""
        mirror = read_by(used_at=BOOT)._replace(is_copy=True)
        recover(watcher, server, mirror)
        read = mirror._replace(consumers=(consumer,))
        watch(watcher, server, read, start=GONE, end=GONE + POLL)

        assert watcher.account().verdict is Verdict.ACTIVE

    @pytest.mark.parametrize("name", ["C", "NEW"])
    def test_use_of_its_consumers_is_seen(
        self, watcher: Watcher, server: Process, name: str
    ) -> None:
        """Who read from it before the next look used it, known or not."""
        recover(watcher, server, read_by(used_at=BOOT))
        consumers = {"C": Consumer("C", 3, 3), name: Consumer(name, 4, 4)}
        read = read_by()._replace(consumers=tuple(consumers.values()))
        watch(watcher, server, read, start=GONE, end=GONE + POLL)

        assert watcher.account().verdict is Verdict.ACTIVE


class TestMemory:
    """What is remembered of streams that seem gone."""

    def test_is_bounded(self, watcher: Watcher, server: Process) -> None:
        """Who deletes streams all the time does not fill our memory."""
        streams = [a_stream()._replace(name=f"S{n:02}") for n in range(MOST_GONE + 1)]
        watch(watcher, server, *streams)
        for step, left in enumerate((streams[1:], (), ())):
            lost = LATER + step * MISSES_UNTIL_GONE * POLL
            end = lost + (MISSES_UNTIL_GONE - 1) * POLL
            watch(watcher, server, *left, start=lost, end=end)
        late = LATER + 9 * POLL
        watcher.cycle(late, told(server, late, streams[1]))
        assert watcher.account().verdict is Verdict.INACTIVE

        watcher.cycle(late + POLL, told(server, late + POLL, *streams[:2]))

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_ends_with_its_account(self, watcher: Watcher, server: Process) -> None:
        """Of an account that is gone itself nothing is known any more."""
        recover(watcher, server, a_stream())
        assert (Kind.ESTATE, "TEAM") in watcher.rows

        for step in range(MISSES_UNTIL_GONE + 1):
            when = GONE + step * POLL
            watcher.cycle(when, told(server, when, rows=[a_row("OTHER")]))

        assert (Kind.ESTATE, "TEAM") not in watcher.rows

    def test_older_rows_tell_of_none(self, watcher: Watcher, server: Process) -> None:
        """A file from a time before this was remembered can still be read."""
        watch(watcher, server, a_stream(), end=START)
        watcher.forget_fields((Kind.STREAM, '["TEAM","S"]'), but=3)
        ledger = watcher.resumed(no_time(at(START)), *watcher.endpoints)

        estate = ledger._memory.jetstream.estates["TEAM"]
        assert (list(estate.streams), estate.gone) == (["S"], {})
