"""Which format and encoding a client wants: pure, and never an error.

A client that accepts nothing we have still gets the text format, unencoded, as
the Prometheus world does: a refusal would help nobody. Weights and ranges are
those of RFC 9110, section 12.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from nats_idle_exporter.metrics.exposition import Format

_ESCAPINGS = frozenset({"allow-utf-8", "underscores", "values"})
"""Schemes under which names made of letters and ``_`` stay as they are.

``dots`` is not one of them: it doubles underscores, which our names contain.
"""
_QUOTED = r'"(?:\\.|[^"\\])*"?'
_ELEMENT = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PARAMETER = re.compile(rf'(?:[^;"]|{_QUOTED})+')
_QUOTED_PAIR = re.compile(r"\\(.)")
_WEIGHT = re.compile(r"0?\.[0-9]+|0\.?|1(?:\.0*)?")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")


class Encoding(StrEnum):
    """How the page's bytes travel."""

    IDENTITY = "identity"
    GZIP = "gzip"


class Choice(NamedTuple):
    """What to answer with.

    ``escaping`` is "" unless the client asked for one; only OpenMetrics has it.
    """

    format: Format
    encoding: Encoding
    escaping: str = ""

    @property
    def content_type(self) -> str:
        """Return the Content-Type header's value."""
        suffix = f"; escaping={self.escaping}" if self.escaping else ""
        return self.format.value + suffix


class _Range(NamedTuple):
    """One element of an Accept or Accept-Encoding header."""

    name: str
    weight: float
    parameters: Mapping[str, str] = MappingProxyType({})


class _Match(NamedTuple):
    """How well a format fits: its weight, and how exactly it was named."""

    weight: float = 0.0
    exactness: int = 0
    escaping: str = ""


def negotiate(accept: str | None, accept_encoding: str | None) -> Choice:
    """Choose by the request's two headers; None is a header that was not sent."""
    ranges = list(_iter_ranges(accept or ""))
    text = _match(ranges, "text/plain")
    openmetrics = _match(ranges, "application/openmetrics-text")
    encoding = _choose_encoding(accept_encoding or "")
    if _is_openmetrics_better(openmetrics, text):
        return Choice(Format.OPENMETRICS, encoding, openmetrics.escaping)
    return Choice(Format.TEXT, encoding)


def _is_openmetrics_better(openmetrics: _Match, text: _Match) -> bool:
    """Say whether OpenMetrics wins: on a tie when more than ``*/*`` named it."""
    if openmetrics.weight == 0.0:
        return False
    if openmetrics[:2] == text[:2]:
        return openmetrics.exactness > 0
    return openmetrics[:2] > text[:2]


def _match(ranges: list[_Range], media_type: str) -> _Match:
    """Return the best among the ranges that name the type most exactly."""
    names = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    matches = [
        _Match(range_.weight, names.index(range_.name), _escaping(range_))
        for range_ in ranges
        if range_.name in names and _has_readable_version(range_)
    ]
    exactness = max((match.exactness for match in matches), default=0)
    exact = (match for match in matches if match.exactness == exactness)
    return max(exact, key=attrgetter("weight"), default=_Match())


def _has_readable_version(range_: _Range) -> bool:
    """Say whether the range can be served.

    A version that we do not know is answered with ours: the client then reads
    our Content-Type, as the OpenMetrics 2.0 guide tells exposers to do.
    """
    return bool(_VERSION.fullmatch(range_.parameters.get("version", "1.0.0")))


def _escaping(range_: _Range) -> str:
    """Return the escaping that was asked for where it changes nothing, else ""."""
    asked = range_.parameters.get("escaping", "").lower()
    return asked if asked in _ESCAPINGS else ""


def _choose_encoding(header: str) -> Encoding:
    weights: dict[str, float] = {}
    for range_ in _iter_ranges(header):
        name = "gzip" if range_.name == "x-gzip" else range_.name
        weights[name] = max(range_.weight, weights.get(name, 0.0))
    anything = weights.get("*", 0.0)
    gzip = weights.get("gzip", anything)
    is_gzip = gzip > 0 and gzip >= weights.get("identity", 0.0)
    return Encoding.GZIP if is_gzip else Encoding.IDENTITY


def _iter_ranges(header: str) -> Iterator[_Range]:
    """Yield the readable elements; a malformed one counts as not sent."""
    for element in _ELEMENT.findall(header):
        name, *rest = _PARAMETER.findall(element) or [""]
        parameters = dict(map(_parse_parameter, rest))
        weight = parameters.pop("q", "1")
        if name.strip() and _WEIGHT.fullmatch(weight):
            yield _Range(name.strip().lower(), float(weight), parameters)


def _parse_parameter(text: str) -> tuple[str, str]:
    """Return a parameter's name and value, its quotes taken off."""
    name, _, value = text.partition("=")
    value = value.strip()
    if value.startswith('"'):
        value = _QUOTED_PAIR.sub(r"\1", value[1:].removesuffix('"'))
    return name.strip().lower(), value
