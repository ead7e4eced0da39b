"""Streams that copy from other accounts, through their account's imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
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
        for stream, origin in each.copying:
            for source in imports:
                if source.kind == "service" and leads_to(
                    source.local_subject, origin.api
                ):
                    found[source.account].add(Copier(account, stream, origin.is_mirror))
    return Copies({a: tuple(sorted(those)) for a, those in found.items()}, are_known)


def leads_to(local_subject: str, api: str) -> bool:
    """Say whether requests below a prefix can go through an import.

    >>> leads_to("JS.A.API.>", "JS.A.API"), leads_to("JS.B.>", "JS.A.API")
    (True, False)
    """
    local, prefix = local_subject.split("."), api.split(".")
    for at, token in enumerate(prefix):
        if at >= len(local):
            return False
        if local[at] == ">":
            return True
        # A wildcard of a mapping may stand as $1.
        if local[at] != token and local[at] != "*" and not _is_mapped(local[at]):
            return False
    return True


def _is_mapped(token: str) -> bool:
    return token.startswith("$") and token[1:].isdigit()
