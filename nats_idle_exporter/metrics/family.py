"""What a family of metrics is; the families themselves are in the catalogue."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

PREFIX = "nats_idle_exporter_"
ACCOUNT_LABELS = ("system", "account", "account_name")
ENDPOINT_LABELS = ("system", "endpoint")
SOURCE_LABELS = ("system", "source")


class Kind(StrEnum):
    """What kind of family it is; an info family is a gauge in the text format."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"


class Family(NamedTuple):
    """One family; ``name`` is the name of its samples, suffix included."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    unit: str = ""
