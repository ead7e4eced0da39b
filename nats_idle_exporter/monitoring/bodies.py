"""What we read of each body: the fields we use, as servers write them.

Every other field is skipped. A field has a default where some server we know
leaves it out; all else is required, because a number that is missing must not
be taken for a zero. Go writes an empty list as null in places, so lists may be.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A counter: servers keep them as signed 64 bit, and none can be negative."""
LONGEST_WORD = 1024
"""Characters of an id, a version or a host's name; no real one comes near it."""
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_WORD)]
Word = Annotated[str, msgspec.Meta(max_length=LONGEST_WORD)]
Stamp = Annotated[datetime, msgspec.Meta(tz=True)]


class Body(msgspec.Struct, gc=False, frozen=True):
    """What all bodies share: who answered."""

    server_id: Id


class Named(msgspec.Struct, gc=False, frozen=True):
    """Anything that has a name, which may be missing."""

    name: Word = ""


class LeafRemote(msgspec.Struct, gc=False, frozen=True):
    """A link of the server itself to a server elsewhere."""

    local_account: Word = ""


class Leaf(msgspec.Struct, gc=False, frozen=True):
    """How a server's leafnodes are set up; few have links of their own."""

    remotes: list[LeafRemote] | None = None


class Varz(Body, frozen=True, kw_only=True):
    """/varz; ``system_account`` is absent when the server has none."""

    version: Word
    start: Stamp
    now: Stamp
    uptime: str
    connections: Count
    total_connections: Count
    server_name: Word = ""
    config_load_time: datetime | None = None
    cluster: Named = Named()
    leaf: Leaf = Leaf()
    system_account: Word = ""
    trusted_operators_jwt: list[msgspec.Raw] | None = None
    trusted_operators_claim: list[msgspec.Raw] | None = None


class Share(msgspec.Struct, gc=False, frozen=True):
    """Messages and bytes."""

    msgs: Count
    bytes: Count


NO_SHARE = Share(0, 0)


class Flow(Share, frozen=True):
    """One direction of an account; the shares are told from 2.11.5 on."""

    routes: Share = NO_SHARE
    gateways: Share = NO_SHARE


class AccountStat(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """One account; ``name`` is told from 2.11.0 on."""

    acc: Id
    conns: Count
    leafnodes: Count
    sent: Flow
    received: Flow
    name: str = ""


class Accstatz(Body, frozen=True):
    """/accstatz?unused=1."""

    account_statz: list[AccountStat]


class ClosedConnection(msgspec.Struct, gc=False, frozen=True):
    """One entry of the ring; ``account`` is absent for ``$G`` and for nobody."""

    cid: Count
    kind: str = ""
    account: Word = ""
    reason: str = ""
    stop: Stamp | None = None


class Connz(Body, frozen=True):
    """One page of /connz?state=closed; ``total`` is the length of the ring."""

    now: Stamp
    total: Count
    connections: list[ClosedConnection] | None


class Accountz(Body, frozen=True):
    """/accountz."""

    system_account: Word = ""


class Claims(msgspec.Struct, gc=False, frozen=True):
    """Of a JWT only when it was issued, in whole Unix seconds."""

    iat: Count = 0


class AccountDetail(msgspec.Struct, gc=False, frozen=True):
    """One account; only operator mode tells any of it."""

    name_tag: str = ""
    decoded_jwt: Claims = Claims()


class AccountzOfOne(Body, frozen=True):
    """/accountz?acc=X."""

    account_detail: AccountDetail


class Route(msgspec.Struct, gc=False, frozen=True):
    """One of the several connections that lead to one peer; 2.9 tells no name."""

    remote_id: Word
    remote_name: str = ""
    ip: str = ""


class Routez(Body, frozen=True):
    """/routez."""

    routes: list[Route] | None


class GatewayConnection(Named, frozen=True):
    """A connection; its ``name`` is the peer's server_id."""

    ip: str = ""


class Gateway(msgspec.Struct, gc=False, frozen=True):
    """One way between clusters, connected or not."""

    connection: GatewayConnection | None = None


class Gatewayz(Body, frozen=True):
    """/gatewayz; both maps go by the name of the other cluster."""

    outbound_gateways: dict[str, Gateway | None] | None
    inbound_gateways: dict[str, list[Gateway] | None] | None


class Progress(msgspec.Struct, gc=False, frozen=True):
    """How far a consumer got; ``last_active`` is absent before its first step."""

    consumer_seq: Count
    last_active: Stamp | None = None


class Consumer(msgspec.Struct, gc=False, frozen=True):
    """A consumer of a stream."""

    name: Id
    delivered: Progress
    ack_floor: Progress


class External(msgspec.Struct, gc=False, frozen=True):
    """Another JetStream, by the subject before its API's own."""

    api: Word = ""


class Source(Named, frozen=True):
    """A stream that is copied; ``external`` is absent for one of the same account."""

    external: External | None = None


class StreamConfig(msgspec.Struct, gc=False, frozen=True):
    """Where a stream's messages come from."""

    subjects: list[str] | None = None
    mirror: Source | None = None
    sources: list[Source] | None = None


class StreamState(msgspec.Struct, gc=False, frozen=True):
    """What was ever written; ``last_ts`` is in the year 1 when nothing was."""

    last_seq: Count
    last_ts: Stamp
    consumer_count: Count
    messages: Count
    bytes: Count


class Stream(msgspec.Struct, gc=False, frozen=True):
    """A stream; its consumers are told only where they are asked for."""

    name: Id
    state: StreamState
    config: StreamConfig = StreamConfig()
    consumer_detail: list[Consumer] | None = None


class ApiCalls(msgspec.Struct, gc=False, frozen=True):
    """Requests since the server's start, those of importing accounts included."""

    total: Count
    errors: Count


class AccountStreams(msgspec.Struct, gc=False, frozen=True):
    """One account that may use JetStream; ``name`` is a tag, ``id`` is the key.

    What is set aside is unsigned: without a bound it is the largest number there is.
    """

    id: Id
    api: ApiCalls
    reserved_memory: Annotated[int, msgspec.Meta(ge=0)]
    reserved_storage: Annotated[int, msgspec.Meta(ge=0)]
    name: str = ""
    stream_detail: list[Stream] | None = None


class JetStreamConfig(msgspec.Struct, gc=False, frozen=True):
    """How a server's JetStream is set up; most are in no domain."""

    domain: Word = ""


class Jsz(Body, frozen=True, kw_only=True):
    """/jsz?streams=1&config=1; no details where JetStream is disabled."""

    now: Stamp
    config: JetStreamConfig = JetStreamConfig()
    account_details: list[AccountStreams] | None = None
