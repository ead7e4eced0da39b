"""What the ledger publishes at the end of a cycle: immutable, for every reader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What is said of an account; there is nothing else."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"
    """Not seen in use, and by its rule to be left alone; it is still followed."""
    EXCLUDED = "excluded"


class EvidenceKind(StrEnum):
    """What can show that an account was used."""

    CONNECTION = "connection"
    LEAFNODE = "leafnode"
    SENT = "sent"
    RECEIVED = "received"
    CLOSED_CONNECTION = "closed_connection"
    JETSTREAM = "jetstream"


class Reason(StrEnum):
    """Why an account's verdict is not proven now."""

    NONE = ""
    WATCHED_TOO_SHORT = "watched_too_short"
    OUTDATED = "outdated"
    """A server that counts was not read lately; see ``SystemView.unwatched``."""
    JETSTREAM_OUTDATED = "jetstream_outdated"
    """Its JetStream was not read lately, or not wholly."""
    EXPECTED_LATER = "expected_later"
    """The operator does not expect its use before a day to come."""


class Inventory(StrEnum):
    """Who lists an account."""

    NONE = ""
    """No inventory is configured, or nothing it told says whether it lists this one."""
    BOTH = "both"
    SERVERS_ONLY = "servers_only"
    """Servers have it loaded, but the inventory does not list it."""
    INVENTORY_ONLY = "inventory_only"
    """No server has it loaded."""


class Evidence(NamedTuple):
    """One fact that shows use; ``at`` is Unix seconds on our clock.

    ``slow_at`` is the same moment on the slow timeline, in seconds. There one use stays
    where it is, while ``at`` moves when the wall clock is put forward, or when it is
    not known how long we were down.
    """

    kind: EvidenceKind
    server_id: str
    at: float
    slow_at: float


class AccountView(NamedTuple):
    """One account's verdict and its numbers; times are Unix seconds.

    Excluded accounts have no view, they are only counted.
    """

    account: str
    name: str
    verdict: Verdict
    reason: Reason
    is_observed: bool
    idle_seconds: float
    last_evidence: Evidence | None
    quiet_since_at: float
    threshold_seconds: float
    connections: int
    leafnodes: int
    is_operator_mode: bool
    inventory: Inventory = Inventory.NONE


class UnwatchedKind(StrEnum):
    """How we know of a server that is not read."""

    ENDPOINT = "endpoint"
    """An endpoint that does not answer, by its URL."""
    ROUTE = "route"
    GATEWAY = "gateway"
    DISPLACED = "displaced"
    """It was read, no endpoint leads to it any more, and its end is not shown."""


class Unwatched(NamedTuple):
    """A server that holds verdicts back; ``who`` is a server_id or a URL."""

    kind: UnwatchedKind
    who: str


class ServerView(NamedTuple):
    """One endpoint and the server that last answered there."""

    endpoint: str
    server_id: str
    server_name: str
    nats_cluster: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemView:
    """One system at the end of one cycle.

    ``accounts`` is sorted by account id. ``watched_to_at`` is None until every
    server was read once. ``is_fresh`` says that every server that counts was
    read within two poll intervals.
    """

    accounts: tuple[AccountView, ...] = ()
    counts: dict[Verdict, int]
    servers: tuple[ServerView, ...] = ()
    unwatched: tuple[Unwatched, ...] = ()
    duplicates: dict[str, tuple[str, ...]]
    """server_id -> the endpoints, more than one, that lead to it."""
    load_balanced: tuple[str, ...] = ()
    """Endpoints behind which several servers answer in turn."""
    watched_to_at: float | None = None
    is_fresh: bool = False
