"""From bytes to facts: what each body tells, or why it tells nothing.

Every ``decode_`` function returns the ``server_id`` of the body's sender and
what it tells. Each raises ``EndpointError`` with the reason ``payload`` for a
body that no nats-server would send.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from nats_idle_exporter.activity import (
    NO_TRAFFIC,
    Consumer,
    Peer,
    Row,
    ServerFacts,
    Stock,
    Stream,
    Traffic,
)
from nats_idle_exporter.monitoring import bodies
from nats_idle_exporter.monitoring.failures import PAYLOAD, failure
from nats_idle_exporter.monitoring.formats import parse_release, parse_uptime
from nats_idle_exporter.monitoring.peers import peers_by_gateway, peers_by_route
from nats_idle_exporter.monitoring.stock import stock_of, stream_name
from nats_idle_exporter.text import shorten

_VARZ: Final = msgspec.json.Decoder(bodies.Varz)
_ACCSTATZ: Final = msgspec.json.Decoder(bodies.Accstatz)
_CONNZ: Final = msgspec.json.Decoder(bodies.Connz)
_ACCOUNTZ: Final = msgspec.json.Decoder(bodies.Accountz)
_ACCOUNTZ_OF_ONE: Final = msgspec.json.Decoder(bodies.AccountzOfOne)
_ROUTEZ: Final = msgspec.json.Decoder(bodies.Routez)
_GATEWAYZ: Final = msgspec.json.Decoder(bodies.Gatewayz)
_JSZ: Final = msgspec.json.Decoder(bodies.Jsz)

LONGEST_NAME: Final = 256
"""Characters of an account's name; a longer one is cut, as it says who no better."""
_GLOBAL_ACCOUNT: Final = "$G"
_NEVER_IN: Final = frozenset(
    ("Authentication Failure", "Authentication Timeout", "TLS Handshake Failure")
)
"""Reasons for which servers end a connection that never was in an account."""


class Varz(NamedTuple):
    """Who answered, and how many client sockets it accepted and has open.

    ``leaf_accounts`` are those that its own links to other systems belong to.
    """

    server: ServerFacts
    accepted: int
    open: int
    leaf_accounts: frozenset[str] = frozenset()


class ClosedEntry(NamedTuple):
    """One entry of the ring of closed connections.

    ``cid`` is unique in a server's life. ``account`` is "" for one that never was
    in any. ``stop_at`` is Unix seconds by the server, infinite when not told.
    """

    cid: int
    account: str
    is_client: bool
    stop_at: float


class ClosedPage(NamedTuple):
    """One page of the ring, newest stop first; ``total`` counts the whole ring."""

    now_at: float
    total: int
    entries: tuple[ClosedEntry, ...]


class AccountDetail(NamedTuple):
    """What accountz tells of one account.

    ``name`` is "" without a name tag. ``issued_at`` is the stamp of its JWT in Unix
    seconds, None when there is none.
    """

    name: str
    issued_at: float | None


class JetStreamPage(NamedTuple):
    """One page of jsz; ``names`` maps account ids to their name tags.

    ``untouched`` are those without a JetStream API request since the server's
    start. ``now_at`` is Unix seconds by the server.
    """

    now_at: float
    names: dict[str, str]
    untouched: frozenset[str]
    streams: tuple[Stream, ...]
    stock: Stock


@contextmanager
def payload_errors() -> Iterator[None]:
    """Turn what decoding raises into the one error of a poll."""
    # A RecursionError is a nesting bomb, a UnicodeDecodeError msgspec raises bare.
    try:
        yield
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        what = f"not what a nats-server answers: {error}"
        raise failure(PAYLOAD, what) from error
    except ValueError as error:
        raise failure(PAYLOAD, str(error)) from error


@payload_errors()
def decode_varz(body: bytes | bytearray) -> tuple[str, Varz]:
    """Decode /varz into who answered, and its count of client sockets."""
    varz = _VARZ.decode(body)
    facts = ServerFacts(
        server_id=varz.server_id,
        server_name=varz.server_name or varz.server_id,
        version=varz.version,
        release=parse_release(varz.version),
        uptime_seconds=parse_uptime(varz.uptime),
        now_at=varz.now.timestamp(),
        start_at=varz.start.timestamp(),
        loaded_at=(varz.config_load_time or varz.start).timestamp(),
        nats_cluster=varz.cluster.name,
        system_account=varz.system_account or None,
        is_operator_mode=bool(
            varz.trusted_operators_claim or varz.trusted_operators_jwt
        ),
    )
    links = varz.leaf.remotes or ()
    leafs = frozenset(each.local_account or _GLOBAL_ACCOUNT for each in links)
    return facts.server_id, Varz(facts, varz.total_connections, varz.connections, leafs)


@payload_errors()
def decode_accstatz(body: bytes | bytearray) -> tuple[str, tuple[Row, ...]]:
    """Decode /accstatz?unused=1 into one row per account."""
    accstatz = _ACCSTATZ.decode(body)
    rows = tuple(_row(stat) for stat in accstatz.account_statz)
    accounts = {row.account for row in rows}
    if len(accounts) != len(rows):
        raise ValueError("an account is listed twice")
    # With unused=1 every server lists $G. Without it this is the answer to a
    # question that lost its unused=1, say in a proxy: it leaves out all who are
    # not connected now, and they would look unused.
    if _GLOBAL_ACCOUNT not in accounts:
        raise ValueError("$G is not listed: unused=1 did not reach the server")
    return accstatz.server_id, rows


