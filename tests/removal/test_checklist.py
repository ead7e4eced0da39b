"""The checklist: every item in pass, fail and unknown; safe only if all pass."""

from __future__ import annotations

from itertools import product

import pytest

from nats_idle_exporter.removal.checklist import CHECKS, MANUAL, Case, judge
from nats_idle_exporter.removal.dossier import Check, Outcome, Removability
from nats_idle_exporter.removal.facts import Role
from tests.removal.cases import NOW, a_case, a_dossier, an_item
from tests.removal.checklist_table import TABLE


@pytest.mark.parametrize(("case", "check", "outcome", "number", "words"), TABLE)
def test_each_item(
    case: Case, check: Check, outcome: Outcome, number: int, words: str
) -> None:
    """An item says how it stands, how many things block, and what was found."""
    item = an_item(case, check)

    assert (item.outcome, item.number) == (outcome, number)
    assert words in item.detail
    assert item.detail.isprintable()


def test_every_outcome_is_there() -> None:
    """Each item can pass and fail; only what somebody must tell can be unknown."""
    seen = {(check, outcome) for _, check, outcome, _, _ in TABLE}
    told = {Check.APPROVAL, Check.EXEMPTION}

    assert seen == set(product(Check, Outcome)) - set(product(told, [Outcome.UNKNOWN]))


def test_an_approval_of_a_name_that_several_have() -> None:
    """Nobody knows which of them was meant."""
    item = an_item(a_case(name="twin")._replace(is_entry_shared=True), Check.APPROVAL)

    assert item.outcome is Outcome.FAIL
    assert 'by "boss", but several accounts are called "twin"' in item.detail


@pytest.mark.parametrize(("case", "check", "outcome", "number", "words"), TABLE)
def test_each_reason(
    case: Case, check: Check, outcome: Outcome, number: int, words: str
) -> None:
    """What blocks is called by its check; what is not known is told from it."""
    del number, words
    reasons = {each.reason for each in judge(case, NOW).blockers}
    told = {Outcome.FAIL: check, Outcome.UNKNOWN: f"{check}_unknown"}

    assert {check, f"{check}_unknown"} & reasons == {told.get(outcome)} - {None}


class TestVerdict:
    """What follows from the items."""

    def test_safe(self) -> None:
        """Only an account of which every item passes may go."""
        dossier = a_dossier(a_case())

        assert dossier.removability is Removability.SAFE
        assert [item.check for item in dossier.items] == list(Check) == list(CHECKS)
        assert dossier.blockers == ()
        assert dossier.manual == MANUAL

    @pytest.mark.parametrize(("case", "check", "outcome", "number", "words"), TABLE)
    def test_one_item_is_enough(
        self, case: Case, check: Check, outcome: Outcome, number: int, words: str
    ) -> None:
        """Whatever item does not pass, the account is not safe."""
        if outcome is not Outcome.PASS:
            assert a_dossier(case).removability is not Removability.SAFE
        assert number >= (outcome is not Outcome.PASS), words
        assert check in CHECKS

    @pytest.mark.parametrize(("case", "check", "outcome", "number", "words"), TABLE)
    def test_a_judgement_is_the_dossier_without_words(
        self, case: Case, check: Check, outcome: Outcome, number: int, words: str
    ) -> None:
        """Pages of many accounts say what the page of each one says."""
        judgement, dossier = judge(case, NOW), a_dossier(case)

        assert judgement.removability is dossier.removability
        assert judgement.blockers == tuple(each[:3] for each in dossier.blockers)
        blocked = {each.check: each[1:] for each in judgement.blockers}
        passed = (Outcome.PASS, number)
        assert blocked.get(check, passed) == (outcome, number), words

    def test_a_failure_outweighs_what_is_unknown(self) -> None:
        """What is known to block is said first."""
        unknown = a_dossier(a_case(holdings=None))
        blocked = a_dossier(a_case(holdings=None, roles=frozenset({Role.SYSTEM})))

        assert unknown.removability is Removability.UNKNOWN
        assert blocked.removability is Removability.BLOCKED
        assert [each.check for each in blocked.blockers] == [
            Check.STREAMS,
            Check.RESERVED,
            Check.ROLE,
        ]

    def test_nothing_told(self) -> None:
        """Facts that nobody told make nothing safe."""
        dossier = a_dossier(
            a_case(
                holdings=None,
                limits=None,
                importers_unknown=None,
                are_copies_known=False,
                told_at=None,
            )
        )

        assert {each.outcome for each in dossier.blockers} == {Outcome.UNKNOWN}
        assert len(dossier.blockers) == 5


class TestSources:
    """Who told it, and how old it is."""

    def test_age(self) -> None:
        """What is told by servers is told with its age."""
        item = an_item(a_case(), Check.STREAMS)

        assert item.source == "the servers' monitoring endpoints, 1m ago"

    def test_whom_it_is_of(self) -> None:
        """A dossier tells its account, and facts what is odd about it."""
        dossier = a_dossier(a_case(account="A1", name="shop", is_listed=False))

        assert (dossier.account, dossier.name) == ("A1", "shop")
        assert dossier.facts.is_zombie

    def test_inventory(self) -> None:
        """Where an inventory is complete it had its say."""
        item = an_item(a_case(is_listed=True, told_at=None), Check.ROLE)

        assert item.source == "the servers' monitoring endpoints and the inventory"

    def test_registry(self) -> None:
        """What the operator said is the registry's word."""
        assert an_item(a_case(), Check.APPROVAL).source == "the registry"
