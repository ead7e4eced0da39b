"""Endpoints that a source finds: who comes, who is dropped, and who has ended."""

from __future__ import annotations

import msgspec
import pytest

from nats_idle_exporter.activity import (
    Reason,
    Source,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.activity.forms import SavedSystem
from nats_idle_exporter.activity.rows import Kind, decode
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    C,
    FixedRules,
    Process,
    Watcher,
    a_row,
    at,
    used,
)
from tests.activity.keeping import no_time

START = 10_000.0
NAME = Source("dns+http://nats:8222")
DISPLACED_B = Unwatched(UnwatchedKind.DISPLACED, "SB")


def found(watcher: Watcher, when: float, *endpoints: str) -> None:
    """Let the name lead to these endpoints."""
    watcher.ledger.discover(NAME, endpoints, at(when))


def met(*processes: Process) -> None:
    """Let servers name each other, and nobody else."""
    ids = frozenset(each.server_id for each in processes)
    for each in processes:
        each.peers = ids - {each.server_id}


def a_found_pair(
    rules: FixedRules | None = None, *fixed: str
) -> tuple[Watcher, Process, Process]:
    """Return a cluster of two servers that a name led to, read once."""
    watcher = Watcher(*fixed, NAME, rules=rules)
    one, two = Process("SA", A, start=0.0), Process("SB", B, start=0.0)
    met(one, two)
    found(watcher, START, A, B)
    watcher.cycle(START, one.reading(START), two.reading(START))
    return watcher, one, two


class TestFirstSight:
    """Who was scaled away before the first cycle is unknown."""

    def test_nothing_is_proven_before_it(self) -> None:
        """Zero counters since a server's start say nothing of servers that left."""
        watcher = Watcher(NAME)
        server = Process("SA", A, start=0.0)
        server.loaded_at = 0.0
        found(watcher, START, A)
        watcher.cycle(START, server.reading(START))

        assert watcher.account().quiet_since_at == START
        assert watcher.account().idle_seconds == 0.0

    def test_source_that_was_never_told_holds_everything_back(self) -> None:
        """Nobody knows who else there is, so what is listed proves nothing."""
        watcher = Watcher(A, NAME)
        server = Process("SA", A, start=0.0)
        watcher.watch_quietly(START, START + 2 * HOUR, server)

        assert watcher.account().verdict is Verdict.UNKNOWN
        assert watcher.view.watched_to_at is None
        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.ENDPOINT, NAME),)

        when = START + 2 * HOUR + 10
        found(watcher, when)
        watcher.cycle(when + POLL, server.reading(when + POLL))

        assert not watcher.view.unwatched
        assert watcher.account().quiet_since_at == when + POLL

    def test_source_that_is_added_later(self) -> None:
        """It leaves a hole until it is told: of that time nobody knows."""
        watcher = Watcher(A)
        server = Process("SA", A, start=0.0)
        watcher.watch_quietly(START, START + HOUR / 2, server)
        since = START + HOUR / 2
        watcher.ledger.watch([A, NAME], at(since))
        end = since + HOUR / 2
        watcher.watch_quietly(since + POLL, end, server)

        assert watcher.view.watched_to_at == since
        assert watcher.account().reason is Reason.OUTDATED

        found(watcher, end, B)
        other = Process("SB", B, start=end - 5)
        when = end + POLL
        watcher.cycle(when, server.reading(when), other.reading(when))

        assert watcher.view.watched_to_at == when
        assert watcher.account().quiet_since_at == when

    @pytest.mark.parametrize("entries", [(A,), (A, NAME)])
    def test_nobody_is_left(self, entries: tuple[str, ...]) -> None:
        """Without any server the next reading of what is found is a first sight."""
        watcher = Watcher(*entries)
        server = Process("SA", A, start=0.0)
        found(watcher, START)
        watcher.watch_quietly(START, START + HOUR, server)
        when = START + HOUR + 1
        watcher.ledger.watch([NAME], at(when))
        watcher.cycle(when)

        assert watcher.view.watched_to_at is None

        found(watcher, when, B)
        when += POLL
        other = Process("SB", B, start=0.0)
        other.loaded_at = 0.0
        rows = [a_row("OTHER")]
        watcher.cycle(when, other.reading(when, rows))

        assert watcher.view.watched_to_at == when
        assert watcher.account("OTHER").quiet_since_at == when

    def test_unknown_source_is_nobodys(self) -> None:
        """What a source finds that was taken out meanwhile is not watched."""
        watcher, _, _ = a_found_pair()
        watcher.ledger.discover("other", [C], at(START))

        assert watcher.ledger.endpoints_wanted() == (A, B)
        assert watcher.ledger.endpoints_found() == {NAME: (A, B)}


