"""The dossiers of one system at the end of one cycle, each made when it is asked for.

Most accounts are in use, and nobody asks whether they may go: of a hundred thousand
only the inactive ones' dossiers are made in each cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nats_idle_exporter.activity import AccountView
from nats_idle_exporter.removal.checklist import Case, Judgement, examine, judge
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
    """By account id, of all accounts that have a view; none is kept.

    It may be asked in any thread.
    """

    def __init__(self, system: str, material: Material) -> None:
        self._system = system
        self._material = material

    def __getitem__(self, account: str) -> Dossier:
        return examine(self.case(account), self._material.now_at)

    def __iter__(self) -> Iterator[str]:
        return iter(self._material.views)

    def __len__(self) -> int:
        return len(self._material.views)

    def case(self, account: str) -> Case:
        """Return what a dossier is made from."""
        material, facts = self._material, self.facts(account)
        view = material.views[account]
        return Case(
            self._system,
            use_of(view),
            facts,
            _completed(material.entries(account, view.name), facts),
            material.stages.get(account, FRESH),
            material.successors,
            is_entry_shared=self._is_entry_shared(account),
        )

    def judge(self, case: Case) -> Judgement:
        """Return what a dossier would say, without its words: cheap, for very many."""
        return judge(case, self._material.now_at)

    def entry(self, account: str) -> Entry:
        """Return what the rules say of an account, and where they do not, its JWT."""
        view = self._material.views[account]
        entry = self._material.entries(account, view.name)
        # Facts are dear to make, and those of configuration mode hold no JWT.
        if not view.is_operator_mode:
            return entry
        return _completed(entry, self.facts(account))

    def facts(self, account: str) -> AccountFacts:
        """Return what is known of an account, without judging it."""
        return self._material.facts[account]

    def _is_entry_shared(self, account: str) -> bool:
        """Say whether others may be meant by the rule of an account."""
        name, entries = self._material.views[account].name, self._material.entries
        if name not in self._material.shared_names:
            return False
        return entries(account, name) != entries(account, account)


def _completed(entry: Entry, facts: AccountFacts) -> Entry:
    jwt = facts.jwt
    return entry if jwt is None else with_tags(entry, jwt.tags, jwt.description)


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
