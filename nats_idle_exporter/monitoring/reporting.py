"""What the poll loop tells the log: changes once, trouble that lasts now and then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import structlog

from nats_idle_exporter.activity import Ring, SystemView, UnwatchedKind
from nats_idle_exporter.errors import EndpointError

REMIND_SECONDS: Final = 600.0
"""A failure that lasts is logged this often."""

_log = structlog.get_logger(__name__)


class _Warned(NamedTuple):
    reason: str
    at: float


class Reporter:
    """Log what changed since it was last told; times are monotonic seconds.

    Args:
        system: the system's name, on every line.
    """

    def __init__(self, system: str) -> None:
        self._log = _log.bind(system=system)
        self._warned: dict[str, _Warned] = {}
        self._overflowed: set[str] = set()
        self._unusable = 0
        self._seen: dict[str, frozenset[tuple[str, ...]]] = {}

    def failed(self, endpoint: str, error: EndpointError, now: float) -> None:
        """Warn of a failed poll: at first, of a new reason, and as a reminder."""
        last = self._warned.get(endpoint)
        if last and last.reason == error.reason and now - last.at < REMIND_SECONDS:
            return
        self._warned[endpoint] = _Warned(error.reason, now)
        self._log.warning(
            "poll failed", endpoint=endpoint, reason=error.reason, detail=error.detail
        )

    def succeeded(self, endpoint: str, ring: Ring) -> None:
        """Tell of the first good poll after a failed one, and of a lost history."""
        if self._warned.pop(endpoint, None):
            self._log.info("poll recovered", endpoint=endpoint)
        if ring.reaches_back:
            self._overflowed.discard(endpoint)
        elif endpoint not in self._overflowed:
            self._overflowed.add(endpoint)
            self._log.warning("closed connections forgotten unread", endpoint=endpoint)

    def concluded(self, view: SystemView) -> None:
        """Warn of what weakens the watch since this cycle."""
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
        peers = (
            (each.kind.value, each.who)
            for each in view.unwatched
            # An endpoint that does not answer was already told by its poll.
            if each.kind is not UnwatchedKind.ENDPOINT
        )
        for kind, who in self._new("unwatched", peers):
            self._log.warning("server is not watched", kind=kind, server_id=who)

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
