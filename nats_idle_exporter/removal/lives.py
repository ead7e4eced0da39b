"""What is remembered of accounts on their way out, and how it outlives the process.

Rows are (kind, key, value) for any store, as those of the proof are; the key is the
account's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

NEVER = float("-inf")

_T = TypeVar("_T")


class DamagedLives(ValueError):  # noqa: N818 - it says what they are
    """Rows that cannot be what was told; nothing of them may be used."""


class Kind(StrEnum):
    """What a row tells of one account."""

    RAISED = "raised"
    """Its newest use when it was raised inactive, where uses never move."""
    ARRIVED = "arrived"
    """When it came into use."""
    LIFE = "life"
    """All else."""


class LifeChanges(NamedTuple):
    """What a store must do to know all that we know."""

    puts: list[tuple[str, str, bytes]]
    """To insert, or to replace what has the same kind and key."""
    deletes: list[tuple[str, str]]
    """Kind and key; to ignore when there is no such row."""


class Life(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One account; moments are Unix seconds.

    Args:
        disabled_at: since when nobody may connect; None while clients may.
        noticed_at: when we learned of that.
        noticed_use_at: its newest use that is known not to have come since, on the
            timeline on which uses never move.
        is_by_rule: the registry says so, whatever servers tell.
        is_ready_told: that its time of grace is over was announced.
        unmarked_use_at: the use by which it was last not disabled any more for us.
        reactivations: how often it was used after it was raised or disabled.
        reactivated_at: the last time; None for never.
        reactivated_by: the kind of evidence, and the server's id.
        exempt_until_at: an exemption whose end is to be announced.
    """

    disabled_at: float | None = None
    noticed_at: float = 0.0
    noticed_use_at: float = NEVER
    is_by_rule: bool = False
    is_ready_told: bool = False
    unmarked_use_at: float = NEVER
    reactivations: Annotated[int, msgspec.Meta(ge=0)] = 0
    reactivated_at: float | None = None
    reactivated_by: str = ""
    exempt_until_at: float | None = None


_BLANK = Life()
_encode = msgspec.msgpack.Encoder().encode
_LIFE = msgspec.msgpack.Decoder(Life)
_MOMENT = msgspec.msgpack.Decoder(float)


class Lives:
    """Who was raised, who came into use, and all other lives; tells what changed.

    All are by account id. ``raised`` holds the newest use at that time, on the timeline
    on which uses never move; ``arrived`` the first that we saw, in Unix seconds. Change
    them by the methods only.
    """

    def __init__(self) -> None:
        self.raised: dict[str, float] = {}
        self.arrived: dict[str, float] = {}
        self.lives: dict[str, Life] = {}
        self.is_changed = True
        """Some life changed since somebody set this to False."""
        self._touched: set[tuple[Kind, str]] = set()

    def raise_(self, account: str, used_at: float) -> None:
        """Note that an account is inactive now."""
        self.raised[account] = used_at
        self._touched.add((Kind.RAISED, account))

    def lower(self, account: str) -> None:
        """Note that it is not any more."""
        self._touched.add((Kind.RAISED, account))
        del self.raised[account]

    def arrive(self, account: str, used_at: float) -> None:
        """Note when an account came into use."""
        self.arrived[account] = used_at
        self._touched.add((Kind.ARRIVED, account))

    def change(self, account: str) -> Life:
        """Return the life of an account that is changed at once."""
        self.is_changed = True
        self._touched.add((Kind.LIFE, account))
        return self.lives.setdefault(account, Life())

    def reactivate(self, account: str, used_at: float, by: str) -> None:
        """Count that an account came back; one use counts once."""
        life = self.change(account)
        life.reactivations += life.reactivated_at != used_at
        life.reactivated_at, life.reactivated_by = used_at, by

    def exempt(self, account: str, until_at: float | None) -> None:
        """Note until when an account is exempt; None when it is not."""
        life = self.lives.get(account)
        if life is None or life.exempt_until_at != until_at:
            self.change(account).exempt_until_at = until_at

    def forget(self, account: str) -> None:
        """Forget all of an account."""
        for kind, known in self._by_kind():
            if known.pop(account, None) is not None:
                self.is_changed = True
                self._touched.add((kind, account))

    def retell(self) -> None:
        """Have ``changes`` tell all at its next call: a store may have dropped it."""
        for kind, known in self._by_kind():
            self._touched.update((kind, account) for account in known)

    def changes(self) -> LifeChanges:
        """Return what to save that was not told before."""
        changes, known = LifeChanges([], []), dict(self._by_kind())
        for kind, account in sorted(self._touched):
            value = known[kind].get(account)
            if value == _BLANK:
                del self.lives[account]
                value = None
            if value is None:
                changes.deletes.append((kind, account))
            else:
                changes.puts.append((kind, account, _encode(value)))
        self._touched.clear()
        return changes

    def _by_kind(self) -> Iterator[tuple[Kind, dict[str, Any]]]:
        yield Kind.RAISED, self.raised
        yield Kind.ARRIVED, self.arrived
        yield Kind.LIFE, self.lives


def restored(rows: Iterable[tuple[str, str, bytes]]) -> Lives:
    """Return the lives that rows tell of, in any order.

    Raises:
        DamagedLives: some row cannot be what was told.
    """
    lives = Lives()
    for kind, account, value in rows:
        if kind == Kind.RAISED:
            lives.raised[account] = _decoded(_MOMENT, kind, value)
        elif kind == Kind.ARRIVED:
            lives.arrived[account] = _decoded(_MOMENT, kind, value)
        elif kind == Kind.LIFE:
            lives.lives[account] = _decoded(_LIFE, kind, value)
        else:
            raise DamagedLives(f"a row of the kind {kind!r}")
    return lives


def _decoded(decoder: msgspec.msgpack.Decoder[_T], kind: str, value: bytes) -> _T:
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedLives(f"a row of the kind {kind}: {error}") from error
