"""A scene: servers that run, an exporter that watches, a script that acts.

The script tells the scene what it does to which account, and the scene notes
when; that is the truth. What the exporter says is noted cycle by cycle.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final, NamedTuple

import yaml

from nats_idle_exporter.activity import AccountView
from nats_idle_exporter.config import Config, parse_config
from nats_idle_exporter.monitoring.clock import Clock
from tests.support.clock import FakeClock
from tests.truth.exporter import Exporter
from tests.truth.judging import NOT_LISTED, Said
from tests.truth.life import Life, Span

THRESHOLD_CYCLES: Final = 20
"""Most scenes' threshold, in intervals: no restart of a server is forgiven."""
FORGIVING_CYCLES: Final = 60
"""Here a hole of one interval, as a restart makes it, is forgiven twice."""
INTERVAL: Final = 30.0
REAL_INTERVAL: Final = 2.0
ACT_SECONDS: Final = 0.001


class Moment(NamedTuple):
    """The end of one cycle, and what was said then, by account id.

    ``at`` is seconds since the scene began, ``wall_at`` Unix seconds.
    """

    at: float
    wall_at: float
    said: Mapping[str, Said]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a scene is watched.

    Args:
        endpoints: what is polled.
        cast: case by account id.
        threshold_cycles: the threshold in intervals.
        interval: seconds between polls.
        accounts: rules, as in the configuration.
        inventory: sources, as in the configuration.
        timeout: of one poll, in real time.
        is_just_begun: the plain query is believed before it has a threshold of
            readings, as it would be by who has just begun to scrape.
    """

    endpoints: Sequence[str]
    cast: Mapping[str, str]
    threshold_cycles: int = THRESHOLD_CYCLES
    interval: float = INTERVAL
    accounts: Sequence[Mapping[str, Any]] = ()
    inventory: Sequence[Mapping[str, Any]] = ()
    is_just_begun: bool = False
    timeout: str = "10s"

    @property
    def threshold_seconds(self) -> float:
        """The threshold of accounts without a rule."""
        return self.threshold_cycles * self.interval

    def _config(self) -> dict[str, Any]:
        interval = f"{round(self.interval)}s"
        return {
            "systems": [
                {
                    "endpoints": list(self.endpoints),
                    "inventory": list(self.inventory),
                    "refresh_interval": interval,
                }
            ],
            "poll": {
                "interval": interval,
                "jetstream_interval": interval,
                "timeout": self.timeout,
            },
            "inactivity": {"threshold": f"{round(self.threshold_seconds)}s"},
            "accounts": list(self.accounts),
        }

    def parsed(self) -> Config:
        """Return the exporter's configuration, as it is read from a file."""
        return parse_config(yaml.safe_dump(self._config()))


