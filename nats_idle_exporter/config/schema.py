"""What can be configured, as data: YAML keys, Python names, defaults.

The values of a :class:`Config` that was loaded are checked; see ``checks`` for
what holds between several keys.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from nats_idle_exporter.activity.policy import BriefConnections
from nats_idle_exporter.config.endpoints import Client
from nats_idle_exporter.config.httpclient import HttpClient
from nats_idle_exporter.config.inventory import InventorySource
from nats_idle_exporter.config.scalars import (
    EndpointUrl,
    FilePattern,
    Moment,
    Seconds,
    Text,
)
from nats_idle_exporter.removal.registry import DEFAULT_GRACE_SECONDS

_MINUTE = 60.0
_DAY = 24 * 60 * _MINUTE


class System(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One independent NATS deployment and every endpoint that it is read by.

    Of ``endpoints`` some may be lookups, see :mod:`nats_idle_exporter.lookups`.
    ``http_client`` says how its endpoints are asked; one that is a mapping in the
    file has keys of its own, see :func:`..endpoints.client_of`.
    """

    endpoints: tuple[EndpointUrl, ...] = ()
    name: Text = "default"
    file_sd_files: tuple[FilePattern, ...] = ()
    http_client: Client = HttpClient()
    refresh_interval_seconds: Seconds = field(default=30.0, name="refresh_interval")
    inventory: tuple[InventorySource, ...] = ()


def file_sources(system: System) -> tuple[str, ...]:
    """Return what the sources are called that are files."""
    return tuple(f"file_sd:{pattern}" for pattern in system.file_sd_files)


class Poll(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often and how hard endpoints are polled."""

    interval_seconds: Seconds = field(default=30.0, name="interval")
    timeout_seconds: Seconds = field(default=10.0, name="timeout")
    jetstream_interval_seconds: Seconds = field(
        default=5 * _MINUTE, name="jetstream_interval"
    )
    facts_per_cycle: Annotated[int, Meta(ge=1)] = 50
    concurrency: Annotated[int, Meta(ge=1)] = 8
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 134_217_728


class Inactivity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an account counts as inactive, unless a rule says otherwise."""

    threshold_seconds: Seconds = field(default=_DAY, name="threshold")
    gap_tolerance_seconds: Seconds = field(default=5 * _MINUTE, name="gap_tolerance")
    forget_after_seconds: Seconds = field(default=30 * _DAY, name="forget_after")
    brief_connections: BriefConnections = BriefConnections.REQUIRE


class Exempt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when an account is left alone, why, and who says so: all three."""

    until_at: Moment = field(name="until")
    reason: Text
    by: Text


class Decommissioned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far an account is on its way out."""

    disabled_on_at: Moment | None = field(default=None, name="disabled_on")
    approved_by: Text = ""
    grace_seconds: Seconds = field(default=DEFAULT_GRACE_SECONDS, name="grace")


class AccountRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for the accounts whose id or name the glob matches.

    None means that the value of :class:`Inactivity` holds.
    """

    match: Text
    threshold_seconds: Seconds | None = field(default=None, name="threshold")
    gap_tolerance_seconds: Seconds | None = field(default=None, name="gap_tolerance")
    owner: Text = ""
    team: Text = ""
    environment: Text = ""
    expected_at: Moment | None = field(default=None, name="expected_start")
    contact: Text = ""
    purpose: Text = ""
    exempt: Exempt | None = None
    decommission: Decommissioned | None = None


class State(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What outlives the process, and where.

    A ``path`` that is not absolute starts at the configuration file's directory.
    """

    path: Text | None = None


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration; of ``accounts`` the first rule that matches wins.

    The rules of the ``registry_file`` come after them. It is not part of this value:
    it is read apart, and again when it changes; see :mod:`..registryfile`.
    """

    systems: Annotated[tuple[System, ...], Meta(min_length=1)]
    poll: Poll = Poll()
    inactivity: Inactivity = Inactivity()
    accounts: tuple[AccountRule, ...] = ()
    registry_file: Text | None = None
    exclude: tuple[Text, ...] = ()
    state: State = State()
