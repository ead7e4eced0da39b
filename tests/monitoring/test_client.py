"""Tests of one poll of one endpoint that goes well."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from nats_idle_exporter import __version__
from nats_idle_exporter.activity import Peer, Ring, Row, Stream
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.client import RINGS_PER_ENDPOINT
from tests.monitoring import builders
from tests.monitoring.builders import SERVER
from tests.monitoring.conftest import MakesClient
from tests.monitoring.scripted import (
    Script,
    ScriptedServer,
    answer,
    hang,
    healthy,
    running,
)
from tests.support.clock import FakeClock

CLOSED = "/connz?state=closed&sort=stop&auth=1&limit="
PEERS = ["/routez", "/gatewayz"]
FACTS = ["/varz", "/accstatz?unused=1", f"{CLOSED}1", *PEERS]
PAGE = "/jsz?accounts=1&streams=1&config=1&limit=1024&offset="
FIRST = [*FACTS[:3], f"{CLOSED}1024&offset=0", *PEERS, f"{PAGE}0"]
"""What a new server is asked: the whole ring, and its streams too."""
NOW_AT = datetime.fromisoformat(builders.varz()["now"][:26] + "Z").timestamp()


def with_one_closed(server_id: str) -> dict[str, Script]:
    """Return the scripts of a server in whose ring APP is the only entry."""
    entry = builders.closed(7, "APP", NOW_AT - 5)
    ring = builders.connz(entry, server_id=server_id)
    return {**healthy(server_id), "/connz": answer(ring)}


class TestReading:
    """What a reading holds, and what was asked for it."""

    async def test_asks_for_unused_accounts_in_order(
        self, make_client: MakesClient
    ) -> None:
        """A poll asks varz first and for every account, and no more than is due."""
        client = make_client()
        async with running(server := ScriptedServer()):
            await client.read(server.url, with_jetstream=True)
            reading = await client.read(server.url, with_jetstream=False)

        assert server.requests == [*FIRST, *FACTS]
        assert reading.server.server_id == SERVER
        assert tuple(reading.rows) == (Row("$G"), Row("APP"))
        assert reading.endpoint == server.url
        assert reading.jetstream is None

    async def test_keeps_the_base_path(self, make_client: MakesClient) -> None:
        """Under a base path every request goes below it, slash or not."""
        scripts = {f"/nats{path}": s for path, s in ScriptedServer().scripts.items()}
        async with running(server := ScriptedServer(scripts)):
            await make_client().read(f"{server.url}/nats", with_jetstream=False)
            await make_client().read(f"{server.url}/nats/", with_jetstream=False)

        assert server.requests == [f"/nats{path}" for path in FIRST] * 2

    async def test_says_who_asks_and_wants_no_compression(
        self, make_client: MakesClient
    ) -> None:
        """Every request names this program and refuses packed bodies."""
        async with running(server := ScriptedServer()):
            await make_client().read(server.url, with_jetstream=True)

        for head in server.heads:
            assert head.startswith("GET ")
            assert f"User-Agent: nats-idle-exporter/{__version__}\r\n" in head
            assert "Accept-Encoding: identity\r\n" in head
            assert "Cache-Control: no-cache\r\n" in head

    async def test_sends_no_cookies_back(self, make_client: MakesClient) -> None:
        """A cookie that a server sets is dropped."""
        varz = answer(builders.varz(), Set_Cookie="a=b")
        async with running(server := ScriptedServer({"/varz": varz})):
            await make_client().read(server.url, with_jetstream=False)

        assert not any("Cookie:" in head for head in server.heads)

    async def test_ignores_proxies_of_the_environment(
        self, make_client: MakesClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy in the environment is meant for other programs."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        async with running(server := ScriptedServer()):
            reading = await make_client().read(server.url, with_jetstream=False)

        assert reading.server.server_id == SERVER

    async def test_tells_the_peers(self, make_client: MakesClient) -> None:
        """Peers by route and by gateway are told apart."""
        gateways = builders.gatewayz() | {
            "outbound_gateways": {"B": {"connection": {"name": "NPEER3"}}}
        }
        scripts = {
            "/routez": answer(builders.routez("NPEER2", "NPEER2")),
            "/gatewayz": answer(gateways),
        }
        async with running(server := ScriptedServer(scripts)):
            reading = await make_client().read(server.url, with_jetstream=False)

        assert reading.routes == {"NPEER2"}
        assert reading.gateways == {"NPEER3"}
        assert reading.peers == {"NPEER2": Peer(), "NPEER3": Peer(nats_cluster="B")}

    async def test_stamps_the_first_request_and_the_last_body(
        self, make_client: MakesClient, clock: FakeClock
    ) -> None:
        """Asked is before the first request, answered after the last body."""
        first = clock.now()

        def after(seconds: float, script: Script) -> Script:
            async def play(writer: asyncio.StreamWriter) -> None:
                clock.advance(seconds)
                await script(writer)

            return play

        steps = {"/varz": 1, "/accstatz": 2, "/routez": 4, "/gatewayz": 8, "/jsz": 16}
        scripts = ScriptedServer().scripts
        slow = {path: after(n, scripts[path]) for path, n in steps.items()}
        async with running(server := ScriptedServer(slow)):
            reading = await make_client().read(server.url, with_jetstream=True)

        assert reading.asked == first
        assert reading.answered.slow - first.slow == 31
        assert reading.jetstream is not None
        assert reading.jetstream.asked.slow - first.slow == 15

    @pytest.mark.parametrize("told", ["OPS", None])
    async def test_asks_accountz_where_varz_tells_no_system_account(
        self, make_client: MakesClient, told: str | None
    ) -> None:
        """The second source is asked only when the first is silent."""
        scripts = {
            "/varz": answer(builders.varz(system_account="")),
            "/accountz": answer({"server_id": SERVER, "system_account": told or ""}),
        }
        async with running(server := ScriptedServer(scripts)):
            reading = await make_client().read(server.url, with_jetstream=False)

        assert server.requests[4] == "/accountz"
        assert reading.server.system_account == told


class TestRing:
    """Closed connections, between the requests of a poll and from poll to poll."""

    async def test_asks_for_the_ring_after_accstatz(
        self, make_client: MakesClient
    ) -> None:
        """What was closed before is told once, dated by the server's clock."""
        ring = builders.connz(
            builders.closed(8, "APP", NOW_AT - 5), builders.closed(7, "", NOW_AT - 9)
        )
        varz = builders.varz(total_connections=2)
        client = make_client()
        scripts = {"/varz": answer(varz), "/connz": answer(ring)}
        async with running(server := ScriptedServer(scripts)):
            first = await client.read(server.url, with_jetstream=False)
            second = await client.read(server.url, with_jetstream=False)

        assert server.requests[: len(FIRST)] == FIRST
        assert [each.account for each in first.ring.new] == ["$G", "APP"]
        assert [round(each.age_seconds) for each in first.ring.new] == [9, 5]
        assert first.ring.is_complete
        assert second.ring == Ring()

    async def test_another_server_starts_anew(self, make_client: MakesClient) -> None:
        """The same cids of another server at the endpoint are other connections."""
        client = make_client()
        async with running(server := ScriptedServer(with_one_closed("N1"))):
            await client.read(server.url, with_jetstream=False)
            server.scripts |= with_one_closed("N2")
            successor = await client.read(server.url, with_jetstream=False)
            again = await client.read(server.url, with_jetstream=False)

        assert [each.account for each in successor.ring.new] == ["APP"]
        assert again.ring == Ring()

    async def test_of_many_in_turn_the_longest_unread_is_forgotten(
        self, make_client: MakesClient
    ) -> None:
        """What is remembered of servers that answer in turn is bounded."""
        last = RINGS_PER_ENDPOINT
        told = []
        client = make_client()
        async with running(server := ScriptedServer()):
            for turn in (*range(last), 0, last, 0, 1):
                server.scripts |= with_one_closed(f"N{turn}")
                reading = await client.read(server.url, with_jetstream=False)
                told.append(len(reading.ring.new))

        assert told == [1] * last + [0, 1, 0, 1]

    @pytest.mark.parametrize("path", ["/routez", "/gatewayz", "/jsz"])
    async def test_a_poll_that_fails_tells_nothing(
        self, make_client: MakesClient, path: str
    ) -> None:
        """What a failed poll read of the ring is told by the next good one."""
        client = make_client()
        async with running(server := ScriptedServer()):
            await client.read(server.url, with_jetstream=True)
            ring = builders.connz(builders.closed(7, "APP", NOW_AT - 5))
            good = server.scripts[path]
            server.scripts |= {"/connz": answer(ring), path: answer(b"", 500)}
            with pytest.raises(EndpointError):
                await client.read(server.url, with_jetstream=True)
            server.scripts[path] = good
            reading = await client.read(server.url, with_jetstream=True)

        assert [each.account for each in reading.ring.new] == ["APP"]

    async def test_reads_pages_until_one_is_not_full(
        self, make_client: MakesClient
    ) -> None:
        """A long ring is read page by page, each from the last entry before."""
        entries = [builders.closed(n, f"A{n}", NOW_AT) for n in range(3000, 0, -1)]
        scripts = {
            f"{CLOSED}1024&offset={start}": answer(
                builders.connz(*entries[start : start + 1024], total=3000)
            )
            for start in (0, 1023, 2046)
        }
        async with running(server := ScriptedServer(scripts)):
            client = make_client(max_body_bytes=1_000_000)
            reading = await client.read(server.url, with_jetstream=False)

        assert [r for r in server.requests if "offset" in r and "connz" in r] == [
            *scripts
        ]
        assert len(reading.ring.new) == 3000

    async def test_a_new_server_is_read_with_jetstream(
        self, make_client: MakesClient
    ) -> None:
        """A server that the last good poll did not meet lacks no round of jsz."""
        client = make_client()
        rounds = []
        async with running(server := ScriptedServer()):
            for server_id in ("N1", "N1", "N2", "N2"):
                server.scripts |= healthy(server_id)
                reading = await client.read(server.url, with_jetstream=False)
                rounds.append(reading.jetstream is not None)

        assert rounds == [True, False, True, False]

    async def test_a_server_tells_its_entries_once(
        self, make_client: MakesClient
    ) -> None:
        """Whichever endpoint leads to a server: what was read of it is known."""
        ring = builders.connz(builders.closed(7, "APP", NOW_AT - 5))
        scripts = {"/connz": answer(ring)}
        one, two = ScriptedServer(scripts), ScriptedServer(scripts)
        client = make_client()
        async with running(one, two):
            readings = [
                await client.read(server.url, with_jetstream=False)
                for server in (one, two, one, two)
            ]

        assert [len(each.ring.new) for each in readings] == [1, 0, 0, 0]


