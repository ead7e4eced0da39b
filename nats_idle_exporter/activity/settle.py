"""How good the last rounds of jsz are as a reading of one account's streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nats_idle_exporter.activity.facts import Instant
from nats_idle_exporter.activity.holes import Hole
from nats_idle_exporter.activity.servers import earliest
from nats_idle_exporter.activity.told import Told, ToldAccount
from nats_idle_exporter.activity.traces import Estate, Trace


class Span(NamedTuple):
    """When the oldest and the newest of all servers' last rounds were asked.

    ``is_whole``: every server told anew since the last whole round.
    """

    oldest: Instant
    newest: Instant
    is_whole: bool


def settle_streams(estate: Estate, told: ToldAccount, span: Span) -> Hole | None:
    """Note how far the streams were read.

    Returns:
        The hole that stays when something is believed to be gone: it may have
        been used after its last good round, until the first since which it cannot
        have been there. Its consumers may have been after the last look at them.
    """
    lacking = _lacking(estate.streams, told, is_whole=span.is_whole)
    if span.is_whole and _may_have_been_there(estate, lacking):
        estate.lacking_since = span.newest
    believed = _believed(estate.streams, lacking)
    hole = None
    if believed:
        end, reach = estate.lacking_since or span.newest, estate.reach
        if any(estate.streams[name].is_consumed for name in believed):
            reach = earliest((reach, estate.consumers_reach))
        seconds = float("inf") if reach is None else end.fast - reach.fast
        hole = Hole(end.slow, seconds)
    for name in believed - told.keys():
        estate.lose(name)
    settled = {name for name in believed if _is_settled(estate.streams, name, told)}
    estate.is_lacking = lacking != settled
    if not estate.is_lacking:
        estate.lacking_since, estate.is_awaited = None, False
        estate.reach = later(estate.reach, span.oldest)
    return hole


def settle_consumers(estate: Estate, told: ToldAccount, span: Span) -> None:
    """Note how far the consumers were read, when every server told them."""
    is_complete = True
    for name, stream in estate.streams.items():
        here: Mapping[str, Told] = told[name].consumers if name in told else {}
        lacking = _lacking(stream.consumers, here, is_whole=span.is_whole)
        believed = _believed(stream.consumers, lacking)
        for each in believed - here.keys():
            del stream.consumers[each]
        settled = {e for e in believed if _is_settled(stream.consumers, e, here)}
        is_complete &= lacking == settled
    estate.is_lacking_consumers = not is_complete
    if is_complete:
        estate.consumers_reach = later(estate.consumers_reach, span.oldest)


def later(one: Instant | None, two: Instant) -> Instant:
    """Return the later of both, on each timeline."""
    if one is None:
        return two
    return Instant(max(one.slow, two.slow), max(one.fast, two.fast))


def _lacking(
    traces: Mapping[str, Trace], told: Mapping[str, Told], *, is_whole: bool
) -> set[str]:
    return {
        name
        for name, trace in traces.items()
        if trace.lacks(told[name].mark if name in told else None, is_whole=is_whole)
    }


def _may_have_been_there(estate: Estate, lacking: Iterable[str]) -> bool:
    """Say whether something that a whole round lacks was there since the one before.

    That one told it, or what it is kept by may have recovered it in between.
    """
    is_any = estate.lacking_since is None or estate.is_awaited
    return any(is_any or estate.streams[name].misses == 1 for name in lacking)


def _believed(traces: Mapping[str, Trace], lacking: Iterable[str]) -> set[str]:
    return {name for name in lacking if traces[name].is_believed}


def _is_settled(
    traces: Mapping[str, Trace], name: str, told: Mapping[str, Told]
) -> bool:
    """Believe that what is still told began anew; say whether that is all.

    Numbers above zero were reached since, which the next round shows as growth.
    """
    if name not in told:
        return True
    traces[name].settle()
    return not any(told[name].mark.counts)
