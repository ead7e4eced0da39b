"""Tests of decoding: what is read, what is defaulted, what is refused."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.activity import NO_TRAFFIC, Peer, Row, Traffic
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring import wire
from tests.monitoring import builders
from tests.monitoring.builders import IDLE, SERVER, dump, stat

CAPTURES = Path(__file__).parent / "captures"
DECODERS: dict[str, Callable[[bytes], tuple[str, Any]]] = {
    "varz": wire.decode_varz,
    "connz": wire.decode_closed,
    "accstatz_unused": wire.decode_accstatz,
    "accountz_acc": wire.decode_account,
    "accountz": wire.decode_accountz,
    "routez": wire.decode_routez,
    "gatewayz": wire.decode_gatewayz,
    "jsz": wire.decode_jsz,
}
VERSIONS = ("2.9.10", "2.10.25", "2.12.8", "2.15.1")


def kind_of(path: Path) -> str:
    """Return the kind of body that a captured file holds, by its name."""
    return next(kind for kind in DECODERS if kind in path.name)


def captured(version: str, scenario: str, name: str) -> bytes:
    """Return one captured body."""
    return (CAPTURES / version / scenario / name).read_bytes()


def refusal(decode: Callable[[bytes], object], body: bytes) -> EndpointError:
    """Return the error that a body causes."""
    with pytest.raises(EndpointError) as caught:
        decode(body)
    return caught.value


class TestCaptures:
    """Bodies of real servers."""

    @pytest.mark.parametrize(
        "path",
        [
            pytest.param(p, id=str(p.relative_to(CAPTURES)))
            for p in CAPTURES.rglob("*.json")
        ],
    )
    def test_every_captured_body_decodes(self, path: Path) -> None:
        """Every body of a real server decodes, with the id that it carries."""
        body = path.read_bytes()

        server_id, _ = DECODERS[kind_of(path)](body)

        assert json.loads(body)["server_id"] == server_id

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_kind_is_captured_of_every_version(self, version: str) -> None:
        """No decoder goes without a real body of any version."""
        counts = Counter(map(kind_of, (CAPTURES / version).rglob("*.json")))

        assert set(DECODERS) == set(counts)

    @pytest.mark.parametrize(
        "path", list(CAPTURES.rglob("*accstatz*.json")), ids=lambda p: p.stem
    )
    def test_rows_equal_what_the_standard_library_reads(self, path: Path) -> None:
        """Every number of every captured row arrives unchanged."""
        _, rows = wire.decode_accstatz(path.read_bytes())

        expected = json.loads(path.read_bytes())["account_statz"]
        assert [told(each) for each in expected] == list(rows)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_varz_tells_leafnode_links(self, version: str) -> None:
        """The accounts of a server's own links to others are told."""
        body = captured(version, "gateway-leaf", "leaf_varz.json")

        assert wire.decode_varz(body)[1].leaf_accounts == {"LOCAL"}

    @pytest.mark.parametrize("version", VERSIONS)
    def test_varz_tells_who_answered(self, version: str) -> None:
        """The server's facts are those that its varz shows."""
        body = captured(version, "config-single", "varz.json")

        _, (facts, accepted, is_open, links) = wire.decode_varz(body)
        assert links == frozenset()

        raw = json.loads(body)
        assert version == facts.version
        assert tuple(map(int, version.split("."))) == facts.release
        assert facts.loaded_at == facts.start_at
        assert float(raw["uptime"].rstrip("s")) == facts.uptime_seconds
        assert facts.uptime_seconds <= facts.now_at - facts.start_at
        assert facts.now_at - facts.start_at < facts.uptime_seconds + 2
        assert facts.server_name == "one"
        assert facts.system_account == "OPS"
        assert not facts.is_operator_mode
        assert (accepted, is_open) == (raw["total_connections"], raw["connections"])

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("scenario", ["operator-full", "operator-memory"])
    def test_operator_mode_is_recognised(self, version: str, scenario: str) -> None:
        """A server that trusts an operator is in operator mode."""
        _, varz = wire.decode_varz(captured(version, scenario, "varz.json"))

        assert varz.server.is_operator_mode

    @pytest.mark.parametrize("version", VERSIONS)
    def test_no_system_account_is_none(self, version: str) -> None:
        """Without a system account neither varz nor accountz makes one up."""
        varz = captured(version, "modes", "no_sys_acc_varz.json")
        accountz = captured(version, "modes", "no_sys_acc_accountz.json")

        assert wire.decode_varz(varz)[1].server.system_account is None
        assert wire.decode_accountz(accountz)[1] is None

    @pytest.mark.parametrize("version", VERSIONS)
    def test_accountz_tells_the_system_account(self, version: str) -> None:
        """The second source agrees with the first."""
        body = captured(version, "config-single", "accountz.json")

        assert wire.decode_accountz(body)[1] == "OPS"

    @pytest.mark.parametrize("version", VERSIONS)
    def test_route_peers_are_the_other_two_servers(self, version: str) -> None:
        """Of many connections each peer is told once, by its server_id."""
        ids = {
            wire.decode_varz(captured(version, "cluster", f"n{n}_varz.json"))[0]
            for n in range(3)
        }

        own, peers = wire.decode_routez(captured(version, "cluster", "n0_routez.json"))

        assert ids - {own} == peers.keys()

    @pytest.mark.parametrize("version", VERSIONS)
    def test_route_peers_are_named(self, version: str) -> None:
        """From 2.10 on a route tells the peer's name; each tells its address."""
        _, peers = wire.decode_routez(captured(version, "cluster", "n0_routez.json"))

        names = {""} if version == "2.9.10" else {"n1", "n2"}
        assert {peer.server_name for peer in peers.values()} == names
        assert {peer.ip for peer in peers.values()} == {"127.0.0.1"}

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize(("here", "there"), [("g0", "g1"), ("g1", "g0")])
    def test_gateway_peer_is_the_other_server(
        self, version: str, here: str, there: str
    ) -> None:
        """A gateway connection's name is the peer's server_id."""
        other, _ = wire.decode_varz(
            captured(version, "gateway-leaf", f"{there}_varz.json")
        )

        _, peers = wire.decode_gatewayz(
            captured(version, "gateway-leaf", f"{here}_gatewayz.json")
        )

        assert peers == {other: Peer("", there.upper(), "127.0.0.1")}

    @pytest.mark.parametrize("version", VERSIONS)
    def test_jsz_is_joined_on_the_id(self, version: str) -> None:
        """In operator mode streams belong to the account's key, not its tag."""
        _, page = wire.decode_jsz(captured(version, "operator-full", "jsz_full.json"))

        ((account, name),) = page.names.items()
        assert name == "FJS"
        assert account.startswith("A")
        assert {account} == {each.account for each in page.streams}

    @pytest.mark.parametrize("version", VERSIONS)
    def test_an_enabled_account_without_streams_holds_none(self, version: str) -> None:
        """JetStream enabled is not yet a stream."""
        _, page = wire.decode_jsz(captured(version, "config-single", "jsz_full.json"))

        assert {"APP", "JSEMPTY"} == set(page.names)
        assert {"APP"} == {each.account for each in page.streams}

    @pytest.mark.parametrize("version", VERSIONS)
    def test_name_tag_and_age_are_told_of_one_account(self, version: str) -> None:
        """One account's accountz tells its name tag and when its JWT was issued."""
        body = captured(version, "operator-full", "accountz_acc_FJS.json")
        name, issued_at = wire.decode_account(body)[1]

        assert name == "FJS"
        assert issued_at == json.loads(body)["account_detail"]["decoded_jwt"]["iat"]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_configured_account_has_neither(self, version: str) -> None:
        """In config mode accounts have no JWT."""
        body = captured(version, "config-single", "accountz_acc_APP.json")

        assert wire.decode_account(body)[1].issued_at is None

    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_closed_leaf_link_is_of_its_account(self, version: str) -> None:
        """A leaf link leaves an entry as a client does, and is told apart."""
        _, page = wire.decode_closed(
            captured(version, "gateway-leaf", "g0_connz_closed_leafgone.json")
        )

        told = {(entry.account, entry.is_client) for entry in page.entries}
        assert told == {("BUS", False), ("IDLE", True)}

    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_failed_login_is_of_no_account(self, version: str) -> None:
        """Who knocked in vain is in the ring, and in no account."""
        _, page = wire.decode_closed(
            captured(version, "config-single", "connz_closed_badauth.json")
        )

        assert [entry.account for entry in page.entries] == ["ZERO", ""]

    @pytest.mark.parametrize("version", ["2.9.10", "2.12.8", "2.15.1"])
    def test_stamps_of_one_packet(self, version: str) -> None:
        """A client that sent all in one packet is told, by the server's clock."""
        body = captured(version, "one-packet", "connz_closed.json")

        _, page = wire.decode_closed(body)

        raw = json.loads(body)
        assert page.total == len(page.entries) == 2
        for entry, each in zip(page.entries, raw["connections"], strict=True):
            assert (entry.cid, entry.account) == (each["cid"], "A")
            assert entry.stop_at == seconds(each["stop"]) < page.now_at
        assert page.now_at == seconds(raw["now"])

    @pytest.mark.parametrize("version", VERSIONS)
    def test_the_newest_stop_comes_first(self, version: str) -> None:
        """Sorted by stop the newest is first, and the total is of the whole ring."""
        _, page = wire.decode_closed(
            captured(version, "config-single", "connz_sort_stop.json")
        )

        first, second = page.entries
        assert first.stop_at > second.stop_at
        assert page.total > len(page.entries)


