"""What a client remembers outlives it: rings are not read anew, nor told twice."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import Changes, DamagedRows, Ring, SavedRow
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.memories import CIDS, MET, RING
from tests.monitoring import builders
from tests.monitoring.builders import SERVER
from tests.monitoring.conftest import MakesClient
from tests.monitoring.scripted import (
    Script,
    ScriptedServer,
    answer,
    healthy,
    running,
)
from tests.monitoring.test_client import FACTS, NOW_AT


def with_one_closed(server_id: str) -> dict[str, Script]:
    """Return the scripts of a server in whose ring APP is the only entry."""
    entry = builders.closed(7, "APP", NOW_AT - 60)
    ring = builders.connz(entry, server_id=server_id)
    return {**healthy(server_id), "/connz": answer(ring)}


def rows_of(client: MonitoringClient) -> list[SavedRow]:
    """Return all that a client tells at first."""
    return client.changes().puts


async def test_goes_on_where_the_last_one_stopped(make_client: MakesClient) -> None:
    """A new client with the old one's memory asks for no page, and tells nothing."""
    first, second, third = make_client(), make_client(), make_client()
    async with running(server := ScriptedServer(with_one_closed(SERVER))):
        before = await first.read(server.url, with_jetstream=False)
        second.recall(rows_of(first), {SERVER})
        after = await second.read(server.url, with_jetstream=False)
        asked = server.requests[-len(FACTS) :]
        anew = await third.read(server.url, with_jetstream=False)

    assert [closed.account for closed in before.ring.new] == ["APP"]
    assert after.ring == Ring(is_complete=before.ring.is_complete)
    assert asked == FACTS
    assert anew.ring == before.ring


@pytest.mark.parametrize("known", [{"SOTHER"}, set()])
async def test_ledger_that_does_not_know_the_server(
    make_client: MakesClient, known: set[str]
) -> None:
    """To a ledger that never heard of the server its ring is told whole."""
    first, second = make_client(), make_client()
    async with running(server := ScriptedServer(with_one_closed(SERVER))):
        before = await first.read(server.url, with_jetstream=False)
        second.recall(rows_of(first), known)
        after = await second.read(server.url, with_jetstream=False)

    assert after.ring == before.ring


async def test_ring_of_one_that_answers_in_turn(make_client: MakesClient) -> None:
    """The ring of a server that answered before the last is recalled, too."""
    first, second = make_client(), make_client()
    scripts = with_one_closed(SERVER)
    async with running(server := ScriptedServer(scripts)):
        await first.read(server.url, with_jetstream=False)
        server.scripts.update(with_one_closed("SOTHER"))
        await first.read(server.url, with_jetstream=False)
        second.recall(rows_of(first), {SERVER, "SOTHER"})
        server.scripts.update(scripts)
        after = await second.read(server.url, with_jetstream=False)

    assert after.ring.new == ()


async def test_only_changes_are_told(make_client: MakesClient) -> None:
    """The cids, which are many, are told when there are new ones only."""
    client = make_client()
    async with running(server := ScriptedServer(with_one_closed(SERVER))):
        await client.read(server.url, with_jetstream=False)
        first = {kind for kind, _, _ in client.changes().puts}
        await client.read(server.url, with_jetstream=False)
        second = client.changes()

    assert first == {MET, RING, CIDS}
    assert CIDS not in {kind for kind, _, _ in second.puts}
    assert client.changes() == Changes([], [])


async def test_all_is_told_anew(make_client: MakesClient) -> None:
    """A store that dropped it knows all again; what goes is still told to go."""
    client = make_client()
    async with running(server := ScriptedServer(with_one_closed(SERVER))):
        await client.read(server.url, with_jetstream=False)
        first = client.changes()
        client.retell()
        again = client.changes()
        client.watch(())
        client.retell()
        gone = client.changes()

    assert again == first
    assert gone.deletes == [(MET, server.url)]
    assert {kind for kind, _, _ in gone.puts} == {RING, CIDS}


@pytest.mark.parametrize(
    "rows",
    [
        [("music", "", b"")],
        [(MET, "http://h", b"")],
        [(RING, SERVER, b"")],
        [(RING, SERVER, b""), (CIDS, SERVER, b"\x91\x90")],
    ],
)
def test_damaged_rows(make_client: MakesClient, rows: list[SavedRow]) -> None:
    """Rows that no client told are refused."""
    with pytest.raises(DamagedRows):
        make_client().recall(rows, ())
