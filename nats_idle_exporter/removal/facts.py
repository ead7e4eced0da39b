"""What is known of one account when it is asked whether it may go.

None is "not known", never "none": what nobody told blocks as surely as what was found.
All words of accounts in here are strangers'; times are Unix seconds on our clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

UNLIMITED = -1
"""A limit or a reservation that has no bound."""


class Use(NamedTuple):
    """What the proof says of the account at the end of the cycle.

    ``verdict`` is one of the proof's words: active, inactive, unknown, exempt.
    ``evidence`` is the kind of the newest use, "" for none ever seen, then
    ``last_use_at`` is None. ``reason`` is the proof's word for why the verdict is not
    proven now, "" when it is.
    """

    verdict: str
    is_observed: bool
    idle_seconds: float
    threshold_seconds: float
    quiet_since_at: float
    connections: int
    leafnodes: int
    last_use_at: float | None = None
    evidence: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What JetStream holds of the account, by whole rounds over all servers.

    Replicas of one stream count once. A reservation is ``UNLIMITED`` where the
    account may use whatever its servers have: then nothing is set aside for it.

    Args:
        streams: how many.
        consumers: how many, over all streams.
        messages: how many are stored.
        bytes: how much is stored.
        reserved_memory_bytes: set aside in memory; ``UNLIMITED``.
        reserved_storage_bytes: set aside on disk; ``UNLIMITED``.
        names: of streams, sorted; of very many only the first.
        as_of_at: when the oldest of the rounds was asked for.
    """

    streams: int = 0
    consumers: int = 0
    messages: int = 0
    bytes: int = 0
    reserved_memory_bytes: int = 0
    reserved_storage_bytes: int = 0
    names: tuple[str, ...] = ()
    as_of_at: float


class Import(NamedTuple):
    """One import: from whom, which subject, ``stream`` or ``service``."""

    account: str
    subject: str
    kind: str


class Told(StrEnum):
    """Who told something."""

    SERVERS = "servers"
    INVENTORY = "inventory"
    BOTH = "both"


class Importer(NamedTuple):
    """An account that imports from this one.

    ``verdict`` is the proof's word for it, "" when it has none (no server has it
    loaded and no inventory lists it any more, or it is excluded).
    """

    account: str
    name: str
    verdict: str
    imports: tuple[Import, ...]
    told: Told


class Copy(NamedTuple):
    """A stream of another account that mirrors or sources from this one."""

    account: str
    name: str
    stream: str
    is_mirror: bool


class Limits(NamedTuple):
    """How many clients and leafnode links may connect; ``UNLIMITED``."""

    connections: int
    leafnodes: int

    @property
    def is_disabled(self) -> bool:
        """Whether nobody may connect at all."""
        return self.connections == 0 == self.leafnodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwt:
    """What the newest JWT of an account of operator mode claims.

    Args:
        issued_at: None when it does not tell.
        expires_at: None for never.
        issuer: the public key that signed it.
        tags: as ``key:value`` mostly.
        description: free words.
        are_users_revoked: whether all users issued before some time are revoked.
        is_invalid: whether a server refuses it.
    """

    issued_at: float | None = None
    expires_at: float | None = None
    issuer: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    are_users_revoked: bool = False
    is_invalid: bool = False


class Role(StrEnum):
    """What the system itself may need an account for."""

    SYSTEM = "system"
    GLOBAL = "global"
    """``$G``."""
    DEFAULT = "default"
    """Clients without credentials land in it (``no_auth_user``, of MQTT and
    websockets too)."""
    LEAF_REMOTE = "leaf_remote"
    """A server's own leafnode link to another system belongs to it."""
    AUTH_CALLOUT = "auth_callout"
    """It answers for logins of others."""


class AccountFacts(NamedTuple):
    """What is known of one account beside its use.

    Args:
        account: the id.
        name: the name tag, else the id.
        is_operator_mode: whether accounts are JWTs here.
        is_loaded: whether some server lists it.
        is_listed: whether the inventory lists it; None without a complete one.
        holdings: None while not every server told a whole round.
        exports: how many; None while nobody told.
        imports: without the system's own; None while nobody told.
        importers: those that are known.
        importers_unknown: accounts that may import, whose imports nobody told yet;
            None when it is not even known which accounts there are.
        copies: those that are known.
        are_copies_known: whether all streams elsewhere were told.
        limits: None while nobody told.
        is_expired: whether its JWT is over; None while nobody told.
        jwt: None in configuration mode, or while nobody told.
        roles: those it has.
        unknown_roles: those that nobody can deny.
        told_at: the oldest answer that went into this; None for none at all.
    """

    account: str
    name: str
    is_operator_mode: bool
    is_loaded: bool = True
    is_listed: bool | None = None
    holdings: Holdings | None = None
    exports: int | None = None
    imports: tuple[Import, ...] | None = None
    importers: tuple[Importer, ...] = ()
    importers_unknown: int | None = None
    copies: tuple[Copy, ...] = ()
    are_copies_known: bool = False
    limits: Limits | None = None
    is_expired: bool | None = None
    jwt: Jwt | None = None
    roles: frozenset[Role] = frozenset()
    unknown_roles: frozenset[Role] = frozenset()
    told_at: float | None = None

    @property
    def is_closed(self) -> bool | None:
        """Whether nobody may log in; None while nobody told."""
        if self.is_expired:
            return True
        return None if self.limits is None else self.limits.is_disabled

    @property
    def is_zombie(self) -> bool:
        """Whether servers have it, although a complete inventory does not."""
        return self.is_loaded and self.is_listed is False