def seconds(stamp: str) -> float:
    """Return the Unix seconds of a stamp, to the microsecond."""
    moment, _, fraction = stamp.rstrip("Z").partition(".")
    whole = datetime.fromisoformat(f"{moment}.{fraction[:6]:0<6}+00:00")
    return (whole + timedelta(microseconds=fraction[6:7] >= "5")).timestamp()


def told(raw: dict[str, Any]) -> Row:
    """Return the row that one raw account of accstatz stands for."""
    sent, received = raw["sent"], raw["received"]

    def traffic(share: str | None) -> Traffic:
        out, back = (
            flow.get(share, {}) if share else flow for flow in (sent, received)
        )
        return Traffic(
            out.get("msgs", 0), out.get("bytes", 0),
            back.get("msgs", 0), back.get("bytes", 0),
        )  # fmt: skip

    return Row(
        raw["acc"], raw.get("name", ""), raw["conns"], raw["leafnodes"],
        traffic(None), traffic("routes"), traffic("gateways"),
    )  # fmt: skip


class TestTolerance:
    """What a server may leave out, or add."""

    def test_config_load_time_falls_back_to_the_start(self) -> None:
        """A server that does not tell when it loaded its config did so at start."""
        raw = builders.varz()
        del raw["config_load_time"]

        _, (facts, *_) = wire.decode_varz(dump(raw))

        assert facts.loaded_at == facts.start_at

    def test_a_server_without_a_name_goes_by_its_id(self) -> None:
        """The name defaults to the id, as it does on servers."""
        _, (facts, *_) = wire.decode_varz(dump(builders.varz(server_name="")))

        assert facts.server_name == SERVER

    def test_the_cluster_is_named(self) -> None:
        """The cluster's name is told when there is one."""
        _, (facts, *_) = wire.decode_varz(dump(builders.varz(cluster={"name": "east"})))

        assert facts.nats_cluster == "east"

    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("trusted_operators_jwt", ["eyJ"], True),
            ("trusted_operators_claim", [{"name": "OP"}], True),
            ("trusted_operators_claim", [], False),
            ("trusted_operators_claim", None, False),
        ],
    )
    def test_either_operator_key_means_operator_mode(
        self,
        key: str,
        value: object,
        expected: bool,  # noqa: FBT001 -- a column of the table above
    ) -> None:
        """One of the two keys is enough, an empty one is none."""
        _, (facts, *_) = wire.decode_varz(dump(builders.varz(**{key: value})))

        assert facts.is_operator_mode is expected

    def test_a_long_name_is_cut(self) -> None:
        """However long a name tag is, every body tells the same bounded name."""
        name, cut = "n" * 1_000_000, "n" * 253 + "..."
        detail = {"server_id": SERVER, "account_detail": {"name_tag": name}}

        rows = builders.accstatz(stat("A", name=name))
        _, (_, row) = wire.decode_accstatz(dump(rows))
        _, page = wire.decode_jsz(dump(builders.jsz(builders.may_own("A", name=name))))
        _, told = wire.decode_account(dump(detail))

        assert row.name == page.names["A"] == told.name == cut

    def test_unknown_fields_are_skipped(self) -> None:
        """A newer server's additions change nothing."""
        raw = stat("APP", shiny={"new": [1, {}]})

        _, rows = wire.decode_accstatz(dump(builders.accstatz(raw)))

        assert Row("APP") == rows[1]

    def test_zeros_share_one_object(self) -> None:
        """An idle account costs no tuple of zeros of its own."""
        _, rows = wire.decode_accstatz(dump(builders.accstatz(stat("APP"))))

        assert all(each is NO_TRAFFIC for row in rows for each in (row.total, *row[5:]))

    @pytest.mark.parametrize("flow", ["sent", "received"])
    @pytest.mark.parametrize("field", ["msgs", "bytes"])
    def test_any_single_counter_is_kept(self, flow: str, field: str) -> None:
        """Empty payloads count messages only, and each counter counts alone."""
        raw = stat("APP", **{flow: {"msgs": 0, "bytes": 0, field: 7}})

        _, rows = wire.decode_accstatz(dump(builders.accstatz(raw)))

        assert sum(rows[1].total) == 7

    @pytest.mark.parametrize(
        "body",
        [
            {"server_id": SERVER, "routes": None},
            builders.routez("", SERVER),
        ],
    )
    def test_no_peer_by_route(self, body: dict[str, Any]) -> None:
        """A null list, an empty id and the server itself are no peers."""
        assert wire.decode_routez(dump(body)) == (SERVER, {})

    @pytest.mark.parametrize(
        ("outbound", "inbound"),
        [
            (None, None),
            ({"B": None}, {"B": None}),
            ({"B": {}}, {"B": [{}]}),
            ({"B": {"connection": None}}, {"B": [{"connection": {"name": ""}}]}),
            ({"A": {"connection": {"name": SERVER}}}, {}),
        ],
    )
    def test_no_peer_by_gateway(self, outbound: object, inbound: object) -> None:
        """A gateway without a connection has no peer yet."""
        body = {
            "server_id": SERVER,
            "outbound_gateways": outbound,
            "inbound_gateways": inbound,
        }

        assert wire.decode_gatewayz(dump(body)) == (SERVER, {})

    def test_gateway_peers_of_both_directions(self) -> None:
        """A peer may be known by one direction alone."""
        body = {
            "server_id": SERVER,
            "outbound_gateways": {"B": {"connection": {"name": "N2"}}},
            "inbound_gateways": {"C": [{"connection": {"name": "N3"}}]},
        }

        assert wire.decode_gatewayz(dump(body))[1] == {
            "N2": Peer(nats_cluster="B"),
            "N3": Peer(nats_cluster="C"),
        }

    def test_a_peer_is_told_once(self) -> None:
        """What one route leaves out another may tell; of two words the first counts."""
        body = builders.routez("N2", "N2", "N2")
        body["routes"][1] |= {"remote_name": "n2", "ip": "10.0.0.2"}
        body["routes"][2] |= {"remote_name": "other", "ip": "10.0.0.9"}

        assert wire.decode_routez(dump(body))[1] == {"N2": Peer("n2", "", "10.0.0.2")}

    def test_the_words_of_peers_are_cut(self) -> None:
        """However long they are, the poll is good and the memory small."""
        routez = builders.routez("N2")
        routez["routes"][0] |= {"remote_name": "n" * 10_000, "ip": "1" * 10_000}
        gatewayz = builders.gatewayz() | {
            "outbound_gateways": {"B" * 10_000: {"connection": {"name": "N3"}}}
        }

        _, by_route = wire.decode_routez(dump(routez))
        _, by_gateway = wire.decode_gatewayz(dump(gatewayz))

        words = [*by_route["N2"], *by_gateway["N3"]]
        assert [len(word) for word in words] == [256, 0, 256, 0, 256, 0]

    @pytest.mark.parametrize("stop", ["0001-01-01T00:00:00Z", None])
    def test_a_stop_that_is_not_told(self, stop: str | None) -> None:
        """A stamp that was never set is no moment of the past."""
        body = builders.connz(builders.closed(7, stop=stop))

        _, page = wire.decode_closed(dump(body))

        assert [entry.stop_at for entry in page.entries] == [math.inf]

    @pytest.mark.parametrize(
        ("reason", "account"),
        [
            ("Client Closed", "$G"),
            ("Read Error", "$G"),
            ("", "$G"),
            ("Authentication Failure", ""),
            ("Authentication Timeout", ""),
            ("TLS Handshake Failure", ""),
        ],
    )
    def test_an_entry_without_an_account(self, reason: str, account: str) -> None:
        """Servers leave out the global account, and that of who had none."""
        body = builders.connz(builders.closed(7, "", reason=reason))

        _, page = wire.decode_closed(dump(body))

        assert page.entries[0].account == account

    def test_an_empty_ring(self) -> None:
        """A ring may be empty, and a list null."""
        body = builders.connz() | {"connections": None}

        server_id, page = wire.decode_closed(dump(body))

        assert (server_id, page.total, page.entries) == (SERVER, 0, ())

    def test_disabled_jetstream_is_an_empty_page(self) -> None:
        """A server without JetStream tells no accounts."""
        moment = "2026-11-24T01:58:56Z"
        body = dump({"server_id": SERVER, "now": moment, "disabled": True})

        _, page = wire.decode_jsz(body)

        assert page.names == {}
        assert page.streams == ()


