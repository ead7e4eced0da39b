"""The two text formats: escaping, sample lines, headers; pure.

Both formats share their sample lines, so that samples are made once and only
headers differ: https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from itertools import chain

from nats_idle_exporter.metrics.family import Family, Kind

_SUFFIXES = {Kind.GAUGE: "", Kind.COUNTER: "_total", Kind.INFO: "_info"}

END = b"# EOF\n"
"""What ends an OpenMetrics page, and nothing may follow."""


class Format(Enum):
    """A format of the page; the value is its content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def escape(value: str) -> bytes:
    r"""Return a label's value as it stands between its quotes.

    A lone surrogate has no UTF-8 form and would make the whole page unreadable;
    it is spelled out as ``\udXXX``.

    >>> escape('say "hi"')
    b'say \\"hi\\"'
    """
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raw = value.encode(errors="backslashreplace")
    return raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")


@cache
def _template(names: tuple[str, ...]) -> bytes:
    return b",".join(b'%b="%%b"' % name.encode() for name in names)


def pairs(names: tuple[str, ...], values: Iterable[str]) -> bytes:
    """Return labels without their braces.

    >>> pairs(("system", "kind"), ("default", "route"))
    b'system="default",kind="route"'
    """
    return _template(names) % tuple(map(escape, values))


def sample(family: Family, values: Iterable[str], value: float) -> bytes:
    """Return one line: the family's labels filled with ``values``, and a value."""
    labels = pairs(family.labels, values)
    braced = b"{%b}" % labels if labels else b""
    return b"%b%b %a\n" % (family.name.encode(), braced, value)


def samples(
    name: str, spec: bytes, labels: Sequence[bytes], values: Iterable[float]
) -> bytes:
    """Return many lines of one family by a single formatting of bytes.

    Args:
        name: the family's name.
        spec: how a value is written, ``%d`` or ``%.3f``.
        labels: the labels of each line, braces included.
        values: as many values as labels; finite.
    """
    line = b"%b%%b %b\n" % (name.encode(), spec)
    flat = tuple(chain.from_iterable(zip(labels, values, strict=True)))
    return line * len(labels) % flat


def known_samples(
    name: str, spec: bytes, labels: Iterable[bytes], values: Iterable[float | None]
) -> bytes:
    """Return lines as :func:`samples` does, and none where a value is None."""
    known = [
        (label, value)
        for label, value in zip(labels, values, strict=True)
        if value is not None
    ]
    return samples(name, spec, [label for label, _ in known], [at for _, at in known])


def expose(
    lines: Mapping[Family, bytes], families: Iterable[Family], own: bytes, form: Format
) -> bytes:
    """Return a whole page.

    Args:
        lines: the sample lines of each family; a family may be missing.
        families: what to print, in this order, header always.
        own: complete families in the same format to put behind, without an end.
        form: the format.
    """
    header = _text_header if form is Format.TEXT else _openmetrics_header
    parts: list[bytes] = []
    for family in families:
        parts += (header(family).encode(), lines.get(family, b""))
    parts += (own, b"" if form is Format.TEXT else END)
    return b"".join(parts)


def _text_header(family: Family) -> str:
    kind = Kind.GAUGE if family.kind is Kind.INFO else family.kind
    return f"# HELP {family.name} {family.help}\n# TYPE {family.name} {kind}\n"


def _openmetrics_header(family: Family) -> str:
    """Return the header; OpenMetrics names a family without its samples' suffix."""
    name = family.name.removesuffix(_SUFFIXES[family.kind])
    unit = f"# UNIT {name} {family.unit}\n" if family.unit else ""
    return f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n{unit}"
