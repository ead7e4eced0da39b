"""What was observed -> the report, in its order, with what it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.api.model import (
    Account,
    DiscoverySource,
    Endpoints,
    InventorySource,
)
from nats_idle_exporter.report.model import (
    Explanation,
    ObservationError,
    Observed,
    Report,
)
from nats_idle_exporter.text import one_line, shorten
from nats_idle_exporter.web import unwatchedwords, words

_FIRST = (Verdict.INACTIVE, Verdict.EXEMPT, Verdict.UNKNOWN, Verdict.ACTIVE)
_LONGEST = 200


class FailOn(StrEnum):
    """What ends a report with its own exit code."""

    INACTIVE = "inactive"
    """An account is inactive."""
    UNOWNED = "unowned"
    """An account has no owner."""
    UNKNOWN = "unknown"
    """Of an account it is not known whether it is used."""

    def matches(self, account: Account) -> bool:
        """Say whether an account is such a one."""
        if self is FailOn.UNOWNED:
            return not account.owner
        return account.verdict == self.value


async def make_report(observed: Observed) -> Report:
    """Return the report on all accounts.

    Raises:
        ObservationError: of some system nothing could be observed.
    """
    watch = await observed.watch()
    check_watch(watch)
    accounts = await observed.accounts()
    return Report(
        source=observed.source,
        as_of_at=watch.as_of_at,
        notes=(*observed.limits, *_doubts(watch)),
        watch=watch,
        accounts=tuple(sorted(accounts, key=_rank)),
    )


async def explain(observed: Observed, account: str) -> Explanation:
    """Return all that is known of the accounts with an id or a name.

    Raises:
        ObservationError: there is none, or nothing could be observed.
    """
    watch = await observed.watch()
    check_watch(watch)
    found = await observed.accounts(account)
    if not found:
        shown = shorten(one_line(account), _LONGEST)
        raise ObservationError(f'no account has the id or the name "{shown}"')
    details = [await observed.detail(each.system, each.account) for each in found]
    return Explanation(
        source=observed.source,
        notes=(*observed.limits, *_doubts(watch)),
        accounts=tuple(details),
    )


def frees(account: Account) -> int:
    """Return how many bytes its removal would free: stored, and set aside for it.

    Of an account that is not inactive nothing is to be removed.
    """
    holdings = account.holdings
    if holdings is None or account.verdict is not Verdict.INACTIVE:
        return 0
    # Less than nothing is set aside where there is no limit.
    reserved = (holdings.reserved_memory_bytes, holdings.reserved_storage_bytes)
    return holdings.bytes + sum(max(each, 0) for each in reserved)


def _rank(account: Account) -> tuple[int, int, float, str, str]:
    verdict = (
        _FIRST.index(account.verdict) if account.verdict in _FIRST else len(_FIRST)
    )
    place = account.system, account.account
    return -frees(account), verdict, -account.idle_seconds, *place


def check_watch(watch: Endpoints) -> None:
    """Refuse to report on a system of which nothing is seen.

    Raises:
        ObservationError: no endpoint of some system answered.
    """
    up = {each.system for each in watch.endpoints if each.is_up}
    for system in watch.systems:
        if system.system not in up:
            why = next(
                (e.last_error for e in watch.endpoints if e.system == system.system), ""
            )
            shown = words.visible(system.system)
            raise ObservationError(
                f"no endpoint of the system {shown} answered"
                + (f": {words.visible(why)}" if why else "")
            )


def _doubts(watch: Endpoints) -> Iterator[str]:
    """Yield what makes the watching incomplete, in one line each."""
    for endpoint in watch.endpoints:
        if not endpoint.is_up:
            yield (
                f"{words.visible(endpoint.endpoint)} did not answer"
                f" ({words.visible(endpoint.last_error or 'not polled yet')})."
            )
    yield from _failing("accounts", watch.inventories)
    yield from _failing("endpoints", watch.discoveries)
    for system in watch.systems:
        shown = words.visible(system.system)
        for each in system.unwatched:
            who, how = unwatchedwords.who(each), unwatchedwords.how(each)
            yield (
                f"System {shown}: {words.visible(who)} holds verdicts back"
                f" ({words.visible(how)})."
            )
        if not system.is_fresh:
            yield f"System {shown}: not every server was read lately."


def _failing(
    what: str, sources: Iterable[InventorySource | DiscoverySource]
) -> Iterator[str]:
    for each in sources:
        if not each.is_up:
            yield (
                f"System {words.visible(each.system)}: {what} may be missing, as"
                f" {words.visible(each.source)} could not be read"
                f" ({words.visible(each.last_error or 'not read yet')})."
            )


def matching(accounts: Iterable[Account], asked: Iterable[FailOn]) -> dict[FailOn, int]:
    """Return how many accounts are such as were asked for; none is left out."""
    everybody = tuple(accounts)
    counts = {each: sum(map(each.matches, everybody)) for each in dict.fromkeys(asked)}
    return {each: count for each, count in counts.items() if count}
