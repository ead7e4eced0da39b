"""The configuration as it is in use, in YAML, with every secret masked."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec
import yaml

from nats_idle_exporter.config.durations import format_duration
from nats_idle_exporter.config.endpoints import Endpoint
from nats_idle_exporter.config.httpclient import HttpClient, decode_headers
from nats_idle_exporter.config.schema import Config
from nats_idle_exporter.secret import SHOWN, Secret


def render_config(config: Config) -> str:
    """Return the configuration, defaults included, that loads to an equal one.

    But for secrets: each is shown as ``<secret>``.
    """
    rendered: str = yaml.safe_dump(
        _plain(config), sort_keys=False, allow_unicode=True, width=1000
    )
    return rendered


def _plain(value: Any) -> Any:
    match value:
        case HttpClient():
            headers = decode_headers(value.http_headers)
            shown = msgspec.structs.replace(value, http_headers=headers)
            plain: Any = _fields(shown)
        case msgspec.Struct():
            plain = _fields(value)
        case Endpoint():
            plain = {"url": str(value), **_plain(value.client)}
        case Enum():
            plain = value.value
        case Secret():
            plain = SHOWN
        case dict():
            plain = {key: _plain(each) for key, each in value.items()}
        case tuple():
            plain = [_plain(each) for each in value]
        case _:
            plain = value
    return plain


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    """Return the keys of a mapping that say something."""
    plain: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if value is None or value in ({}, (), ""):
            continue
        is_duration = field.name.endswith("_seconds")
        shown = format_duration(value) if is_duration else _plain(value)
        if shown != {}:
            plain[field.encode_name] = shown
    return plain
