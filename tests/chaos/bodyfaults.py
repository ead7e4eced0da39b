"""The faults of what bodies say, their HTTP in order."""

from __future__ import annotations

from typing import Any

from nats_idle_exporter.monitoring.failures import IDENTITY, OVERSIZED, PAYLOAD, STATUS
from tests.chaos import editing as e
from tests.chaos import sending as s
from tests.chaos.faults import (
    ACCSTATZ,
    ALL,
    CALM,
    CONNZ,
    GATEWAYZ,
    GOOD,
    HTTP_FAULTS,
    JSZ,
    NOT_VARZ,
    ROUTEZ,
    VARZ,
    Fault,
)

_YEAR_1, _YEAR_9999 = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"
_HOUR = 3600.0
_CONNS = b'"conns": 0'
_MSGS = b'"msgs": 0'
_DEEP = b"[" * e.DEPTH + b"]" * e.DEPTH


def _payload(
    name: str, edit: e.MakesEdit, paths: tuple[str, ...] = ALL, **more: Any
) -> Fault:
    """Return a fault that no server would show, so that nothing of it counts."""
    return Fault(name=name, expected=PAYLOAD, edit=edit, paths=paths, **more)


def _good(name: str, edit: e.MakesEdit, paths: tuple[str, ...], **more: Any) -> Fault:
    """Return a fault that is read like the truth."""
    return Fault(name=name, expected=GOOD, edit=edit, paths=paths, **more)


def _lie(name: str, edit: e.MakesEdit, paths: tuple[str, ...], **more: Any) -> Fault:
    """Return a fault that is read like the truth, and may cost the proof."""
    return _good(name, edit, paths, costs_proof=True, **more)


def _wrapped(body: bytes) -> bytes:
    return b"[" + body + b"]"


def _repeated(body: bytes) -> bytes:
    """Return the body with each of its keys a second time."""
    return body[:-1] + b", " + body[1:]


def _nulls(body: dict[str, Any]) -> None:
    body.update(dict.fromkeys(body))


def _reloaded(varz: dict[str, Any]) -> None:
    varz["config_load_time"] = varz["now"]


