"""From the ledger to the view: who is judged, who is excluded, who is unread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from nats_idle_exporter.activity import census
from nats_idle_exporter.activity.facts import Instant
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.policy import Cadence, Rules
from nats_idle_exporter.activity.record import Record
from nats_idle_exporter.activity.servers import Server
from nats_idle_exporter.activity.verdict import (
    OUTDATED_AFTER_ROUNDS,
    Coverage,
    Judge,
    hold_back,
    leave_alone,
)
from nats_idle_exporter.activity.view import (
    AccountView,
    Evidence,
    ServerView,
    SystemView,
    Unwatched,
    UnwatchedKind,
    Verdict,
)

GLOBAL_ACCOUNT = "$G"


class Publisher:
    """Makes the view of one system at the end of one cycle."""

    def __init__(
        self,
        fleet: Fleet,
        rules: Rules,
        cadence: Cadence,
        now: Instant,
        shift_seconds: float,
    ) -> None:
        self._fleet = fleet
        self._rules = rules
        self._shift = shift_seconds
        self._now_at = now.slow + shift_seconds
        self._coverage = Coverage(now, fleet.watched_to, fleet.oldest())
        self._outdated_seconds = OUTDATED_AFTER_ROUNDS * cadence.poll_seconds

    def publish(
        self, records: Mapping[str, Record], judge: Judge, read: Mapping[str, str]
    ) -> SystemView:
        """Judge every account and return the view.

        Args:
            records: all accounts by id; raised verdicts are kept in them.
            judge: of this cycle.
            read: endpoint -> ``server_id`` of the cycle's good readings.
        """
        accounts = tuple(self._accounts(records, judge))
        counts = Counter(account.verdict for account in accounts)
        counts[Verdict.EXCLUDED] = len(records) - len(accounts)
        watched_to = self._coverage.watched_to
        return SystemView(
            accounts=accounts,
            counts={verdict: counts[verdict] for verdict in Verdict},
            servers=tuple(self._servers()),
            unwatched=tuple(sorted(self._unwatched())),
            duplicates=_duplicates(read),
            load_balanced=tuple(
                sorted(
                    endpoint
                    for endpoint, watch in self._fleet.watches.items()
                    if watch.is_load_balanced
                )
            ),
            watched_to_at=watched_to and watched_to.slow + self._shift,
            is_fresh=self._coverage.is_fresh(self._outdated_seconds),
        )

    def _accounts(
        self, records: Mapping[str, Record], judge: Judge
    ) -> Iterator[AccountView]:
        servers = self._fleet.witnesses()
        is_operator_mode = census.is_operator_mode(servers)
        excluded = _not_tenants(records, servers)
        connections, leafnodes = census.present(s for _, s in self._fleet.counted())
        for account in sorted(records):
            record = records[account]
            name = record.name or account
            if account in excluded or self._rules.excludes(account, name):
                record.clear()
                continue
            policy = self._rules.policy(account, name)
            proof = judge.judge(record, policy)
            if policy.exempt_until_at > self._now_at:
                proof = leave_alone(record, proof)
            elif policy.expected_at > self._now_at:
                proof = hold_back(record, proof)
            yield AccountView(
                account=account,
                name=name,
                verdict=proof.verdict,
                reason=proof.reason,
                is_observed=proof.is_observed,
                idle_seconds=proof.idle_seconds,
                last_evidence=self._evidence(record),
                quiet_since_at=proof.quiet_since + self._shift,
                threshold_seconds=policy.threshold_seconds,
                connections=connections[account],
                leafnodes=leafnodes[account],
                is_operator_mode=is_operator_mode,
                inventory=record.inventory,
            )

    def _evidence(self, record: Record) -> Evidence | None:
        if (use := record.last_use) is None:
            return None
        return Evidence(use.kind, use.server_id, use.at + self._shift, use.at)

    def _servers(self) -> Iterator[ServerView]:
        for endpoint, watch in sorted(self._fleet.watches.items()):
            server = self._fleet.servers.get(watch.server_id or "")
            if server is not None:
                facts = server.facts
                yield ServerView(
                    endpoint,
                    facts.server_id,
                    facts.server_name,
                    facts.nats_cluster,
                    facts.version,
                )

    def _unwatched(self) -> Iterator[Unwatched]:
        fleet = self._fleet
        for endpoint, watch in fleet.watches.items():
            server = fleet.servers.get(watch.server_id or "")
            last = server.asked if server else None
            if not self._coverage._replace(oldest=last).is_fresh(
                self._outdated_seconds
            ):
                yield Unwatched(UnwatchedKind.ENDPOINT, endpoint)
        for endpoint in fleet.roster.hidden():
            yield Unwatched(UnwatchedKind.ENDPOINT, endpoint)
        for peer, stranger in fleet.strangers.items():
            yield Unwatched(stranger.kind, peer)
        bound = fleet.bound
        for server_id, _ in fleet.counted():
            if server_id not in bound:
                yield Unwatched(UnwatchedKind.DISPLACED, server_id)


def _not_tenants(records: Mapping[str, Record], servers: list[Server]) -> set[str]:
    """Return the accounts that belong to no tenant.

    Without any other account ``$G`` is the tenant; else it holds sockets that
    have not logged in yet, and in operator mode nobody can log in to it.
    """
    excluded = census.system_accounts(servers)
    # Whom only an inventory lists may be a mistake, and hides nobody.
    served = {a for a, record in records.items() if record.listed_at > NEVER}
    has_others = bool(served - excluded - {GLOBAL_ACCOUNT})
    if has_others or census.is_operator_mode(servers):
        excluded.add(GLOBAL_ACCOUNT)
    return excluded


def _duplicates(read: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the servers that several endpoints lead to."""
    endpoints: dict[str, list[str]] = {}
    for endpoint, server_id in sorted(read.items()):
        endpoints.setdefault(server_id, []).append(endpoint)
    return {i: tuple(urls) for i, urls in endpoints.items() if len(urls) > 1}
