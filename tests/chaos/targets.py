"""What is fuzzed: everything that reads words of strangers or of operators.

A target takes any bytes. It may refuse them with the one error that is written
down for it; any other error, and any fact that cannot be, is a flaw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring import wire
from nats_idle_exporter.monitoring.inquiry.answers import Answer, decode_answer
from nats_idle_exporter.monitoring.ring import MOST_PAGES, PAGE, RingMemory, RingSearch
from tests.chaos.entrances import INVENTORIES, Target
from tests.chaos.keepsakes import KEPT
from tests.chaos.reports import REPORTS
from tests.chaos.writings import WRITTEN
from tests.monitoring import builders

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests" / "monitoring" / "captures"
MOST_SEEDS = 40
LONGEST_DETAIL = 200
_YEAR_1, _YEAR_10000 = -62_200_000_000, 253_500_000_000


def _captured(pattern: str) -> list[bytes]:
    """Return real bodies, spread over versions and scenarios, the small first."""
    found = sorted(CAPTURES.rglob(pattern), key=lambda path: path.stat().st_size)
    return [path.read_bytes() for path in found[:: 1 + len(found) // MOST_SEEDS]]


def _decoder(
    decode: Callable[[bytes], tuple[str, Any]], pattern: str, *more: dict[str, Any]
) -> Target:
    def run(data: bytes) -> None:
        try:
            server_id, told = decode(data)
        except EndpointError as error:
            refused = error
        else:
            assert server_id
            _check(told)
            return
        assert refused.reason == "payload"
        assert refused.detail.isprintable()
        assert len(refused.detail) <= LONGEST_DETAIL

    return Target(run, [*_captured(pattern), *map(builders.dump, more)])


def _check(told: Any) -> None:
    """Require that facts are such as the heart can count with."""
    match told:
        case wire.Varz(server=server):
            assert 0 <= server.uptime_seconds < math.inf
            for at in (server.now_at, server.start_at, server.loaded_at):
                assert _YEAR_1 <= at <= _YEAR_10000
        case wire.ClosedPage():
            assert _YEAR_1 <= told.now_at <= _YEAR_10000
            assert all(entry.stop_at >= _YEAR_1 for entry in told.entries)
        case Answer():
            assert told.account
            assert told.exports >= 0
            for each in told.imports or ():
                assert each.account
                assert each.local_subject or not each.subject
            assert told.claimed is None or told.claimed.account == told.account
        case wire.JetStreamPage():
            for stream in told.stock.streams:
                assert min(stream.messages, stream.bytes, stream.consumers) >= 0
            for _, amounts in told.stock.reserved:
                assert all(each is None or 0 <= each < 2**63 for each in amounts)
        case tuple() if told and hasattr(told[0], "account"):
            accounts = {row.account for row in told}
            assert len(accounts) == len(told)
            assert all(1 <= len(account) <= 1024 for account in accounts)
            assert all(count >= 0 for row in told for count in row.total)
            assert all(len(row.name) <= wire.LONGEST_NAME for row in told)


class _Choices:
    """Small numbers out of bytes, zeros without end after the last."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, limit: int) -> int:
        return next(self._bytes, 0) % limit


def search_ring(data: bytes) -> None:
    """Search a ring whose pages say what they like, twice in a row."""
    choices = _Choices(data)
    memory: RingMemory | None = None
    for _ in range(2):
        search = RingSearch(_varz(choices), _page(choices, 1), memory)
        for _ in range(MOST_PAGES + 1):
            if search.next_offset is None:
                break
            search.add(_page(choices, PAGE))
        assert search.next_offset is None
        ring, memory = search.ring(), search.memory()
        assert all(0 <= closed.age_seconds < math.inf for closed in ring.new)
        assert len({closed.account for closed in ring.new}) == len(ring.new)


def _varz(choices: _Choices) -> wire.Varz:
    body = builders.varz(
        now=builders.moment(1_800_000_000 + 60 * (choices.below(256) - 128)),
        uptime=f"{choices.below(256)}m",
        total_connections=choices.below(256),
        connections=choices.below(8),
    )
    return wire.decode_varz(builders.dump(body))[1]


def _page(choices: _Choices, most: int) -> wire.ClosedPage:
    """Return a page as long as asked for, or shorter, of few different entries."""
    now_at = 1_800_000_000.0 + 60 * (choices.below(256) - 128)
    length = most if choices.below(3) else choices.below(most + 1)
    first, step = choices.below(256), choices.below(3)
    stops = [now_at - 30 * (choices.below(256) - 16), math.inf]
    is_client = choices.below(4) > 0
    entries = tuple(
        wire.ClosedEntry(
            first + step * at,
            ("", "A", "B")[at % 3],
            is_client,
            stops[choices.below(8) == 1] - at,
        )
        for at in range(length)
    )
    return wire.ClosedPage(now_at, choices.below(256) * 100, entries)


TARGETS = {
    "varz": _decoder(wire.decode_varz, "*varz*.json"),
    "accstatz": _decoder(wire.decode_accstatz, "*accstatz*.json"),
    "connz": _decoder(wire.decode_closed, "*connz*.json"),
    "accountz": _decoder(wire.decode_accountz, "*accountz.json"),
    "account": _decoder(wire.decode_account, "*accountz_acc_*.json"),
    "answer": _decoder(decode_answer, "*accountz_acc_*.json"),
    "routez": _decoder(wire.decode_routez, "*routez.json", builders.routez("NB")),
    "gatewayz": _decoder(wire.decode_gatewayz, "*gatewayz.json"),
    "jsz": _decoder(wire.decode_jsz, "*jsz*.json"),
    "ring": Target(search_ring, [b"", bytes(range(256)), b"\x01" * 600], 2),
    **WRITTEN,
    **INVENTORIES,
    **KEPT,
    **REPORTS,
}
"""By name."""
