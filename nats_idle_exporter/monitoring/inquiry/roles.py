"""What the system needs accounts for: by its servers, JWTs and configurations."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from nats_idle_exporter.activity import ServerFacts
from nats_idle_exporter.monitoring.inquiry.standing import Standing
from nats_idle_exporter.monitoring.inventory.accounts import Roles
from nats_idle_exporter.removal.facts import Role

GLOBAL_ACCOUNT: Final = "$G"
LAST_WITHOUT_SENTINEL: Final = (2, 10, 25)
"""The newest release that is known to refuse ``default_sentinel`` in operator mode:
until then no configuration can give clients without credentials an account there."""
_BY_SERVERS: Final = frozenset({Role.SYSTEM, Role.LEAF_REMOTE})
_NO_ROLES: Final[frozenset[Role]] = frozenset()

RolesFound = tuple[frozenset[Role], frozenset[Role]]
"""Those that an account has, and those that nobody can deny."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesKnown:
    """Who tells what the system needs accounts for.

    Args:
        system_accounts: by the servers.
        leaf_accounts: those of the servers' own leafnode links.
        is_whole: whether every server of the system told both.
        knows_no_default: whether no server can have a default account in operator mode.
        configured: by configuration files; None when none was read.
        are_configured_in_use: whether every server read these files since they
            changed: until then they say what will be, and not what is.
    """

    system_accounts: Collection[str] = frozenset()
    leaf_accounts: Collection[str] = frozenset()
    is_whole: bool = False
    knows_no_default: bool = False
    configured: Roles | None = None
    are_configured_in_use: bool = True

    def of(
        self, account: str, standing: Standing, *, is_operator_mode: bool
    ) -> RolesFound:
        """Return the roles of one account."""
        has = set(self._configured(account))
        if account == GLOBAL_ACCOUNT:
            has.add(Role.GLOBAL)
        if account in self.system_accounts or standing.is_system:
            has.add(Role.SYSTEM)
        if account in self.leaf_accounts:
            has.add(Role.LEAF_REMOTE)
        if standing.answers_logins:
            has.add(Role.AUTH_CALLOUT)
        # Who answers for logins stands in a JWT, or else in a configuration.
        is_callout_known = (
            standing.is_claimed if is_operator_mode else self._is_configuration_known
        )
        unknown = _unknown(
            knows_servers=self.is_whole,
            knows_default=self._knows_default(is_operator_mode=is_operator_mode),
            knows_callout=is_callout_known,
        )
        return frozenset(has), unknown - has if has else unknown

    def _configured(self, account: str) -> frozenset[Role]:
        return self.configured.get(account, _NO_ROLES) if self.configured else _NO_ROLES

    @property
    def _is_configuration_known(self) -> bool:
        return self.configured is not None and self.are_configured_in_use

    def _knows_default(self, *, is_operator_mode: bool) -> bool:
        if self._is_configuration_known:
            return True
        return is_operator_mode and self.is_whole and self.knows_no_default


@cache
def _unknown(
    *, knows_servers: bool, knows_default: bool, knows_callout: bool
) -> frozenset[Role]:
    """Return the roles that nobody can deny; very many accounts share them."""
    unknown = set(_NO_ROLES if knows_servers else _BY_SERVERS)
    if not knows_default:
        unknown.add(Role.DEFAULT)
    if not knows_callout:
        unknown.add(Role.AUTH_CALLOUT)
    return frozenset(unknown)


def has_no_sentinel(servers: Iterable[ServerFacts]) -> bool:
    """Say whether no server can have a default account in operator mode."""
    return all(() < each.release <= LAST_WITHOUT_SENTINEL for each in servers)
