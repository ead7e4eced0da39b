"""Logging: one line per event, logfmt or JSON, ours and that of libraries alike.

Values come from strangers. In logfmt every unprintable character is escaped
and anything that could be taken for syntax is quoted, so that no account name
can forge a line or a key.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Literal, TextIO

import structlog

from nats_idle_exporter.text import one_line

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warn", "error"]
Format = Literal["logfmt", "json"]

_LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_SHOWN_LEVELS = {"warning": "warn", "critical": "error"}


def configure_logging(level: Level, log_format: Format, stream: TextIO) -> None:
    """Send every log line of the process to the stream; call it once, at start.

    Keys are ``time``, ``level``, ``msg``, then the facts. Calling it again
    replaces what was set.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(log_format, shared))
    logging.basicConfig(handlers=[handler], level=_LEVELS[level], force=True)


def _formatter(
    log_format: Format, shared: list[Processor]
) -> structlog.stdlib.ProcessorFormatter:
    renderers: dict[Format, Processor] = {
        "logfmt": render_logfmt,
        "json": structlog.processors.JSONRenderer(),
    }
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _in_order,
            renderers[log_format],
        ],
    )


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    level = str(event.pop("level"))
    return {
        "time": event.pop("time"),
        "level": _SHOWN_LEVELS.get(level, level),
        "msg": event.pop("event"),
        **event,
    }


def render_logfmt(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Return an event as one line of logfmt (a structlog processor)."""
    return " ".join(f"{key}={_logfmt_value(value)}" for key, value in event.items())


def _logfmt_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if text and text.isprintable() and not set(text) & set(' ="\\'):
        return text
    # After JSON's escapes only a few kinds of unprintable characters are left.
    return one_line(json.dumps(text, ensure_ascii=False))
