"""What JetStream holds, added up over servers."""

from __future__ import annotations

from typing import Any

import pytest

from nats_idle_exporter.activity import (
    JetStreamRound,
    Origin,
    Reserved,
    Stock,
    StoredStream,
)
from nats_idle_exporter.monitoring.inquiry.answers import LocalImport
from nats_idle_exporter.monitoring.inquiry.copies import (
    Copier,
    Copies,
    find_copies,
)
from nats_idle_exporter.monitoring.inquiry.holdings import (
    MISSES_UNTIL_GONE,
    MOST_NAMES,
    Copying,
    Held,
    Rounds,
)
from nats_idle_exporter.monitoring.inquiry.importers import ImporterIndex
from nats_idle_exporter.removal.facts import UNLIMITED
from tests.activity.builders import A, B, Process, at
from tests.inquiry.builders import UNBOUND, a_stock

ENABLED = {"TEAM": UNBOUND}
ONE, TWO = Process("N1", A, 0.0), Process("N2", B, 0.0)


def added(
    *stocks: Stock, server: Process = ONE, rounds: Rounds | None = None
) -> Rounds:
    """Return rounds that took these in, one after the other, of one server."""
    rounds = rounds or Rounds()
    for when, stock in enumerate(stocks, 100):
        rounds.take(server.reading(when, stock=stock))
        rounds.add_up()
    return rounds


def a_stream(name: str = "S", **changes: Any) -> StoredStream:
    """Return a stream of the account TEAM."""
    return StoredStream("TEAM", name, **changes)


class TestStreams:
    """What is stored."""

    def test_replicas_count_once(self) -> None:
        """Of one stream the most that any server tells counts."""
        rounds = added(a_stock(a_stream(messages=5, bytes=50, consumers=1)))
        lagging = a_stream(messages=4, bytes=60, consumers=2)
        added(a_stock(lagging, a_stream("T", messages=1)), server=TWO, rounds=rounds)

        held = rounds.held["TEAM"]

        assert (held.streams, held.consumers) == (2, 2)
        assert (held.messages, held.bytes) == (6, 60)
        assert held.names == ("S", "T")

    def test_a_missing_stream_is_believed_late(self) -> None:
        """A server that starts may not have found it yet."""
        rounds = added(a_stock(a_stream(messages=5)))
        for _ in range(MISSES_UNTIL_GONE - 1):
            added(a_stock(reserved=ENABLED), rounds=rounds)
            assert rounds.held["TEAM"].messages == 5
        added(a_stock(reserved=ENABLED), rounds=rounds)

        assert rounds.held["TEAM"].streams == 0

    def test_an_account_that_is_gone(self) -> None:
        """No server has it loaded any more."""
        rounds = added(a_stock(a_stream()))
        for when in range(MISSES_UNTIL_GONE):
            rounds.take(ONE.reading(200 + when, [], stock=a_stock()))
            rounds.add_up()

        assert rounds.held == {}

    def test_jetstream_that_is_switched_off(self) -> None:
        """Its streams stay on disk, and are back once it is switched on."""
        rounds = added(a_stock(a_stream(messages=5)), *[a_stock()] * 9)
        assert rounds.held["TEAM"].messages == 5
        added(*[a_stock(reserved=ENABLED)] * (MISSES_UNTIL_GONE - 1), rounds=rounds)
        assert rounds.held["TEAM"].messages == 5
        added(a_stock(reserved=ENABLED), rounds=rounds)
        assert rounds.held["TEAM"].streams == 0

    def test_jetstream_that_is_elsewhere(self) -> None:
        """What one server has switched off others still tell of."""
        rounds = added(a_stock(a_stream()), *[a_stock()] * 9)
        added(a_stock(reserved=ENABLED), server=TWO, rounds=rounds)

        assert rounds.held["TEAM"].streams == 0

    def test_a_stream_that_is_back_is_missed_anew(self) -> None:
        """Misses count in a row only."""
        missed = a_stock(reserved=ENABLED)
        rounds = added(a_stock(a_stream()), missed, missed, a_stock(a_stream()))
        added(missed, missed, rounds=rounds)

        assert rounds.held["TEAM"].streams == 1

    def test_of_many_streams_only_some_are_named(self) -> None:
        """All are counted."""
        rounds = added(a_stock(*(a_stream(f"{n:03}") for n in range(MOST_NAMES + 5))))

        held = rounds.held["TEAM"]
        assert held.streams == MOST_NAMES + 5
        assert held.names == tuple(f"{n:03}" for n in range(MOST_NAMES))

    def test_where_they_copy_from(self) -> None:
        """It is told by whichever replica tells it."""
        origin = Origin("JS.A.API", is_mirror=True)
        rounds = added(a_stock(a_stream(origins=(origin,))))
        added(a_stock(a_stream()), server=TWO, rounds=rounds)

        assert rounds.held["TEAM"].copying == (Copying("S", origin),)


class TestReserved:
    """What is set aside."""

    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ([UNBOUND], (UNLIMITED, UNLIMITED)),
            ([Reserved(1, 2)], (1, 2)),
            ([Reserved(1, None), Reserved(3, None)], (3, UNLIMITED)),
            ([UNBOUND, Reserved(0, 7)], (UNLIMITED, 7)),
            ([Reserved(0, 0)], (0, 0)),
        ],
    )
    def test_the_most_that_has_a_bound(
        self, told: list[Reserved], expected: tuple[int, int]
    ) -> None:
        """A server that sets something aside does so, whatever others do."""
        rounds = Rounds()
        for server, reserved in zip((ONE, TWO), told, strict=False):
            added(a_stock(reserved={"TEAM": reserved}), server=server, rounds=rounds)

        held = rounds.held["TEAM"]
        assert (held.memory_bytes, held.storage_bytes) == expected
        assert held.are_tiers_hidden is (expected == (0, 0))


