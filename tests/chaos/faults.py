"""The faults, as data: a name, what the proxy does, and how the poll must end."""

from __future__ import annotations

from dataclasses import dataclass

from nats_idle_exporter.monitoring import failures
from tests.chaos import editing as e
from tests.chaos import sending as s
from tests.monitoring.scripted import hang, head, raw, reset

GOOD = "good"
"""Instead of a reason: the poll is a reading."""

VARZ, ACCSTATZ, CONNZ = ("/varz",), ("/accstatz",), ("/connz",)
ROUTEZ, GATEWAYZ, JSZ = ("/routez",), ("/gatewayz",), ("/jsz",)
NOT_VARZ = ACCSTATZ + CONNZ + ROUTEZ + GATEWAYZ + JSZ
ALL = VARZ + NOT_VARZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which an endpoint is not itself.

    Args:
        name: unique; it is how the proxy is told.
        expected: the reason of the failed poll, or ``GOOD``.
        sends: how the answer is written.
        edit: makes what changes the body before.
        paths: whose answers are hurt; all others are true.
        is_refused: nobody listens.
        asks_other: the answers come from another server.
        our_step: seconds by which our own wall clock steps in every cycle.
        costs_proof: that which is told or done may make the proof start anew.
        is_first_sight: the endpoint is hurt before it was ever read.
    """

    name: str
    expected: str
    sends: s.Sends | None = None
    edit: e.MakesEdit = e.unchanged
    paths: tuple[str, ...] = ALL
    is_refused: bool = False
    asks_other: bool = False
    our_step: float = 0.0
    costs_proof: bool = False
    is_first_sight: bool = False


CALM = Fault(name="calm", expected=GOOD)

_TIMING = [
    Fault(name="answers late", expected=GOOD, sends=s.delayed(0.02)),
    Fault(name="answers too late", expected=failures.TIMEOUT, sends=s.delayed(30)),
    Fault(name="hangs", expected=failures.TIMEOUT, sends=s.always(hang())),
    Fault(
        name="hangs in the head",
        expected=failures.TIMEOUT,
        sends=s.always(hang(b"HTTP/1.1 200 OK\r\nContent-")),
        paths=CONNZ,
    ),
    Fault(
        name="hangs after the head",
        expected=failures.TIMEOUT,
        sends=lambda _: hang(head(Content_Length=1000)),
        paths=ACCSTATZ,
    ),
    Fault(name="hangs in the body", expected=failures.TIMEOUT, sends=s.starting(hang)),
    Fault(name="drips", expected=failures.TIMEOUT, sends=s.dripped),
    Fault(
        name="says continue for ever",
        expected=failures.PAYLOAD,
        sends=s.endless_continues,
    ),
]

_CONNECTIONS = [
    Fault(name="refused", expected=failures.UNREACHABLE, is_refused=True),
    Fault(
        name="refused at first sight",
        expected=failures.UNREACHABLE,
        is_refused=True,
        is_first_sight=True,
    ),
    Fault(name="reset", expected=failures.UNREACHABLE, sends=s.reset_at_once),
    Fault(name="closed", expected=failures.UNREACHABLE, sends=s.closed_at_once),
    Fault(
        name="reset in the head",
        expected=failures.UNREACHABLE,
        sends=s.always(reset(b"HTTP/1.1 200 OK\r\nConte")),
    ),
    Fault(
        name="reset in the body",
        expected=failures.TRUNCATED,
        sends=s.starting(reset),
        paths=ACCSTATZ,
    ),
    Fault(name="closed between bodies", expected=GOOD, sends=s.whole),
    Fault(
        name="reset after varz",
        expected=failures.UNREACHABLE,
        sends=s.reset_at_once,
        paths=NOT_VARZ,
    ),
]

_LENGTHS = [
    Fault(
        name="length too short",
        expected=failures.PAYLOAD,
        sends=s.measured(-9, raw),
    ),
    Fault(
        name="length too long, closed",
        expected=failures.TRUNCATED,
        sends=s.measured(9, raw),
    ),
    Fault(
        name="length too long, open",
        expected=failures.TIMEOUT,
        sends=s.measured(9, hang),
    ),
    Fault(
        name="length negative",
        expected=failures.PAYLOAD,
        sends=s.headed(Content_Length=-1),
    ),
    Fault(
        name="length of 31 digits",
        expected=failures.PAYLOAD,
        sends=s.headed(Content_Length=10**30),
    ),
    Fault(name="two lengths", expected=failures.PAYLOAD, sends=s.twice_measured),
    Fault(
        name="no length, half",
        expected=failures.PAYLOAD,
        sends=s.unmeasured_half,
        paths=ACCSTATZ,
    ),
    Fault(
        name="chunk size no number",
        expected=failures.PAYLOAD,
        sends=s.chunked(b"zz", raw),
    ),
    Fault(
        name="chunk size negative",
        expected=failures.PAYLOAD,
        sends=s.chunked(b"-5", raw),
    ),
    Fault(name="chunk cut", expected=failures.TRUNCATED, sends=s.half_chunk),
    Fault(name="last chunk never", expected=failures.TIMEOUT, sends=s.unended),
    Fault(name="endless body", expected=failures.OVERSIZED, sends=s.endless_body),
    Fault(name="endless chunks", expected=failures.OVERSIZED, sends=s.endless_chunks),
    Fault(
        name="endless chunks of a byte",
        expected=failures.PAYLOAD,
        sends=s.endless_small_chunks,
    ),
    Fault(name="endless chunk", expected=failures.OVERSIZED, sends=s.endless_chunk),
]

_HEADS = [
    Fault(name="HTTP 500", expected=failures.STATUS, sends=s.headed(500)),
    Fault(
        name="HTTP 500 at first sight",
        expected=failures.STATUS,
        sends=s.headed(500),
        is_first_sight=True,
    ),
    Fault(name="HTTP 404", expected=failures.STATUS, sends=s.headed(404)),
    Fault(name="HTTP 401", expected=failures.STATUS, sends=s.headed(401)),
    Fault(
        name="HTTP 204",
        expected=failures.STATUS,
        sends=s.always(raw(head(204))),
    ),
    Fault(name="HTTP 206", expected=failures.STATUS, sends=s.headed(206)),
    Fault(name="HTTP 999", expected=failures.STATUS, sends=s.headed(999)),
    Fault(name="redirect loop", expected=failures.STATUS, sends=s.redirected("/varz")),
    Fault(
        name="redirect elsewhere",
        expected=failures.STATUS,
        sends=s.redirected("http://localhost:1/varz"),
    ),
    Fault(
        name="redirect to no URL",
        expected=failures.STATUS,
        sends=s.redirected("http://[::"),
    ),
    Fault(name="header flood", expected=failures.PAYLOAD, sends=s.flooded),
    Fault(name="header of 10 MB", expected=failures.PAYLOAD, sends=s.long_line),
    Fault(name="endless header", expected=failures.PAYLOAD, sends=s.endless_line),
    Fault(
        name="not HTTP",
        expected=failures.PAYLOAD,
        sends=s.always(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    ),
    Fault(
        name="wrong content type",
        expected=GOOD,
        sends=s.headed(Content_Type="image/png"),
    ),
    Fault(
        name="gzip bomb, declared",
        expected=failures.PAYLOAD,
        sends=s.always(raw(head(Content_Encoding="gzip") + s.BOMB)),
    ),
    Fault(
        name="gzip bomb, undeclared",
        expected=failures.PAYLOAD,
        sends=s.always(raw(head() + s.BOMB)),
    ),
    Fault(
        name="gzip bomb as transfer",
        expected=failures.PAYLOAD,
        sends=s.always(raw(head(Transfer_Encoding="gzip") + s.BOMB)),
    ),
]

HTTP_FAULTS = (*_TIMING, *_CONNECTIONS, *_LENGTHS, *_HEADS)