@dataclass(slots=True)
class Scene:
    """One scene while it is played, and its record afterwards.

    Args:
        name: unique in a run.
        version: of its nats-servers.
        setting: how it is watched.
        exporter: watches it.
        clock: of the exporter.

    Attributes:
        lives: the truth, by account id.
        moments: what was said.
    """

    name: str
    version: str
    setting: Setting
    exporter: Exporter
    clock: Clock
    lives: dict[str, Life] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    _began_at: float = 0.0
    _next_at: float = 0.0

    def __post_init__(self) -> None:
        self._began_at = self._next_at = self.clock.monotonic()
        for account, case in self.setting.cast.items():
            self.lives[account] = Life(account, case, self.setting.threshold_seconds)

    @property
    def time(self) -> str:
        """Tell whether time passes by itself, or between cycles only."""
        return "between" if isinstance(self.clock, FakeClock) else "real"

    @property
    def now(self) -> float:
        """Seconds since the scene began."""
        return self.clock.monotonic() - self._began_at

    def _act_at(self) -> float:
        """Return when an act is: after the last cycle, also where the clock stands."""
        return self.now + ACT_SECONDS if self.moments else self.now

    # -- what the script lets happen

    def configure(self, **changes: Any) -> None:
        """Change the setting; the exporter has it from its next start on."""
        self.setting = replace(self.setting, **changes)
        self.exporter.config = self.setting.parsed()

    async def cycles(
        self, count: int = 1, between: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """Let so many intervals pass, each with a cycle at its end.

        Args:
            count: of cycles.
            between: is done in each interval, before its cycle.
        """
        for _ in range(count):
            if between is not None:
                await between()
            await self.skip()
            await self._cycle()

    async def skip(self, count: int = 1) -> None:
        """Let intervals pass in which nobody polls."""
        self._next_at += count * self.setting.interval
        if isinstance(self.clock, FakeClock):
            self.clock.advance(self._next_at - self.clock.monotonic())
        await self.clock.sleep_until(self._next_at)

    async def restart(self, after_cycles: int = 0) -> None:
        """Restart the exporter, down for so many intervals."""
        await self.exporter.stop()
        if after_cycles:
            await self.skip(after_cycles)
        await self.exporter.start()

    def set_clock_ahead(self, seconds: float) -> None:
        """Set our wall clock, and no other."""
        assert isinstance(self.clock, FakeClock)
        self.clock.step(seconds)

    async def begin(self) -> None:
        """Start the exporter, with its first cycle at once."""
        await self.exporter.start()
        self._next_at = self.clock.monotonic()
        await self._cycle()

    async def _cycle(self) -> None:
        views = await self.exporter.cycle()
        said = {account: _said(view) for account, view in views.items()}
        self.moments.append(Moment(self.now, self.clock.wall(), said))

    # -- what the script notes: the truth

    def used(self, *accounts: str) -> None:
        """Note that accounts are used at this moment."""
        at = self._act_at()
        for account in accounts:
            self.lives[account].uses.append(Span(at, at))

    def using(self, *accounts: str) -> AbstractContextManager[None]:
        """Note that accounts are in use as long as the block lasts."""
        return _lasting([self.lives[each].uses for each in accounts], self._act_at)

    def blind(self, *accounts: str) -> AbstractContextManager[None]:
        """Note that nobody can see the use of accounts, or of all, in the block."""
        lists = [self.lives[each].blind for each in accounts or self.lives]
        return _lasting(lists, self._act_at)

    def veiled(self, *accounts: str) -> AbstractContextManager[None]:
        """Note that the use of accounts, or of all, is seen after the block only."""
        lists = [self.lives[each].veils for each in accounts or self.lives]
        return _lasting(lists, self._act_at)

    def blind_until_now(self, *accounts: str, since: float = 0.0) -> None:
        """Note that use of accounts, or of all, up to now cannot be dated."""
        for account in accounts or self.lives:
            self.lives[account].blind.append(Span(since, self._act_at()))

    def gone(self, account: str) -> None:
        """Note that an account does not exist any more."""
        exists = self.lives[account].exists
        exists[-1] = Span(exists[-1].since, self._act_at())

    def made(self, account: str) -> None:
        """Note that an account exists from now on."""
        exists = self.lives[account].exists
        if exists[-1].until == inf:
            exists.clear()
        exists.append(Span(self._act_at()))

    def never_report(self, *accounts: str) -> None:
        """Note that nobody wants to be told of accounts."""
        for account in accounts:
            self.lives[account].reported_from = inf


@contextmanager
def _lasting(spans: list[list[Span]], now: Callable[[], float]) -> Iterator[None]:
    """Note a span in each list as long as the block lasts."""
    since = now()
    for each in spans:
        each.append(Span(since))
    yield
    for each in spans:
        each[each.index(Span(since))] = Span(since, now())


def _said(view: AccountView) -> Said:
    return Said(view.verdict.value, view.verdict.value == "inactive", view.is_observed)


def said_of(account: str, moment: Moment) -> Said:
    """Return what was said of an account in a cycle."""
    return moment.said.get(account, NOT_LISTED)