def without(field: str) -> dict[str, Any]:
    """Return an accstatz account that lacks one field."""
    raw = stat("APP")
    del raw[field]
    return raw


BAD_STATS = {
    "no acc": without("acc"),
    "no conns": without("conns"),
    "no leafnodes": without("leafnodes"),
    "no sent": without("sent"),
    "no received": without("received"),
    "empty acc": stat(""),
    "acc beyond any name": stat("A" * 1025),
    "null acc": {**stat("x"), "acc": None},
    "text for a number": stat("APP", conns="0"),
    "bool for a number": stat("APP", conns=True),
    "fraction": stat("APP", conns=0.5),
    "negative": stat("APP", conns=-1),
    "negative messages": stat("APP", sent={"msgs": -1, "bytes": 0}),
    "no messages": stat("APP", sent={"bytes": 0}),
    "no bytes": stat("APP", received={"msgs": 0}),
    "beyond 63 bit": stat("APP", sent={"msgs": 2**63, "bytes": 0}),
    "beyond 64 bit": stat("APP", sent={"msgs": 2**64 + 1, "bytes": 0}),
    "negative share": stat("APP", sent={**IDLE, "routes": {**IDLE, "msgs": -1}}),
    "half a share": stat("APP", sent={**IDLE, "gateways": {"msgs": 1}}),
    "twice": stat("$G"),
}  # fmt: skip

