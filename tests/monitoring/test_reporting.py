"""Tests of the poll loop's log: each change once, lasting trouble seldom."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.activity import Peer, Ring, Unwatched, UnwatchedKind
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.reporting import Reporter
from tests.monitoring.fakes import empty_view

URL = "http://a:8222"
REFUSED = EndpointError("unreachable", "refused")
SLOW = EndpointError("timeout", "slow")
PEERS = {"N2": Peer("n2", "east", "10.0.0.2")}


class TestPolls:
    """Endpoints that go down and come back."""

    def test_a_failure_is_warned_of_once(self) -> None:
        """The same failure again is silent for ten minutes, then told anew."""
        reporter = Reporter("default")
        with capture_logs() as logs:
            for now in (0, 30, 599, 600, 630, 1199, 1200):
                reporter.failed(URL, REFUSED, now)

        warning = {
            "event": "poll failed",
            "log_level": "warning",
            "system": "default",
            "endpoint": URL,
            "reason": "unreachable",
            "detail": "refused",
        }
        assert logs == [warning] * 3

    def test_a_new_reason_is_told_at_once(self) -> None:
        """Another reason is news, the same one on another endpoint too."""
        reporter = Reporter("default")
        with capture_logs() as logs:
            reporter.failed(URL, REFUSED, 0)
            reporter.failed(URL, SLOW, 1)
            reporter.failed("http://b", SLOW, 2)

        assert [each["reason"] for each in logs] == [
            "unreachable",
            "timeout",
            "timeout",
        ]

    def test_recovery_is_told_once(self) -> None:
        """A good poll is told after a failed one only."""
        reporter = Reporter("default")
        with capture_logs() as logs:
            reporter.succeeded(URL, Ring())
            reporter.failed(URL, REFUSED, 0)
            reporter.succeeded(URL, Ring())
            reporter.succeeded(URL, Ring())
            reporter.failed(URL, REFUSED, 1)

        assert [each["event"] for each in logs] == [
            "poll failed",
            "poll recovered",
            "poll failed",
        ]

    def test_an_overflow_is_told_once(self) -> None:
        """A ring that does not reach back is told anew only after one that does."""
        reporter = Reporter("default")
        with capture_logs() as logs:
            for reaches_back in (True, False, False, True, False):
                reporter.succeeded(URL, Ring(reaches_back=reaches_back))

        warning = {
            "event": "closed connections forgotten unread",
            "log_level": "warning",
            "system": "default",
            "endpoint": URL,
        }
        assert logs == [warning] * 2


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"duplicates": {"N1": ("http://a", "http://b")}},
        {
            "event": "endpoints lead to one server",
            "server_id": "N1",
            "endpoints": "http://a http://b",
        },
    ),
    (
        {"load_balanced": ("http://a",)},
        {"event": "endpoint is load balanced", "endpoint": "http://a"},
    ),
    (
        {"unwatched": (Unwatched(UnwatchedKind.ROUTE, "N2"),)},
        {
            "event": "server is not watched",
            "kind": "route",
            "server_id": "N2",
            "server_name": "n2",
            "nats_cluster": "east",
            "ip": "10.0.0.2",
        },
    ),
]


class TestViews:
    """What a cycle found out."""

    @pytest.mark.parametrize(("found", "expected"), CHANGES)
    def test_a_change_is_told_once(
        self, found: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        """It is told when it is new, and again only after it was gone."""
        reporter = Reporter("default")
        with capture_logs() as logs:
            for view in (empty_view(**found), empty_view(**found), empty_view()):
                reporter.concluded(view, PEERS)
            first = list(logs)
            reporter.concluded(empty_view(**found), PEERS)

        warning = {"log_level": "warning", "system": "default", **expected}
        assert first == [warning]
        assert logs == [warning] * 2

    def test_only_what_is_new_is_told(self) -> None:
        """A second unwatched peer does not repeat the first."""
        reporter = Reporter("default")
        first = Unwatched(UnwatchedKind.ROUTE, "N2")
        second = Unwatched(UnwatchedKind.GATEWAY, "N3")
        reporter.concluded(empty_view(unwatched=(first,)), PEERS)

        with capture_logs() as logs:
            reporter.concluded(empty_view(unwatched=(first, second)), PEERS)

        assert [(each["server_id"], each["server_name"]) for each in logs] == [
            ("N3", "")
        ]

    def test_an_endpoint_is_told_by_its_polls(self) -> None:
        """That an endpoint does not answer was told before."""
        down = Unwatched(UnwatchedKind.ENDPOINT, URL)
        with capture_logs() as logs:
            Reporter("default").concluded(empty_view(unwatched=(down,)), {})

        assert logs == []