_SHAPES = [
    _payload("garbage", e.content(bytes(range(256)))),
    _payload("empty body", e.content(b"")),
    _payload("only null", e.content(b"null")),
    _payload("a page for people", e.content(b"<html><body>Welcome</body></html>")),
    _payload("list instead of object", e.bodies(_wrapped)),
    _payload("byte order mark", e.bodies(lambda body: b"\xef\xbb\xbf" + body)),
    _payload("UTF-16", e.bodies(lambda body: body.decode().encode("utf-16"))),
    _payload("more after the end", e.bodies(lambda body: body + b"{}")),
    _payload("cut", e.bodies(lambda body: body[: len(body) // 2])),
    _payload("invalid UTF-8", e.replaced(b'"RAISED"', b'"R\xff\xfe"'), ACCSTATZ),
    _payload("lone surrogate", e.replaced(b'"RAISED"', b'"\\ud800"'), ACCSTATZ),
    _payload("nested 10^5 deep", e.content(_DEEP)),
    _payload(
        "nested in what is skipped",
        e.bodies(lambda body: body[:-1] + b', "x": ' + _DEEP + b"}"),
    ),
    _good("duplicate keys", e.bodies(_repeated), ALL),
]

_NUMBERS = [
    _payload(
        "count beyond 64 bit", e.replaced(_CONNS, b'"conns": %d' % 2**64), ACCSTATZ
    ),
    _payload("count beyond 63 bit", e.replaced(_MSGS, b'"msgs": %d' % 2**63), ACCSTATZ),
    _payload(
        "count of 400 digits", e.replaced(_MSGS, b'"msgs": ' + b"9" * 400), ACCSTATZ
    ),
    _payload("count is NaN", e.replaced(_MSGS, b'"msgs": NaN'), ACCSTATZ),
    _payload("count is Infinity", e.replaced(_MSGS, b'"msgs": Infinity'), ACCSTATZ),
    _payload("count is 1e400", e.replaced(_MSGS, b'"msgs": 1e400'), ACCSTATZ),
    _payload("count is a fraction", e.replaced(_MSGS, b'"msgs": 0.5'), ACCSTATZ),
    _payload("count negative", e.replaced(_MSGS, b'"msgs": -1'), ACCSTATZ),
    _payload("count is text", e.replaced(_CONNS, b'"conns": "0"'), ACCSTATZ),
    _payload("count is true", e.replaced(_CONNS, b'"conns": false'), ACCSTATZ),
    _payload("count is null", e.replaced(_CONNS, b'"conns": null'), ACCSTATZ),
    _payload("count missing", e.replaced(_CONNS, b'"was": 0'), ACCSTATZ),
    _payload("everything null", e.values(_nulls)),
]

_ACCOUNTS = [
    _payload("no server_id", e.dropped("server_id")),
    _payload("empty server_id", e.fields(server_id="")),
    _payload("server_id of 1 MB", e.fields(server_id="N" * 1_000_000)),
    _payload("account id of 10 MB", e.more_accounts("A" * s.MUCH), ACCSTATZ),
    _payload("version of 10 MB", e.fields(version="2" * s.MUCH), VARZ),
    _payload("account without id", e.more_accounts(""), ACCSTATZ),
    _good("account name of 10 MB", e.named("n" * s.MUCH), ACCSTATZ),
    _good("control characters", e.more_accounts("\x00\x1b[2J\n\r\u202e"), ACCSTATZ),
    Fault(
        name="a million accounts",
        expected=OVERSIZED,
        edit=e.million_accounts,
        paths=ACCSTATZ,
    ),
    _payload("an account twice", e.values(e.doubled_account), ACCSTATZ),
    _payload("no $G", e.without_account("$G"), ACCSTATZ),
    _payload("no accounts", e.fields(account_statz=[]), ACCSTATZ),
    _payload("accounts are null", e.fields(account_statz=None), ACCSTATZ),
]

_IDENTITIES = [
    Fault(name=f"{path} of another", expected=IDENTITY, asks_other=True, paths=(path,))
    for path in NOT_VARZ
] + [
    Fault(name="an identity per body", expected=IDENTITY, edit=e.many_identities),
    _lie("an identity per poll", e.new_identity, ALL),
    _lie(
        "an identity per poll at first sight", e.new_identity, ALL, is_first_sight=True
    ),
    Fault(
        name="wholly another server", expected=GOOD, asks_other=True, costs_proof=True
    ),
]

_CACHES = [
    _payload("stale varz", e.stale, VARZ),
    _payload("stale accstatz", e.stale, ACCSTATZ),
    _payload("stale connz", e.stale, CONNZ),
    _payload("all of it stale", e.stale),
]

_CLOCKS = [
    _lie("now in year 1", e.present(now=_YEAR_1), VARZ + CONNZ),
    _lie("now in year 9999", e.present(now=_YEAR_9999), VARZ + CONNZ),
    _lie(
        "now in year 9999 at first sight",
        e.present(now=_YEAR_9999),
        VARZ + CONNZ,
        is_first_sight=True,
    ),
    _payload("now in year 0", e.fields(now="0000-00-00T00:00:00Z"), VARZ),
    _payload("now without a zone", e.fields(now="2026-11-24T01:58:33"), VARZ),
    _payload("now is a number", e.fields(now=1_800_000_000), VARZ),
    _lie("start in the future", e.fields(start=_YEAR_9999), VARZ),
    _lie(
        "start in year 1 at first sight",
        e.fields(start=_YEAR_1),
        VARZ,
        is_first_sight=True,
    ),
    _payload("uptime no word", e.fields(uptime="since breakfast"), VARZ),
    _payload("uptime negative", e.fields(uptime="-5s"), VARZ),
    _payload("uptime of ages", e.fields(uptime="9999y"), VARZ),
    _payload(
        "uptime of ages at first sight",
        e.fields(uptime="9999y"),
        VARZ,
        is_first_sight=True,
    ),
    _lie("uptime zero", e.fields(uptime="0s"), VARZ),
    _lie("their clock an hour ahead", e.shifted(_HOUR), VARZ + CONNZ),
    _lie("their clock an hour behind", e.shifted(-_HOUR), VARZ + CONNZ),
    _lie("their clock only in connz", e.shifted(_HOUR), CONNZ),
    Fault(name="our clock steps ahead", expected=GOOD, our_step=_HOUR),
    Fault(
        name="our clock steps back", expected=GOOD, our_step=-_HOUR, costs_proof=True
    ),
    _lie("reloaded in every poll", e.values(_reloaded), VARZ),
]

_PARTS = [
    Fault(name="jsz fails alone", expected=STATUS, sends=s.headed(500), paths=JSZ),
    Fault(name="connz fails alone", expected=STATUS, sends=s.headed(500), paths=CONNZ),
    _payload("routez of garbage", e.content(b"}{"), ROUTEZ),
    _payload("gatewayz of lists", e.fields(outbound_gateways=[]), GATEWAYZ),
    _payload("jsz of jsz", e.fields(account_details=[{}]), JSZ),
    _payload("connz without total", e.dropped("total"), CONNZ),
    _lie("ring longer than any", e.crowded_ring, CONNZ),
    _lie("ring ends in year 1", e.stopped(_YEAR_1), CONNZ),
    _lie("ring ends in year 9999", e.stopped(_YEAR_9999), CONNZ),
    _lie(
        "more open than accepted",
        e.fields(connections=2**62, total_connections=0),
        VARZ,
    ),
    _lie("version no number", e.fields(version="gold"), VARZ),
]

_TABLE = (
    CALM,
    *HTTP_FAULTS,
    *_SHAPES,
    *_NUMBERS,
    *_ACCOUNTS,
    *_IDENTITIES,
    *_CACHES,
    *_CLOCKS,
    *_PARTS,
)
FAULTS = {fault.name: fault for fault in _TABLE}
"""By name, the calm first."""
if len(FAULTS) != len(_TABLE):
    raise ValueError("two faults have one name")
