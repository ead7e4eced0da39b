"""Rounds of jsz: how far they reach, and what they lack."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import JetStreamRound, Reason, Stream, Verdict
from nats_idle_exporter.activity.jetstream import JetStream
from nats_idle_exporter.activity.record import Sticky
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    Process,
    Watcher,
    a_pair,
    a_row,
    at,
    used,
)
from tests.activity.rounds import (
    BOOT,
    LATER,
    NEXT,
    RAISED,
    START,
    TEAM,
    UNASKED,
    a_stream,
    read_by,
    told,
    watch,
)

EMPTY = Stream("TEAM", "S")
"""A stream that may appear at any time: it was never used."""


def round_or_none(when: float, *, is_due: bool) -> JetStreamRound | None:
    """Return a round that tells of nobody, if one is due."""
    return JetStreamRound(at(when)) if is_due else None


class TestMisses:
    """A round that lacks a stream is no reading for its account."""

    def test_missing_stream_stops_the_reach_for_three_rounds(
        self, idle: Watcher, server: Process
    ) -> None:
        """Proof goes on when the stream is believed to be gone."""
        reaches = []
        for step in range(4):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when))
            reaches.append(idle.account().idle_seconds)

        assert reaches[:2] == [RAISED - START, RAISED - START]
        assert reaches[2] > RAISED - START
        assert reaches[3] == reaches[2] + POLL
        assert idle.account().verdict is Verdict.INACTIVE

    def test_stream_that_returns_was_read_all_along(
        self, idle: Watcher, server: Process
    ) -> None:
        """Numbers that did not grow prove the time of the missing rounds."""
        for step, streams in enumerate(((), (), (a_stream(),))):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, *streams))

        assert idle.account().is_observed
        assert idle.account().idle_seconds == RAISED - START + 3 * POLL

    def test_gone_stream_leaves_a_hole(self, watcher: Watcher, server: Process) -> None:
        """Between two rounds it may have been written and deleted."""
        watch(watcher, server, a_stream(), end=START + HOUR / 2)
        first = START + HOUR / 2 + 10 * 60
        for when in (first, first + POLL, first + 2 * POLL):
            watcher.cycle(when, told(server, when))

        assert watcher.account().quiet_since_at == first

    def test_short_hole_is_forgiven(self, watcher: Watcher, server: Process) -> None:
        """Within the tolerance the deletion of a stream costs nothing."""
        watch(watcher, server, a_stream(), end=START + HOUR / 2)
        first = START + HOUR / 2 + POLL
        for when in (first, first + POLL, first + 2 * POLL):
            watcher.cycle(when, told(server, when))

        assert watcher.account().quiet_since_at == START

    @pytest.mark.parametrize(
        "looked_at", [(), (NEXT,)], ids=["never looked at", "looked at once"]
    )
    def test_hole_begins_with_the_last_look_at_its_consumers(
        self, watcher: Watcher, server: Process, looked_at: tuple[float, ...]
    ) -> None:
        """What was read from a stream since then can never be told any more."""
        for step in range(60):
            when = START + step * POLL
            is_look = when in looked_at
            stream = read_by(used_at=BOOT) if is_look else UNASKED
            asked = TEAM if is_look else frozenset[str]()
            watcher.cycle(when, told(server, when, stream, consumers_of=asked))
        first = START + 60 * POLL
        for when in (first, first + POLL, first + 2 * POLL):
            watcher.cycle(when, told(server, when))

        assert watcher.account().quiet_since_at == first

    def test_outdated_while_a_stream_is_missing(self, server: Process) -> None:
        """Who waits for a missing stream is told so, and is not raised."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        end = START + HOUR - 5 * POLL
        when = START
        while when <= end:
            watcher.cycle(when, told(server, when, a_stream()), told(other, when))
            when += POLL
        # The other server's round does not come anew: no round is whole.
        stale = JetStreamRound(at(end), end, TEAM)
        while when <= START + 2 * HOUR:
            watcher.cycle(
                when, told(server, when), other.reading(when, jetstream=stale)
            )
            when += POLL

        account = watcher.account()
        assert account.verdict is Verdict.UNKNOWN
        assert account.reason is Reason.JETSTREAM_OUTDATED

    def test_outdated_before_the_third_round(
        self, idle: Watcher, server: Process
    ) -> None:
        """The age of the last good round counts, not that of those that lack."""
        for when in (LATER, LATER + POLL):
            idle.cycle(when, told(server, when))
        assert idle.account().is_observed

        late = LATER + POLL + 25
        idle.cycle(late, server.reading(late, jetstream=None))

        assert not idle.account().is_observed
        assert idle.account().reason is Reason.JETSTREAM_OUTDATED

    def test_one_server_cannot_complete_three_rounds(self) -> None:
        """A round is whole when every server told anew, however jsz is staggered."""
        watcher, one, two = a_pair(START)
        watcher.cycle(NEXT, told(one, NEXT, EMPTY), told(two, NEXT))
        for step in range(2, 6):
            when = START + step * POLL
            watcher.cycle(when, told(one, when, jsz_asked=NEXT + 1), told(two, when))

        assert watcher.account().quiet_since_at == START
        assert watcher.account().idle_seconds == POLL

    def test_missing_from_the_latest_of_all_stops_the_reach_at_once(self) -> None:
        """A stream that moves between two servers' rounds was read by neither."""
        watcher, one, two = a_pair(START)
        second = START + 2 * POLL
        watcher.cycle(NEXT, told(one, NEXT, EMPTY), told(two, NEXT))
        watcher.cycle(second, told(one, second), two.reading(second, jetstream=None))

        assert watcher.account().idle_seconds == POLL

        third = START + 3 * POLL
        watcher.cycle(
            third, one.reading(third, jetstream=None), told(two, third, EMPTY)
        )

        assert watcher.account().idle_seconds == 2 * POLL

    def test_servers_that_tell_in_turn_lack_nothing(self) -> None:
        """What another server told in its own last round is not missing."""
        watcher, one, two = a_pair(START)
        second, third = START + 2 * POLL, START + 3 * POLL
        watcher.cycle(NEXT, told(one, NEXT), told(two, NEXT, a_stream()))
        mute = one.reading(second, jetstream=None)
        watcher.cycle(second, mute, told(two, second, a_stream()))
        mute = two.reading(third, jetstream=None)
        watcher.cycle(third, told(one, third), mute)

        quiet_since = watcher.account().quiet_since_at
        assert watcher.account().idle_seconds == second - quiet_since

    def test_several_streams_are_waited_for(
        self, idle: Watcher, server: Process
    ) -> None:
        """One that is believed to be gone does not stand for another."""
        other = Stream("TEAM", "T")
        idle.cycle(LATER, told(server, LATER, a_stream(), other))
        for step, streams in enumerate(((a_stream(),), (), (), ()), 1):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, *streams))
        before = idle.account().idle_seconds

        last = LATER + 5 * POLL
        idle.cycle(last, told(server, last))

        assert idle.account().idle_seconds > before


