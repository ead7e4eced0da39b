"""What a source tells of accounts, and what it could not tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from nats_idle_exporter.activity import Reserved
from nats_idle_exporter.errors import ExporterError
from nats_idle_exporter.removal.facts import Role
from nats_idle_exporter.text import one_line, shorten

MOST_ACCOUNTS: Final = 250_000
"""Accounts of one source; more are none of one system."""

Roles: TypeAlias = Mapping[str, frozenset[Role]]
"""By account id; who is not in it has none."""

_KEY: Final = re.compile(r"A[A-Z2-7]{55}")


def is_account_key(text: str) -> bool:
    """Say whether the text looks like the public key of an account."""
    return _KEY.fullmatch(text) is not None


class AccountLimits(NamedTuple):
    """How many clients and leafnode links an account may have; -1 is unlimited."""

    connections: int
    leafnodes: int

    @property
    def is_disabled(self) -> bool:
        """Whether nobody may connect at all."""
        return self.connections == 0 == self.leafnodes


class AccountImport(NamedTuple):
    """What an account imports: from whom, which subject, ``stream`` or ``service``."""

    account: str
    subject: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryAccount:
    """One account as sources describe it; every word in it is a stranger's.

    Args:
        account: the id: a public key, or the name in configuration mode.
        name: its name tag, "" when no source tells one.
        issued_at: when its JWT was issued, Unix seconds; None without a JWT.
        expires_at: when its JWT ends, Unix seconds; None for never.
        issuer: the public key that signed its JWT, unchecked; "" without one.
        limits: None when no source tells them.
        tags: those of its JWT.
        description: that of its JWT.
        are_users_revoked: whether all users issued before some time are revoked.
        answers_logins: whether it is asked about logins (auth callout), by its JWT.
        tiers: what its JWT sets aside by replica count; None when not so, or untold.
        imports: what it imports, and from whom; None when no source tells it.
        exports: how many exports it has; None when no source tells it.
        sources: the labels of all sources that list it.
        is_served: whether servers let clients in by it, as far as files tell: a
            resolver holds it, or a configuration. What lies in a store of ``nsc``
            may never have been pushed.
        others: what other sources tell of it, who may be older or newer.
    """

    account: str
    name: str = ""
    issued_at: float | None = None
    expires_at: float | None = None
    issuer: str = ""
    limits: AccountLimits | None = None
    tags: tuple[str, ...] = ()
    description: str = ""
    are_users_revoked: bool = False
    answers_logins: bool = False
    tiers: Reserved | None = None
    imports: tuple[AccountImport, ...] | None = None
    exports: int | None = None
    sources: tuple[str, ...] = ()
    is_served: bool = False
    others: tuple[InventoryAccount, ...] = ()

    @property
    def copies(self) -> tuple[InventoryAccount, ...]:
        """Return what each source tells of it."""
        return (self, *self.others)


class Problem(NamedTuple):
    """One thing that could not be used; each part is one line without secrets."""

    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, found {self.found}"


class SourceError(ExporterError):
    """A source tells nothing at all this time.

    Args:
        where: the file, folder or address, with a line where there is one.
        expected: what would have been right.
        found: what was there; never a secret.
    """

    def __init__(self, where: str, *, expected: str, found: str) -> None:
        self.problem = Problem(
            one_line(where), expected, shorten(one_line(found), _LONGEST)
        )
        super().__init__(str(self.problem))


class EntryError(ValueError):
    """One entry of a source cannot be used; the source adds where it was."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = shorten(one_line(found), _LONGEST)

    def at(self, where: str) -> Problem:
        """Return it with its place."""
        return Problem(one_line(where), self.expected, self.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList:
    """What one source listed at one time.

    Args:
        accounts: by id.
        problems: entries that could not be used, or not wholly.
        is_complete: whether no account is missing here for such a problem. An
            entry whose id is known is listed by that id alone, and hides nobody.
        servers: ids of the servers that answered, of sources that ask servers.
        roles: what the system needs accounts for, by id; None where a source does
            not tell.
        is_served: whether servers let clients in by what it lists.
        written_at: when the newest of its files changed that servers read only when
            they are told to, Unix seconds; None where there is none.
    """

    accounts: Mapping[str, InventoryAccount] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    is_complete: bool = True
    servers: frozenset[str] = frozenset()
    roles: Roles | None = None
    is_served: bool = False
    written_at: float | None = None


_LONGEST: Final = 200
"""Characters of what was found that a problem shows."""
