"""The roll finds what differs, as looking at each account does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.removal.facts import AccountFacts, Limits
from nats_idle_exporter.removal.roll import Roll
from nats_idle_exporter.removal.sights import doors_of
from tests.removal.cases import some_facts
from tests.removal.lifelines import Seen, Used

accounts = st.lists(
    st.builds(
        Seen,
        verdict=st.sampled_from(["active", "inactive"]),
        last_evidence=st.sampled_from([None, Used(1.0), Used(2.0)]),
        account=st.sampled_from("ABCD"),
        name=st.sampled_from(["n1", "n2"]),
    ),
    max_size=4,
    unique_by=lambda each: each.account,
)


@given(st.lists(accounts, max_size=5))
def test_it_agrees_with_looking_at_each(cycles: list[list[Seen]]) -> None:
    """New accounts, names, verdicts and first uses are found, and nothing else."""
    roll = Roll()
    before: dict[str, Seen] = {}
    for cycle in cycles:
        news = roll.take(cycle)

        unused = {a for a in before if before[a].last_evidence is None}
        is_new = [each for each in cycle if each.account not in before]
        first = [
            each
            for each in cycle
            if each.last_evidence and (each in is_new or each.account in unused)
        ]
        assert news.first_used == first
        assert news.differing == [
            each
            for each in cycle
            if each in is_new
            or each in first
            or (each.name, each.verdict)
            != (before[each.account].name, before[each.account].verdict)
        ]
        assert roll.is_same is ([each.account for each in cycle] == [*before])
        before = {each.account: each for each in cycle}
        assert set(roll.ids) == set(before)
        assert [*roll.among({"A", "B", "C", "X"})] == [
            each for each in cycle if each.account in {"A", "B", "C"}
        ]
        assert roll.name("X") == "X"
        for each in cycle:
            assert roll.name(each.account) == each.name


def test_doors() -> None:
    """Closed is who is disabled or expired; of the others some are known."""

    def fact(account: str, **changes: object) -> AccountFacts:
        return some_facts(account=account, **changes)

    doors = doors_of(
        [
            fact("disabled", limits=Limits(0, 0)),
            fact("half", limits=Limits(0, 1)),
            fact("open", limits=Limits(-1, -1)),
            fact("expired", limits=None, is_expired=True),
            fact("untold", limits=None, is_expired=False),
        ]
    )

    assert doors.closed == {"disabled", "expired"}
    assert doors.told == {"disabled", "half", "open", "expired"}