def enabled(count: int, start: int = 0) -> list[dict[str, object]]:
    """Return jsz details of accounts; of each ten the first holds a stream."""
    return [
        builders.may_own(f"A{n}", *[builders.stream()] * (n % 10 == 0), name=f"n{n}")
        for n in range(start, start + count)
    ]


class TestJetStream:
    """Every page of jsz makes one round."""

    @pytest.mark.parametrize(
        ("lengths"), [(0,), (3,), (1024, 0), (1024, 1), (1024, 1024, 5)]
    )
    async def test_reads_pages_until_one_is_not_full(
        self, make_client: MakesClient, lengths: tuple[int, ...]
    ) -> None:
        """A full page is followed by another, a shorter one is the last."""
        starts = [sum(lengths[:n]) for n in range(len(lengths))]
        scripts = {
            f"{PAGE}{start}": answer(builders.jsz(*enabled(length, start)))
            for start, length in zip(starts, lengths, strict=True)
        }
        async with running(server := ScriptedServer(scripts)):
            client = make_client(max_body_bytes=1_000_000)
            reading = await client.read(server.url, with_jetstream=True)

        total = sum(lengths)
        assert server.requests == [*FIRST[:-1], *scripts]
        told = reading.jetstream
        assert told is not None
        assert told.asked == reading.asked
        assert told.enabled == {f"A{n}" for n in range(total)}
        assert told.streams == tuple(Stream(f"A{n}", "S") for n in range(0, total, 10))

    async def test_a_server_that_ignores_the_offset_is_refused(
        self, make_client: MakesClient
    ) -> None:
        """The same full page again would go on for ever."""
        scripts = {"/jsz": answer(builders.jsz(*enabled(1024)))}
        async with running(server := ScriptedServer(scripts)):
            client = make_client(max_body_bytes=1_000_000)
            with pytest.raises(EndpointError) as caught:
                await client.read(server.url, with_jetstream=True)

        assert caught.value.reason == "payload"
        assert len(server.requests) == len(FIRST) + 1