class TestDropped:
    """A server that discovery dropped stays in the watch until its end is shown."""

    def test_it_holds_everything_back(self) -> None:
        """As long as a peer names it, it may be used."""
        watcher, one, two = a_found_pair()
        watcher.watch_quietly(START + POLL, START + HOUR / 2, one, two)
        dropped_at = START + HOUR / 2
        found(watcher, dropped_at, A)
        watcher.watch_quietly(dropped_at + POLL, dropped_at + HOUR, one)

        assert watcher.view.unwatched == (DISPLACED_B,)
        assert watcher.view.watched_to_at == dropped_at
        assert watcher.account().verdict is Verdict.UNKNOWN

    def test_silence_of_its_peers_ends_it(self) -> None:
        """The hole runs from its last reading to the one that names it no more."""
        watcher, one, two = a_found_pair()
        watcher.watch_quietly(START + POLL, START + 2 * POLL, one, two)
        found(watcher, START + 2 * POLL + 1, A)
        met(one)
        watcher.watch_quietly(START + 3 * POLL, START + 2 * HOUR, one)

        assert not watcher.view.unwatched
        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().quiet_since_at == START

    def test_long_silence_is_a_hole_that_is_not_forgiven(self) -> None:
        """What happened on it until its end is unknown."""
        watcher, one, _ = a_found_pair()
        found(watcher, START + 1, A)
        watcher.watch_quietly(START + POLL, START + HOUR, one)
        met(one)
        when = START + HOUR + POLL
        watcher.cycle(when, one.reading(when))

        assert not watcher.view.unwatched
        assert watcher.account().quiet_since_at == when

    def test_what_was_told_before_the_drop_is_no_silence(self) -> None:
        """Only who was read since can say that it is gone."""
        watcher, one, two = a_found_pair()
        met(one)
        when = START + POLL
        watcher.cycle(when, one.reading(when + 1), two.reading(when))
        found(watcher, when + 5, A)
        watcher.cycle(when + POLL)

        assert DISPLACED_B in watcher.view.unwatched

    def test_every_other_server_has_to_be_read(self) -> None:
        """One that does not answer may still name it."""
        watcher, one, two = a_found_pair()
        third = Process("SC", C, start=0.0)
        met(one, two, third)
        when = START + POLL
        found(watcher, when, A, B, C)
        for each in (when, when + POLL):
            watcher.cycle(each, *(p.reading(each) for p in (one, two, third)))
        when += 2 * POLL
        found(watcher, when, A, C)
        met(one, third)
        watcher.cycle(when, one.reading(when))

        assert DISPLACED_B in watcher.view.unwatched

        watcher.cycle(when + POLL, one.reading(when + 30), third.reading(when + 30))

        assert not watcher.view.unwatched

    def test_whoever_was_connected_stayed_until_the_end(self) -> None:
        """A client of its last reading is use until its end is shown."""
        watcher, one, two = a_found_pair()
        when = START + POLL
        rows = [a_row(connections=1)]
        watcher.cycle(when, one.reading(when), two.reading(when, rows))
        found(watcher, when + 1, A)
        met(one)
        watcher.cycle(when + POLL, one.reading(when + POLL))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == when + POLL

    def test_it_comes_back(self) -> None:
        """Found again, it is read as if it had never been dropped."""
        watcher, one, two = a_found_pair()
        found(watcher, START + 1, A)
        watcher.cycle(START + POLL, one.reading(START + POLL))
        found(watcher, START + POLL + 1, B, A)
        when = START + 2 * POLL
        watcher.cycle(when, one.reading(when), two.reading(when, [used(1)]))

        assert not watcher.view.unwatched
        assert watcher.account().verdict is Verdict.ACTIVE
        assert watcher.ledger.endpoints_wanted() == (B, A)

    def test_another_server_at_its_address(self) -> None:
        """A successor behind the same endpoint ends it, whoever found that again."""
        watcher, one, two = a_found_pair()
        found(watcher, START + 1, A)
        watcher.cycle(START + POLL, one.reading(START + POLL))
        found(watcher, START + POLL + 1, A, B)
        when = START + 2 * POLL
        other = Process("SD", B, start=START + 20)
        met(one, other)
        watcher.cycle(when, one.reading(when), other.reading(when))

        assert not watcher.view.unwatched
        assert two.server_id not in {s.server_id for s in watcher.view.servers}

    def test_operator_who_lists_it_beside(self) -> None:
        """What is listed and found is dropped by nobody."""
        watcher, one, two = a_found_pair(None, B)
        found(watcher, START + 1, A)
        when = START + POLL
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert not watcher.view.unwatched
        assert watcher.ledger.endpoints_wanted() == (B, A)

    def test_operator_who_takes_the_source_out(self) -> None:
        """Only the operator ends a watch at once, of dropped endpoints too."""
        watcher, one, _ = a_found_pair()
        found(watcher, START + 1, A)
        watcher.ledger.watch([A], at(START + 10))
        when = START + POLL
        watcher.cycle(when, one.reading(when))

        # Its peer names it still: it is watched no more, and not forgotten.
        assert watcher.view.unwatched == (DISPLACED_B,)

        met(one)
        watcher.cycle(when + POLL, one.reading(when + POLL))

        assert not watcher.view.unwatched

    def test_operator_who_changes_something_else(self) -> None:
        """It ends nobody's watch whom a source dropped that stays."""
        watcher = Watcher(NAME)
        one, two = Process("SA", A, start=0.0), Process("SB", B, start=0.0)
        found(watcher, START, A, B)
        watcher.cycle(START, one.reading(START), two.reading(START))
        found(watcher, START + 1, A)
        watcher.ledger.watch([C, NAME], at(START + 10))
        third = Process("SC", C, start=START)
        when = START + POLL
        watcher.cycle(when, one.reading(when), third.reading(when))

        assert watcher.view.unwatched == (DISPLACED_B,)

    def test_endpoint_of_two_sources(self) -> None:
        """It is dropped when the last of them finds it no more."""
        files = Source("file_sd:f.json")
        watcher, one, two = a_found_pair()
        watcher.ledger.watch([NAME, files], at(START))
        watcher.ledger.discover(files, [B], at(START))
        found(watcher, START + 1, A)
        when = START + POLL
        watcher.cycle(when, one.reading(when), two.reading(when))
        watcher.ledger.discover(files, [], at(when))
        watcher.cycle(when + POLL, one.reading(when + POLL))

        assert watcher.view.unwatched == (DISPLACED_B,)
        assert watcher.ledger.endpoints_wanted() == (A,)


