"""Sources are looked up again and again; what fails keeps what it found last."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.monitoring.discovery import (
    DiscoveryError,
    DiscoveryReader,
    FollowedDiscovery,
    reader,
)
from nats_idle_exporter.monitoring.reporting import REMIND_SECONDS
from tests.discovery.scripted import NAME, Scripted
from tests.support.clock import FakeClock

A, B = "http://a:8222", "http://b:8222"
FAILURE = DiscoveryError("nats A", expected="an answer", found="none")


def a_reader(*sources: Scripted, timeout: float = 5.0) -> DiscoveryReader:
    """Return who looks these up."""
    return DiscoveryReader("default", sources, 30.0, timeout)


async def test_news_are_told_once() -> None:
    """What was looked up is news until it is taken, and then no more."""
    source = Scripted()
    source.told = [A, B, A]
    followed = FollowedDiscovery(a_reader(source), {})
    await followed.keeper.step(0.0)

    assert followed.news() == {NAME: (A, B)}
    assert followed.news() == {}


async def test_failure_keeps_what_was_found() -> None:
    """It is no news, it is shown, and told once until it changes or is over."""
    source = Scripted()
    source.told = [A, B]
    looks = a_reader(source)
    with capture_logs() as lines:
        await looks.step(0.0)
        looks.news.clear()
        source.told = FAILURE
        for now in (30.0, 60.0, 30.0 + REMIND_SECONDS):
            await looks.step(now)
        status = looks.statuses()[0]
        assert looks.news == {}
        source.told = [B]
        await looks.step(700.0)

    assert (status.is_up, status.endpoints) == (False, 2)
    assert status.last_error == "nats A: expected an answer, found none"
    assert looks.news == {NAME: (B,)}
    failed: dict[str, object] = {
        "where": "nats A",
        "expected": "an answer",
        "found": "none",
        "endpoints_kept": 2,
    }
    of_source: dict[str, object] = {"system": "default", "source": NAME}
    told: list[dict[str, object]] = [
        {"event": "endpoint found", "log_level": "info", "endpoint": A},
        {"event": "endpoint found", "log_level": "info", "endpoint": B},
        {"event": "discovery failed", "log_level": "warning", **failed},
        {"event": "discovery failed", "log_level": "warning", **failed},
        {"event": "discovery recovered", "log_level": "info"},
        {"event": "endpoint found no more", "log_level": "info", "endpoint": A},
    ]
    assert lines == [{**of_source, **line} for line in told]


async def test_source_that_never_answers_delays_no_other() -> None:
    """It is given up, and the others are news."""
    slow, good = Scripted("dns+http://slow:1"), Scripted()
    slow.told, good.told = None, [A]
    looks = a_reader(slow, good, timeout=0.01)
    await looks.step(0.0)

    assert looks.news == {NAME: (A,)}
    assert [status.is_up for status in looks.statuses()] == [False, True]
    assert "expected an answer within 0.01 s" in looks.statuses()[0].last_error


async def test_far_too_many_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that would be a flood of polls is refused as a whole."""
    monkeypatch.setattr(reader, "MOST_ENDPOINTS", 1)
    source = Scripted()
    source.told = [A, B]
    looks = a_reader(source)
    await looks.step(0.0)

    assert looks.news == {}
    assert "expected at most 1 endpoints, found more" in looks.statuses()[0].last_error


async def test_what_an_earlier_process_found_holds() -> None:
    """Until the source answers it is shown as found last, and leads to its source."""
    source = Scripted()
    source.told = FAILURE
    looks = a_reader(source)
    followed = FollowedDiscovery(looks, {NAME: (A,), "gone": (B,)})
    await looks.step(0.0)

    assert followed.statuses[0].endpoints == 1
    assert looks.lead(A) == (NAME, "")
    assert looks.lead(B) is None

    source.told = [B]
    await looks.step(30.0)
    followed.keeper.recall({NAME: (A,)})

    assert looks.lead(B) == (NAME, "nats")
    assert looks.lead(A) is None


async def test_it_is_followed_beside_the_loop() -> None:
    """A task of its own looks it up until it is stopped."""
    source = Scripted()
    source.told = [A]
    followed = FollowedDiscovery(a_reader(source), {})
    async with asyncio.TaskGroup() as group:
        followed.start(group, FakeClock())
        await followed.answered()
        await followed.stop()

    assert followed.news() == {NAME: (A,)}
