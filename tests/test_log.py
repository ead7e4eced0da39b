"""Logging: one line per event, whoever wrote it and whatever it holds."""

from __future__ import annotations

import io
import json
import logging
import re
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.log import Format, Level, configure_logging, render_logfmt

if TYPE_CHECKING:
    pass

TIME = r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"


pytestmark = pytest.mark.usefixtures("restored_logging")


def logged_to(level: Level = "info", log_format: Format = "logfmt") -> io.StringIO:
    """Return the stream that log lines go to from now on."""
    stream = io.StringIO()
    configure_logging(level, log_format, stream)
    return stream


def rendered(**facts: object) -> str:
    """Return facts as one line of logfmt."""
    return str(render_logfmt(None, "", facts))


def test_time_level_and_message_come_first() -> None:
    """A line starts with time in UTC, level and message; facts follow in order."""
    stream = logged_to()

    structlog.get_logger().info("poll done", zone="z", accounts=3, alias=None)

    line = stream.getvalue()
    assert re.fullmatch(
        TIME + r' level=info msg="poll done" zone=z accounts=3 alias=\n', line
    )


def test_json_has_the_same_keys() -> None:
    """The other format is one JSON object per line with the same order."""
    stream = logged_to(log_format="json")

    structlog.get_logger().warning("poll failed", endpoint="http://h", note="a\nb")

    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert list(event) == ["time", "level", "msg", "endpoint", "note"]
    assert event["level"] == "warn"
    assert event["msg"] == "poll failed"
    assert event["note"] == "a\nb"


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warn", "error"]),
        ("info", ["info", "warn", "error"]),
        ("warn", ["warn", "error"]),
        ("error", ["error"]),
    ],
)
def test_less_severe_events_are_left_out(level: Level, shown: list[str]) -> None:
    """A level shows its own events and the more severe ones, ours and others'."""
    ours, others = logged_to(level), io.StringIO()
    for severity in ("debug", "info", "warning", "error"):
        structlog.get_logger().log(logging.getLevelName(severity.upper()), "x")
    configure_logging(level, "logfmt", others)
    for severity in ("debug", "info", "warning", "error"):
        logging.getLogger("aiohttp").log(logging.getLevelName(severity.upper()), "x")

    assert re.findall(r"level=(\w+)", ours.getvalue()) == shown
    assert re.findall(r"level=(\w+)", others.getvalue()) == shown


def test_libraries_log_the_same_way() -> None:
    """Events of the standard library's logging come as lines of the same form."""
    stream = logged_to()

    logging.getLogger("aiohttp.server").critical("bad %s", "a\nb")

    line = stream.getvalue()
    assert re.fullmatch(
        TIME + r' level=error msg="bad a\\nb" logger=aiohttp\.server\n', line
    )


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_a_traceback_stays_on_its_line(log_format: Format) -> None:
    """An exception is one more fact on the line, not lines of its own."""
    stream = logged_to(log_format=log_format)
    try:
        "".index("a")
    except ValueError:
        structlog.get_logger().exception("lost")
        logging.getLogger("asyncio").exception("lost too")

    lines = stream.getvalue().splitlines()
    assert ["Traceback" in line for line in lines] == [True, True]
    assert ["exception" in line for line in lines] == [True, True]


def test_configuring_again_replaces_the_stream() -> None:
    """A second call leaves no handler of the first behind."""
    first, second = logged_to(), logged_to()

    structlog.get_logger().info("x")

    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("größe", "größe"),
        ("http://h:8222/a", "http://h:8222/a"),
        (3, "3"),
        (0.5, "0.5"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('a"b', r'"a\"b"'),
        ("a\\nb", r'"a\\nb"'),
        ("a\nb", r'"a\nb"'),
        ("a\r\tb", r'"a\r\tb"'),
        ("a\x1b[31m\x7f", r'"a\u001b[31m\x7f"'),
        ("a\u2028b\x85", r'"a\u2028b\x85"'),
        ("a\u202eb", r'"a\u202eb"'),
        ("\ud800", r'"\ud800"'),
    ],
)
def test_logfmt_quotes_what_could_be_syntax(value: object, shown: str) -> None:
    """Spaces, quotes, equals signs and unprintable characters forge nothing."""
    assert rendered(name=value) == f"name={shown}"


@given(st.text(), st.text())
def test_no_name_forges_a_line_or_a_key(name: str, other: str) -> None:
    """Whatever strangers are called, a line has its own keys and one line."""
    line = rendered(first=name, second=other)

    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "_", line)
    assert line.isprintable()
    assert bare.count("=") == 2
    assert bare.count(" ") == 1
