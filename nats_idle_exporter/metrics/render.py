"""Publication -> bytes of the metrics page; pure, so that any thread may do it.

Label text is escaped once per account, and lines are made in blocks: a block is
short enough for other threads to get their turn.
"""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from nats_idle_exporter import __version__
from nats_idle_exporter.activity import (
    AccountView,
    Peer,
    SystemView,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.dossiers import Dossiers
from nats_idle_exporter.metrics import catalogue as c
from nats_idle_exporter.metrics.exposition import (
    Format,
    expose,
    known_samples,
    pairs,
    sample,
    samples,
)
from nats_idle_exporter.metrics.family import ACCOUNT_LABELS, Family
from nats_idle_exporter.metrics.publication import Publication, ReloadStatus
from nats_idle_exporter.metrics.removal import removal_lines
from nats_idle_exporter.removal.registry import Entry
from nats_idle_exporter.snapshot import (
    DiscoveryStatus,
    EndpointStatus,
    InventoryStatus,
    Snapshot,
    StateStatus,
)

BLOCK = 500
"""Accounts whose lines are made without letting another thread in."""

# To look a member up in its class is slow, and there are many accounts.
_INACTIVE = Verdict.INACTIVE

Lines = dict[Family, list[bytes]]


class _Column(NamedTuple):
    """One per-account family: how a value is written and where it is found."""

    family: Family
    spec: bytes
    value: Callable[[AccountView], float]


def _is_inactive(view: AccountView) -> bool:
    return view.verdict is _INACTIVE


_COLUMNS = (
    _Column(c.ACCOUNT_INACTIVE, b"%d", _is_inactive),
    _Column(c.ACCOUNT_OBSERVED, b"%d", attrgetter("is_observed")),
    _Column(c.ACCOUNT_IDLE, b"%.3f", attrgetter("idle_seconds")),
    _Column(c.ACCOUNT_QUIET_SINCE, b"%.3f", attrgetter("quiet_since_at")),
    _Column(c.ACCOUNT_THRESHOLD, b"%.3f", attrgetter("threshold_seconds")),
    _Column(c.ACCOUNT_CONNECTIONS, b"%d", attrgetter("connections")),
    _Column(c.ACCOUNT_LEAFNODES, b"%d", attrgetter("leafnodes")),
)


def render(
    publication: Publication, process: Mapping[Format, bytes]
) -> dict[Format, bytes]:
    """Return the page in every format.

    The same arguments give the same bytes. Before the first cycle ended only the
    families that need none have samples.

    Args:
        publication: the moment to show.
        process: what :meth:`ProcessMetrics.read` told.
    """
    lines: Lines = defaultdict(list)
    _add_exporter(lines, publication.reload)
    for reason, count in sorted(publication.refused.items()):
        lines[c.REQUESTS_REFUSED].append(sample(c.REQUESTS_REFUSED, (reason,), count))
    _add_state(lines, publication.state)
    if publication.snapshot is not None:
        _add_snapshot(lines, publication.snapshot)
    joined = {family: b"".join(blocks) for family, blocks in lines.items()}
    return {form: expose(joined, c.FAMILIES, process[form], form) for form in Format}


def _add_exporter(lines: Lines, reload: ReloadStatus) -> None:
    version = (__version__, platform.python_version())
    lines[c.BUILD_INFO].append(sample(c.BUILD_INFO, version, 1))
    lines[c.RELOAD_SUCCESSFUL].append(
        sample(c.RELOAD_SUCCESSFUL, (), int(reload.is_successful))
    )
    lines[c.RELOAD_SUCCESS_AT].append(
        sample(c.RELOAD_SUCCESS_AT, (), reload.last_success_at)
    )


def _add_state(lines: Lines, state: StateStatus | None) -> None:
    errors = 0 if state is None else state.errors
    lines[c.STATE_SAVE_ERRORS].append(sample(c.STATE_SAVE_ERRORS, (), errors))
    if state is not None:
        lines[c.STATE_LAST_SAVE_AT].append(
            sample(c.STATE_LAST_SAVE_AT, (), state.last_save_at)
        )


def _add_snapshot(lines: Lines, snapshot: Snapshot) -> None:
    lines[c.CYCLE_DURATION].append(
        sample(c.CYCLE_DURATION, (), snapshot.cycle_duration_seconds)
    )
    lines[c.CYCLE_COMPLETED_AT].append(
        sample(c.CYCLE_COMPLETED_AT, (), snapshot.completed_at)
    )
    for endpoint in sorted(snapshot.endpoints, key=attrgetter("system", "endpoint")):
        _add_endpoint(lines, endpoint)
    for source in sorted(snapshot.inventories, key=attrgetter("system", "source")):
        _add_source(lines, source)
    for discovery in snapshot.discoveries:
        _add_discovery(lines, discovery)
    for system, view in sorted(snapshot.systems.items()):
        _add_system(lines, system, view)
        _add_unwatched(lines, system, snapshot.unwatched(system))
        for block in _blocks(view.accounts):
            _add_accounts(lines, system, block, snapshot.dossiers[system])


def _add_endpoint(lines: Lines, status: EndpointStatus) -> None:
    labels = (status.system, status.endpoint)
    values: dict[Family, float] = {
        c.ENDPOINT_UP: int(status.is_up),
        c.ENDPOINT_POLL_DURATION: status.poll_duration_seconds,
        c.POLLS: status.polls,
        c.CLOSED_RING_OVERFLOWS: status.ring_overflows,
    }
    if status.last_success_at is not None:
        values[c.ENDPOINT_LAST_SUCCESS] = status.last_success_at
    for family, value in values.items():
        lines[family].append(sample(family, labels, value))
    for reason, count in sorted(status.errors.items()):
        lines[c.POLL_ERRORS].append(sample(c.POLL_ERRORS, (*labels, reason), count))


def _add_source(lines: Lines, status: InventoryStatus) -> None:
    labels = (status.system, status.source)
    values = {
        c.INVENTORY_UP: int(status.is_up),
        c.INVENTORY_ACCOUNTS: status.accounts,
        c.INVENTORY_SKIPPED: status.skipped,
    }
    for family, value in values.items():
        lines[family].append(sample(family, labels, value))


def _add_discovery(lines: Lines, status: DiscoveryStatus) -> None:
    labels = (status.system, status.source)
    up, endpoints = c.DISCOVERY_UP, c.DISCOVERY_ENDPOINTS
    lines[up].append(sample(up, labels, int(status.is_up)))
    lines[endpoints].append(sample(endpoints, labels, status.endpoints))


def _add_system(lines: Lines, system: str, view: SystemView) -> None:
    for verdict in sorted(Verdict):
        count = view.counts.get(verdict, 0)
        lines[c.ACCOUNTS].append(sample(c.ACCOUNTS, (system, verdict), count))
    for server in sorted(view.servers):
        labels = (
            system,
            server.endpoint,
            server.server_id,
            server.server_name,
            server.nats_cluster,
            server.version,
        )
        lines[c.SERVER_INFO].append(sample(c.SERVER_INFO, labels, 1))


def _add_unwatched(
    lines: Lines, system: str, unwatched: Iterable[tuple[Unwatched, Peer]]
) -> None:
    found = sorted(unwatched)
    kinds = Counter(each.kind for each, _ in found)
    for kind in sorted(UnwatchedKind):
        lines[c.UNWATCHED_SERVERS].append(
            sample(c.UNWATCHED_SERVERS, (system, kind), kinds[kind])
        )
    # An endpoint is named by its own families, and nothing is known beside its URL.
    servers = (each for each in found if each[0].kind is not UnwatchedKind.ENDPOINT)
    for (kind, server_id), peer in islice(servers, c.UNWATCHED_NAMED):
        lines[c.UNWATCHED_SERVER_INFO].append(
            sample(
                c.UNWATCHED_SERVER_INFO,
                (system, kind, server_id, peer.server_name),
                1,
            )
        )


def _blocks(accounts: tuple[AccountView, ...]) -> Iterator[tuple[AccountView, ...]]:
    for start in range(0, len(accounts), BLOCK):
        yield accounts[start : start + BLOCK]


def _add_accounts(
    lines: Lines,
    system: str,
    views: tuple[AccountView, ...],
    dossiers: Dossiers,
) -> None:
    bare = [pairs(ACCOUNT_LABELS, (system, view.account, view.name)) for view in views]
    labels = [b"{%b}" % text for text in bare]
    for family, spec, value in _COLUMNS:
        lines[family].append(samples(family.name, spec, labels, map(value, views)))
    seen = (view.last_evidence.at if view.last_evidence else None for view in views)
    lines[c.ACCOUNT_LAST_ACTIVITY].append(
        known_samples(c.ACCOUNT_LAST_ACTIVITY.name, b"%.3f", labels, seen)
    )
    cases = [dossiers.case(view.account) for view in views]
    lines[c.ACCOUNT_INFO].append(_infos(bare, views, [case.entry for case in cases]))
    judgements = [
        dossiers.judge(case) if view.verdict is _INACTIVE else None
        for view, case in zip(views, cases, strict=True)
    ]
    for family, text in removal_lines(bare, cases, judgements):
        lines[family].append(text)


def _infos(
    bare: Iterable[bytes], views: Iterable[AccountView], entries: Iterable[Entry]
) -> bytes:
    """Return the info lines, which add labels to those that every family has."""
    name = c.ACCOUNT_INFO.name.encode()
    parts: list[bytes] = []
    for text, view, entry in zip(bare, views, entries, strict=True):
        mode = "operator" if view.is_operator_mode else "config"
        owner = _owner(mode, entry.owner, entry.team, entry.environment, view.inventory)
        parts += (name, b"{", text, b",", owner, b"} 1\n")
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _owner(*values: str) -> bytes:
    """Return the labels that info adds; owners are few, accounts are many."""
    return pairs(c.ACCOUNT_INFO.labels[len(ACCOUNT_LABELS) :], values)
