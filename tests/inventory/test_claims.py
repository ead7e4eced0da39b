"""Asking servers for their accounts, with answers from a script."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from nats_idle_exporter.monitoring.inventory import InventoryAccount, SourceError
from nats_idle_exporter.monitoring.inventory import claims as module
from nats_idle_exporter.monitoring.inventory.claims import ClaimsSource
from tests.inventory.builders import BIG, a_jwt, a_key

CAPTURES = Path(__file__).parent / "captures"


def a_reply(server: str, *numbers: int) -> bytes:
    """Return one server's list."""
    keys = [a_key(number) for number in numbers]
    return json.dumps({"server": {"id": server}, "data": keys}).encode()


class ScriptedServers:
    """Servers that answer what they are told to."""

    def __init__(self, *lists: bytes) -> None:
        self.lists = list(lists)
        self.jwts: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        self.connects = 0
        self.closes = 0
        self.is_open = False
        self.is_hanging = False

    async def connect(self) -> ScriptedServers:
        """Open the one connection."""
        self.connects += 1
        self.is_open = True
        return self

    async def gather(self, subject: str) -> list[bytes]:
        """Answer the question for all ids."""
        assert subject == "$SYS.REQ.CLAIMS.LIST"
        if self.is_hanging:
            await asyncio.Event().wait()
        return self.lists

    async def ask(self, subject: str) -> bytes | None:
        """Answer the question for one JWT."""
        key = subject.removeprefix("$SYS.REQ.ACCOUNT.").removesuffix(".CLAIMS.LOOKUP")
        self.asked.append(key)
        return self.jwts.get(key, b"")

    async def close(self) -> None:
        """Remember it."""
        self.is_open = False
        self.closes += 1


def a_source(servers: ScriptedServers) -> ClaimsSource:
    """Return a source that asks these servers."""
    return ClaimsSource("claims:nats://h", servers.connect)


async def test_the_lists_of_all_servers_are_united() -> None:
    """Every account that any server lists is listed, with what its JWT tells."""
    servers = ScriptedServers(a_reply("N1", 1, 2), a_reply("N2", 2, 3))
    servers.jwts = {a_key(number): a_jwt(number) for number in (1, 2, 3)}

    listed = await a_source(servers).read()

    assert {key: each.name for key, each in listed.accounts.items()} == {
        a_key(1): "N1",
        a_key(2): "N2",
        a_key(3): "N3",
    }
    assert listed.servers == {"N1", "N2"}
    assert listed.is_complete
    assert not listed.problems


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"", "nothing"),
        (b"x", "something else"),
        (b"a" * BIG, str(BIG)),
        (a_jwt(2), f"that of {a_key(2)}"),
        (None, "none"),
    ],
)
async def test_an_unusable_jwt_hides_nobody(answer: bytes | None, found: str) -> None:
    """An account whose JWT is not to be had is listed by its id, and told."""
    servers = ScriptedServers(a_reply("N1", 1))
    servers.jwts = {a_key(1): answer}

    listed = await a_source(servers).read()

    assert listed.accounts == {a_key(1): InventoryAccount(account=a_key(1))}
    assert listed.problems[0].where == f"claims:nats://h: {a_key(1)}"
    assert listed.problems[0].found == found
    assert listed.is_complete


async def test_jwts_are_asked_for_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """One read asks for few JWTs; those asked for longest ago come first."""
    monkeypatch.setattr(module, "LOOKUPS_PER_READ", 2)
    servers = ScriptedServers(a_reply("N1", 0, 1, 2))
    servers.jwts = {a_key(number): a_jwt(number) for number in range(3)}
    source = a_source(servers)

    names = [
        [each.name for _, each in sorted((await source.read()).accounts.items())]
        for _ in range(3)
    ]

    assert names == [["N0", "N1", ""], ["N0", "N1", "N2"], ["N0", "N1", "N2"]]
    assert servers.asked == [a_key(number) for number in (0, 1, 2, 0, 1, 2)]


async def test_one_without_an_answer_ends_the_lookups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lookups that are not permitted are not waited for one by one."""
    monkeypatch.setattr(module, "LOOKUPS_AT_ONCE", 2)
    servers = ScriptedServers(a_reply("N1", *range(10)))
    servers.jwts = dict.fromkeys(a_key(number) for number in range(10))

    listed = await a_source(servers).read()

    assert len(servers.asked) == len(listed.problems) == 2
    assert len(listed.accounts) == 10


async def test_an_account_that_is_no_longer_listed_is_forgotten() -> None:
    """What the servers list now is the whole list."""
    servers = ScriptedServers(a_reply("N1", 1, 2))
    source = a_source(servers)
    await source.read()
    servers.lists = [a_reply("N1", 2)]

    assert set((await source.read()).accounts) == {a_key(2)}


async def test_a_connection_is_kept_while_it_is_open() -> None:
    """A second read uses the connection, one after its end opens another."""
    servers = ScriptedServers(a_reply("N1", 1))
    source = a_source(servers)
    await source.read()
    await source.read()
    assert servers.connects == 1

    servers.is_open = False
    await source.read()

    assert (servers.connects, servers.closes) == (2, 1)
    await source.close()
    await source.close()
    assert servers.closes == 2


async def test_a_reading_that_is_given_up_ends_the_connection() -> None:
    """A late answer to an old question is never taken for a new one's."""
    servers = ScriptedServers(a_reply("N1", 1))
    source = a_source(servers)
    servers.is_hanging = True

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await source.read()

    assert not servers.is_open


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([], "an answer from a server with the full resolver"),
        ([a_reply("N1")], "an answer from a server with the full resolver"),
        ([b'{"server": {"id": "N1"}}'], "an answer from a server with the full"),
        ([b"", a_reply("N1", 1)], "a list of accounts"),
        ([b'{"server": {}, "data": []}'], "a list of accounts"),
        ([b'{"server": {"id": "N1"}, "data": [1]}'], "a list of accounts"),
        ([b'{"server": {"id": "\xff"}}'], "a list of accounts"),
        ([b"[" * 100_000], "a list of accounts"),
        (
            [b'{"server": {"id": "N1"}, "data": ["A\\n*.>"]}'],
            "public keys of accounts",
        ),
    ],
)
async def test_answers_that_are_none_are_an_error(
    replies: list[bytes], expected: str
) -> None:
    """What no server with a full resolver answers lists nothing."""
    with pytest.raises(SourceError) as caught:
        await a_source(ScriptedServers(*replies)).read()

    assert caught.value.problem.where == "claims:nats://h"
    assert caught.value.problem.expected.startswith(expected)
    assert str(caught.value).isprintable()


async def test_lists_are_read_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading lists of many accounts takes long: scrapes need not wait for it."""
    threads: list[int] = []

    def is_account_key(key: str) -> bool:
        threads.append(threading.get_ident())
        return bool(key)

    monkeypatch.setattr(module, "is_account_key", is_account_key)
    await a_source(ScriptedServers(a_reply("N1", 1))).read()

    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_too_many_accounts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list without end is not taken."""
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 1)

    with pytest.raises(SourceError, match="at most 1 accounts, found more"):
        await a_source(ScriptedServers(a_reply("N1", 1, 2))).read()


@pytest.mark.parametrize("version", ["2.9.10", "2.10.25", "2.12.8", "2.15.1"])
async def test_what_servers_answer_is_read(version: str) -> None:
    """The answer of a real server lists its six accounts."""
    reply = (CAPTURES / f"list_{version}.json").read_bytes()

    listed = await a_source(ScriptedServers(reply)).read()

    assert len(listed.accounts) == 6
    assert len(listed.servers) == 1
