"""A dossier -> the way out."""

from __future__ import annotations

from nats_idle_exporter.removal.checks.standing import GLOBAL_ACCOUNT
from nats_idle_exporter.removal.dossier import Check, Dossier, Item
from nats_idle_exporter.removal.facts import Role
from nats_idle_exporter.removal.wayout.config_mode import config_steps
from nats_idle_exporter.removal.wayout.making import Task
from nats_idle_exporter.removal.wayout.operator_mode import operator_steps
from nats_idle_exporter.removal.wayout.quoting import objection
from nats_idle_exporter.removal.wayout.steps import NOWHERE, Phase, Place, WayOut
from nats_idle_exporter.removal.words import quoted

BEFORE_DISABLING = frozenset(
    {Check.CONNECTIONS, Check.USE, Check.WATCHED, Check.ROLE, Check.EXEMPTION}
)
"""What has to pass before nobody may connect; deleting takes all."""

_NEEDED = {Role.SYSTEM, Role.GLOBAL}
_NO_WAY = ("The system itself needs this account: it has no way out.",)


def way_out(dossier: Dossier, now_at: float, place: Place = NOWHERE) -> WayOut:
    """Return how an account is removed, as of a moment in Unix seconds.

    The steps of an account that does not pass the checklist are shown as well, with
    what speaks against them. Only what the system itself needs has none.
    """
    facts = dossier.facts
    phase = _next_phase(dossier, now_at)
    blockers = _blockers(dossier, phase)
    task = Task(dossier, place, now_at)
    make = operator_steps if facts.is_operator_mode else config_steps
    is_needed = facts.account == GLOBAL_ACCOUNT or bool(facts.roles & _NEEDED)
    return WayOut(
        account=quoted(facts.account)[1:-1],
        name=quoted(facts.name)[1:-1],
        is_operator_mode=facts.is_operator_mode,
        next_phase=phase,
        blockers=tuple(item.check for item in blockers),
        warnings=(
            *_blocker_words(blockers),
            *(_NO_WAY if is_needed else _name_words(dossier)),
        ),
        steps=() if is_needed else make(task),
    )


def _next_phase(dossier: Dossier, now_at: float) -> Phase:
    facts, stage = dossier.facts, dossier.stage
    if not facts.is_closed and stage.disabled_at is None:
        return Phase.DISABLE
    if stage.grace_ends_at is None or now_at < stage.grace_ends_at:
        return Phase.WAIT
    return Phase.DELETE


def _blockers(dossier: Dossier, phase: Phase) -> tuple[Item, ...]:
    if phase is Phase.DELETE:
        return dossier.blockers
    return tuple(each for each in dossier.blockers if each.check in BEFORE_DISABLING)


def _blocker_words(blockers: tuple[Item, ...]) -> tuple[str, ...]:
    return tuple(
        f"Do not go on yet, {item.check} ({item.outcome}): {item.detail}"
        for item in blockers
    )


def _name_words(dossier: Dossier) -> tuple[str, ...]:
    reason = objection(dossier.facts.account)
    if not reason:
        return ()
    return (
        (
            f"No command line can carry the account's name, {reason}. The commands "
            "that need it are left out; find its block in the configuration."
        ),
    )
