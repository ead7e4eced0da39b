"""What is known at the end of a cycle -> the facts of each account, when asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from nats_idle_exporter.activity import AccountView, Instant
from nats_idle_exporter.monitoring.inquiry.answers import Answer
from nats_idle_exporter.monitoring.inquiry.copies import Copies
from nats_idle_exporter.monitoring.inquiry.holdings import Held
from nats_idle_exporter.monitoring.inquiry.importers import Imported
from nats_idle_exporter.monitoring.inquiry.roles import RolesKnown
from nats_idle_exporter.monitoring.inquiry.standing import Standing, standing_of
from nats_idle_exporter.monitoring.inventory import InventoryAccount
from nats_idle_exporter.removal.facts import (
    UNLIMITED,
    AccountFacts,
    Copy,
    Holdings,
    Import,
    Importer,
    Told,
)

_NOTHING: Final = Held()
_ByExporter = Mapping[str, frozenset[Import]]


class Moment(NamedTuple):
    """The end of a cycle: on the timelines of the proof, and in Unix seconds."""

    now: Instant
    wall_at: float

    def wall_of(self, fast: float) -> float:
        """Return in Unix seconds when something was; it is never too late."""
        return self.wall_at - (self.now.fast - fast)


class Heard(NamedTuple):
    """An answer, and when it was asked for, on the fast timeline."""

    answer: Answer
    fast: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of one system; nothing in here is ever changed.

    Args:
        views: by account id.
        heard: what servers told when they were asked, by account id.
        loaded: those that some server has in memory.
        shut: accounts that nobody may log in to by every server that has them loaded,
            and when the oldest of their words was asked for, on the fast timeline.
        is_configuration_used: whether every server read the files that the inventory
            lists from since they changed.
        importers: who imports from whom, by servers.
        listed_importers: the same by the inventory.
        listed: what the inventory lists.
        is_listing_complete: whether nobody lacks in it.
        held: by JetStream, by account id.
        held_at: when the oldest of its rounds was asked; None while one lacks.
        is_all_held: whether every server had the time to find its streams.
        copies: who copies from whom.
        roles: what the system needs accounts for.
        untold: accounts whose imports nobody told; None when more may exist.
        moment: the end of the cycle.
    """

    views: Mapping[str, AccountView]
    heard: Mapping[str, Heard]
    loaded: Collection[str]
    shut: Mapping[str, float]
    is_configuration_used: bool
    importers: Imported
    listed_importers: Imported
    listed: Mapping[str, InventoryAccount]
    is_listing_complete: bool
    held: Mapping[str, Held]
    held_at: float | None
    is_all_held: bool
    copies: Copies
    roles: RolesKnown
    untold: Collection[str] | None
    moment: Moment