GOOD = dump(builders.accstatz())
BAD_BODIES = {
    "nothing": b"",
    "text": b"404 page not found",
    "html": b"<html><body>login</body></html>",
    "list": b"[]",
    "null": b"null",
    "number": b"1",
    "half": GOOD[:-9],
    "twice": GOOD + GOOD,
    "no server_id": b'{"account_statz":[]}',
    "empty server_id": GOOD.replace(SERVER.encode(), b""),
    "no accounts": dump({"server_id": SERVER, "account_statz": []}),
    "unused=1 was lost": dump({"server_id": SERVER, "account_statz": [stat("A")]}),
    "null accounts": dump({"server_id": SERVER, "account_statz": None}),
    "not a number": GOOD.replace(b'"conns": 0', b'"conns": NaN'),
    "infinite": GOOD.replace(b'"conns": 0', b'"conns": Infinity'),
    "vast": GOOD.replace(b'"conns": 0', b'"conns": ' + b"9" * 5000),
    "vast exponent": GOOD.replace(b'"conns": 0', b'"conns": 1e999'),
    "nesting bomb": GOOD[:-1] + b', "x":' + b"[" * 100_000,
    "closed nesting bomb": GOOD[:-1] + b', "x":' + b"[" * 10**5 + b"]" * 10**5 + b"}",
    "not UTF-8": GOOD.replace(b"$G", b"\xff"),
    "half a surrogate": GOOD.replace(b"$G", b"\\ud800"),
    "binary": bytes(range(256)),
}  # fmt: skip

