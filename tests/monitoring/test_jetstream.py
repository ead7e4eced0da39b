"""Tests of rounds of jsz: what bodies tell, and what is asked."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nats_idle_exporter.activity import (
    Consumer,
    JetStreamRound,
    Origin,
    Reserved,
    Stream,
)
from nats_idle_exporter.activity.verdict import MOST_EARLY_LOOKS
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring import wire
from nats_idle_exporter.monitoring.jetstream import CONSUMER_REQUESTS
from tests.monitoring import builders
from tests.monitoring.conftest import MakesClient
from tests.monitoring.scripted import Script, ScriptedServer, answer, healthy, running

CAPTURES = Path(__file__).parent / "captures"
VERSIONS = ("2.9.10", "2.10.25", "2.12.8", "2.15.1")
PAGE = "/jsz?accounts=1&streams=1&config=1&limit=1024&offset=0"
ALL = "/jsz?accounts=1&streams=1&consumers=1&config=1&limit=1024&offset=0"


def page_of(version: str, scenario: str, name: str) -> wire.JetStreamPage:
    """Return what one captured body tells."""
    return wire.decode_jsz((CAPTURES / version / scenario / name).read_bytes())[1]


def decoded(*details: dict[str, Any]) -> wire.JetStreamPage:
    """Return what a page of these accounts tells."""
    return wire.decode_jsz(builders.dump(builders.jsz(*details)))[1]


def seconds(stamp: str) -> Any:
    """Return about what Unix seconds a stamp with nanoseconds is."""
    return pytest.approx(datetime.fromisoformat(stamp).timestamp(), abs=2e-6)


@pytest.mark.parametrize("version", VERSIONS)
class TestCaptures:
    """Bodies of real servers."""

    def test_use_through_an_import_shows(self, version: str) -> None:
        """Another account wrote six messages, pulled three and acknowledged them."""
        before = page_of(version, "cross-account-js", "jsz_full_t0.json")
        after = page_of(version, "cross-account-js", "jsz_full_t1.json")

        (old,), (new,) = before.streams, after.streams
        assert (old.account, old.name) == ("STORE", "ORDERS")
        assert (old.last_seq, old.written_at) == (0, None)
        assert old.consumers == (Consumer("PULL"), Consumer("PUSH"))
        assert new.last_seq == 6
        assert new.written_at is not None
        pull, push = new.consumers
        assert (pull.delivered, pull.acked) == (3, 3)
        assert pull.used_at is not None
        assert pull.used_at > new.written_at
        assert push == Consumer("PUSH")
        assert new.has_consumers
        assert not new.is_copy

    def test_stamps_are_those_of_the_body(self, version: str) -> None:
        """Moments arrive as Unix seconds, to the microsecond."""
        path = CAPTURES / version / "cross-account-js" / "jsz_full_t1.json"
        raw = json.loads(path.read_bytes())
        page = page_of(version, "cross-account-js", "jsz_full_t1.json")

        state = raw["account_details"][0]["stream_detail"][0]["state"]
        assert page.now_at == seconds(raw["now"])
        assert page.streams[0].written_at == seconds(state["last_ts"])

    def test_copies_are_told_apart(self, version: str) -> None:
        """A mirror and a stream of sources alone are copies of others."""
        pages = [page_of(version, "cluster", f"n{n}_jsz_full.json") for n in range(3)]

        kinds = {s.name: s.is_copy for page in pages for s in page.streams}
        assert kinds == {"R3": False, "R1": False, "M3": True, "SR": True}

    def test_accounts_that_called_no_api_are_told(self, version: str) -> None:
        """JetStream enabled and never asked for is told as untouched."""
        page = page_of(version, "config-single", "jsz_full.json")

        assert page.untouched == {"JSEMPTY"}


class TestDecoding:
    """Bodies that no capture holds."""

    @pytest.mark.parametrize(
        ("config", "is_copy"),
        [
            ({"subjects": ["a"]}, False),
            ({"mirror": {"name": "M"}}, True),
            ({"sources": [{"name": "M"}]}, True),
            ({"sources": [{"name": "M"}], "subjects": ["a"]}, False),
            ({"sources": [], "subjects": None}, False),
            ({}, False),
        ],
    )
    def test_what_is_a_copy(self, config: dict[str, Any], *, is_copy: bool) -> None:
        """With subjects of its own a stream is written here, whatever it sources."""
        stream = builders.stream() | {"config": config}

        assert decoded(builders.may_own("APP", stream)).streams[0].is_copy is is_copy

    def test_stream_without_configuration_is_no_copy(self) -> None:
        """A body that does not say where messages come from excuses nothing."""
        stream = builders.stream()
        del stream["config"]

        assert not decoded(builders.may_own("APP", stream)).streams[0].is_copy

    @pytest.mark.parametrize("calls", [{"total": 1}, {"errors": 1}])
    def test_any_call_touches(self, calls: dict[str, int]) -> None:
        """Even a request that failed is one."""
        api = {"total": 0, "errors": 0, **calls}

        assert decoded(builders.may_own("APP", api=api)).untouched == frozenset()

    @pytest.mark.parametrize(
        "broken",
        [
            {"name": ""},
            {"state": {}},
            {"state": {"last_seq": -1, "last_ts": "2026-01-01T00:00:00Z"}},
            {"state": None},
            {"consumer_detail": [{"name": "C"}]},
        ],
    )
    def test_missing_numbers_are_refused(self, broken: dict[str, Any]) -> None:
        """A number that is missing is not taken for zero."""
        with pytest.raises(EndpointError) as caught:
            decoded(builders.may_own("APP", builders.stream() | broken))

        assert caught.value.reason == "payload"

    @pytest.mark.parametrize(
        ("config", "name"),
        [({"domain": "hub"}, "hub/S"), ({"max_memory": 1}, "S")],
        ids=["domain", "none"],
    )
    def test_streams_of_domains_are_told_apart(
        self, config: dict[str, Any], name: str
    ) -> None:
        """A hub and its leaves may each have a stream of that name."""
        body = builders.jsz(builders.may_own("APP", builders.stream()))
        _, page = wire.decode_jsz(builders.dump({**body, "config": config}))

        assert [stream.name for stream in page.streams] == [name]

    def test_account_that_is_listed_twice_is_refused(self) -> None:
        """Of two rows of one account nobody knows which is true."""
        with pytest.raises(EndpointError, match="twice"):
            decoded(builders.may_own("APP"), builders.may_own("APP"))


def with_consumer(delivered: int, last_seq: int = 1) -> dict[str, Any]:
    """Return a stream whose one consumer is told."""
    step = {"consumer_seq": delivered}
    detail = [{"name": "C", "delivered": step, "ack_floor": step}]
    stream = builders.stream(consumer_count=1, last_seq=last_seq)
    return stream | {"consumer_detail": detail}


class TestConsumers:
    """Consumers are asked of few accounts, by few requests."""

    async def round_of(
        self, make_client: MakesClient, server: ScriptedServer, *accounts: str
    ) -> JetStreamRound:
        """Return the round of one poll."""
        async with running(server):
            reading = await make_client().read(
                server.url, with_jetstream=True, consumers_of=frozenset(accounts)
            )
        assert reading.jetstream is not None
        return reading.jetstream

    def scripts(self, *details: dict[str, Any], query: str = PAGE) -> dict[str, Script]:
        """Return the script of the only page."""
        return {query: answer(builders.jsz(*details))}

    def asked(self, server: ScriptedServer) -> list[str]:
        """Return the requests for jsz."""
        return [path for path in server.requests if path.startswith("/jsz")]

    async def test_nobody_is_asked_for_without_a_wish(
        self, make_client: MakesClient
    ) -> None:
        """By default a round asks for streams alone."""
        server = ScriptedServer(self.scripts(builders.may_own("APP")))
        told = await self.round_of(make_client, server)

        assert self.asked(server) == [PAGE]
        assert told.consumers_of == frozenset()
        assert told.now_at == seconds(builders.jsz()["now"])
        assert told.untouched == {"APP"}

    async def test_few_accounts_are_asked_one_by_one(
        self, make_client: MakesClient
    ) -> None:
        """What the answer tells of the streams is newer than the page."""
        old = builders.stream(last_seq=1, consumer_count=1)
        server = ScriptedServer(
            self.scripts(builders.may_own("A B", old), builders.may_own("C", old))
            | {
                "/jsz?acc=A%20B&consumers=1&config=1": answer(
                    builders.jsz(builders.may_own("A B", with_consumer(4, 2)))
                )
            }
        )
        told = await self.round_of(make_client, server, "A B")

        assert self.asked(server) == [PAGE, "/jsz?acc=A%20B&consumers=1&config=1"]
        assert told.consumers_of == {"A B"}
        assert set(told.streams) == {
            Stream("A B", "S", 2, has_consumers=True, consumers=(Consumer("C", 4, 4),)),
            Stream("C", "S", 1, has_consumers=True),
        }

    async def test_account_that_is_gone_has_no_consumers(
        self, make_client: MakesClient
    ) -> None:
        """Servers answer 200 without details for an account that they do not know."""
        stream = builders.stream(consumer_count=1)
        server = ScriptedServer(
            self.scripts(builders.may_own("APP", stream))
            | {"/jsz?acc=APP&consumers=1&config=1": answer(builders.jsz())}
        )
        told = await self.round_of(make_client, server, "APP")

        assert told.streams[0].consumers == ()
        assert told.consumers_of == {"APP"}

    async def test_account_on_no_page_is_not_asked_for(
        self, make_client: MakesClient
    ) -> None:
        """Who may own nothing on this server costs it no question."""
        server = ScriptedServer(self.scripts(builders.may_own("APP")))
        told = await self.round_of(make_client, server, "ELSEWHERE")

        assert self.asked(server) == [PAGE]
        assert told.consumers_of == {"ELSEWHERE"}

    async def test_many_accounts_are_asked_by_the_page(
        self, make_client: MakesClient
    ) -> None:
        """Beyond the bound all consumers come with the pages."""
        names = [f"A{n}" for n in range(CONSUMER_REQUESTS + 1)]
        details = [builders.may_own(name, with_consumer(1)) for name in names]
        server = ScriptedServer(self.scripts(*details, query=ALL))
        told = await self.round_of(make_client, server, *names)

        assert self.asked(server) == [ALL]
        assert told.consumers_of == set(names)
        assert all(stream.consumers for stream in told.streams)

    async def test_as_many_as_the_bound_are_asked_one_by_one(
        self, make_client: MakesClient
    ) -> None:
        """The bound itself is still within it."""
        names = [f"A{n}" for n in range(CONSUMER_REQUESTS)]
        server = ScriptedServer(
            self.scripts(*(builders.may_own(name) for name in names))
            | {"/jsz": answer(builders.jsz())}
        )
        await self.round_of(make_client, server, *names)

        assert len(self.asked(server)) == 1 + CONSUMER_REQUESTS

    def test_early_looks_fit_the_bound(self) -> None:
        """Accounts that are looked at early never make the pages dear."""
        assert MOST_EARLY_LOOKS <= CONSUMER_REQUESTS

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (builders.jsz(builders.may_own("OTHER")), "payload"),
            (builders.jsz(server_id="NOTHER"), "identity"),
        ],
    )
    async def test_answer_of_another_spoils_the_poll(
        self, make_client: MakesClient, body: dict[str, Any], reason: str
    ) -> None:
        """Another server's word, or another account's, is no answer."""
        server = ScriptedServer(
            healthy()
            | self.scripts(builders.may_own("APP"))
            | {"/jsz?acc=APP&consumers=1&config=1": answer(body)}
        )
        with pytest.raises(EndpointError) as caught:
            await self.round_of(make_client, server, "APP")

        assert caught.value.reason == reason


class TestStock:
    """What is stored and set aside, which the proof does not look at."""

    @pytest.mark.parametrize("version", VERSIONS)
    def test_captures(self, version: str) -> None:
        """Real servers tell messages, bytes and consumers, and what has no bound."""
        stock = page_of(version, "cross-account-js", "jsz_full_t1.json").stock

        (stream,) = stock.streams
        assert (stream.account, stream.name) == ("STORE", "ORDERS")
        assert (stream.messages, stream.consumers) == (6, 2)
        assert stream.bytes > 0
        assert dict(stock.reserved)["STORE"] == Reserved(None, None)

    def test_bounds(self) -> None:
        """The largest unsigned number is none, and a limit is one."""
        limited = builders.may_own("A", reserved_memory=0, reserved_storage=2**63 - 1)
        unbound = builders.may_own("B", reserved_memory=2**64 - 1)

        stock = decoded(limited, unbound).stock

        assert stock.reserved == (
            ("A", Reserved(0, 2**63 - 1)),
            ("B", Reserved(None, None)),
        )

    def test_origins(self) -> None:
        """Only what comes from elsewhere is told, mirrors and sources alike."""
        mirror = builders.stream("M")
        mirror["config"] = {"mirror": {"name": "X", "external": {"api": "JS.A.API"}}}
        sourced = builders.stream("S")
        sourced["config"]["sources"] = [
            {"name": "X", "external": {"api": "JS.B.API"}},
            {"name": "Y"},
        ]
        plain = builders.stream("P")
        plain["config"] = {"mirror": {"name": "M"}}

        stock = decoded(builders.may_own("A", mirror, sourced, plain)).stock

        assert [stream.origins for stream in stock.streams] == [
            (Origin("JS.A.API", is_mirror=True),),
            (Origin("JS.B.API", is_mirror=False),),
            (),
        ]