class TestNames:
    """Servers before 2.11 in operator mode tell names elsewhere."""

    async def test_jsz_and_accountz_tell_names(self, make_client: MakesClient) -> None:
        """A name comes from jsz or from accountz; without one it stays empty."""
        scripts = {
            "/varz": answer(builders.operator_varz()),
            "/accstatz": answer(
                builders.accstatz(*(builders.stat(a) for a in ("A1", "A2", "A3")))
            ),
            "/jsz": answer(builders.jsz(builders.may_own("A1", name="one"))),
            "/accountz?acc=A1": answer(b"does not exist", 400),
            "/accountz?acc=A2": answer(named("two")),
            "/accountz": answer(b"does not exist", 400),
        }
        async with running(server := ScriptedServer(scripts)):
            reading = await make_client().read(server.url, with_jetstream=True)

        names = {row.account: row.name for row in reading.rows}
        assert names == {"$G": "", "A1": "one", "A2": "two", "A3": ""}

    async def test_ids_are_escaped(self, make_client: MakesClient) -> None:
        """An account's id cannot become more than one value of the query."""
        evil = "A&acc=B/../#?%41+ü"
        scripts = {
            "/varz": answer(builders.operator_varz()),
            "/accstatz": answer(builders.accstatz(builders.stat(evil))),
        }
        async with running(server := ScriptedServer(scripts)):
            await make_client().read(server.url, with_jetstream=False)

        escaped = "A%26acc%3DB%2F..%2F%23%3F%2541%2B%C3%BC"
        assert server.requests[len(FIRST) :] == [
            "/accountz?acc=%24G",
            f"/accountz?acc={escaped}",
        ]

    async def test_asks_a_few_per_poll_in_turn(self, make_client: MakesClient) -> None:
        """Ten names per poll, and everybody's turn comes again."""
        accounts = [f"A{n:02}" for n in range(24)]
        scripts = {
            "/varz": answer(builders.operator_varz()),
            "/accstatz": answer(builders.accstatz(*map(builders.stat, accounts))),
            "/accountz": answer(named("tag")),
        }
        client = make_client()
        async with running(server := ScriptedServer(scripts)):
            for _ in range(5):
                await client.read(server.url, with_jetstream=False)

        asked = [r.partition("acc=")[2] for r in server.requests if "acc=" in r]
        assert asked == ["%24G", *accounts] * 2

    async def test_a_renamed_account_is_noticed(self, make_client: MakesClient) -> None:
        """The newest name wins."""
        scripts = {
            "/varz": answer(builders.operator_varz()),
            "/accountz": answer(named("old")),
        }
        client = make_client()
        async with running(server := ScriptedServer(scripts)):
            await client.read(server.url, with_jetstream=False)
            server.scripts["/accountz"] = answer(named("new"))
            reading = await client.read(server.url, with_jetstream=False)

        assert {row.name for row in reading.rows} == {"new"}

    async def test_a_name_outlives_a_failed_question(
        self, make_client: MakesClient
    ) -> None:
        """A name once known stays when the server no longer tells it."""
        scripts = {
            "/varz": answer(builders.operator_varz()),
            "/accountz": answer(named("tag")),
        }
        client = make_client()
        async with running(server := ScriptedServer(scripts)):
            await client.read(server.url, with_jetstream=False)
            server.scripts["/accountz"] = answer(b"does not exist", 400)
            reading = await client.read(server.url, with_jetstream=False)

        assert {row.name for row in reading.rows} == {"tag"}

    async def test_nobody_is_asked_in_config_mode(
        self, make_client: MakesClient
    ) -> None:
        """Config mode has neither name tags nor JWTs."""
        varz = builders.varz(version="2.10.25")
        async with running(server := ScriptedServer({"/varz": answer(varz)})):
            await make_client().read(server.url, with_jetstream=False)

        assert server.requests == FIRST

    async def test_a_hanging_question_costs_no_reading(
        self, make_client: MakesClient
    ) -> None:
        """Facts that are complete count, whatever becomes of the names."""
        scripts = {"/varz": answer(builders.operator_varz()), "/accountz": hang()}
        async with running(server := ScriptedServer(scripts)):
            client = make_client(timeout_seconds=1.5)
            reading = await client.read(server.url, with_jetstream=False)

        assert tuple(reading.rows) == (Row("$G"), Row("APP"))


