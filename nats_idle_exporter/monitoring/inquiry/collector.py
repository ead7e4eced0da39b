"""The collector: takes in what is told of one system's accounts, and asks for more.

The poll loop owns it: readings and answers come in during a cycle, and at its end
``conclude`` makes of them what readers get. Only ``conclude`` and ``plan`` look at all
accounts; both may run in a thread, while nothing else of it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from nats_idle_exporter.activity import (
    AccountView,
    Instant,
    Reading,
    ServerFacts,
    SystemView,
    UnwatchedKind,
)
from nats_idle_exporter.monitoring.inquiry.answers import Answer, LocalImport
from nats_idle_exporter.monitoring.inquiry.copies import find_copies
from nats_idle_exporter.monitoring.inquiry.doors import Doors
from nats_idle_exporter.monitoring.inquiry.facts import Facts
from nats_idle_exporter.monitoring.inquiry.holdings import Rounds
from nats_idle_exporter.monitoring.inquiry.importers import ImporterIndex
from nats_idle_exporter.monitoring.inquiry.known import Heard, Known, Moment
from nats_idle_exporter.monitoring.inquiry.listed import NOT_LISTED, Listed
from nats_idle_exporter.monitoring.inquiry.planning import Planner
from nats_idle_exporter.monitoring.inquiry.roles import RolesKnown, has_no_sentinel
from nats_idle_exporter.monitoring.inventory.listing import Told

OUTDATED_TIMES: Final = 3
"""What is told again and again is outdated after so many times of its interval."""


class Rhythm(NamedTuple):
    """How often things are told: seconds, and questions per server and cycle."""

    interval_seconds: float
    jetstream_interval_seconds: float
    questions: int


class _Server(NamedTuple):
    facts: ServerFacts
    leaf_accounts: Collection[str]
    loaded: frozenset[str]
    is_news: bool
    """Whether it answered in this cycle."""


class Collector:
    """Knows of one system's accounts what the proof does not need."""

    def __init__(self) -> None:
        self._endpoints: tuple[str, ...] = ()
        self._pending: list[Reading] = []
        self._servers: dict[str, _Server] = {}
        self._heard: dict[str, Heard] = {}
        self._rounds = Rounds()
        self._index = ImporterIndex()
        self._doors = Doors()
        self._planner = Planner()
        self._listed = NOT_LISTED
        self._is_listing_new = False
        self._views: Mapping[str, AccountView] = {}
        self._loaded = frozenset[str]()
        self._untold: set[str] = set()
        """Of the loaded ones, whose imports nobody told, or too long ago."""

    def watch(self, endpoints: Iterable[str]) -> None:
        """Replace the list of endpoints; what others told is forgotten."""
        self._endpoints = tuple(endpoints)
        self._rounds.watch(self._endpoints)
        self._servers = {u: s for u, s in self._servers.items() if u in self._endpoints}

    def take(self, reading: Reading) -> None:
        """Take one good reading in."""
        self._pending.append(reading)

    def list_accounts(self, told: Told | None) -> None:
        """Take in what the inventory tells; None when there is none any more."""
        self._listed = Listed.of(told) if told else NOT_LISTED
        self._is_listing_new = True

    def hear(self, answer: Answer, asked: Instant, server_id: str) -> None:
        """Take in what a server told when it was asked about an account."""
        self._doors.hear(answer, asked.fast, server_id)
        # The newest last: who is told of again leaves his old place.
        self._heard.pop(answer.account, None)
        self._heard[answer.account] = Heard(answer, asked.fast)
        if answer.imports is None:
            self._untold.add(answer.account)
        else:
            self._untold.discard(answer.account)
            self._index.learn(answer.account, {i.account for i in answer.imports})

    def conclude(self, view: SystemView, moment: Moment, rhythm: Rhythm) -> Facts:
        """End the cycle, and return the facts of all accounts of the view."""
        self._views = {each.account: each for each in view.accounts}
        self._take_readings()
        self._rounds.add_up()
        self._take_loaded()
        self._outdate(moment, rhythm)
        is_whole = self._is_whole(view)
        is_everybody_known = is_whole and self._is_everybody_known
        untold = frozenset(self._untold) | (self._listed.untold - self._loaded)
        return Facts(
            Known(
                views=self._views,
                heard=dict(self._heard),
                loaded=self._loaded,
                shut=self._doors.shut(self._loaded_by_id),
                is_configuration_used=self._is_configuration_used,
                importers=self._index.importers,
                listed_importers=self._listed.importers,
                listed=self._listed.accounts,
                is_listing_complete=self._listed.is_complete,
                held=self._rounds.held,
                held_at=self._held_at(moment, rhythm) if is_whole else None,
                is_all_held=self._rounds.are_settled,
                copies=find_copies(self._rounds.held, self._imports_of),
                roles=self._roles(is_whole=is_whole),
                untold=untold if is_everybody_known else None,
                moment=moment,
            )
        )

    def plan(self, questions: int) -> dict[str, tuple[str, list[str]]]:
        """Return whom to ask about: by endpoint, its ``server_id`` and accounts.

        Only who answered in the cycle that was just concluded is asked.
        """
        places = {u: s.loaded for u, s in self._servers.items() if s.is_news}
        ids = {s.facts.server_id: u for u, s in self._servers.items() if s.is_news}
        doors = [
            (ids[server_id], account)
            for server_id, account in self._doors.due(self._loaded_by_id)
            if server_id in ids
        ]
        plan = self._planner.plan(places, self._views, questions, doors)
        return {
            url: (self._servers[url].facts.server_id, accounts)
            for url, accounts in plan.items()
            if accounts
        }

    def _take_readings(self) -> None:
        self._servers = {u: s._replace(is_news=False) for u, s in self._servers.items()}
        for reading in self._pending:
            if reading.endpoint in self._endpoints:
                self._rounds.take(reading)
                self._see(reading)
        self._pending.clear()

    def _see(self, reading: Reading) -> None:
        last = self._servers.get(reading.endpoint)
        before = last.loaded if last else frozenset[str]()
        accounts = [row.account for row in reading.rows]
        loaded = before
        # In most cycles it is as before: what is kept need not be kept twice.
        if len(accounts) != len(before) or not before.issuperset(accounts):
            loaded = self._shared(frozenset(map(sys.intern, accounts)))
            if last:
                self._planner.greet(loaded - before)
        self._servers[reading.endpoint] = _Server(
            reading.server, reading.leaf_accounts, loaded, is_news=True
        )

    def _shared(self, loaded: frozenset[str]) -> frozenset[str]:
        """Return another server's equal list instead: mostly all have the same."""
        others = (each.loaded for each in self._servers.values())
        return next((each for each in others if each == loaded), loaded)

    def _take_loaded(self) -> None:
        """Forget who is not loaded any more, where somebody else tells of him.

        What a server had in memory once says nothing against a newer JWT.
        """
        places = {id(s.loaded): s.loaded for s in self._servers.values()}
        first, *others = places.values() if places else [frozenset[str]()]
        loaded = first.union(*others) if others else first
        if loaded == self._loaded and not self._is_listing_new:
            return
        self._loaded, self._is_listing_new = loaded, False
        unlisted = self._views.keys() - self._listed.accounts.keys()
        for account in self._heard.keys() - loaded - unlisted:
            del self._heard[account]
            self._index.learn(account, ())
        told = {a for a, h in self._heard.items() if h.answer.imports is not None}
        self._untold = set(loaded - told)
        self._planner.forget(loaded)

    def _is_whole(self, view: SystemView) -> bool:
        """Say whether every server of the system was read."""
        is_elsewhere = any(
            each.kind is not UnwatchedKind.ENDPOINT for each in view.unwatched
        )
        return (
            bool(self._endpoints)
            and self._servers.keys() >= set(self._endpoints)
            and not is_elsewhere
            and not view.load_balanced
        )

    @property
    def _is_everybody_known(self) -> bool:
        """Say whether it is known which accounts there are: JWTs need not be loaded."""
        return self._listed.is_complete or not any(
            each.facts.is_operator_mode for each in self._servers.values()
        )

    @property
    def _loaded_by_id(self) -> Mapping[str, Collection[str]]:
        return {s.facts.server_id: s.loaded for s in self._servers.values()}

    @property
    def _is_configuration_used(self) -> bool:
        """Say whether every server read the inventory's files since they changed."""
        written_at = self._listed.written_at
        servers = self._servers.values()
        return written_at is None or all(
            each.facts.loaded_at >= written_at for each in servers
        )

    def _held_at(self, moment: Moment, rhythm: Rhythm) -> float | None:
        oldest = self._rounds.oldest(self._endpoints)
        most = OUTDATED_TIMES * max(rhythm[:2])
        if oldest is None or moment.now.fast - oldest.fast > most:
            return None
        return moment.wall_of(oldest.fast)

    def _outdate(self, moment: Moment, rhythm: Rhythm) -> None:
        """Take imports for untold that were told too long ago."""
        per_cycle = max(1, rhythm.questions * len(self._endpoints))
        # Half of the questions may be about inactive accounts only.
        cycles = 1 + 2 * len(self._loaded) / per_cycle
        oldest = moment.now.fast - OUTDATED_TIMES * cycles * rhythm.interval_seconds
        for account, heard in self._heard.items():
            if heard.fast >= oldest:
                break
            if account in self._loaded:
                self._untold.add(account)

    def _imports_of(self, account: str) -> tuple[LocalImport, ...] | None:
        spoken = self._heard.get(account)
        return spoken.answer.imports if spoken else None

    def _roles(self, *, is_whole: bool) -> RolesKnown:
        servers = self._servers.values()
        systems = {s.facts.system_account for s in servers} - {None}
        return RolesKnown(
            system_accounts=frozenset(each for each in systems if each),
            leaf_accounts=frozenset[str]().union(*(s.leaf_accounts for s in servers)),
            is_whole=is_whole,
            knows_no_default=has_no_sentinel(each.facts for each in servers),
            configured=self._listed.roles,
            are_configured_in_use=self._is_configuration_used,
        )
