"""The clerk: what the inventory told so far, and what may be said of it.

It follows the answers as they were told, not what is true of the directory: an
account may be called gone only by who was asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from nats_idle_exporter.activity import AccountView, Inventory, Listing
from tests.simulator.horizon import Horizon
from tests.simulator.servers import NEVER
from tests.simulator.watcher import Poll
from tests.simulator.world import World

ENOUGH = 3
"""Complete answers without an account until it is believed to be gone."""
CLOCK_SECONDS = 5.0
"""What rounding and caution may make of the age of a JWT."""

Blame = Callable[[str, str, str], None]


@dataclass(slots=True)
class Docket:
    """What was told of one account since it was last unknown."""

    named_at: float = NEVER
    """When the inventory first named it to a heart that could take it in."""
    was_served: bool = False
    misses: int = 0
    ages_told: int = 0
    listed: str = ""
    """The last name that the inventory told."""
    issued_at: float = NEVER
    oldest_at: float = math.inf
    """When the last JWT was issued that it told of, and the oldest."""
    newest_at: float = NEVER
    """When the newest was issued that it or any server told of."""
    name: str = ""
    """What all agreed on at the end of the last cycle."""
    shown: str = ""
    """The name that the last view told."""
    unserved: int = 0
    """Whole cycles in which nobody had it loaded."""


@dataclass(slots=True)
class Clerk:
    """Judge whom views list, under which names, and by whose word."""

    world: World
    horizon: Horizon
    blame: Blame
    listing: Listing | None = None
    is_busy: bool = False
    """There is, or was, an inventory; without one there is little to judge."""
    _dockets: dict[str, Docket] = field(default_factory=dict)
    _rows: dict[int, tuple[str, dict[str, str]]] = field(default_factory=dict)
    _served: dict[str, set[str]] = field(default_factory=dict)
    """Account -> the names that servers tell for it, in this cycle."""
    _news: Listing | None = None
    _now_at: float = NEVER
    _is_whole: bool = False
    _stray_at: float = NEVER

    # --- what is told --------------------------------------------------------

    def restart(self, listing: Listing | None) -> None:
        """Take in that we restarted, and what the inventory says at once."""
        self.listing, self.is_busy = listing, True
        if listing is None:
            for docket in self._dockets.values():
                docket.named_at, docket.misses = NEVER, 0

    def hear(
        self,
        news: Listing | None,
        polls: list[Poll],
        now_at: float,
        *,
        is_all_watched: bool,
    ) -> None:
        """Take in what was told in one cycle."""
        self._now_at, self._news = now_at, news
        if not self.is_busy:
            return
        good = [poll for poll in polls if not poll.is_failed]
        if news is not None:
            self.listing = news
            self._count(news)
        self._take_rows(good)
        reach_at = self.horizon.reach_at()
        ids = {poll.process.server_id for poll in good if poll.process is not None}
        is_read = len(ids) == len(polls) and is_all_watched
        self._is_whole = is_read and reach_at >= min(poll.asked_at for poll in polls)
        self._name(is_read=bool(good))
        self._find_strays(good)
        for account, docket in self._dockets.items():
            if account in self._served or not self._is_whole:
                docket.unserved = 0
            else:
                docket.unserved += 1

    def _count(self, news: Listing) -> None:
        for account, docket in self._dockets.items():
            if account not in news.accounts and news.is_complete:
                docket.misses += 1

    def _take_rows(self, good: list[Poll]) -> None:
        self._served = {}
        for poll in good:
            assert poll.process is not None
            names = {row.account: row.name for row in poll.rows}
            self._rows[poll.node.index] = (poll.process.server_id, names)
            for account, name in names.items():
                self._served.setdefault(account, set()).add(name)
                self._dockets.setdefault(account, Docket()).was_served = True
            for account, issued_at in poll.issued.items():
                docket = self._dockets.setdefault(account, Docket())
                docket.newest_at = max(docket.newest_at, issued_at)

    def _name(self, *, is_read: bool) -> None:
        if self.listing is None or not is_read:
            return
        for account, listed in self.listing.accounts.items():
            docket = self._dockets.setdefault(account, Docket())
            docket.misses = 0
            docket.listed = listed.name or docket.listed
            if docket.named_at == NEVER:
                docket.named_at = self._now_at
            if listed.issued_at is not None and self._news is not None:
                docket.ages_told += 1
                docket.issued_at = listed.issued_at
                docket.newest_at = max(docket.newest_at, listed.issued_at)
                docket.oldest_at = min(docket.oldest_at, listed.issued_at)

    def _find_strays(self, good: list[Poll]) -> None:
        """Find use of those of whom nobody had told."""
        for poll in good:
            for closed in poll.ring.new:
                if closed.account not in self._dockets:
                    self._stray_at = self._now_at

    # --- who is there --------------------------------------------------------

    def is_named(self, account: str) -> bool:
        """Say whether the inventory's last answer names the account."""
        return self.listing is not None and account in self.listing.accounts

    def expected(self) -> set[str]:
        """Return the accounts that the inventory alone makes known."""
        return {
            account
            for account, docket in self._dockets.items()
            if docket.named_at > NEVER and self.is_named(account)
        }

    def named_at(self, account: str) -> float:
        """Return since when the inventory names the account; or named it once."""
        return self._docket(account).named_at

    def _docket(self, account: str) -> Docket:
        return self._dockets.get(account, Docket())

    def _is_served(self, account: str) -> bool:
        """Say whether the last word of a server that runs on is that it is there."""
        if account in self._served:
            return True
        return any(
            (node := self.world.nodes[index]).process is not None
            and node.process.server_id == server_id
            and self.horizon.is_watched(node)
            and account in names
            for index, (server_id, names) in self._rows.items()
        )

    def may_be_gone(self, account: str, *, was_forgotten: bool, unlisted: int) -> bool:
        """Say whether an account may have no view any more; forget it then.

        Args:
            account: by its id.
            was_forgotten: no server listed it for long.
            unlisted: in how many whole cycles none did.
        """
        docket, listing = self._dockets.get(account), self.listing
        if not self.is_busy:
            return was_forgotten if self.world.operator else unlisted >= ENOUGH
        if docket is None:
            return True
        if self.is_named(account) and docket.named_at > NEVER:
            return False
        is_by_answers = docket.misses >= ENOUGH
        if docket.named_at == NEVER:
            is_gone = unlisted >= ENOUGH
            if self.world.operator:
                is_lacking = listing is not None and not listing.is_complete
                is_gone = was_forgotten and not is_lacking
        elif self.world.operator:
            is_gone = is_by_answers and not self._is_served(account)
        else:
            is_gone = is_by_answers and unlisted >= ENOUGH
        if is_gone:
            self._dockets.pop(account, None)
            self._stray_at = self._now_at
        return is_gone

    # --- what is said --------------------------------------------------------

    def judge(self, view: AccountView) -> None:
        """Judge what a view says of the inventory, and with which name."""
        account = view.account
        if not self.is_busy:
            if view.inventory is not Inventory.NONE:
                self.blame("label", account, f"{view.inventory!r} without an inventory")
            return
        docket = self._dockets.setdefault(account, Docket())
        self._lingers(account, docket)
        self._names(view, docket)
        label = self._label(account, docket)
        if label is not None and label != view.inventory:
            self.blame("label", account, f"{view.inventory!r}, not {label!r}")

    def _lingers(self, account: str, docket: Docket) -> None:
        is_over = docket.misses >= ENOUGH and docket.unserved > ENOUGH
        if docket.named_at > NEVER and is_over:
            self.blame("lingers", account, f"{docket.misses} answers lack it")

    def _label(self, account: str, docket: Docket) -> Inventory | None:
        """Return what can be said for sure; None for nothing."""
        if self.listing is None:
            return Inventory.NONE
        if not self._is_whole:
            return None
        is_served = account in self._served
        if docket.named_at > NEVER and docket.misses == 0:
            # What an answer lacks that lacks a part may well be in it.
            return Inventory.BOTH if is_served else Inventory.INVENTORY_ONLY
        if is_served and self.listing.is_complete:
            return Inventory.SERVERS_ONLY
        return None

    def _names(self, view: AccountView, docket: Docket) -> None:
        account, is_id = view.account, view.name == view.account
        if is_id and docket.shown:
            self.blame("name", account, f"was {docket.shown!r} before")
        docket.shown = docket.shown if is_id else view.name
        agreed = self._agreed(account, docket)
        if agreed and agreed == docket.name != view.name:
            self.blame("name", account, f"{view.name!r}, but all say {agreed!r}")
        docket.name = agreed

    def _agreed(self, account: str, docket: Docket) -> str:
        """Return the name that all tell; "" when they do not, or may not know."""
        served = self._served.get(account, set())
        # Servers that have it no more may have told of a newer name.
        may_be_old = docket.was_served and not served
        is_old = docket.issued_at < docket.newest_at
        if not self._is_whole or is_old or may_be_old:
            return ""
        told = {*served, docket.listed} - {"", account}
        return told.pop() if len(told) == 1 else ""

    # --- how far back --------------------------------------------------------

    def born_at(self, account: str) -> float:
        """Return before when the account cannot have been idle: it was not there."""
        born_at = self.world.directory.born.get(account, NEVER)
        if self.world.operator:
            ahead = max(0.0, *(node.ahead_seconds for node in self.world.nodes))
            is_told = "clock" not in self.world.seen
            # As long as nobody set ours it tells how old a JWT is at most.
            return born_at - CLOCK_SECONDS - (0.0 if is_told else ahead)
        sight_at = self.horizon.first_sight_at
        is_later = sight_at is not None and born_at > sight_at
        return born_at - CLOCK_SECONDS if is_later else NEVER

    def quiet_from(self, account: str) -> float:
        """Return since when silence is proven at the latest, while all is read.

        Of a JWT whose age was told as far as all that was watched reaches.
        """
        docket = self._docket(account)
        if not self.world.operator or docket.ages_told < ENOUGH:
            return docket.named_at
        behind = max(0.0, *(-node.ahead_seconds for node in self.world.nodes))
        return max(docket.oldest_at + behind + CLOCK_SECONDS, self._stray_at)
