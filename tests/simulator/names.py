"""What a name leads to now, as a server of names tells it."""

from __future__ import annotations

from tests.simulator.servers import NEVER
from tests.simulator.world import Endpoint


class Names:
    """The endpoints behind one name, and those that the operator lists beside it."""

    def __init__(self, found: dict[str, Endpoint]) -> None:
        self.found = found
        self.fixed: dict[str, Endpoint] = {}
        self.told_at = NEVER
        """When it was answered first, as far as we remember."""
        self._known = dict(found)
        self._failing_until = NEVER

    @property
    def is_told(self) -> bool:
        """Say whether it was answered once."""
        return self.told_at > NEVER

    def forget(self) -> None:
        """Let nothing be told: whoever heard it is gone."""
        self.told_at = NEVER

    def add(self, _when: float, endpoint: Endpoint) -> None:
        """Let the name lead there too; an endpoint that was dropped comes back."""
        known = self._known.setdefault(endpoint.url, endpoint)
        self.found[endpoint.url] = known

    def drop(self, _when: float, url: str) -> None:
        """Let the name not lead there any more."""
        self.found.pop(url, None)

    def fail(self, when: float, seconds: float) -> None:
        """Answer nothing for a while."""
        self._failing_until = max(self._failing_until, when + seconds)

    def look_up(self, when: float) -> dict[str, Endpoint] | None:
        """Return what the name leads to; None: the lookup failed."""
        # A name that leads nowhere is one that cannot be told from a failure.
        if when < self._failing_until or not self.found:
            return None
        self._tell(when)
        return dict(self.found)

    def force(self, when: float) -> dict[str, Endpoint]:
        """Return what the name ever led to, so that somebody is asked at all."""
        self._tell(when)
        return dict(self.found or self._known)

    def _tell(self, when: float) -> None:
        if not self.is_told:
            self.told_at = when
