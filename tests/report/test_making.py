"""What a report says, in which order, and what it stands on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nats_idle_exporter.activity import Peer, Unwatched, UnwatchedKind, Verdict
from nats_idle_exporter.removal.facts import UNLIMITED, Holdings
from nats_idle_exporter.removal.registry import Entry
from nats_idle_exporter.report.making import FailOn, frees, matching
from nats_idle_exporter.report.model import ObservationError
from tests.api.builders import Known, knowing, known
from tests.metrics.builders import (
    a_lookup,
    a_snapshot,
    a_source,
    a_system,
    an_endpoint,
    naming,
)
from tests.removal.cases import NOW
from tests.report.builders import explained, report_of, reported


def holding(account: str, stored: int, memory: int = 0, storage: int = 0) -> Known:
    """Return an inactive account that holds and reserves so many bytes."""
    holdings = Holdings(
        streams=1,
        bytes=stored,
        reserved_memory_bytes=memory,
        reserved_storage_bytes=storage,
        as_of_at=NOW,
    )
    return known(account, facts={"holdings": holdings})


def test_order() -> None:
    """First comes what removal would free most by, then who is idle longest."""
    busy = Holdings(streams=1, bytes=10**12, as_of_at=NOW)
    report = report_of(
        known("B", idle_seconds=5e6),
        known("A", idle_seconds=9e6),
        holding("UNLIMITED", 1, UNLIMITED, UNLIMITED),
        holding("RESERVES", 0, 600, 700),
        holding("HOLDS", 1000),
        known("ACTIVE", verdict=Verdict.ACTIVE, facts={"holdings": busy}),
        known("UNKNOWN", verdict=Verdict.UNKNOWN, idle_seconds=8e6),
        known("UNTOLD", idle_seconds=1.0, facts={"holdings": None}),
    )

    assert [account.account for account in report.accounts] == [
        "RESERVES",
        "HOLDS",
        "UNLIMITED",
        "A",
        "B",
        "UNTOLD",
        "UNKNOWN",
        "ACTIVE",
    ]
    assert [frees(account) for account in report.accounts[:3]] == [1300, 1000, 1]


class TestNotes:
    """What a reader has to know before believing it."""

    def test_a_complete_watch_needs_none(self) -> None:
        """Where everything is watched only the observer's own limits are told."""
        report = reported(knowing(default=[known()]), "one poll")

        assert report.notes == ("one poll",)
        assert report.source == "a test"
        assert report.as_of_at == NOW

    def test_what_is_not_watched_is_told(self) -> None:
        """Endpoints that are down and servers that nobody polls are named."""
        by_route = "server known by route, not polled"
        unwatched = [
            Unwatched(UnwatchedKind.ROUTE, "NPEER\x1b"),
            Unwatched(UnwatchedKind.ROUTE, "NTHIRD"),
        ]
        system = a_system(unwatched=unwatched, is_fresh=False)
        peers = {"NTHIRD": Peer("n3\x1b", "east", "10.0.0.3\x1b")}
        endpoints = [
            an_endpoint("http://a"),
            an_endpoint("http://b", is_up=False, last_error="timeout: slow"),
            an_endpoint("http://c", is_up=False),
        ]

        snapshot = naming(a_snapshot({"default": system}, endpoints), peers)
        report = reported(snapshot)

        third = r"id NTHIRD, seen at 10.0.0.3\x1b, cluster east"
        assert report.notes == (
            "http://b did not answer (timeout: slow).",
            "http://c did not answer (not polled yet).",
            f"System default: NPEER\\x1b holds verdicts back ({by_route}).",
            f"System default: n3\\x1b holds verdicts back ({by_route}; {third}).",
            "System default: not every server was read lately.",
        )

    def test_sources_that_fail_are_told(self) -> None:
        """What they would list is missing in the report, and nothing else tells it."""
        sources = [a_source("file:a"), a_source("file:b\x1b", is_up=False)]
        lookups = [
            a_lookup("dns+http://a:8222", is_up=False, last_error="no such name\x1b"),
            a_lookup("dns+http://b:8222"),
        ]

        report = reported(a_snapshot(None, None, sources, lookups))

        missing = "System default: {} may be missing, as {} could not be read ({})."
        assert report.notes == (
            missing.format("accounts", r"file:b\x1b", "not read yet"),
            missing.format("endpoints", "dns+http://a:8222", r"no such name\x1b"),
        )

    @pytest.mark.parametrize(
        ("endpoints", "words"),
        [
            ([], "no endpoint of the system default answered"),
            (
                [an_endpoint(is_up=False, last_error="timeout: slow")],
                "no endpoint of the system default answered: timeout: slow",
            ),
            (
                [an_endpoint(system="other")],
                "no endpoint of the system default answered",
            ),
        ],
    )
    def test_nothing_seen_is_no_report(self, endpoints: list[Any], words: str) -> None:
        """A system of which nothing is seen makes no report, and no empty one."""
        snapshot = replace(knowing(default=[known()]), endpoints=tuple(endpoints))

        for make in (reported, lambda it: explained(it, "ORDERS")):
            with pytest.raises(ObservationError) as caught:
                make(snapshot)
            assert str(caught.value) == words


class TestExplain:
    """One account, by id or by name."""

    def test_all_who_are_called_so(self) -> None:
        """An id or a name may be that of several accounts: all are told."""
        snapshot = knowing(
            default=[known("A", name="orders"), known("B", name="A"), known("C")]
        )

        explanation = explained(snapshot, "A")

        assert [each.account.account for each in explanation.accounts] == ["A", "B"]

    def test_nobody(self) -> None:
        """Who is not there is no account that nobody uses."""
        with pytest.raises(ObservationError, match=r'no account .* the name "x\\x1b"'):
            explained(knowing(default=[known()]), "x\x1b")


def test_fail_on() -> None:
    """Each word matches its accounts, and is left out when it matches none."""
    accounts = report_of(
        known("A"),
        known("B", verdict=Verdict.ACTIVE, entry=Entry()),
        known("C", verdict=Verdict.EXEMPT),
    ).accounts

    assert matching(accounts, FailOn) == {FailOn.INACTIVE: 1, FailOn.UNOWNED: 1}
    assert matching(accounts, [FailOn.UNKNOWN]) == {}
    assert matching([], FailOn) == {}
