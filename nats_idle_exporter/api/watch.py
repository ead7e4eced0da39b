"""A snapshot -> what the API says of how well everything is watched."""

from __future__ import annotations

import msgspec

from nats_idle_exporter.activity import ServerView, SystemView
from nats_idle_exporter.api import model
from nats_idle_exporter.snapshot import (
    DiscoveryStatus,
    EndpointStatus,
    InventoryStatus,
    Snapshot,
)


def endpoints(snapshot: Snapshot) -> model.Endpoints:
    """Return what is watched, sorted."""
    servers = {
        (system, server.endpoint): server
        for system, view in snapshot.systems.items()
        for server in view.servers
    }
    return model.Endpoints(
        as_of_at=snapshot.completed_at,
        systems=tuple(
            _system(name, view, unwatched(snapshot, name))
            for name, view in sorted(snapshot.systems.items())
        ),
        endpoints=tuple(
            _endpoint(status, servers.get((status.system, status.endpoint)))
            for status in sorted(snapshot.endpoints, key=_place)
        ),
        inventories=tuple(
            msgspec.convert(status, model.InventorySource, from_attributes=True)
            for status in sorted(snapshot.inventories, key=_source)
        ),
        discoveries=tuple(
            msgspec.convert(status, model.DiscoverySource, from_attributes=True)
            for status in sorted(snapshot.discoveries, key=_source)
        ),
    )


def unwatched(snapshot: Snapshot, system: str) -> tuple[model.Unwatched, ...]:
    """Return who holds verdicts back in a system, sorted."""
    return tuple(
        model.Unwatched(kind=kind, who=who, **peer._asdict())
        for (kind, who), peer in sorted(snapshot.unwatched(system))
    )


def _place(status: EndpointStatus) -> tuple[str, str]:
    return status.system, status.endpoint


def _source(status: InventoryStatus | DiscoveryStatus) -> tuple[str, str]:
    return status.system, status.source


def _system(
    name: str, view: SystemView, unwatched: tuple[model.Unwatched, ...]
) -> model.System:
    return model.System(
        system=name,
        watched_to_at=view.watched_to_at,
        is_fresh=view.is_fresh,
        unwatched=unwatched,
        accounts={str(verdict): count for verdict, count in view.counts.items()},
    )


def _endpoint(status: EndpointStatus, server: ServerView | None) -> model.Endpoint:
    told = None
    # An endpoint that never answered has a server without an id.
    if server is not None and server.server_id:
        told = model.Server(
            server_id=server.server_id,
            server_name=server.server_name,
            nats_cluster=server.nats_cluster,
            version=server.version,
        )
    return model.Endpoint(
        system=status.system,
        endpoint=status.endpoint,
        is_up=status.is_up,
        polls=status.polls,
        errors=dict(status.errors),
        poll_duration_seconds=status.poll_duration_seconds,
        last_success_at=status.last_success_at,
        last_error=status.last_error,
        server=told,
    )
