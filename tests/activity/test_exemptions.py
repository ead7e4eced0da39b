"""Accounts that a rule exempts until a moment."""

from __future__ import annotations

from dataclasses import dataclass

from nats_idle_exporter.activity import AccountView, Policy, Reason, Verdict
from tests.activity.builders import HOUR, POLL, FixedRules, a_row, at
from tests.activity.inventoried import EMPTY, START, Inventoried, listing


@dataclass
class Exempting:
    """Rules that exempt every account until a moment, which tests may move."""

    until_at: float = START + 2 * POLL
    expected_at: float = float("-inf")
    threshold_seconds: float = HOUR

    def policy(self, account: str, name: str) -> Policy:
        """Return the one policy, with that moment."""
        policy = FixedRules(self.threshold_seconds).policy(account, name)
        return policy._replace(
            exempt_until_at=self.until_at, expected_at=self.expected_at
        )

    def excludes(self, account: str, name: str) -> bool:  # noqa: ARG002
        """Exclude nobody."""
        return False


def watched(rules: Exempting) -> tuple[Inventoried, AccountView]:
    """Return who watches an account that is quiet for its threshold, and the view."""
    watcher = Inventoried(rules=rules)
    watcher.answer(listing("TEAM"))
    return watcher, watcher.account()


class TestExemptions:
    """Accounts that are to be left alone for a time."""

    def test_never_raised_until_it_ends(self) -> None:
        """A quiet account is exempt, though proven, and raised when that ends."""
        watcher, exempt = watched(Exempting())
        watcher.quiet()
        still = watcher.account()
        watcher.quiet()

        assert (exempt.verdict, still.verdict) == (Verdict.EXEMPT, Verdict.EXEMPT)
        assert (exempt.reason, exempt.is_observed) == (Reason.NONE, True)
        assert exempt.idle_seconds >= exempt.threshold_seconds
        assert watcher.account().verdict is Verdict.INACTIVE

    def test_used_meanwhile(self) -> None:
        """An account in use is active, exempt or not."""
        watcher = Inventoried(rules=Exempting())
        watcher.answer(listing("TEAM"), [a_row(connections=1)])

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_not_proven(self) -> None:
        """An exemption proves nothing: the doubt stays, and is told."""
        rules = Exempting(threshold_seconds=1e9)
        _, exempt = watched(rules)

        assert exempt.verdict is Verdict.EXEMPT
        assert (exempt.reason, exempt.is_observed) == (Reason.WATCHED_TOO_SHORT, False)

    def test_a_raised_verdict_falls(self) -> None:
        """An exemption that begins takes a raised verdict back."""
        rules = Exempting(until_at=START)
        watcher, before = watched(rules)
        rules.until_at = START + 2 * POLL
        watcher.quiet()

        assert before.verdict is Verdict.INACTIVE
        assert watcher.account().verdict is Verdict.EXEMPT

    def test_what_was_raised_before_is_not_held(self) -> None:
        """One that ends in an outage leaves a doubt, until it is proven anew."""
        rules = Exempting(until_at=START)
        watcher, before = watched(rules)
        rules.until_at = START + 2 * POLL
        watcher.quiet()
        blind = watcher.ledger.conclude(at(START + HOUR))

        assert before.verdict is Verdict.INACTIVE
        assert [each.verdict for each in blind.accounts] == [Verdict.UNKNOWN]

    def test_outranks_what_is_expected(self) -> None:
        """While both hold it is exempt, and then it waits for its use."""
        watcher, exempt = watched(Exempting(expected_at=START + 3 * POLL))
        watcher.quiet()
        watcher.quiet()

        assert exempt.verdict is Verdict.EXEMPT
        assert watcher.account().reason is Reason.EXPECTED_LATER

    def test_published_time_counts(self) -> None:
        """The end is compared with the time that readers see."""
        watcher = Inventoried(rules=Exempting())
        watcher.ledger.list_accounts(listing("TEAM"))
        watcher.ledger.apply(watcher.server.reading(START, EMPTY))
        view = watcher.ledger.conclude(at(START), shift_seconds=2 * POLL)

        assert [each.verdict for each in view.accounts] == [Verdict.INACTIVE]
        assert view.counts[Verdict.EXEMPT] == 0