class TestRounds:
    """How far rounds of jsz reach."""

    def test_proof_reaches_to_the_last_round(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A stream may be written, or come, after the last round."""
        watcher.cycle(START, told(server, START))
        end = START + HOUR
        watcher.cycle(end, server.reading(end, jetstream=None))

        account = watcher.account()
        assert account.verdict is Verdict.UNKNOWN
        assert account.reason is Reason.JETSTREAM_OUTDATED
        assert account.idle_seconds == 0.0

    def test_missing_round_clears_nothing(self, idle: Watcher, server: Process) -> None:
        """A raised verdict is held, without being observed."""
        end = START + 2 * HOUR
        idle.cycle(end, server.reading(end, jetstream=None))

        account = idle.account()
        assert account.verdict is Verdict.INACTIVE
        assert account.reason is Reason.JETSTREAM_OUTDATED
        assert not account.is_observed

    def test_server_that_told_none_yet_stops_everybody(self, server: Process) -> None:
        """Evidence is taken from a server whose peer tells nothing."""
        watcher = Watcher(A, B)
        mute = Process("SB", B, BOOT)
        for when, seq in ((START, 5), (NEXT, 6)):
            watcher.cycle(
                when,
                told(server, when, a_stream(seq)),
                mute.reading(when, jetstream=None),
            )

        assert watcher.account().last_evidence is not None
        assert watcher.account().idle_seconds == 0.0

    def test_successor_without_a_round_moves_nothing_back(self) -> None:
        """A stream that is new counts as read up to the last common round."""
        watcher, one, two = a_pair(START)
        watcher.cycle(NEXT, told(one, NEXT), told(two, NEXT))
        when = NEXT + POLL
        successor = Process("SC", B, when - 5)
        successor.peers = frozenset({"SA"})
        one.peers = frozenset({"SC"})
        watcher.cycle(
            when,
            told(one, when, Stream("TEAM", "S")),
            successor.reading(when, jetstream=None),
        )

        assert watcher.account().idle_seconds == POLL

    def test_account_keeps_jetstream_through_an_empty_answer(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Not listed is believed after three whole rounds only."""
        watcher.cycle(START, told(server, START))
        verdicts = []
        for step in (1, 2, 3):
            when = START + step * HOUR
            watcher.cycle(when, server.reading(when))
            late = when + 10 * POLL
            watcher.cycle(late, server.reading(late, jetstream=None))
            verdicts.append(watcher.account().reason)

        assert verdicts == [Reason.JETSTREAM_OUTDATED] * 2 + [Reason.NONE]

    def test_account_that_a_server_lists_later_may_own_streams(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Its server recovered after the last round: it is judged by the next two."""
        other = a_row("OTHER")
        watcher.cycle(START, server.reading(START, [other]))
        idle = []
        for step in range(1, 6):
            when = START + step * POLL
            round_ = round_or_none(when, is_due=step in (3, 4))
            rows = [other, a_row()]
            watcher.cycle(when, server.reading(when, rows, jetstream=round_))
            idle.append(watcher.account().idle_seconds)

        assert idle == [0.0, 0.0, 2 * POLL, 3 * POLL, 4 * POLL]

    def test_round_that_began_before_the_listing_tells_nothing(self) -> None:
        """Of a staggered round one half is older than what was listed in between."""
        watcher = Watcher(A, B)
        servers = Process("SA", A, BOOT), Process("SB", B, BOOT)
        other = a_row("OTHER")
        for step, tellers in enumerate(("SA SB", "SA", "", "SB", "")):
            when = START + step * POLL
            rows = [other, a_row()] if step > 1 else [other]
            due = [each.server_id in tellers for each in servers]
            rounds = [round_or_none(when, is_due=is_due) for is_due in due]
            one, two = (
                server.reading(when, rows, jetstream=told)
                for server, told in zip(servers, rounds, strict=True)
            )
            watcher.cycle(when, one, two)

        assert watcher.account().idle_seconds == 0.0

    def test_account_that_is_listed_later_waits_for_no_round_without_any(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Where no server ever told jsz nobody is judged by it."""
        for step, rows in enumerate(([a_row("OTHER")], [a_row()], [a_row()])):
            when = START + step * POLL
            watcher.cycle(when, server.reading(when, rows, jetstream=None))

        assert watcher.account().idle_seconds == POLL

    def test_account_that_is_listed_with_a_round_is_told_by_it(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Streams are asked for after accounts: what is loaded by then is told."""
        other = a_row("OTHER")
        watcher.cycle(START, server.reading(START, [other]))
        for when, is_due in ((NEXT, True), (NEXT + POLL, False)):
            round_ = round_or_none(when, is_due=is_due)
            rows = [other, a_row()]
            watcher.cycle(when, server.reading(when, rows, jetstream=round_))

        assert watcher.account().idle_seconds == POLL

    def test_suspicion_frees_no_owner_of_streams(self) -> None:
        """Who may own streams waits for as many rounds as before."""
        jetstream = JetStream({"TEAM": Sticky(holds=True)}, reach=at(START))
        jetstream.suspect("TEAM")

        assert jetstream.enabled == {"TEAM": Sticky(holds=True, misses=0)}

    def test_half_a_round_frees_nobody_of_jetstream(self) -> None:
        """Only whole rounds count towards believing that JetStream was disabled."""
        watcher, one, two = a_pair(START)
        watcher.cycle(NEXT, told(one, NEXT), two.reading(NEXT))
        for step in range(2, 7):
            when = START + step * POLL
            mute = two.reading(when, jetstream=None)
            watcher.cycle(when, one.reading(when), mute)

        assert watcher.account().idle_seconds == POLL

    def test_jetstream_enabled_later_clears_nothing(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Old use does not become new because the proof reaches less far."""
        watcher.cycle(START, server.reading(START))
        watcher.cycle(NEXT, server.reading(NEXT, [used(1)]))
        end = NEXT + HOUR
        watcher.cycle(end, server.reading(end, [used(1)]))
        assert watcher.account().verdict is Verdict.INACTIVE

        late = end + POLL
        watcher.cycle(late, told(server, late, rows=[used(1)], jsz_asked=end - POLL))

        assert watcher.account().verdict is Verdict.INACTIVE
