"""The families that tell what stands in the way of an account's removal.

What nobody told yet has no series: it is not known, and never zero.
"""

from __future__ import annotations

from nats_idle_exporter.metrics.family import ACCOUNT_LABELS, Family, Kind

STREAMS = Family(
    "account_jetstream_streams",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Number of JetStream streams of the account over all servers, replicas counted "
    "once, as of the last whole jsz round before the last cycle; absent while not "
    "known.",
)
CONSUMERS = Family(
    "account_jetstream_consumers",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Number of JetStream consumers of the account over all its streams, as of the "
    "last whole jsz round before the last cycle; absent while not known.",
)
STORED = Family(
    "account_jetstream_bytes",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Size in bytes of what JetStream stores for the account, replicas counted once, "
    "as of the last whole jsz round before the last cycle; absent while not known.",
    "bytes",
)
RESERVED = Family(
    "account_jetstream_reserved_bytes",
    Kind.GAUGE,
    (*ACCOUNT_LABELS, "storage"),
    "Size in bytes of what JetStream sets aside for the account in memory or on disk "
    "(file), as of the last whole jsz round before the last cycle; 0 also for an "
    "account without a limit, absent while not known.",
    "bytes",
)
EXPORTS = Family(
    "account_exports",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Number of exports of the account, by accountz or its JWT, as of the last cycle; "
    "absent while not known.",
)
IMPORTERS = Family(
    "account_importers",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Number of accounts that are known to import from this one, as of the last cycle; "
    "absent while none is known and some were not asked yet.",
)
JWT_EXPIRY = Family(
    "account_jwt_expiry_timestamp_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Unix time, by the exporter's clock, at which the account's JWT expires, as of the "
    "last cycle; absent when it never does, and while not known.",
    "seconds",
)
REMOVABLE = Family(
    "account_removable",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "1 when the account is inactive and every check of its removal passes, else 0, as "
    "of the last cycle; what is not known is no pass.",
)
BLOCKERS = Family(
    "account_removal_blockers",
    Kind.GAUGE,
    (*ACCOUNT_LABELS, "reason"),
    "Number of things that stand in the way of an inactive account's removal, by the "
    "check that they fail, or that could not be made (unknown), as of the last cycle; "
    "absent when there are none, and for accounts that are not inactive.",
)
DISABLED_AT = Family(
    "account_disabled_timestamp_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Unix time, by the exporter's clock, since when nobody may connect to the account, "
    "by the configuration or as first seen, as of the last cycle; absent when it is "
    "not disabled.",
    "seconds",
)
GRACE_ENDS_AT = Family(
    "account_grace_expiry_timestamp_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Unix time, by the exporter's clock, at which the grace time of a disabled account "
    "ends, as of the last cycle; absent when it is not disabled.",
    "seconds",
)
EXEMPTION_ENDS_AT = Family(
    "account_exemption_expiry_timestamp_seconds",
    Kind.GAUGE,
    ACCOUNT_LABELS,
    "Unix time, by the exporter's clock, at which the account's exemption ends or "
    "ended, as configured, as of the last cycle; absent without an exemption.",
    "seconds",
)
REACTIVATIONS = Family(
    "account_reactivations_total",
    Kind.COUNTER,
    ACCOUNT_LABELS,
    "Number of times that the account was used again after it was inactive or "
    "disabled, since it is known, as of the last cycle.",
)

REMOVAL_FAMILIES: tuple[Family, ...] = (
    STREAMS,
    CONSUMERS,
    STORED,
    RESERVED,
    EXPORTS,
    IMPORTERS,
    JWT_EXPIRY,
    REMOVABLE,
    BLOCKERS,
    DISABLED_AT,
    GRACE_ENDS_AT,
    EXEMPTION_ENDS_AT,
    REACTIVATIONS,
)
