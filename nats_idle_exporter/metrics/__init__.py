"""The metrics page: the catalogue of families, rendering and negotiation."""

from nats_idle_exporter.metrics.catalogue import FAMILIES
from nats_idle_exporter.metrics.exposition import Format
from nats_idle_exporter.metrics.family import Family, Kind
from nats_idle_exporter.metrics.negotiation import Choice, Encoding, negotiate
from nats_idle_exporter.metrics.page import Page, Pages, make_page
from nats_idle_exporter.metrics.process import ProcessMetrics
from nats_idle_exporter.metrics.publication import Publication, ReloadStatus
from nats_idle_exporter.metrics.refusals import NO_REFUSALS, Refusal, Refusals
from nats_idle_exporter.metrics.render import render

__all__ = [
    "FAMILIES",
    "NO_REFUSALS",
    "Choice",
    "Encoding",
    "Family",
    "Format",
    "Kind",
    "Page",
    "Pages",
    "ProcessMetrics",
    "Publication",
    "Refusal",
    "Refusals",
    "ReloadStatus",
    "make_page",
    "negotiate",
    "render",
]
