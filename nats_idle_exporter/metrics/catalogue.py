"""Every metric family that this program makes, declared once, as data.

Names appear here only, those of removal facts in :mod:`.removalfamilies`; documents,
rules and dashboards are tested against this list. The families ``process_*`` and
``python_*`` are prometheus_client's own.
"""

from __future__ import annotations

from nats_idle_exporter.metrics.family import (
    ACCOUNT_LABELS,
    ENDPOINT_LABELS,
    PREFIX,
    SOURCE_LABELS,
    Family,
    Kind,
)
from nats_idle_exporter.metrics.removalfamilies import REMOVAL_FAMILIES

ACCOUNT_INACTIVE = Family(
    "account_inactive",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "1 when absence of use was proven for the account's threshold and no use was "
    "seen since, else 0, as of the last cycle; an outage does not change it, and "
    "while a rule exempts the account it is 0.",
)
ACCOUNT_OBSERVED = Family(
    "account_observed",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "1 while the verdict is backed now, by use within the threshold or by watching "
    "every server without a hole for it, else 0, as of the last cycle.",
)
ACCOUNT_IDLE = Family(
    "account_idle_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Time for which absence of use is proven, in seconds between two moments that "
    "were both watched, as of the last cycle; it starts anew after a hole.",
    "seconds",
)
ACCOUNT_LAST_ACTIVITY = Family(
    "account_last_activity_timestamp_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Unix time, by the exporter's clock, of the newest sign of use on any server, "
    "as of the last cycle; absent when none was ever seen.",
    "seconds",
)
ACCOUNT_QUIET_SINCE = Family(
    "account_quiet_since_timestamp_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Unix time, by the exporter's clock, since when absence of use is proven, "
    "as of the last cycle.",
    "seconds",
)
ACCOUNT_THRESHOLD = Family(
    "account_inactivity_threshold_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Idle time in seconds from which the account counts as inactive, as configured, "
    "as of the last cycle.",
    "seconds",
)
ACCOUNT_CONNECTIONS = Family(
    "account_connections",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Client connections open now, summed over the servers' accstatz, "
    "as of the last cycle.",
)
ACCOUNT_LEAFNODES = Family(
    "account_leafnodes",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Leafnode connections open now, summed over the servers' accstatz, "
    "as of the last cycle.",
)
ACCOUNT_INFO = Family(
    "account_info",
    Kind.INFO,
    (*ACCOUNT_LABELS, "mode", "owner", "team", "environment", "inventory"),
    "Always 1; labels tell the system's mode (config or operator), who owns the "
    "account by the configuration or else its JWT's tags, and who lists it (both, "
    "servers_only, inventory_only; empty without an inventory), as of the last cycle.",
)
BUILD_INFO = Family(
    f"{PREFIX}build_info",
    Kind.INFO,
    ("version", "pythonversion"),
    "Always 1; labels tell the exporter's version and the Python that runs it.",
)
RELOAD_SUCCESSFUL = Family(
    f"{PREFIX}config_last_reload_successful",
    Kind.GAUGE,
    (),
    "1 when the last attempt to load the configuration succeeded, else 0, "
    "as of the last cycle.",
)
RELOAD_SUCCESS_AT = Family(
    f"{PREFIX}config_last_reload_success_timestamp_seconds",
    Kind.GAUGE,
    (),
    "Unix time, by the exporter's clock, of the last good load of the configuration, "
    "as of the last cycle.",
    "seconds",
)
ACCOUNTS = Family(
    f"{PREFIX}accounts",
    Kind.GAUGE,
    ("system", "verdict"),
    "Number of accounts by verdict, excluded ones counted too, as of the last cycle.",
)
SERVER_INFO = Family(
    f"{PREFIX}server_info",
    Kind.INFO,
    (*ENDPOINT_LABELS, "server_id", "server_name", "nats_cluster", "version"),
    "Always 1; labels tell which server last answered at the endpoint, by its varz, "
    "as of the last cycle.",
)
ENDPOINT_UP = Family(
    f"{PREFIX}endpoint_up",
    Kind.GAUGE,
    ENDPOINT_LABELS,
    "1 when the last poll of the endpoint was good, else 0, as of the last cycle.",
)
ENDPOINT_POLL_DURATION = Family(
    f"{PREFIX}endpoint_poll_duration_seconds",
    Kind.GAUGE,
    ENDPOINT_LABELS,
    "Time the last poll of the endpoint took, in seconds, good or not, "
    "as of the last cycle.",
    "seconds",
)
ENDPOINT_LAST_SUCCESS = Family(
    f"{PREFIX}endpoint_last_success_timestamp_seconds",
    Kind.GAUGE,
    ENDPOINT_LABELS,
    "Unix time, by the exporter's clock, of the last good poll of the endpoint, "
    "as of the last cycle; absent when there was none.",
    "seconds",
)
POLLS = Family(
    f"{PREFIX}polls_total",
    Kind.COUNTER,
    ENDPOINT_LABELS,
    "Number of polls of the endpoint since the exporter started, good or not, "
    "as of the last cycle.",
)
POLL_ERRORS = Family(
    f"{PREFIX}poll_errors_total",
    Kind.COUNTER,
    (*ENDPOINT_LABELS, "reason"),
    "Number of failed polls of the endpoint since the exporter started, by reason, "
    "as of the last cycle.",
)
CLOSED_RING_OVERFLOWS = Family(
    f"{PREFIX}closed_ring_overflows_total",
    Kind.COUNTER,
    ENDPOINT_LABELS,
    "Number of polls since the exporter started that found the server's list of "
    "closed connections too short to reach back to the poll before, or at a first "
    "poll to the server's start, as of the last cycle.",
)
INVENTORY_UP = Family(
    f"{PREFIX}inventory_up",
    Kind.GAUGE,
    SOURCE_LABELS,
    "1 when the source of accounts could be read at the last try, else 0, "
    "as of the last cycle.",
)
INVENTORY_ACCOUNTS = Family(
    f"{PREFIX}inventory_accounts",
    Kind.GAUGE,
    SOURCE_LABELS,
    "Number of accounts in the source when it could last be read, "
    "as of the last cycle.",
)
INVENTORY_SKIPPED = Family(
    f"{PREFIX}inventory_skipped",
    Kind.GAUGE,
    SOURCE_LABELS,
    "Number of entries of the source that could not be used, or not wholly, when it "
    "could last be read, as of the last cycle; the log names them.",
)
DISCOVERY_UP = Family(
    f"{PREFIX}discovery_up",
    Kind.GAUGE,
    SOURCE_LABELS,
    "1 when the last lookup of the source told its endpoints, else 0, "
    "as of the last cycle.",
)
DISCOVERY_ENDPOINTS = Family(
    f"{PREFIX}discovery_endpoints",
    Kind.GAUGE,
    SOURCE_LABELS,
    "Number of endpoints that the source told at the last lookup that did not fail, "
    "as of the last cycle.",
)
CYCLE_DURATION = Family(
    f"{PREFIX}cycle_duration_seconds",
    Kind.GAUGE,
    (),
    "Time the last cycle took to poll every endpoint, in seconds.",
    "seconds",
)
CYCLE_COMPLETED_AT = Family(
    f"{PREFIX}cycle_last_completed_timestamp_seconds",
    Kind.GAUGE,
    (),
    "Unix time, by the exporter's clock, at which the last cycle ended; "
    "everything here is as of then.",
    "seconds",
)
REQUESTS_REFUSED = Family(
    f"{PREFIX}http_requests_refused_total",
    Kind.COUNTER,
    ("reason",),
    "Number of requests and connections that the exporter's own web server refused "
    "since it started, by reason, as of the last cycle.",
)
STATE_LAST_SAVE_AT = Family(
    f"{PREFIX}state_last_save_timestamp_seconds",
    Kind.GAUGE,
    (),
    "Unix time, by the exporter's clock, of the last save of the state, as of the last "
    "cycle; 0 before the first, absent when the state is kept in memory only.",
    "seconds",
)
STATE_SAVE_ERRORS = Family(
    f"{PREFIX}state_save_errors_total",
    Kind.COUNTER,
    (),
    "Number of times since the exporter started that the state could not be saved, or "
    "not be opened at the start, as of the last cycle.",
)
UNWATCHED_SERVERS = Family(
    f"{PREFIX}unwatched_servers",
    Kind.GAUGE,
    ("system", "kind"),
    "Number of servers that hold verdicts back because they are not read, "
    "by how they are known, as of the last cycle.",
)
UNWATCHED_NAMED = 100
"""Servers of one system that the info family names."""
UNWATCHED_SERVER_INFO = Family(
    f"{PREFIX}unwatched_server_info",
    Kind.INFO,
    ("system", "kind", "server_id", "server_name"),
    "Always 1; labels tell which server is not read and holds verdicts back, and its "
    "name where a peer told it, as of the last cycle; the first "
    f"{UNWATCHED_NAMED} of each system by kind and id, and no endpoints.",
)