class TestDisplacedAndDropped:
    """A server whose address an older one took, before that address was dropped."""

    def test_the_end_of_the_other_is_not_its_own(self) -> None:
        """It counts on, and only the operator may let go of it."""
        watcher = Watcher(A, NAME)
        one, two = Process("SA", A, start=0.0), Process("SB", B, start=0.0)
        three = Process("SC", B, start=0.0)
        found(watcher, START, A, B)
        watcher.cycle(START, one.reading(START, []), two.reading(START, []))
        one.peers, three.peers = frozenset({"SC"}), frozenset({"SA"})
        when = START + POLL
        watcher.cycle(when, one.reading(when, []), three.reading(when, []))
        found(watcher, when + 1, A)
        one.peers = frozenset()
        when += POLL
        watcher.cycle(when, one.reading(when, []))
        servers = watcher.ledger._memory.fleet.servers

        assert (servers["SB"].ended_at, servers["SC"].ended_at) == (None, when)

        watcher.ledger.watch([A, C, NAME], at(when + 1))

        assert servers["SB"].ended_at is None

        watcher.ledger.watch([A, C], at(when + 2))

        assert servers["SB"].ended_at == when + 2


class TestNeverAnswered:
    """An address that was found and dropped, and where nobody ever answered."""

    def test_it_holds_back_until_it_is_dropped(self) -> None:
        """Then the others' readings close it, and the time before stays a hole."""
        watcher, one, two = a_found_pair()
        found(watcher, START + 1, A, B, C)
        end = START + HOUR / 2
        watcher.watch_quietly(START + POLL, end, one, two)

        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.ENDPOINT, C),)

        found(watcher, end + 1, A, B)
        watcher.cycle(end + 2)

        assert Unwatched(UnwatchedKind.ENDPOINT, C) in watcher.view.unwatched

        when = end + POLL
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert not watcher.view.unwatched
        assert watcher.account().quiet_since_at == when

    def test_it_answers_late_and_younger(self) -> None:
        """Another server may have been there until then."""
        watcher, one, two = a_found_pair()
        found(watcher, START + 1, A, B, C)
        end = START + 2 * HOUR
        watcher.watch_quietly(START + POLL, end, one, two)
        three = Process("SC", C, start=end)
        when = end + POLL
        watcher.cycle(when, *(each.reading(when) for each in (one, two, three)))

        assert watcher.view.watched_to_at == when
        assert watcher.account().quiet_since_at == when

    def test_nobody_else_is_there(self) -> None:
        """With nobody left to be read it holds on."""
        watcher = Watcher(NAME)
        found(watcher, START, A)
        watcher.cycle(START)
        found(watcher, START + 1)
        watcher.cycle(START + POLL)

        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.ENDPOINT, A),)


