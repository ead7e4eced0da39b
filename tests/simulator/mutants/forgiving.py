"""Wrong hearts that forgive too much."""

from __future__ import annotations

from collections.abc import Iterable

from nats_idle_exporter.activity import (
    Cadence,
    Ledger,
    Policy,
    Rules,
)


class _Generous(Policy):
    """Forgive every hole."""

    __slots__ = ()

    @property
    def forgiven_seconds(self) -> float:
        """Forgive any number of holes."""
        return 1e12

    @property
    def longest_forgiven_seconds(self) -> float:
        """Forgive a hole of any length."""
        return 1e12


class _Summing(Policy):
    """Forgive any number of short holes."""

    __slots__ = ()

    @property
    def forgiven_seconds(self) -> float:
        """Forgive any number of holes."""
        return 1e12


class _Swapped:
    """Rules that answer with another kind of policy."""

    def __init__(self, rules: Rules, kind: type[Policy]) -> None:
        self._rules = rules
        self._kind = kind

    def policy(self, account: str, name: str) -> Policy:
        """Return the same numbers with other consequences."""
        return self._kind(*self._rules.policy(account, name))

    def excludes(self, account: str, name: str) -> bool:
        """Say what the rules say."""
        return self._rules.excludes(account, name)


def forgives_every_hole(
    endpoints: Iterable[str], rules: Rules, cadence: Cadence
) -> Ledger:
    """Forgive holes of any length."""
    return Ledger(endpoints, _Swapped(rules, _Generous), cadence)


def forgives_any_number(
    endpoints: Iterable[str], rules: Rules, cadence: Cadence
) -> Ledger:
    """Forgive any number of short holes."""
    return Ledger(endpoints, _Swapped(rules, _Summing), cadence)


def never_outdated(endpoints: Iterable[str], rules: Rules, cadence: Cadence) -> Ledger:
    """Take readings of any age for fresh."""
    return Ledger(endpoints, rules, cadence._replace(poll_seconds=1e9))
