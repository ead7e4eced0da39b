"""Facts about one account, as the API answers them; see :mod:`..removal.facts`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from nats_idle_exporter.removal import dossier as dossiers
from nats_idle_exporter.removal import facts as known

Unlimited = Annotated[int, Meta(description="-1: without a limit", ge=-1)]


class Holdings(Struct, frozen=True, kw_only=True):
    """What JetStream holds of an account, over all servers; replicas count once."""

    streams: int
    consumers: int
    messages: int
    bytes: int
    reserved_memory_bytes: Unlimited
    reserved_storage_bytes: Unlimited
    names: Annotated[tuple[str, ...], Meta(description="Of streams; of many the first")]
    as_of_at: float


class Import(Struct, frozen=True, kw_only=True):
    """One import: from which account, which subject, and of which kind."""

    account: str
    subject: str
    kind: str


class Importer(Struct, frozen=True, kw_only=True):
    """An account that imports from this one; ``verdict`` is "" where it has none."""

    account: str
    name: str
    verdict: str
    imports: tuple[Import, ...]
    told: known.Told


class Copy(Struct, frozen=True, kw_only=True):
    """A stream of another account that mirrors or sources from this one."""

    account: str
    name: str
    stream: str
    is_mirror: bool


class Limits(Struct, frozen=True, kw_only=True):
    """How many may connect."""

    connections: Unlimited
    leafnodes: Unlimited


class Jwt(Struct, frozen=True, kw_only=True):
    """What the newest JWT claims; ``expires_at`` null is never."""

    issued_at: float | None
    expires_at: float | None
    issuer: str
    tags: tuple[str, ...]
    description: str
    are_users_revoked: bool
    is_invalid: bool


class Facts(Struct, frozen=True, kw_only=True):
    """What servers and inventory told of an account.

    ``importers_unknown`` are accounts that may import, whose imports nobody told;
    null when it is not even known which accounts there are. ``told_at`` is the oldest
    answer that went into this.
    """

    is_loaded: bool
    is_listed: bool | None
    is_zombie: bool
    exports: int | None
    imports: tuple[Import, ...] | None
    importers: tuple[Importer, ...]
    importers_unknown: int | None
    copies: tuple[Copy, ...]
    are_copies_known: bool
    limits: Limits | None
    is_expired: bool | None
    jwt: Jwt | None
    roles: tuple[known.Role, ...]
    unknown_roles: tuple[known.Role, ...]
    told_at: float | None


class Item(Struct, frozen=True, kw_only=True):
    """One item of the checklist; ``number`` is how many things stand in the way."""

    check: dossiers.Check
    outcome: dossiers.Outcome
    number: int
    detail: str
    source: str


class HintedCause(Struct, frozen=True, kw_only=True):
    """A guess at the cause, and what it stands on."""

    hint: dossiers.Hint
    detail: str


class Stage(Struct, frozen=True, kw_only=True):
    """Where an account stands on its way out, and whether it came back before."""

    disabled_at: float | None
    grace_ends_at: float | None
    reactivations: int
    reactivated_at: float | None
    reactivated_by: str


class Exemption(Struct, frozen=True, kw_only=True):
    """Why the account is left alone, and until when."""

    until_at: float
    reason: str
    by: str


class Decommission(Struct, frozen=True, kw_only=True):
    """How far the operator says that the account is on its way out."""

    disabled_on_at: float | None
    approved_by: str
    grace_seconds: float | None


class RegistryEntry(Struct, frozen=True, kw_only=True):
    """What the operator's rules say of the account; null and "" are unsaid."""

    threshold_seconds: float | None
    gap_tolerance_seconds: float | None
    owner: str
    team: str
    environment: str
    expected_at: float | None
    contact: str
    purpose: str
    exemption: Exemption | None
    decommission: Decommission