def _row(stat: bodies.AccountStat) -> Row:
    sent, received = stat.sent, stat.received
    return Row(
        stat.acc,
        stat.name if len(stat.name) <= LONGEST_NAME else _name(stat.name),
        stat.conns,
        stat.leafnodes,
        _traffic(sent, received),
        _traffic(sent.routes, received.routes),
        _traffic(sent.gateways, received.gateways),
    )


def _name(text: str) -> str:
    """Return a name tag; its length is its owner's choice, and it is shown a lot."""
    return shorten(text, LONGEST_NAME)


def _traffic(sent: bodies.Share, received: bodies.Share) -> Traffic:
    if sent.msgs or sent.bytes or received.msgs or received.bytes:
        return Traffic(sent.msgs, sent.bytes, received.msgs, received.bytes)
    return NO_TRAFFIC


@payload_errors()
def decode_closed(body: bytes | bytearray) -> tuple[str, ClosedPage]:
    """Decode one page of /connz?state=closed&auth=1&sort=stop."""
    connz = _CONNZ.decode(body)
    entries = tuple(_entry(each) for each in connz.connections or ())
    return connz.server_id, ClosedPage(connz.now.timestamp(), connz.total, entries)


def _entry(closed: bodies.ClosedConnection) -> ClosedEntry:
    account = closed.account
    if not account and closed.reason not in _NEVER_IN:
        # Servers leave the global account out; who leaves without a login may
        # have been in it too, for all that the ring tells.
        account = _GLOBAL_ACCOUNT
    return ClosedEntry(
        closed.cid, account, closed.kind == "Client", _stop_at(closed.stop)
    )


def _stop_at(stop: datetime | None) -> float:
    at = _moment(stop)
    return math.inf if at is None else at


def _moment(stamp: datetime | None) -> float | None:
    # Go writes a moment that was never set as one of the year 1.
    return stamp.timestamp() if stamp and stamp.year > 1 else None


@payload_errors()
def decode_accountz(body: bytes | bytearray) -> tuple[str, str | None]:
    """Decode /accountz into the system account, None when there is none."""
    accountz = _ACCOUNTZ.decode(body)
    return accountz.server_id, accountz.system_account or None


@payload_errors()
def decode_account(body: bytes | bytearray) -> tuple[str, AccountDetail]:
    """Decode /accountz?acc=X into what it tells of the account."""
    accountz = _ACCOUNTZ_OF_ONE.decode(body)
    told = accountz.account_detail
    detail = AccountDetail(_name(told.name_tag), told.decoded_jwt.iat or None)
    return accountz.server_id, detail


@payload_errors()
def decode_routez(body: bytes | bytearray) -> tuple[str, dict[str, Peer]]:
    """Decode /routez into every peer, by ``server_id``."""
    routez = _ROUTEZ.decode(body)
    return routez.server_id, peers_by_route(routez)


@payload_errors()
def decode_gatewayz(body: bytes | bytearray) -> tuple[str, dict[str, Peer]]:
    """Decode /gatewayz into every peer of both directions, by ``server_id``."""
    gatewayz = _GATEWAYZ.decode(body)
    return gatewayz.server_id, peers_by_gateway(gatewayz)


@payload_errors()
def decode_jsz(body: bytes | bytearray) -> tuple[str, JetStreamPage]:
    """Decode one page of /jsz?streams=1&config=1, consumers or not."""
    jsz = _JSZ.decode(body)
    details = jsz.account_details or []
    names = {each.id: _name(each.name) for each in details}
    if len(names) != len(details):
        raise ValueError("an account is listed twice")
    untouched = (e.id for e in details if not e.api.total and not e.api.errors)
    streams = (
        _stream(each.id, jsz.config.domain, stream)
        for each in details
        for stream in each.stream_detail or ()
    )
    page = JetStreamPage(
        jsz.now.timestamp(),
        names,
        frozenset(untouched),
        tuple(streams),
        stock_of(details, jsz.config.domain),
    )
    return jsz.server_id, page


def _stream(account: str, domain: str, stream: bodies.Stream) -> Stream:
    state, config = stream.state, stream.config
    return Stream(
        account,
        stream_name(domain, stream.name),
        state.last_seq,
        _moment(state.last_ts),
        # A sourcing stream may have subjects too; what comes in there is use.
        bool(config.mirror or (config.sources and not config.subjects)),
        state.consumer_count > 0,
        tuple(_consumer(each) for each in stream.consumer_detail or ()),
    )


def _consumer(consumer: bodies.Consumer) -> Consumer:
    stamps = (consumer.delivered.last_active, consumer.ack_floor.last_active)
    return Consumer(
        consumer.name,
        consumer.delivered.consumer_seq,
        consumer.ack_floor.consumer_seq,
        max((at for each in stamps if (at := _moment(each)) is not None), default=None),
    )
