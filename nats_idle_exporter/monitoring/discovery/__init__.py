"""Discovery: endpoints that are found by name or in files, and change.

A lookup that fails tells nothing: what was found last stays in use.
"""

from nats_idle_exporter.monitoring.discovery.filesd import FileTargets
from nats_idle_exporter.monitoring.discovery.following import (
    FollowedDiscovery,
    KeepsDiscovery,
)
from nats_idle_exporter.monitoring.discovery.found import (
    DiscoveryError,
    FindsEndpoints,
    FoundEndpoint,
)
from nats_idle_exporter.monitoring.discovery.names import NameLookup
from nats_idle_exporter.monitoring.discovery.reader import DiscoveryReader

__all__ = [
    "DiscoveryError",
    "DiscoveryReader",
    "FileTargets",
    "FindsEndpoints",
    "FollowedDiscovery",
    "FoundEndpoint",
    "KeepsDiscovery",
    "NameLookup",
]
