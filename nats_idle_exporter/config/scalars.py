"""Single values of the configuration: what each may be, and what is said if not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nats_idle_exporter.config.durations import parse_duration
from nats_idle_exporter.lookups import parse_place
from nats_idle_exporter.secret import Secret
from nats_idle_exporter.text import one_line, shorten
from nats_idle_exporter.urls import (
    UrlError,
    parse_nats_url,
    without_credentials,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    # A configuration holds plain values; only the decoder needs to tell a
    # duration from a number and a URL from a name.
    Seconds = float
    Moment = float
    Text = str
    EndpointUrl = str
    NatsUrl = str
    FilePattern = str
    Flag = bool
    PlainType = type
else:

    class PlainType(type):
        """A type that stands for a plain one, so that its values are read."""

        # The decoder asks whether a reader's result is of the type it read for.
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, cls.plain)

    class Seconds(metaclass=PlainType):
        """A duration above 0, read to seconds."""

        plain = float

    class Moment(metaclass=PlainType):
        """A date or a timestamp, read to Unix seconds; UTC unless it tells."""

        plain = float

    class Text(metaclass=PlainType):
        """Printable text that is not empty."""

        plain = str

    class EndpointUrl(metaclass=PlainType):
        """A plain http or https URL or a lookup, read without a trailing slash."""

        plain = str

    class NatsUrl(metaclass=PlainType):
        """A plain nats or tls URL."""

        plain = str

    class FilePattern(metaclass=PlainType):
        """A path of files of targets, maybe with a * in its last part."""

        plain = str

    class Flag(metaclass=PlainType):
        """A truth value, in any of the words that YAML has for one."""

        plain = bool


DURATION_EXPECTED = "a duration like 24h"
BOOLEAN = "true or false"
_TRUE = frozenset({"true", "yes", "on"})
POSITIVE_EXPECTED = "a duration above 0, like 24h"
MOMENT_EXPECTED = "a date like 2027-01-31, or 2027-01-31T09:00:00Z"
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII
)

# As Prometheus has it.
_PATTERN = re.compile(r"[^*]*(\*[^/*]*)?\.(json|yml|yaml|JSON|YML|YAML)")


@dataclass(frozen=True, slots=True)
class Misread:
    """A scalar that YAML takes for something else than the text it shows."""

    text: str
    kind: str


class ScalarError(ValueError):
    """A value that its key cannot take; ``inside`` is the path below that key."""

    def __init__(self, *, expected: str, found: str, inside: str = "") -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found
        self.inside = inside


def describe(value: Any) -> str:
    """Return a decoded YAML value as one short line without credentials."""
    match value:
        case None:
            return "nothing"
        case Misread(text, kind):
            return f"{shorten(one_line(text))}, which YAML reads as {kind}"
        case str():
            shown = without_credentials(value) if "@" in value else value
            return f'"{shorten(one_line(shown))}"'
        case list():
            return "a list" if value else "an empty list"
        case dict():
            return "a mapping"
        case _:
            return str(value)


def describe_kind(value: Any) -> str:
    """Return what a value is, where it may be a secret in a wrong place."""
    return "text" if read_word(value) is not None else describe(value)


def read_scalar(kind: type, value: Any) -> Any:
    """Return what the decoder asks for; the decoder adds the ``$.path``.

    Raises:
        ScalarError: the value cannot be of that kind.
    """
    return _READERS[kind](value)


def _read_seconds(value: Any) -> float:
    if not isinstance(value, str):
        raise ScalarError(expected=DURATION_EXPECTED, found=describe(value))
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise ScalarError(expected=DURATION_EXPECTED, found=describe(value)) from error
    if seconds <= 0:
        raise ScalarError(expected=POSITIVE_EXPECTED, found=describe(value))
    return seconds


def _read_moment(value: Any) -> float:
    text = value.text if isinstance(value, Misread) else value
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        raise ScalarError(expected=MOMENT_EXPECTED, found=describe(value))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        found = f"{describe(text)}, which is none"
        raise ScalarError(expected=MOMENT_EXPECTED, found=found) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def format_moment(at: float) -> str:
    """Return a moment as the configuration reads it.

    >>> format_moment(0.0)
    '1970-01-01T00:00:00Z'
    """
    moment = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='seconds')}Z"


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ScalarError(expected="text", found=describe(value))
    if not value.isprintable():
        raise ScalarError(
            expected="text without control characters", found=describe(value)
        )
    if not value.strip():
        raise ScalarError(expected="text that is not empty", found=describe(value))
    return value


def _read_endpoint(value: Any) -> str:
    if not isinstance(value, str):
        raise ScalarError(expected="a URL like http://host:8222", found=describe(value))
    try:
        return parse_place(value)
    except UrlError as error:
        raise ScalarError(expected=error.expected, found=error.found) from error


def _read_nats_url(value: Any) -> str:
    if not isinstance(value, str):
        raise ScalarError(expected="a URL like nats://host:4222", found=describe(value))
    try:
        return parse_nats_url(value)
    except UrlError as error:
        raise ScalarError(expected=error.expected, found=error.found) from error


def _read_pattern(value: Any) -> str:
    text = _read_text(value)
    if not _PATTERN.fullmatch(text):
        raise ScalarError(
            expected="a path that ends in .json, .yml or .yaml, with at most one *, "
            "in its last part",
            found=describe(text),
        )
    return text


def read_word(value: Any) -> str | None:
    """Return a scalar as it is written, whatever YAML takes it for; else None."""
    match value:
        case str():
            return value
        case int():
            return str(value)
        case Misread(text, _):
            return text
        case _:
            return None


def _read_secret(value: Any) -> Secret:
    text = read_word(value)
    if not text:
        # What stands there instead may be half of a secret: its kind is enough.
        found = describe(value) if isinstance(value, (list, dict)) else "nothing"
        raise ScalarError(expected="text", found=found)
    return Secret(text)


def _read_flag(value: Any) -> bool:
    if isinstance(value, Misread) and value.kind == BOOLEAN:
        return value.text.lower() in _TRUE
    raise ScalarError(expected=BOOLEAN, found=describe(value))


_READERS: dict[type, Callable[[Any], Any]] = {
    Seconds: _read_seconds,
    Moment: _read_moment,
    Text: _read_text,
    EndpointUrl: _read_endpoint,
    NatsUrl: _read_nats_url,
    FilePattern: _read_pattern,
    Flag: _read_flag,
    Secret: _read_secret,
}
