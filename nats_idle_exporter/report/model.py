"""What a report says, as data; in JSON it is the report."""

from __future__ import annotations

from typing import Annotated, Protocol

from msgspec import Meta, Struct

from nats_idle_exporter.api.model import (
    VERSION,
    Account,
    AccountDetail,
    Endpoints,
    Version,
)


class Report(Struct, frozen=True, kw_only=True):
    """All accounts that have a verdict, and what stands behind it.

    ``accounts`` begin with the one whose removal would free most.
    """

    version: Version = VERSION
    source: Annotated[str, Meta(description="Who watched")]
    as_of_at: float
    notes: Annotated[
        tuple[str, ...], Meta(description="What can and cannot be concluded")
    ]
    watch: Endpoints
    accounts: tuple[Account, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """All that is known of the accounts with one id or name."""

    version: Version = VERSION
    source: str
    notes: tuple[str, ...]
    accounts: tuple[AccountDetail, ...]


class Observed(Protocol):
    """What is known, by whoever watched."""

    @property
    def source(self) -> str:
        """Return who watched, in a few words."""

    @property
    def limits(self) -> tuple[str, ...]:
        """Return what cannot be concluded from such watching."""

    async def watch(self) -> Endpoints:
        """Return what is watched, and how well."""

    async def accounts(self, account: str | None = None) -> list[Account]:
        """Return all accounts, or those with this id or name."""

    async def detail(self, system: str, account: str) -> AccountDetail:
        """Return all that is known of one account."""


class ObservationError(Exception):
    """Nothing could be observed, or not what was asked for; the text says why."""