FAMILIES: tuple[Family, ...] = tuple(
    sorted(
        (
            ACCOUNT_INACTIVE,
            ACCOUNT_OBSERVED,
            ACCOUNT_IDLE,
            ACCOUNT_LAST_ACTIVITY,
            ACCOUNT_QUIET_SINCE,
            ACCOUNT_THRESHOLD,
            ACCOUNT_CONNECTIONS,
            ACCOUNT_LEAFNODES,
            ACCOUNT_INFO,
            BUILD_INFO,
            RELOAD_SUCCESSFUL,
            RELOAD_SUCCESS_AT,
            ACCOUNTS,
            SERVER_INFO,
            ENDPOINT_UP,
            ENDPOINT_POLL_DURATION,
            ENDPOINT_LAST_SUCCESS,
            POLLS,
            POLL_ERRORS,
            CLOSED_RING_OVERFLOWS,
            INVENTORY_UP,
            INVENTORY_ACCOUNTS,
            INVENTORY_SKIPPED,
            DISCOVERY_UP,
            DISCOVERY_ENDPOINTS,
            CYCLE_DURATION,
            CYCLE_COMPLETED_AT,
            REQUESTS_REFUSED,
            STATE_LAST_SAVE_AT,
            STATE_SAVE_ERRORS,
            UNWATCHED_SERVERS,
            UNWATCHED_SERVER_INFO,
            *REMOVAL_FAMILIES,
        )
    )
)
"""All families, sorted by name: the order of the page."""
