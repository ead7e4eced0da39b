"""Wrong hearts that know too little, or too much, of servers."""

from __future__ import annotations

from collections.abc import Iterable

from nats_idle_exporter.activity import (
    Cadence,
    Instant,
    Reading,
    Rules,
    SystemView,
    Verdict,
)
from tests.simulator.mutants.wrapper import Wrapper, replaced, with_server


class IgnoresAServer(Wrapper):
    """Watch all servers but one, and never miss it."""

    _url = "http://n1:8222"

    def endpoints(self, endpoints: Iterable[str]) -> Iterable[str]:
        """Leave one out, unless it is the only one."""
        kept = [url for url in endpoints if url != self._url]
        return kept or [self._url]

    def apply(self, reading: Reading) -> None:
        """Drop its readings, and its name where others tell it."""
        if reading.endpoint != self._url:
            routes = frozenset(x for x in reading.routes if not x.startswith("N1R"))
            super().apply(replaced(reading, routes=routes))


class KeysByEndpoint(Wrapper):
    """Compare counters of one server with those of its predecessor."""

    def reading(self, reading: Reading) -> Reading:
        """Take the address for the server's identity."""
        return with_server(
            replaced(reading, routes=frozenset(), gateways=frozenset()),
            server_id=reading.endpoint,
            loaded_at=reading.server.start_at,
        )


class ClearsOnOutage(Wrapper):
    """Take back what was raised when an endpoint does not answer."""

    _heard = 0

    def apply(self, reading: Reading) -> None:
        """Count the readings of this cycle."""
        self._heard += 1
        super().apply(reading)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Call everything unknown when nobody answered."""
        view, heard = super().conclude(now, shift_seconds), self._heard
        self._heard = 0
        if heard:
            return view
        accounts = tuple(x._replace(verdict=Verdict.UNKNOWN) for x in view.accounts)
        fields = {name: getattr(view, name) for name in SystemView.__slots__}
        return SystemView(**(fields | {"accounts": accounts}))


class OldIsNew(Wrapper):
    """Believe that every server keeps its counters over a reload."""

    def reading(self, reading: Reading) -> Reading:
        """Tell a new version."""
        return with_server(reading, release=(2, 15, 1))


class IgnoresReloads(Wrapper):
    """Believe that nothing hides behind a reload."""

    def reading(self, reading: Reading) -> Reading:
        """Hide that the configuration was loaded anew."""
        return with_server(
            reading, loaded_at=reading.server.start_at, release=(2, 15, 1)
        )


class TrustsTheStart(Wrapper):
    """Trust an account's zero counters back to the server's start."""

    def reading(self, reading: Reading) -> Reading:
        """Hide at the first sight that accounts were added since."""
        if self.seen(reading):
            return reading
        return with_server(reading, loaded_at=reading.server.start_at)

    def seen(self, reading: Reading) -> bool:
        """Say whether any server was read before; note this one."""
        known = self.__dict__.setdefault("known", set())
        known.add(reading.server.server_id)
        return len(known) > 1


class DatesAtAsked(Wrapper):
    """Date use at the time when the request was sent."""

    def reading(self, reading: Reading) -> Reading:
        """Pretend that the answer came at once."""
        return replaced(reading, answered=reading.asked)


class ClaimsToAnswered(Wrapper):
    """Claim absence up to the time when the answer was complete."""

    def reading(self, reading: Reading) -> Reading:
        """Pretend that the request was sent late."""
        return replaced(reading, asked=reading.answered)


class IgnoresPeers(Wrapper):
    """Believe that there is no server but those that are polled."""

    def reading(self, reading: Reading) -> Reading:
        """Hide the peers."""
        return replaced(reading, routes=frozenset(), gateways=frozenset())


class NoSystemAccount(Wrapper):
    """Treat the system account like a tenant."""

    def reading(self, reading: Reading) -> Reading:
        """Hide its name."""
        return with_server(reading, system_account=None)


class FailureIsSilence(Wrapper):
    """Take a failed poll for one that found nothing new."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self._last: dict[str, Reading] = {}
        self._heard: set[str] = set()

    def apply(self, reading: Reading) -> None:
        """Remember the reading."""
        self._last[reading.endpoint] = reading
        self._heard.add(reading.endpoint)
        super().apply(reading)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Tell the last readings again where there is none."""
        for endpoint, reading in self._last.items():
            if endpoint not in self._heard:
                late = replaced(reading, asked=now, answered=now, jetstream=None)
                super().apply(late)
        self._heard = set()
        return super().conclude(now, shift_seconds)
