"""Streams that copy from other accounts, through their account's imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from nats_idle_exporter.monitoring.inquiry.answers import LocalImport
from nats_idle_exporter.monitoring.inquiry.holdings import Held


class Copier(NamedTuple):
    """A stream that copies from another account."""

    account: str
    stream: str
    is_mirror: bool


class Copies(NamedTuple):
    """Who copies from whom.

    ``of`` is by the account that is copied from. ``are_known`` says that the imports
    of all accounts were told that copy from anywhere.
    """

    of: Mapping[str, tuple[Copier, ...]]
    are_known: bool


def find_copies(
    held: Mapping[str, Held],
    imports_of: Callable[[str], tuple[LocalImport, ...] | None],
) -> Copies:
    """Return which streams copy from other accounts.

    A stream names no account, but the subject under which its own account imports
    another one's JetStream. What no import leads to is another JetStream domain.
    """
    found: defaultdict[str, set[Copier]] = defaultdict(set)
    are_known = True
    for account, each in held.items():
        if not each.copying:
            continue
        imports = imports_of(account)
        if imports is None:
            are_known = False
            continue
        ways = _Ways()
        for source in imports:
            if source.kind == "service":
                ways.add(source.local_subject.split("."), source.account)
        for stream, origin in each.copying:
            for other in ways.below(origin.api.split(".")):
                found[other].add(Copier(account, stream, origin.is_mirror))
    return Copies({a: tuple(sorted(those)) for a, those in found.items()}, are_known)


class _Ways:
    """Where requests may go, by the tokens of the subject that they begin with.

    One account may import from very many, and have very many streams that copy.
    """

    def __init__(self) -> None:
        self.accounts: set[str] = set()
        self.following: dict[str, _Ways] = {}

    def add(self, tokens: Sequence[str], account: str) -> None:
        """Know that requests by this subject go to an account."""
        ways = self
        for token in tokens:
            # A wildcard of a mapping may stand as $1.
            key = "*" if _is_mapped(token) else token
            ways = ways.following.setdefault(key, _Ways())
        ways.accounts.add(account)

    def below(self, prefix: Sequence[str]) -> set[str]:
        """Return to whom requests may go that begin with this prefix."""
        here, found = [self], set[str]()
        for token in prefix:
            found.update(
                *(w.following[">"].accounts for w in here if ">" in w.following)
            )
            here = [
                w.following[t] for w in here for t in {token, "*"} if t in w.following
            ]
        while here:
            ways = here.pop()
            found |= ways.accounts
            here += ways.following.values()
        return found


def _is_mapped(token: str) -> bool:
    return token.startswith("$") and token[1:].isdigit()