BAD_VARZ: dict[str, dict[str, Any]] = {
    "no start": {"start": None},
    "start without zone": {"start": "2026-11-24T01:58:33"},
    "now is a number": {"now": 1_800_000_000},
    "now is nonsense": {"now": "yesterday"},
    "month 13": {"now": "2026-13-24T01:58:33Z"},
    "no connections": {"connections": None},
    "negative total": {"total_connections": -1},
    "no uptime": {"uptime": ""},
    "spoken uptime": {"uptime": "two days"},
    "negative uptime": {"uptime": "-5s"},
    "vast uptime": {"uptime": "9" * 400 + "s"},
    "uptime of ages": {"uptime": "9999y"},
    "version beyond any": {"version": "2" * 1025},
    "id beyond any": {"server_id": "N" * 1025},
    "version is a number": {"version": 2.12},
    "system account is a list": {"system_account": ["SYS"]},
    "cluster is text": {"cluster": "east"},
}


class TestRefusal:
    """A body that no server would send makes no facts."""

    @pytest.mark.parametrize("raw", BAD_STATS.values(), ids=BAD_STATS)
    def test_a_bad_account_spoils_the_body(self, raw: dict[str, Any]) -> None:
        """One account that cannot be read refuses all of them."""
        error = refusal(wire.decode_accstatz, dump(builders.accstatz(raw)))

        assert error.reason == "payload"

    @pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
    def test_a_bad_body_is_refused(self, body: bytes) -> None:
        """Whatever is no accstatz is an error with one printable line."""
        error = refusal(wire.decode_accstatz, body)

        assert error.reason == "payload"
        assert error.detail.isprintable()
        assert 0 < len(error.detail) <= 200

    @pytest.mark.parametrize("changed", BAD_VARZ.values(), ids=BAD_VARZ)
    def test_a_bad_varz_is_refused(self, changed: dict[str, Any]) -> None:
        """A server that cannot say who and when it is, is not read."""
        error = refusal(wire.decode_varz, dump(builders.varz(**changed)))

        assert error.reason == "payload"

    @pytest.mark.parametrize(
        ("decode", "body"),
        [
            (wire.decode_closed, builders.connz() | {"server_id": ""}),
            (wire.decode_closed, builders.connz() | {"total": None}),
            (wire.decode_closed, builders.connz() | {"now": ""}),
            (wire.decode_closed, builders.connz({"kind": "Client"})),
            (wire.decode_closed, builders.connz(builders.closed(-1))),
            (wire.decode_closed, builders.connz(builders.closed(1, stop="then"))),
            (wire.decode_accountz, {}),
            (wire.decode_account, {"server_id": SERVER}),
            (wire.decode_routez, {"server_id": SERVER}),
            (wire.decode_routez, {"server_id": SERVER, "routes": [{}]}),
            (wire.decode_gatewayz, {"server_id": SERVER}),
            (wire.decode_gatewayz, {**builders.gatewayz(), "inbound_gateways": []}),
            (wire.decode_jsz, builders.jsz({"name": "APP"})),
            (wire.decode_jsz, builders.jsz(builders.may_own("APP", stream_detail=3))),
        ],
    )
    def test_other_bodies_need_their_fields(
        self, decode: Callable[[bytes], object], body: dict[str, Any]
    ) -> None:
        """What is missing is not taken for empty."""
        assert refusal(decode, dump(body)).reason == "payload"

    @given(st.binary(max_size=200), st.sampled_from(sorted(DECODERS)))
    def test_no_bytes_raise_anything_else(self, body: bytes, kind: str) -> None:
        """Whatever arrives, it is facts or an endpoint's error."""
        assert refusal(DECODERS[kind], body).reason == "payload"

    @given(st.data())
    def test_no_damage_raises_anything_else(self, data: st.DataObject) -> None:
        """A real body with any byte replaced is facts or an endpoint's error."""
        body = bytearray(captured("2.12.8", "modes", "users_accstatz_unused.json"))
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))

        with suppress(EndpointError):
            _, rows = wire.decode_accstatz(body)

            assert all(row.account.encode() for row in rows)
