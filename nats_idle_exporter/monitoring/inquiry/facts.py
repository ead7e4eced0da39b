"""What is known at the end of a cycle -> the facts of each account, when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from nats_idle_exporter.activity import AccountView
from nats_idle_exporter.monitoring.inquiry.answers import Answer
from nats_idle_exporter.monitoring.inquiry.dependants import Dependants
from nats_idle_exporter.monitoring.inquiry.holdings import Held
from nats_idle_exporter.monitoring.inquiry.known import Heard, Known
from nats_idle_exporter.monitoring.inquiry.standing import Standing, standing_of
from nats_idle_exporter.monitoring.inventory import InventoryAccount
from nats_idle_exporter.removal.facts import UNLIMITED, AccountFacts, Holdings

_NOTHING: Final = Held()


class Facts(Mapping[str, AccountFacts]):
    """By account id, of all accounts that have a view; made when asked for.

    It may be asked in any thread.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        # Most accounts hold nothing, and share that.
        at = known.held_at
        self._nothing = None if at is None else Holdings(as_of_at=at)
        self._dependants = Dependants(known)

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
            importers=self._dependants.importers(account),
            importers_unknown=self._importers_unknown(account),
            copies=self._dependants.copies(account),
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

    def _importers_unknown(self, account: str) -> int | None:
        untold = self._known.untold
        return None if untold is None else len(untold) - (account in untold)


def _amount(count: int | None) -> int:
    return UNLIMITED if count is None else count


def _shut(claimed: InventoryAccount | None, now_at: float) -> bool:
    if claimed is None:
        return False
    is_disabled = claimed.limits is not None and claimed.limits.is_disabled
    return is_disabled or _is_over(claimed, now_at)


def _is_over(claimed: InventoryAccount, now_at: float) -> bool:
    return claimed.expires_at is not None and claimed.expires_at <= now_at
