"""Reading our own page back, with prometheus_client's two parsers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from nats_idle_exporter.metrics import Format

PARSERS: dict[Format, Callable[[str], Iterable[Metric]]] = {
    Format.TEXT: parse_text,
    Format.OPENMETRICS: parse_openmetrics,
}

Series = tuple[str, tuple[tuple[str, str], ...]]


def parse(form: Format, page: bytes) -> dict[Series, float]:
    """Return every series of a page; one that appears twice is a fault."""
    series: dict[Series, float] = {}
    for family in PARSERS[form](page.decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in series, f"twice: {key}"
            series[key] = sample.value
    return series


def values(form: Format, page: bytes, name: str, label: str) -> dict[str, float]:
    """Return a family's values by one of its labels."""
    return {
        dict(labels)[label]: value
        for (found, labels), value in parse(form, page).items()
        if found == name
    }
