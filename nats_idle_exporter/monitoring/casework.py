"""The end of a cycle -> the dossiers of accounts, and what happened to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from typing import NamedTuple, Protocol

from nats_idle_exporter.activity import SystemView
from nats_idle_exporter.dossiers import Dossiers, Material
from nats_idle_exporter.monitoring.inquiry import Facts
from nats_idle_exporter.removal.happenings import Event
from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.removal.registry import Registry
from nats_idle_exporter.removal.sights import Doors


class HasRegistry(Protocol):
    """What the poll loop needs of the operator's rules."""

    @property
    def registry(self) -> Registry:
        """Return the rules as they are now; they change between cycles only."""


class NoRules:
    """Nobody wrote any."""

    registry = Registry()


class CycleEnd(NamedTuple):
    """What is known of one system then; ``now_at`` is Unix seconds."""

    system: str
    view: SystemView
    facts: Facts
    now_at: float


class Casework(NamedTuple):
    """What the end of a cycle makes of one system's accounts."""

    dossiers: Dossiers
    events: list[Event]


def work(end: CycleEnd, lifecycle: Lifecycle, registry: Registry) -> Casework:
    """Take one step of every account's way, and open its dossier.

    Args:
        end: of the cycle.
        lifecycle: of the system; it is taken one step further.
        registry: the operator's rules.
    """
    facts = end.facts
    doors = Doors(facts.closed, _Told(facts))
    events = lifecycle.step(end.now_at, end.view.accounts, doors, registry)
    material = Material(
        views=facts.views,
        facts=facts,
        entries=registry.entry,
        stages=lifecycle.stages,
        successors=lifecycle.successors,
        now_at=end.now_at,
        shared_names=_shared(view.name for view in end.view.accounts),
    )
    return Casework(Dossiers(end.system, material), events)


def _shared(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name, count in Counter(names).items() if count > 1)


class _Told(Container[str]):
    """The accounts of which it is known whether anybody may log in."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def __contains__(self, account: object) -> bool:
        facts = self._facts.get(account) if isinstance(account, str) else None
        return facts is not None and facts.is_closed is not None
