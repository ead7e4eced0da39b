"""Questions to a server that is not well."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.monitoring.inquiry import ask_accounts
from nats_idle_exporter.monitoring.inquiry.answers import Answer
from nats_idle_exporter.monitoring.inquiry.asking import Asked
from tests.inquiry.test_answers import a_body
from tests.monitoring.scripted import Script, ScriptedServer, answer, reset, running
from tests.support.clock import FakeClock


@asynccontextmanager
async def a_client() -> AsyncIterator[MonitoringClient]:
    """A client with generous limits."""
    async with new_session() as session:
        yield MonitoringClient(
            session, FakeClock(), timeout_seconds=30.0, max_body_bytes=10_000
        )


async def outcome(
    script: Script, accounts: list[str], server_id: str = "N1"
) -> tuple[Asked, list[str], ScriptedServer]:
    """Return how it went, who was told of, and the server."""
    heard: list[Answer] = []
    server = ScriptedServer({"/accountz": script})
    async with running(server), a_client() as client:
        asked = await ask_accounts(
            client, server.url, server_id, accounts, heard.append
        )
    return asked, [each.account for each in heard], server


async def test_names_are_escaped() -> None:
    """Whatever an account is called, it is one value of one parameter."""
    name = "a&b=c/é #"

    asked, heard, server = await outcome(answer(a_body(name)), [name])

    assert (asked, heard) == (Asked(1, 0), [name])
    assert server.requests == ["/accountz?acc=a%26b%3Dc%2F%C3%A9%20%23"]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answer(b"Account A does not exist", 400), id="not loaded"),
        pytest.param(answer(b"{}"), id="no answer"),
        pytest.param(answer(a_body("B")), id="about another"),
    ],
)
async def test_one_that_is_not_told(script: Script) -> None:
    """It is passed over: all others are asked about."""
    asked, heard, server = await outcome(script, ["A", "C"])

    assert (asked, heard) == (Asked(0, 2), [])
    assert len(server.requests) == 2


async def test_another_server() -> None:
    """Who answers in place of the one that was polled is not heard."""
    asked, heard, server = await outcome(answer(a_body("A")), ["A", "B"], "N2")

    assert asked.trouble.startswith("identity: ")
    assert (heard, len(server.requests)) == ([], 1)


async def test_a_server_that_breaks_off() -> None:
    """It is asked no more in this cycle."""
    asked, _, server = await outcome(reset(), ["A", "B"])

    assert asked.trouble.startswith("unreachable: ")
    # The library asks again itself where a connection breaks.
    assert set(server.requests) == {"/accountz?acc=A"}


async def test_what_was_told_before_counts() -> None:
    """Answers before the trouble are heard."""
    bodies: list[dict[str, Any]] = [json.loads(a_body("A"))]

    async def play(writer: Any) -> None:
        script = answer(bodies.pop()) if bodies else reset()
        await script(writer)

    asked, heard, _ = await outcome(play, ["A", "B"])

    assert (asked.answered, heard) == (1, ["A"])
    assert asked.trouble
