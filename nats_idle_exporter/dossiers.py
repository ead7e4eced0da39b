"""The dossiers of one system at the end of one cycle, each made when it is asked for.

Most accounts are in use, and nobody asks whether they may go: of a hundred thousand
only the inactive ones' dossiers are made in each cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nats_idle_exporter.activity import AccountView
from nats_idle_exporter.removal.checklist import Case, examine
from nats_idle_exporter.removal.dossier import FRESH, Dossier, Stage
from nats_idle_exporter.removal.facts import AccountFacts, Use
from nats_idle_exporter.removal.hints import NO_SUCCESSORS, Successors
from nats_idle_exporter.removal.registry import Entry, with_tags

Entries = Callable[[str, str], Entry]
"""(account id, account name) -> what the operator's rules say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What dossiers are made from; nobody changes it after it was published.

    Args:
        views: by account id, as the cycle's end shows them.
        facts: by account id; every account of ``views`` has some.
        entries: what the operator's rules say.
        stages: by account id, of those that ever were on their way out.
        now_at: the end of the cycle, Unix seconds.
        shared_names: those that several accounts have.
        successors: who came into use while we watched.
    """

    views: Mapping[str, AccountView]
    facts: Mapping[str, AccountFacts]
    entries: Entries
    stages: Mapping[str, Stage]
    now_at: float
    successors: Successors = NO_SUCCESSORS
    shared_names: AbstractSet[str] = frozenset()


class Dossiers(Mapping[str, Dossier]):
    """By account id, of all accounts that have a view; safe in threads."""

    def __init__(self, system: str, material: Material) -> None:
        self._system = system
        self._material = material
        self._made: dict[str, Dossier] = {}

    def __getitem__(self, account: str) -> Dossier:
        dossier = self._made.get(account)
        if dossier is None:
            dossier = self._made[account] = self._make(account)
        return dossier

    def __iter__(self) -> Iterator[str]:
        return iter(self._material.views)

    def __len__(self) -> int:
        return len(self._material.views)

    def look_up(self, account: str) -> Dossier:
        """Return a dossier without keeping it, for whoever looks at very many."""
        return self._made.get(account) or self._make(account)

    def entry(self, account: str) -> Entry:
        """Return what the rules say of an account, and where they do not, its JWT."""
        view = self._material.views[account]
        entry = self._material.entries(account, view.name)
        if not view.is_operator_mode:
            return entry
        jwt = self._material.facts[account].jwt
        return with_tags(entry, jwt.tags, jwt.description) if jwt else entry

    def facts(self, account: str) -> AccountFacts:
        """Return what is known of an account, without judging it."""
        return self._material.facts[account]

    def stage(self, account: str) -> Stage:
        """Return where an account stands on its way out."""
        return self._material.stages.get(account, FRESH)

    def _make(self, account: str) -> Dossier:
        material = self._material
        use, facts = use_of(material.views[account]), material.facts[account]
        entry, stage = self.entry(account), self.stage(account)
        case = Case(
            self._system,
            use,
            facts,
            entry,
            stage,
            material.successors,
            is_entry_shared=self._is_entry_shared(account),
        )
        return examine(case, material.now_at)

    def _is_entry_shared(self, account: str) -> bool:
        """Say whether others may be meant by the rule of an account."""
        name, entries = self._material.views[account].name, self._material.entries
        if name not in self._material.shared_names:
            return False
        return entries(account, name) != entries(account, account)


def use_of(view: AccountView) -> Use:
    """Return what the proof says, in the words of the checklist."""
    evidence = view.last_evidence
    return Use(
        verdict=str(view.verdict),
        is_observed=view.is_observed,
        idle_seconds=view.idle_seconds,
        threshold_seconds=view.threshold_seconds,
        quiet_since_at=view.quiet_since_at,
        connections=view.connections,
        leafnodes=view.leafnodes,
        last_use_at=evidence.at if evidence else None,
        evidence=str(evidence.kind) if evidence else "",
        reason=str(view.reason),
    )
