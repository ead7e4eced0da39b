"""How servers of operator mode are asked who came and went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pytest

from nats_idle_exporter.activity import Reading, Ring
from nats_idle_exporter.monitoring.closed import MOST_ASKED
from nats_idle_exporter.monitoring.ring import PAGE
from tests.monitoring import builders
from tests.monitoring.conftest import MakesClient
from tests.monitoring.scripted import Script, ScriptedServer, answer, hang, running

CLOSED = "/connz?state=closed&sort=stop"
WITH = f"{CLOSED}&auth=1"
HEAD = f"{CLOSED}&limit=1"
VARZ = builders.operator_varz() | {"version": "2.15.1"}
NOW_AT = datetime.fromisoformat(VARZ["now"][:26] + "Z").timestamp()
LOST = Ring((), reaches_back=False, is_complete=False)


def entries(accounts: Mapping[int, str], *, told: bool) -> list[dict[str, Any]]:
    """Return entries of the ring by cid, the newest first, with accounts or without."""
    return [
        builders.closed(
            cid,
            account if told else "",
            NOW_AT - 5,
            **({} if account else {"reason": "Authentication Failure"}),
        )
        for cid, account in sorted(accounts.items(), reverse=True)
    ]


def page(chosen: Iterable[dict[str, Any]], total: int) -> Script:
    """Answer with some entries."""
    return answer(builders.connz(*chosen, total=total))


def a_ring(accounts: Mapping[int, str]) -> dict[str, Script]:
    """Return the scripts of a server with this ring, account by cid."""
    plain, full = entries(accounts, told=False), entries(accounts, told=True)
    total = len(accounts)
    varz = VARZ | {"total_connections": total}
    scripts = {"/varz": answer(varz), HEAD: page(plain[:1], total)}
    for start in range(0, total, PAGE - 1):
        path = f"{CLOSED}&limit={PAGE}&offset={start}"
        scripts[path] = page(plain[start : start + PAGE], total)
    for start in range(0, total, PAGE):
        path = f"{WITH}&limit={PAGE}&offset={start}"
        scripts[path] = page(full[start : start + PAGE], total)
    for entry in full:
        scripts[f"{WITH}&cid={entry['cid']}"] = page([entry], 1)
    return scripts


def told(reading: Reading) -> list[str]:
    """Return the accounts of what is new."""
    return [closed.account for closed in reading.ring.new]


def asked(server: ScriptedServer) -> list[str]:
    """Return the questions about accounts of closed connections, and forget them."""
    paths = [path for path in server.requests if path.startswith(WITH)]
    server.requests.clear()
    return paths


async def test_only_what_is_new_is_looked_up(make_client: MakesClient) -> None:
    """Pages come without accounts; each new entry is asked about once."""
    client = make_client()
    async with running(server := ScriptedServer(a_ring({1: "A", 2: "B"}))):
        first = await client.read(server.url, with_jetstream=False)
        questions = [asked(server)]
        second = await client.read(server.url, with_jetstream=False)
        questions.append(asked(server))
        server.scripts |= a_ring({1: "A", 2: "B", 3: "B"})
        third = await client.read(server.url, with_jetstream=False)
        questions.append(asked(server))

    assert [told(each) for each in (first, second, third)] == [["A", "B"], [], ["B"]]
    assert questions == [[f"{WITH}&cid=2", f"{WITH}&cid=1"], [], [f"{WITH}&cid=3"]]
    assert all(each.ring.is_complete for each in (first, second, third))


async def test_failed_logins_are_not_looked_up(make_client: MakesClient) -> None:
    """Who never was in an account has none to be asked for."""
    async with running(server := ScriptedServer(a_ring({1: "", 2: ""}))):
        reading = await make_client().read(server.url, with_jetstream=False)

        assert asked(server) == []
    assert reading.ring == Ring()


@pytest.mark.parametrize("count", [MOST_ASKED + 1, PAGE + 10])
async def test_of_many_whole_pages_are_asked_for(
    make_client: MakesClient, count: int
) -> None:
    """A crowd is looked up page by page, until all are told."""
    accounts = {cid: f"A{cid}" for cid in range(1, count + 1)}
    client = make_client(max_body_bytes=1_000_000)
    async with running(server := ScriptedServer(a_ring(accounts))):
        reading = await client.read(server.url, with_jetstream=False)

        starts = range(0, count, PAGE)
        assert asked(server) == [f"{WITH}&limit={PAGE}&offset={n}" for n in starts]
    assert len(told(reading)) == count
    assert reading.ring.is_complete


async def test_who_is_not_told_in_time_is_a_hole(make_client: MakesClient) -> None:
    """A look-up that hangs fails no poll: somebody came and went, for once."""
    client = make_client(timeout_seconds=2.0)
    scripts = a_ring({1: "A"})
    async with running(server := ScriptedServer(scripts)):
        await client.read(server.url, with_jetstream=False)
        server.scripts |= a_ring({1: "A", 2: "GHOST"})
        server.scripts[f"{WITH}&cid=2"] = hang()
        hung = await client.read(server.url, with_jetstream=False)
        after = await client.read(server.url, with_jetstream=False)

    assert hung.ring == LOST
    assert told(after) == []
    assert after.ring.reaches_back
    assert not after.ring.is_complete


async def test_who_is_pushed_out_meanwhile_is_a_hole(make_client: MakesClient) -> None:
    """An entry that is gone before it is asked about may have been anybody's."""
    scripts = a_ring({1: "A", 2: "B"}) | {f"{WITH}&cid=1": page([], 0)}
    async with running(server := ScriptedServer(scripts)):
        reading = await make_client().read(server.url, with_jetstream=False)

    assert told(reading) == ["B"]
    assert not reading.ring.reaches_back
    assert not reading.ring.is_complete
