"""Accounts whose use is expected later."""

from __future__ import annotations

from nats_idle_exporter.activity import Policy, Reason, Verdict
from tests.activity.builders import POLL, FixedRules, a_row, at
from tests.activity.inventoried import BOOT, EMPTY, START, Inventoried, listing


class ExpectedLater(FixedRules):
    """Rules that expect use from a moment on."""

    expected_at = START + 2 * POLL

    def policy(self, account: str, name: str) -> Policy:
        """Return the one policy, with that moment."""
        policy = super().policy(account, name)
        return policy._replace(expected_at=self.expected_at)


class TestExpectedStart:
    """Accounts that are made before they are needed."""

    def test_unknown_until_then(self) -> None:
        """Before its day an idle account is unknown, and from then on as any other."""
        watcher = Inventoried(rules=ExpectedLater())
        watcher.answer(listing("TEAM"))
        waiting = watcher.account()
        watcher.quiet()
        watcher.quiet()

        assert (waiting.verdict, waiting.reason) == (
            Verdict.UNKNOWN,
            Reason.EXPECTED_LATER,
        )
        assert not waiting.is_observed
        assert waiting.idle_seconds == START - BOOT
        assert watcher.account().verdict is Verdict.INACTIVE

    def test_used_before(self) -> None:
        """An account that is used earlier is active."""
        watcher = Inventoried(rules=ExpectedLater())
        watcher.answer(listing("TEAM"), [a_row(connections=1)])

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_published_time_counts(self) -> None:
        """The moment is compared with the time that readers see."""
        watcher = Inventoried(rules=ExpectedLater())
        watcher.ledger.list_accounts(listing("TEAM"))
        watcher.ledger.apply(watcher.server.reading(START, EMPTY))
        view = watcher.ledger.conclude(at(START), shift_seconds=2 * POLL)

        assert [each.verdict for each in view.accounts] == [Verdict.INACTIVE]
