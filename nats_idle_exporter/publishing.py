"""What readers get: each cycle's snapshot, with all that belongs on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from nats_idle_exporter.liverules import LiveRules
from nats_idle_exporter.metrics import Publication, ReloadStatus
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.state import Keeper
from nats_idle_exporter.supervision import ServiceManager
from nats_idle_exporter.web.app import ServingState

_log = structlog.get_logger(__name__)


class Publisher:
    """Offers each snapshot for rendering.

    Args:
        state: of the web server, whose pages are rendered.
        manager: who is told of each cycle.
        keeper: of the state file; None when there is none.
        rules: of the configuration; what is wrong with their file is published.
        loaded_at: when that was loaded, Unix seconds.

    Attributes:
        when_first: is called when the first cycle has ended.
    """

    def __init__(
        self,
        state: ServingState,
        manager: ServiceManager,
        keeper: Keeper | None,
        rules: LiveRules,
        loaded_at: float,
    ) -> None:
        self._state = state
        self._manager = manager
        self._keeper = keeper
        self._rules = rules
        self._reload = ReloadStatus(is_successful=True, last_success_at=loaded_at)
        self.when_first: Callable[[], None] = lambda: None
        self._last = self._publication(None)
        self._state.pages.offer(self._last)

    def publish(self, snapshot: Snapshot) -> None:
        """Take the snapshot of a cycle."""
        if self._last.snapshot is None:
            self.when_first()
            _tell(snapshot)
        self._manager.concluded(snapshot)
        self._last = self._publication(snapshot)
        self._state.pages.offer(self._last)

    def adopt(self, rules: LiveRules, loaded_at: float) -> None:
        """Publish by another configuration from the next cycle on."""
        self._rules = rules
        self._tell_reload(ReloadStatus(is_successful=True, last_success_at=loaded_at))

    def refuse(self) -> None:
        """Publish that the configuration could not be loaded anew."""
        self._tell_reload(replace(self._reload, is_successful=False))

    def tell_rules(self) -> None:
        """Publish at once whether the registry file is right, if that changed."""
        if self._status() != self._last.reload:
            self._tell_reload(self._reload)

    def _status(self) -> ReloadStatus:
        if not self._rules.error:
            return self._reload
        return replace(self._reload, is_successful=False)

    def _tell_reload(self, status: ReloadStatus) -> None:
        """Tell at once, beside the last snapshot: the next may be long in coming."""
        self._reload = status
        self._last = replace(self._last, reload=self._status())
        self._state.pages.offer(self._last)

    def _publication(self, snapshot: Snapshot | None) -> Publication:
        return Publication(
            snapshot=snapshot,
            reload=self._status(),
            refused=self._state.refusals.read(),
            state=None if self._keeper is None else self._keeper.status,
        )


def _tell(snapshot: Snapshot) -> None:
    """Say how complete the watch is at its start."""
    systems = snapshot.systems.values()
    _log.info(
        "first cycle ended",
        endpoints=len(snapshot.endpoints),
        endpoints_answered=sum(each.is_up for each in snapshot.endpoints),
        accounts=sum(len(view.accounts) for view in systems),
        unwatched_servers=sum(len(view.unwatched) for view in systems),
    )