class TestSilence:
    """Silence of those who would not name it anyway shows nothing."""

    def test_servers_that_name_nobody(self) -> None:
        """Of servers on their own, one that is dropped counts for good."""
        watcher, one, two = a_found_pair()
        watcher = Watcher(NAME)
        met(one)
        met(two)
        found(watcher, START, A, B)
        watcher.cycle(START, one.reading(START), two.reading(START))
        found(watcher, START + 1, A)
        watcher.watch_quietly(START + POLL, START + 2 * HOUR, one)

        assert watcher.view.unwatched == (DISPLACED_B,)
        assert watcher.account().verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize(
        ("name", "start", "is_ended"),
        [
            ("nats-0", START + 5, True),
            # It has not met its peers yet.
            ("nats-0", START + POLL - 5, False),
            # It was there beside the other one.
            ("nats-0", START - 100, False),
            ("other", START + 5, False),
            ("", START + 5, False),
        ],
    )
    def test_successor_by_name(
        self, name: str, start: float, *, is_ended: bool
    ) -> None:
        """A single server that comes back at another address ends the old one."""
        watcher = Watcher(NAME)
        old = Process("SA", A, 0.0, server_name="nats-0")
        found(watcher, START, A)
        watcher.cycle(START, old.reading(START))
        found(watcher, START + 10, B)
        new = Process("SB", B, start, server_name=name)
        watcher.cycle(START + POLL, new.reading(START + POLL))

        assert (not watcher.view.unwatched) is is_ended

    def test_whole_cluster_at_other_addresses(self) -> None:
        """Of three servers that end at once, each has kin among two new ones."""
        urls = [f"http://{i}:8222" for i in range(5)]
        old = [Process(f"O{i}", urls[i], 0.0, server_name=f"n{i}") for i in range(3)]
        watcher = Watcher(NAME)
        met(*old)
        found(watcher, START, *urls[:3])
        for when in (START, START + POLL):
            watcher.cycle(when, *(each.reading(when) for each in old))
        born_at = START + POLL + 5
        new = [
            Process(f"N{i}", urls[3 + i], born_at, server_name=f"n{i}")
            for i in range(2)
        ]
        met(*new)
        found(watcher, START + POLL + 10, *urls[3:])
        when = START + 2 * POLL
        watcher.cycle(when, *(each.reading(when) for each in new))

        assert not watcher.view.unwatched
        assert watcher.view.watched_to_at == when

    def test_rolling_restart(self) -> None:
        """Each at another address in turn: nothing that was raised falls."""
        urls = [f"http://{i}:8222" for i in range(6)]
        names = ("n0", "n1", "n2")
        running = [
            Process(f"O{i}", urls[i], 0.0, server_name=name)
            for i, name in enumerate(names)
        ]
        watcher = Watcher(NAME)
        met(*running)
        found(watcher, START, *urls[:3])
        when = START
        while when < START + HOUR + POLL:
            watcher.cycle(when, *(each.reading(when) for each in running))
            when += POLL
        assert watcher.account().verdict is Verdict.INACTIVE
        for i, name in enumerate(names):
            running[i] = Process(f"N{i}", urls[3 + i], when - 20, server_name=name)
            met(*running)
            found(watcher, when - 15, *(each.endpoint for each in running))
            for _ in range(3):
                watcher.cycle(when, *(each.reading(when) for each in running))
                assert watcher.account().verdict is Verdict.INACTIVE
                assert watcher.account().is_observed
                assert not watcher.view.unwatched
                when += POLL