class TestAge:
    """When the rounds were asked."""

    def test_the_oldest_counts(self) -> None:
        """Of several endpoints the one that was read longest ago."""
        rounds = added(a_stock(), a_stock())
        added(a_stock(), server=TWO, rounds=rounds)

        assert rounds.oldest([A, B]) == at(100)
        assert rounds.oldest([A, B, "http://c"]) is None
        assert rounds.oldest([]) is None

    def test_endpoints_that_are_taken_out(self) -> None:
        """What they told does not count any more."""
        rounds = added(a_stock(a_stream()))
        rounds.watch([A])
        rounds.add_up()
        assert rounds.held
        rounds.watch([])
        rounds.add_up()

        assert not rounds.held

    def test_readings_without_a_round(self) -> None:
        """They change nothing."""
        rounds = added(a_stock(a_stream()))
        held = rounds.held
        rounds.take(ONE.reading(200, jetstream=None))
        rounds.add_up()

        assert rounds.held is held
        assert rounds.oldest([A]) == at(100)


class TestImporterIndex:
    """Who imports from whom."""

    def test_it_follows_what_is_learned(self) -> None:
        """New imports are added, old ones go, and oneself is nobody."""
        index = ImporterIndex()
        index.learn("B", ["A", "C", "B"])
        index.learn("D", ["A"])
        first = index.importers
        index.learn("B", ["C"])
        index.learn("B", ["C"])

        assert first == {"A": ("B", "D"), "C": ("B",)}
        assert index.importers == {"A": ("D",), "C": ("B",)}
        index.learn("D", [])
        index.learn("B", [])
        assert index.importers == {}
        index.learn("B", ["C"])
        index.learn("B", [])
        assert index.importers == {}

    def test_very_many(self) -> None:
        """All may import from one, and all may leave at once."""
        index, many = ImporterIndex(), [f"A{i:06}" for i in range(100_000)]
        for account in many:
            index.learn(account, ["HUB"])
        assert index.importers == {"HUB": tuple(many)}
        for account in many:
            index.learn(account, [])
        assert index.importers == {}


class TestCopies:
    """Streams that copy from other accounts."""

    ORIGIN = Origin("JS.A.API", is_mirror=True)
    MIRROR = Held(streams=1, copying=(Copying("M", ORIGIN),))

    def test_through_an_import(self) -> None:
        """The subject under which a service is imported leads to its account."""
        imports = (
            LocalImport("A", "$JS.API.>", "service", "JS.A.API.>"),
            LocalImport("X", "$JS.API.>", "service", "JS.X.API.>"),
            LocalImport("Y", "d.>", "stream", "JS.A.API.>"),
        )

        held = {"B": self.MIRROR, "C": Held()}
        found = find_copies(held, lambda _account: imports)

        copier = Copier("B", "M", is_mirror=True)
        assert found == Copies({"A": (copier,)}, are_known=True)

    def test_of_another_domain(self) -> None:
        """What no import leads to is no other account's."""
        found = find_copies({"B": self.MIRROR}, lambda _account: ())

        assert found == Copies({}, are_known=True)

    def test_untold_imports(self) -> None:
        """Then it is not known from whom the stream copies."""
        found = find_copies({"B": self.MIRROR}, lambda _account: None)

        assert found == Copies({}, are_known=False)

    @pytest.mark.parametrize(
        ("local_subject", "leads"),
        [
            ("JS.A.API.>", True),
            ("JS.A.API.STREAM.INFO.*", True),
            ("JS.>", True),
            (">", True),
            ("JS.*.API.>", True),
            ("JS.$1.API.>", True),
            ("JS.$x.API.>", False),
            ("JS.B.API.>", False),
            ("JS.A", False),
            ("", False),
        ],
    )
    def test_leads_to(self, local_subject: str, leads: bool) -> None:  # noqa: FBT001 - of a table
        """A wildcard may stand for any part of the prefix."""
        imports = (LocalImport("A", "$JS.API.>", "service", local_subject),)

        found = find_copies({"B": self.MIRROR}, lambda _account: imports)

        assert ("A" in found.of) is leads

    def test_very_many(self) -> None:
        """One account may mirror very many others: each is found, and only it."""
        many = range(20_000)
        imports = tuple(
            LocalImport(f"A{i}", "$JS.API.>", "service", f"JS.A{i}.API.>") for i in many
        )
        copying = tuple(
            Copying(f"S{i}", Origin(f"JS.A{i}.API", is_mirror=True)) for i in many
        )

        found = find_copies({"B": Held(copying=copying)}, lambda _account: imports)

        assert found.of == {
            f"A{i}": (Copier("B", f"S{i}", is_mirror=True),) for i in many
        }


def test_a_round_is_asked_for_at_its_own_moment() -> None:
    """It may be older than the reading that it came with."""
    rounds = Rounds()
    rounds.take(ONE.reading(100, jetstream=JetStreamRound(at(90)), stock=a_stock()))

    assert rounds.oldest([A]) == at(90)