def named(tag: str, server_id: str = SERVER, **more: object) -> dict[str, object]:
    """Return accountz of one account."""
    return {"server_id": server_id, "account_detail": {"name_tag": tag, **more}}


def aged(iat: int, server_id: str = SERVER) -> Script:
    """Answer with accountz of one account whose JWT was issued then."""
    return answer(named("tag", server_id, decoded_jwt={"iat": iat}))


def tells_names(
    *stats: dict[str, object], server_id: str = SERVER
) -> dict[str, Script]:
    """Return the scripts of a server in operator mode that tells names itself."""
    varz = builders.operator_varz(server_id=server_id) | {"version": "2.11.0"}
    return {
        **healthy(server_id),
        "/varz": answer(varz),
        "/accstatz": answer(builders.accstatz(*stats, server_id=server_id)),
        "/accountz?acc=%24G": answer(named("", server_id)),
    }


def asked_about(server: ScriptedServer) -> list[str]:
    """Return the accounts that were asked about one by one, in turn."""
    return [path.partition("acc=")[2] for path in server.requests if "acc=" in path]


class TestAges:
    """In operator mode only accountz tells how old an account's JWT is."""

    async def test_unused_accounts_are_asked_about_once(
        self, make_client: MakesClient
    ) -> None:
        """One answer is enough, also if it tells that there is no JWT."""
        scripts = tells_names(builders.stat("A1")) | {"/accountz?acc=A1": aged(77)}
        client = make_client()
        async with running(server := ScriptedServer(scripts)):
            readings = [
                await client.read(server.url, with_jetstream=False) for _ in range(3)
            ]

        assert asked_about(server) == ["%24G", "A1"]
        assert [reading.issued for reading in readings] == [{"A1": 77}, {}, {}]

    async def test_used_accounts_are_not_asked_about(
        self, make_client: MakesClient
    ) -> None:
        """Nothing is proven by the age of an account that was used."""
        flow = {"msgs": 1, "bytes": 0}
        scripts = tells_names(
            builders.stat("CONNECTED", conns=1),
            builders.stat("LINKED", leafnodes=1),
            builders.stat("HEARD", sent=flow),
            builders.stat("TALKED", received=flow),
        )
        async with running(server := ScriptedServer(scripts)):
            await make_client().read(server.url, with_jetstream=False)

        assert asked_about(server) == ["%24G"]

    async def test_accounts_of_later_polls_are_not_asked_about(
        self, make_client: MakesClient
    ) -> None:
        """Only what a server lists at first can be as quiet as it is old."""
        client = make_client()
        async with running(server := ScriptedServer(tells_names())):
            await client.read(server.url, with_jetstream=False)
            server.scripts |= tells_names(builders.stat("LATE"))
            await client.read(server.url, with_jetstream=False)

        assert asked_about(server) == ["%24G"]

    async def test_a_few_per_poll(self, make_client: MakesClient) -> None:
        """Many accounts take many polls, and each is asked about once."""
        accounts = [f"A{n:02}" for n in range(24)]
        scripts = tells_names(*map(builders.stat, accounts)) | {"/accountz": aged(77)}
        client = make_client()
        async with running(server := ScriptedServer(scripts)):
            told = [
                len((await client.read(server.url, with_jetstream=False)).issued)
                for _ in range(4)
            ]

        assert asked_about(server) == ["%24G", *accounts]
        assert told == [9, 10, 5, 0]

    async def test_a_failed_question_is_asked_again(
        self, make_client: MakesClient
    ) -> None:
        """An account whose age was not told has its turn again."""
        scripts = tells_names(builders.stat("A1"))
        scripts["/accountz?acc=A1"] = answer(b"does not exist", 400)
        client = make_client()
        async with running(server := ScriptedServer(scripts)):
            first = await client.read(server.url, with_jetstream=False)
            server.scripts["/accountz?acc=A1"] = aged(77)
            second = await client.read(server.url, with_jetstream=False)

        assert (first.issued, second.issued) == ({}, {"A1": 77})

    async def test_another_server_is_asked_anew(self, make_client: MakesClient) -> None:
        """What the last server told is not what this one would."""
        client = make_client()
        told = []
        async with running(server := ScriptedServer()):
            for server_id, iat in (("N1", 1), ("N2", 2)):
                server.scripts |= tells_names(
                    builders.stat("A1"), server_id=server_id
                ) | {"/accountz?acc=A1": aged(iat, server_id)}
                reading = await client.read(server.url, with_jetstream=False)
                told.append(reading.issued)

        assert told == [{"A1": 1}, {"A1": 2}]

    async def test_old_servers_tell_it_beside_the_name(
        self, make_client: MakesClient
    ) -> None:
        """Before 2.11 the same answers tell both."""
        scripts = {"/varz": answer(builders.operator_varz()), "/accountz": aged(77)}
        async with running(server := ScriptedServer(scripts)):
            reading = await make_client().read(server.url, with_jetstream=False)

        assert reading.issued == {"$G": 77, "APP": 77}
        assert asked_about(server) == ["%24G", "APP"]
