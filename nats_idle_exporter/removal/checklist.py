"""The checklist: what is known of an account -> may it go, and why not.

An item fails by what is known, and is unknown while something is not: both block.
The time of grace after an account was disabled is no item; see :mod:`.lifecycle`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.checks.holdings import (
    check_copies,
    check_importers,
    check_reserved,
    check_streams,
)
from nats_idle_exporter.removal.checks.saying import (
    PROOF,
    REGISTRY,
    SERVERS,
    Finding,
    asked,
    jetstream,
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

__all__ = ["CHECKS", "MANUAL", "Blocker", "Case", "Judgement", "examine", "judge"]


# To look a member up in its class is slow, and many accounts are judged.
_PASS, _FAIL, _UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


class Checking(NamedTuple):
    """How an item is judged, by the case and now in Unix seconds; and by whose word."""

    find: Callable[[Case, float], Finding]
    source: str | Callable[[Case, float], str]

    def item(self, check: Check, case: Case, now_at: float) -> Item:
        """Return the item with its words."""
        found, source = self.find(case, now_at), self.source
        said = source if isinstance(source, str) else source(case, now_at)
        return Item(check, found.outcome, found.number, found.detail, said)


CHECKS: Final = {
    Check.CONNECTIONS: Checking(check_connections, SERVERS),
    Check.USE: Checking(check_use, PROOF),
    Check.WATCHED: Checking(check_watched, PROOF),
    Check.STREAMS: Checking(check_streams, jetstream),
    Check.RESERVED: Checking(check_reserved, jetstream),
    Check.IMPORTERS: Checking(check_importers, asked),
    Check.COPIES: Checking(check_copies, asked),
    Check.ROLE: Checking(check_role, asked),
    Check.CREDENTIALS: Checking(check_credentials, asked),
    Check.APPROVAL: Checking(check_approval, REGISTRY),
    Check.EXEMPTION: Checking(check_exemption, REGISTRY),
}
"""Every item, in the order in which they are shown."""

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


class Blocker(NamedTuple):
    """An item that does not pass, without words; see :class:`.dossier.Item`."""

    check: Check
    outcome: Outcome
    number: int

    @property
    def reason(self) -> str:
        """Return why it blocks, of a closed list.

        It is the check's word for what fails, and ends with ``_unknown`` for what is
        not known.
        """
        return self.check + ("_unknown" if self.outcome is _UNKNOWN else "")


class Judgement(NamedTuple):
    """What a dossier says in short."""

    removability: Removability
    blockers: tuple[Blocker, ...]


def judge(case: Case, now_at: float) -> Judgement:
    """Return what :func:`examine` would, without its words: for very many accounts."""
    blockers: list[Blocker] = []
    for check, checking in CHECKS.items():
        outcome, number, _ = checking.find(case, now_at)
        if outcome is not _PASS:
            blockers.append(Blocker(check, outcome, number))
    return Judgement(_removability(blockers), tuple(blockers))


def examine(case: Case, now_at: float) -> Dossier:
    """Return the dossier of one account as of a moment in Unix seconds."""
    items = tuple(each.item(check, case, now_at) for check, each in CHECKS.items())
    blockers = [each for each in items if each.outcome is not _PASS]
    return Dossier(
        system=case.system,
        use=case.use,
        facts=case.facts,
        entry=case.entry,
        removability=_removability(blockers),
        items=items,
        hints=hints_at(
            case.facts.account, case.facts.name, case.use, now_at, case.successors
        ),
        manual=MANUAL,
        stage=case.stage,
    )


def _removability(blockers: Sequence[Blocker | Item]) -> Removability:
    if not blockers:
        return Removability.SAFE
    if any(each.outcome is _FAIL for each in blockers):
        return Removability.BLOCKED
    return Removability.UNKNOWN
