"""Accounts on their way out: disabled, perhaps used again, and ready after a while."""

from __future__ import annotations

from collections.abc import Iterator

from nats_idle_exporter.removal.happenings import Event, Happening, by_use, told_by
from nats_idle_exporter.removal.lives import NEVER, Life, Lives
from nats_idle_exporter.removal.ruling import Ruling
from nats_idle_exporter.removal.sights import Doors, SeenAccount, SeenUse

SETTLE_SECONDS = 600.0
"""Use before an account was disabled may be told, and dated, so long after it: what a
round of jsz shows is dated at that round."""

DAY_SECONDS = 86_400.0
"""The registry tells the day only; use on that day may have come before."""

_ACTIVE = "active"


class Leaving:
    """Follows those that are disabled, or that a rule says are.

    Args:
        known: the lives that it changes.
        ruling: what rules tell of accounts.
    """

    def __init__(self, known: Lives, ruling: Ruling) -> None:
        self._known = known
        self._ruling = ruling

    def follow(self, view: SeenAccount, doors: Doors, now_at: float) -> Iterator[Event]:
        """Take in how one account stands at the end of a cycle; yield what is news.

        Call it in each cycle for each account that is disabled, for us or in truth.
        """
        account = view.account
        life = self._known.lives.get(account) or Life()
        before, use = life.disabled_at, view.last_evidence
        since, is_by_rule = self._since(view, life, doors, now_at)
        if use and _is_used_again(life, since, use, is_by_rule=is_by_rule):
            self._known.reactivate(account, use.at, told_by(use))
            self._known.change(account).unmarked_use_at = use.at
            yield by_use(Happening.USED_AGAIN, view, use)
            before, since, is_by_rule = None, None, False
        if (since, is_by_rule) != (life.disabled_at, life.is_by_rule):
            life = self._known.change(account)
            life.disabled_at, life.is_by_rule = since, is_by_rule
            life.is_ready_told = False
        if since is not None and use and use.slow_at > life.noticed_use_at:
            self._known.change(account).noticed_use_at = use.slow_at
        if before is None and since is not None:
            life.noticed_at = now_at
            yield Event(Happening.DISABLED, account, view.name, since)
        elif before is not None and since is None:
            yield Event(Happening.ENABLED, account, view.name, now_at)
        yield from self._ready(view, now_at)

    def _since(
        self, view: SeenAccount, life: Life, doors: Doors, now_at: float
    ) -> tuple[float | None, bool]:
        """Return since when an account is disabled, None for not, and by whose word."""
        account = view.account
        ruled_at = self._ruling.of(account).decommission.disabled_on_at
        if ruled_at is not None and life.unmarked_use_at < ruled_at <= now_at:
            return ruled_at, True
        known = None if life.is_by_rule else life.disabled_at
        if account in doors.closed:
            if known is None and life.unmarked_use_at > NEVER:
                # It is used although disabled, by imports: not before it is quiet.
                return (None if view.verdict == _ACTIVE else now_at), False
            return (now_at if known is None else known), False
        # What nobody tells now changes nothing.
        return (None if account in doors.told else known), False

    def _ready(self, view: SeenAccount, now_at: float) -> Iterator[Event]:
        account = view.account
        life = self._known.lives.get(account)
        if life is None or life.disabled_at is None:
            return
        grace_seconds = self._ruling.grace_seconds(account, view.name)
        ends_at = life.disabled_at + grace_seconds
        is_over = now_at >= ends_at
        if is_over is not life.is_ready_told:
            self._known.change(account).is_ready_told = is_over
            if is_over:
                yield Event(Happening.READY, account, view.name, ends_at)


def _is_used_again(
    life: Life, since: float | None, use: SeenUse, *, is_by_rule: bool
) -> bool:
    is_known = life.disabled_at is not None
    if since is None or (is_known and use.slow_at <= life.noticed_use_at):
        return False
    if is_by_rule and use.at > since + DAY_SECONDS:
        return True
    return is_known and use.at > life.noticed_at + SETTLE_SECONDS
