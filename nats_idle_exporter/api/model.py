"""What the API answers, as data: the JSON, its documentation and the report.

Instants (``*_at``) are Unix seconds on the exporter's clock. null is "not known", never
"none"; where it says "never" the field tells. The words of accounts are strangers'.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from nats_idle_exporter.activity import (
    EvidenceKind,
    Inventory,
    Reason,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.api.facts import (
    Facts,
    HintedCause,
    Holdings,
    Item,
    RegistryEntry,
    Stage,
)
from nats_idle_exporter.removal.dossier import Check, Outcome, Removability
from nats_idle_exporter.removal.wayout import WayOut

VERSION: Final = 1
"""Of the answers' shape: fields are only added to it."""

Version = Annotated[
    Literal[1], Meta(description="Of this shape: fields are only added")
]
Mode = Literal["config", "operator"]


class Evidence(Struct, frozen=True, kw_only=True):
    """The newest sign of use: its kind, who told it, and when it was."""

    kind: EvidenceKind
    server_id: str
    at: float


class Blocker(Struct, frozen=True, kw_only=True):
    """An item of the checklist that does not pass; ``number`` things are in the way."""

    check: Check
    outcome: Outcome
    number: int


class Account(Struct, frozen=True, kw_only=True):
    """One account: its verdict, whose it is, what it holds, whether it may go.

    ``observed`` says that the verdict is backed by watching up to now. ``importers``
    are those that are known, ``importers_unknown`` accounts whose imports nobody told.
    """

    system: str
    account: Annotated[str, Meta(description="The id; unique within its system")]
    account_name: str
    mode: Mode
    verdict: Verdict
    reason: Annotated[Reason, Meta(description="Why it is not proven now")]
    is_observed: bool = field(name="observed")
    idle_seconds: Annotated[float, Meta(description="Proven idle time")]
    threshold_seconds: float
    quiet_since_at: float | None
    last_activity: Annotated[
        Evidence | None, Meta(description="null: no use was ever seen")
    ]
    connections: int
    leafnodes: int
    inventory: Annotated[Inventory, Meta(description="Who lists it")]
    owner: str
    team: str
    environment: str
    holdings: Holdings | None
    importers: int
    importers_unknown: int | None
    disabled_at: Annotated[float | None, Meta(description="null: not disabled")]
    removability: Annotated[
        Removability, Meta(description="safe only if every check passes")
    ]
    blockers: tuple[Blocker, ...]


class Accounts(Struct, frozen=True, kw_only=True):
    """A part of all accounts, sorted by system and id.

    ``next_cursor`` asks for the next part; null at the end.
    """

    version: Version = VERSION
    as_of_at: Annotated[float, Meta(description="The end of the last cycle")]
    accounts: tuple[Account, ...]
    next_cursor: str | None


class AccountDetail(Struct, frozen=True, kw_only=True):
    """All that is known of one account.

    ``hints`` are guesses at the cause, and no reason for anything. ``manual`` is what
    no program can see, for a person to tick off. ``way_out`` are commands to be read
    and run by a person.
    """

    version: Version = VERSION
    as_of_at: float
    account: Account
    checklist: tuple[Item, ...]
    hints: tuple[HintedCause, ...]
    manual: tuple[str, ...]
    stage: Stage
    registry: RegistryEntry
    facts: Facts
    way_out: WayOut


class Server(Struct, frozen=True, kw_only=True):
    """The server that last answered at an endpoint."""

    server_id: str
    server_name: str
    nats_cluster: str
    version: str


class Endpoint(Struct, frozen=True, kw_only=True):
    """One monitoring URL, without credentials, and how polling it goes.

    ``last_error`` is "" when the last poll was good; ``server`` null before the first
    good one.
    """

    system: str
    endpoint: str
    is_up: bool
    polls: int
    errors: dict[str, int]
    poll_duration_seconds: float
    last_success_at: float | None
    last_error: str
    server: Server | None


class Unwatched(Struct, frozen=True, kw_only=True):
    """A server that is not read and holds verdicts back.

    ``who`` is its ``server_id``, or the URL of an endpoint that does not answer. All
    else is what others told of it: strangers' words, "" for what nobody told.
    """

    kind: UnwatchedKind
    who: str
    server_name: str = ""
    nats_cluster: str = ""
    ip: Annotated[
        str,
        Meta(
            description="The other end of its route or gateway, as its peer sees it; "
            "something may stand between"
        ),
    ] = ""


class System(Struct, frozen=True, kw_only=True):
    """One system: how far it is watched, and how many accounts of each verdict it has.

    ``watched_to_at`` is null until every server was read once.
    """

    system: str
    watched_to_at: float | None
    is_fresh: bool
    unwatched: tuple[Unwatched, ...]
    accounts: dict[str, int]


class InventorySource(Struct, frozen=True, kw_only=True):
    """Where accounts are listed beside the servers, and how reading it goes."""

    system: str
    source: str
    is_up: bool
    accounts: int
    skipped: int
    last_error: str


class DiscoverySource(Struct, frozen=True, kw_only=True):
    """Where endpoints are looked up, names and files, and how that goes.

    ``endpoints`` are as the last lookup that did not fail told them.
    """

    system: str
    source: str
    is_up: bool
    endpoints: int
    last_error: str


class Endpoints(Struct, frozen=True, kw_only=True):
    """What is watched, and how well."""

    version: Version = VERSION
    as_of_at: float
    systems: tuple[System, ...]
    endpoints: tuple[Endpoint, ...]
    inventories: tuple[InventorySource, ...]
    discoveries: tuple[DiscoverySource, ...] = ()


class Problem(Struct, frozen=True, kw_only=True):
    """Why there is no answer, in one line."""

    error: str
