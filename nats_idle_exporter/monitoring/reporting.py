"""What the poll loop tells the log: changes once, trouble that lasts now and then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import structlog

from nats_idle_exporter.activity import Peer, Ring, SystemView, UnwatchedKind
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.removal.happenings import Event, Happening

REMIND_SECONDS: Final = 600.0
"""A failure that lasts is logged this often."""

_SAID: Final = {
    Happening.DISABLED: "account is disabled",
    Happening.ENABLED: "account is enabled again",
    Happening.READY: "account may be deleted: its time of grace is over",
    Happening.USED_AGAIN: "account was used although disabled",
    Happening.REACTIVATED: "account was used after it was inactive",
    Happening.EXEMPTION_ENDED: "exemption of account ended",
}
_ALARMING: Final = frozenset({Happening.USED_AGAIN, Happening.REACTIVATED})
"""Somebody uses credentials that nobody was known to have any more."""

_log = structlog.get_logger(__name__)


class _Told(NamedTuple):
    trouble: object
    at: float


class Reminder:
    """Say when trouble is worth a line: at first, when it changes, now and then.

    Times are monotonic seconds; ``where`` is what the trouble is with.
    """

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def is_due(self, where: str, trouble: object, now: float) -> bool:
        """Say whether to tell of it now, and take it for told then."""
        last = self._told.get(where)
        if last and last.trouble == trouble and now - last.at < REMIND_SECONDS:
            return False
        self._told[where] = _Told(trouble, now)
        return True

    def is_over(self, where: str) -> bool:
        """Say whether trouble that was told of is over now."""
        return self._told.pop(where, None) is not None


class Reporter:
    """Log what changed since it was last told; times are monotonic seconds.

    Args:
        system: the system's name, on every line.
    """

    def __init__(self, system: str) -> None:
        self._log = _log.bind(system=system)
        self._reminder = Reminder()
        self._overflowed: set[str] = set()
        self._unusable = 0
        self._seen: dict[str, frozenset[tuple[str, ...]]] = {}

    def failed(self, endpoint: str, error: EndpointError, now: float) -> None:
        """Warn of a failed poll: at first, of a new reason, and as a reminder."""
        if self._reminder.is_due(endpoint, error.reason, now):
            reason, detail = error.reason, error.detail
            self._log.warning(
                "poll failed", endpoint=endpoint, reason=reason, detail=detail
            )

    def succeeded(self, endpoint: str, ring: Ring) -> None:
        """Tell of the first good poll after a failed one, and of a lost history."""
        if self._reminder.is_over(endpoint):
            self._log.info("poll recovered", endpoint=endpoint)
        if ring.reaches_back:
            self._overflowed.discard(endpoint)
        elif endpoint not in self._overflowed:
            self._overflowed.add(endpoint)
            self._log.warning("closed connections forgotten unread", endpoint=endpoint)

    def asked(self, endpoint: str, trouble: str, now: float) -> None:
        """Warn of accounts that a server could not be asked about; "" for none."""
        where = f"accounts at {endpoint}"
        if not trouble:
            self._reminder.is_over(where)
        elif self._reminder.is_due(where, "", now):
            self._log.warning("accounts not asked", endpoint=endpoint, detail=trouble)

    def concluded(self, view: SystemView, peers: Mapping[str, Peer]) -> None:
        """Warn of what weakens the watch since this cycle.

        Args:
            view: at its end.
            peers: what is known of servers that nobody reads, by ``server_id``.
        """
        doubled = view.duplicates.items()
        for server_id, *endpoints in self._new(
            "doubled", ((server_id, *urls) for server_id, urls in doubled)
        ):
            self._log.warning(
                "endpoints lead to one server",
                server_id=server_id,
                endpoints=" ".join(endpoints),
            )
        balanced = ((endpoint,) for endpoint in view.load_balanced)
        for (endpoint,) in self._new("balanced", balanced):
            self._log.warning("endpoint is load balanced", endpoint=endpoint)
        unwatched = (
            (each.kind.value, each.who)
            for each in view.unwatched
            # An endpoint that does not answer was already told by its poll.
            if each.kind is not UnwatchedKind.ENDPOINT
        )
        for kind, who in self._new("unwatched", unwatched):
            known = peers.get(who, Peer())._asdict()
            self._log.warning(
                "server is not watched", kind=kind, server_id=who, **known
            )

    def happened(self, events: Iterable[Event]) -> None:
        """Tell what happened to accounts on their way out."""
        for event in events:
            is_alarming = event.happening in _ALARMING
            tell = self._log.warning if is_alarming else self._log.info
            facts = {"account": event.account, "account_name": event.name}
            if event.evidence:
                facts |= {"evidence": event.evidence, "server_id": event.server_id}
            tell(_SAID[event.happening], **facts, at=event.at)

    def listed(self, unusable: int) -> None:
        """Warn of ids in the inventory that no account of the system can have."""
        if unusable not in (0, self._unusable):
            self._log.warning(
                "inventory lists names, where only public keys are ids",
                accounts=unusable,
            )
        self._unusable = unusable

    def _new(
        self, what: str, found: Iterable[tuple[str, ...]]
    ) -> list[tuple[str, ...]]:
        now = frozenset(found)
        new = now - self._seen.get(what, frozenset())
        self._seen[what] = now
        return sorted(new)
