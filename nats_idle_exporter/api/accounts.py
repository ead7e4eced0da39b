"""One account: view and dossier -> what the API says of it."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec

from nats_idle_exporter.activity import AccountView
from nats_idle_exporter.api import facts as shapes
from nats_idle_exporter.api import model
from nats_idle_exporter.removal.dossier import Dossier
from nats_idle_exporter.removal.wayout import WayOut

_Shape = TypeVar("_Shape")


class Seen(NamedTuple):
    """One account at the end of a cycle."""

    system: str
    view: AccountView
    dossier: Dossier


def account(seen: Seen) -> model.Account:
    """Return the account in short."""
    view, dossier = seen.view, seen.dossier
    facts, entry = dossier.facts, dossier.entry
    return model.Account(
        system=seen.system,
        account=view.account,
        account_name=view.name,
        mode="operator" if view.is_operator_mode else "config",
        verdict=view.verdict,
        reason=view.reason,
        is_observed=view.is_observed,
        idle_seconds=view.idle_seconds,
        threshold_seconds=view.threshold_seconds,
        quiet_since_at=_plain(view.quiet_since_at),
        last_activity=_shaped_if_any(view.last_evidence, model.Evidence),
        connections=view.connections,
        leafnodes=view.leafnodes,
        inventory=view.inventory,
        owner=entry.owner,
        team=entry.team,
        environment=entry.environment,
        holdings=_shaped_if_any(facts.holdings, shapes.Holdings),
        importers=len(facts.importers),
        importers_unknown=facts.importers_unknown,
        disabled_at=dossier.stage.disabled_at,
        removability=dossier.removability,
        blockers=_blockers(dossier),
    )


def detail(seen: Seen, way: WayOut, as_of_at: float) -> model.AccountDetail:
    """Return all that is known of the account."""
    dossier, facts = seen.dossier, seen.dossier.facts
    return model.AccountDetail(
        as_of_at=as_of_at,
        account=account(seen),
        checklist=tuple(shapes.Item(**item._asdict()) for item in dossier.items),
        hints=tuple(shapes.HintedCause(**each._asdict()) for each in dossier.hints),
        manual=dossier.manual,
        stage=_shaped(dossier.stage, shapes.Stage),
        registry=_shaped(dossier.entry, shapes.RegistryEntry),
        facts=msgspec.convert(
            _plain(facts) | {"is_zombie": facts.is_zombie}, shapes.Facts
        ),
        way_out=way,
    )


def _blockers(dossier: Dossier) -> tuple[model.Blocker, ...]:
    return tuple(
        model.Blocker(check=item.check, outcome=item.outcome, number=item.number)
        for item in dossier.blockers
    )


def _shaped(value: Any, shape: type[_Shape]) -> _Shape:
    """Return a value in the shape that has the same names."""
    return msgspec.convert(_plain(value), shape)


def _shaped_if_any(value: Any, shape: type[_Shape]) -> _Shape | None:
    return None if value is None else _shaped(value, shape)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: named tuples and dataclasses by their names."""
    if isinstance(value, float):
        # A moment that never was is infinite, which JSON cannot tell.
        return value if math.isfinite(value) else None
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if is_dataclass(value):
        names = [each.name for each in fields(value)]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