class TestPause:
    """A time in which nobody was read, and servers may have come and gone."""

    @pytest.mark.parametrize(("entries", "is_hole"), [((NAME,), True), ((A, B), False)])
    def test_nobody_was_read(self, entries: tuple[str, ...], *, is_hole: bool) -> None:
        """Only where the operator lists all servers nobody can have come and gone."""
        watcher = Watcher(*entries)
        one, two = Process("SA", A, start=0.0), Process("SB", B, start=0.0)
        met(one, two)
        found(watcher, START, A, B)
        watcher.watch_quietly(START, START + HOUR / 2, one, two)
        when = START + HOUR
        watcher.cycle(when, one.reading(when), two.reading(when))

        since = when if is_hole else START
        assert watcher.account().quiet_since_at == since

    def test_own_restart(self) -> None:
        """What was found and dropped is known over it, and so is the pause."""
        watcher, one, two = a_found_pair()
        when = START + POLL
        watcher.cycle(when, one.reading(when), two.reading(when))
        found(watcher, when + 1, A)
        watcher.cycle(when + 2, one.reading(when + 2))
        clocks = no_time(at(when + 2))._replace(wall_at=HOUR, monotonic_at=HOUR)
        ledger = watcher.resumed(clocks, NAME)

        assert ledger.endpoints_wanted() == (A,)
        assert ledger.endpoints_found() == {NAME: (A,)}

        ledger.discover(NAME, [A, C], at(when + 3))
        ledger.apply(one.reading(when + POLL))
        view = ledger.conclude(at(when + POLL))

        assert set(view.unwatched) == {
            DISPLACED_B,
            Unwatched(UnwatchedKind.ENDPOINT, C),
        }
        assert max(hole.seconds for hole in ledger._memory.holes) >= HOUR

    def test_other_list_at_an_own_restart(self) -> None:
        """An endpoint that goes, and comes back before a reading, is as it was."""
        watcher, one, two = a_found_pair()
        when = START + POLL
        watcher.cycle(when, one.reading(when), two.reading(when))
        ledger = watcher.resumed(no_time(at(when)), A)
        ledger.watch([A, B], at(when + 1))
        for each in (one, two):
            ledger.apply(each.reading(when + POLL))
        view = ledger.conclude(at(when + POLL))

        assert not view.unwatched
        assert view.watched_to_at == when + POLL


def test_rows_of_a_time_when_all_was_listed() -> None:
    """What an older version saved is read: every endpoint was the operator's."""
    watcher = Watcher(A)
    server = Process("SA", A, start=0.0)
    watcher.cycle(START, server.reading(START))
    saved = decode(Kind.SYSTEM, watcher.rows[Kind.SYSTEM, ""], SavedSystem)
    first = saved.__struct_fields__[:6]
    row = msgspec.msgpack.encode([getattr(saved, name) for name in first])
    watcher.rows[Kind.SYSTEM, ""] = row
    ledger = watcher.resumed(no_time(at(START)), A)

    assert ledger.endpoints_wanted() == (A,)
    assert ledger._memory.fleet.roster.fixed == (A,)
