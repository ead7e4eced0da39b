"""The checklist: what is known of an account -> may it go, and why not.

An item fails by what is known, and is unknown while something is not: both block.
The time of grace after an account was disabled is no item; see :mod:`.lifecycle`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.checks.holdings import (
    check_copies,
    check_importers,
    check_reserved,
    check_streams,
)
from nats_idle_exporter.removal.checks.standing import (
    check_approval,
    check_credentials,
    check_exemption,
    check_role,
)
from nats_idle_exporter.removal.checks.use import (
    check_connections,
    check_use,
    check_watched,
)
from nats_idle_exporter.removal.dossier import (
    Check,
    Dossier,
    Item,
    Outcome,
    Removability,
)
from nats_idle_exporter.removal.hints import hints_at

__all__ = ["CHECKS", "MANUAL", "Case", "examine"]

CHECKS: Final[dict[Check, Callable[[Case, float], Item]]] = {
    Check.CONNECTIONS: check_connections,
    Check.USE: check_use,
    Check.WATCHED: check_watched,
    Check.STREAMS: check_streams,
    Check.RESERVED: check_reserved,
    Check.IMPORTERS: check_importers,
    Check.COPIES: check_copies,
    Check.ROLE: check_role,
    Check.CREDENTIALS: check_credentials,
    Check.APPROVAL: check_approval,
    Check.EXEMPTION: check_exemption,
}
"""How each item is judged: the case, and now in Unix seconds, to the item."""

MANUAL: Final = (
    "No secret store or vault holds credentials of it that somebody still needs.",
    "No CI variable and no pipeline uses it.",
    "No source, manifest, image or device in the field names it.",
    "Nothing that is switched off for now needs it: yearly jobs, disaster recovery.",
    "Nobody must keep its data; what must be kept was backed up and restored once.",
    "Documents, dashboards and alerts that name it are changed.",
    "Its signing keys and user credentials are kept or destroyed as your rules say.",
)
"""What no program can see; the owner's approval covers it."""


def examine(case: Case, now_at: float) -> Dossier:
    """Return the dossier of one account as of a moment in Unix seconds."""
    items = tuple(CHECKS[check](case, now_at) for check in Check)
    return Dossier(
        system=case.system,
        use=case.use,
        facts=case.facts,
        entry=case.entry,
        removability=_removability(items),
        items=items,
        hints=hints_at(
            case.facts.account, case.facts.name, case.use, now_at, case.successors
        ),
        manual=MANUAL,
        stage=case.stage,
    )


def _removability(items: tuple[Item, ...]) -> Removability:
    outcomes = {item.outcome for item in items}
    if outcomes == {Outcome.PASS}:
        return Removability.SAFE
    if Outcome.FAIL in outcomes:
        return Removability.BLOCKED
    return Removability.UNKNOWN