class Facts(Mapping[str, AccountFacts]):
    """By account id, of all accounts that have a view; made when asked for.

    It may be asked in any thread.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        # Most accounts hold nothing, and share that.
        at = known.held_at
        self._nothing = None if at is None else Holdings(as_of_at=at)
        self._sorted: dict[tuple[Told, str], _ByExporter] = {}

    @property
    def views(self) -> Mapping[str, AccountView]:
        """What the proof says, by account id."""
        return self._known.views

    @property
    def closed(self) -> frozenset[str]:
        """The accounts that nobody may log in to, as far as that is known."""
        known, now_at = self._known, self._known.moment.wall_at
        suspects = {
            account
            for account, (told, _) in known.heard.items()
            if told.is_shut or _shut(told.claimed, now_at)
        }
        suspects.update(a for a, each in known.listed.items() if _shut(each, now_at))
        return frozenset(a for a in suspects & known.views.keys() if self[a].is_closed)

    def __getitem__(self, account: str) -> AccountFacts:
        known = self._known
        view = known.views[account]
        listed = known.listed.get(account)
        heard = known.heard.get(account)
        is_loaded = account in known.loaded
        answer = heard.answer if heard else None
        standing = standing_of(answer, listed, known.moment.wall_at)
        is_told = answer is not None or listed is not None
        if is_told and not self._is_door_known(view, answer, is_loaded=is_loaded):
            is_over = None if view.is_operator_mode or not answer else answer.is_expired
            standing = standing._replace(limits=None, is_expired=is_over)
        roles, unknown_roles = known.roles.of(
            account, standing, is_operator_mode=view.is_operator_mode
        )
        return AccountFacts(
            account=account,
            name=view.name,
            is_operator_mode=view.is_operator_mode,
            is_loaded=is_loaded,
            is_listed=self._is_listed(account),
            holdings=self._holdings(view, standing, is_loaded=is_loaded),
            exports=standing.exports,
            imports=standing.imports,
            importers=self._importers(account),
            importers_unknown=self._importers_unknown(account),
            copies=self._copies(account),
            are_copies_known=known.copies.are_known
            and known.held_at is not None
            and known.is_all_held,
            limits=standing.limits,
            is_expired=standing.is_expired,
            jwt=standing.jwt if view.is_operator_mode else None,
            roles=roles,
            unknown_roles=unknown_roles,
            told_at=self._told_at(account, heard),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._known.views)

    def __len__(self) -> int:
        return len(self._known.views)

    def _told_at(self, account: str, heard: Heard | None) -> float | None:
        if heard is None:
            return None
        known = self._known
        fast = min(heard.fast, known.shut.get(account, heard.fast))
        return known.moment.wall_of(fast)

    def _is_listed(self, account: str) -> bool | None:
        if account in self._known.listed:
            return True
        return False if self._known.is_listing_complete else None

    def _is_door_known(
        self, view: AccountView, answer: Answer | None, *, is_loaded: bool
    ) -> bool:
        """Say whether it is known by what servers let clients in.

        By the JWTs that they have in memory, each its own, and else by what their
        resolvers hold, or what their configurations say.
        """
        known, account = self._known, view.account
        if is_loaded and view.is_operator_mode:
            return answer is not None and (account in known.shut or not answer.is_shut)
        listed = known.listed.get(account)
        return (
            (answer is not None or not is_loaded)
            and known.is_listing_complete
            and known.is_configuration_used
            and listed is not None
            and any(each.is_served for each in listed.copies)
        )

    def _may_hide(self, account: str) -> bool:
        """Say whether servers may keep streams of an unloaded account untold.

        A server that starts loads an account for its streams, if it has a JWT of it
        that is not over.
        """
        listed, now_at = self._known.listed.get(account), self._known.moment.wall_at
        return listed is None or not any(
            each.is_served and not _is_over(each, now_at) for each in listed.copies
        )

    def _holdings(
        self, view: AccountView, standing: Standing, *, is_loaded: bool
    ) -> Holdings | None:
        known = self._known
        held = known.held.get(view.account, _NOTHING)
        if known.held_at is None or not (held.streams or known.is_all_held):
            return None
        is_unloaded = view.is_operator_mode and not (is_loaded or held.streams)
        if is_unloaded and self._may_hide(view.account):
            return None
        if held is _NOTHING:
            return self._nothing
        memory, storage = held.memory_bytes, held.storage_bytes
        if view.is_operator_mode and held.are_tiers_hidden:
            if not standing.is_claimed:
                return None
            if tiers := standing.tiers:
                memory = _amount(tiers.memory_bytes)
                storage = _amount(tiers.storage_bytes)
        return Holdings(
            streams=held.streams,
            consumers=held.consumers,
            messages=held.messages,
            bytes=held.bytes,
            reserved_memory_bytes=memory,
            reserved_storage_bytes=storage,
            names=held.names,
            as_of_at=known.held_at,
        )

    def _importers(self, account: str) -> tuple[Importer, ...]:
        known = self._known
        by_servers = known.importers.get(account, ())
        by_inventory = known.listed_importers.get(account, ())
        if not by_servers and not by_inventory:
            return ()
        everybody = sorted({*by_servers, *by_inventory} - {account})
        return tuple(self._importer(each, account) for each in everybody)

    def _importer(self, importer: str, exporter: str) -> Importer:
        heard, listed = (
            self._known.heard.get(importer),
            self._known.listed.get(importer),
        )
        by_servers = by_inventory = frozenset[Import]()
        if heard:
            live = self._by_exporter(Told.SERVERS, importer)
            by_servers = live.get(exporter, by_servers)
        if listed:
            planned = self._by_exporter(Told.INVENTORY, importer)
            by_inventory = planned.get(exporter, by_inventory)
        told = Told.BOTH if by_servers and by_inventory else Told.SERVERS
        if not by_servers:
            told = Told.INVENTORY
        view = self._known.views.get(importer)
        return Importer(
            account=importer,
            name=self._name(importer),
            verdict=str(view.verdict) if view else "",
            imports=tuple(sorted(by_servers | by_inventory)),
            told=told,
        )

    def _by_exporter(self, told: Told, importer: str) -> _ByExporter:
        """Return what an account imports, sorted once: it may import from very many."""
        found = self._sorted.get((told, importer))
        if found is None:
            imports = self._imports(told, importer)
            parted: defaultdict[str, set[Import]] = defaultdict(set)
            for each in imports:
                parted[each.account].add(each)
            found = {a: frozenset(those) for a, those in parted.items()}
            self._sorted[told, importer] = found
        return found

    def _imports(self, told: Told, importer: str) -> Iterator[Import]:
        if told is Told.SERVERS:
            live = self._known.heard[importer].answer.imports or ()
            yield from (each.plain for each in live)
        else:
            for copy in self._known.listed[importer].copies:
                yield from (Import(*each) for each in copy.imports or ())

    def _name(self, account: str) -> str:
        if view := self._known.views.get(account):
            return view.name
        listed = self._known.listed.get(account)
        return (listed.name if listed else "") or account

    def _importers_unknown(self, account: str) -> int | None:
        untold = self._known.untold
        return None if untold is None else len(untold) - (account in untold)

    def _copies(self, account: str) -> tuple[Copy, ...]:
        return tuple(
            Copy(each.account, self._name(each.account), each.stream, each.is_mirror)
            for each in self._known.copies.of.get(account, ())
            if each.account != account
        )


def _amount(count: int | None) -> int:
    return UNLIMITED if count is None else count


def _shut(claimed: InventoryAccount | None, now_at: float) -> bool:
    if claimed is None:
        return False
    is_disabled = claimed.limits is not None and claimed.limits.is_disabled
    return is_disabled or _is_over(claimed, now_at)


def _is_over(claimed: InventoryAccount, now_at: float) -> bool:
    return claimed.expires_at is not None and claimed.expires_at <= now_at
