"""The proof that an account is unused: pure code, no I/O, no clock.

Facts go in through :class:`Ledger`, a :class:`SystemView` comes out at the end
of each cycle. Nothing here awaits, reads a clock, opens a file or logs.
"""

from nats_idle_exporter.activity.bridge import Clocks
from nats_idle_exporter.activity.facts import (
    NO_TRAFFIC,
    Closed,
    Consumer,
    Instant,
    JetStreamRound,
    Listed,
    Listing,
    Peer,
    Reading,
    Ring,
    Row,
    ServerFacts,
    Stream,
    Traffic,
)
from nats_idle_exporter.activity.ledger import Ledger
from nats_idle_exporter.activity.policy import BriefConnections, Cadence, Policy, Rules
from nats_idle_exporter.activity.roster import Source
from nats_idle_exporter.activity.rows import Changes, DamagedRows, SavedRow
from nats_idle_exporter.activity.stock import Origin, Reserved, Stock, StoredStream
from nats_idle_exporter.activity.timeline import Timeline
from nats_idle_exporter.activity.view import (
    AccountView,
    Evidence,
    EvidenceKind,
    Inventory,
    Reason,
    ServerView,
    SystemView,
    Unwatched,
    UnwatchedKind,
    Verdict,
)

__all__ = [
    "NO_TRAFFIC",
    "AccountView",
    "BriefConnections",
    "Cadence",
    "Changes",
    "Clocks",
    "Closed",
    "Consumer",
    "DamagedRows",
    "Evidence",
    "EvidenceKind",
    "Instant",
    "Inventory",
    "JetStreamRound",
    "Ledger",
    "Listed",
    "Listing",
    "Origin",
    "Peer",
    "Policy",
    "Reading",
    "Reason",
    "Reserved",
    "Ring",
    "Row",
    "Rules",
    "SavedRow",
    "ServerFacts",
    "ServerView",
    "Source",
    "Stock",
    "StoredStream",
    "Stream",
    "SystemView",
    "Timeline",
    "Traffic",
    "Unwatched",
    "UnwatchedKind",
    "Verdict",
]
