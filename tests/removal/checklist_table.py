"""The checklist as a table: a case, an item of it, and how that item stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nats_idle_exporter.removal.checklist import Case
from nats_idle_exporter.removal.dossier import Check, Outcome
from nats_idle_exporter.removal.facts import (
    UNLIMITED,
    Copy,
    Holdings,
    Jwt,
    Limits,
    Role,
    Told,
)
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry, Exemption
from tests.removal.cases import (
    APPROVED,
    DAY,
    HOLDINGS,
    JWT,
    NOW,
    USE,
    a_case,
    an_importer,
)

OLD = NOW - DAY - 1
PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


def used(**changes: Any) -> Case:
    """Return a case of which the proof says something else."""
    return a_case(USE._replace(**changes))


def held(**changes: Any) -> Case:
    """Return a case of which JetStream tells something."""
    return a_case(holdings=Holdings(as_of_at=NOW, **changes))


def operated(jwt: Jwt | None = JWT, **changes: Any) -> Case:
    """Return a case of operator mode, with limits that let clients in."""
    facts = {"limits": Limits(UNLIMITED, 5), "jwt": jwt, "is_operator_mode": True}
    return a_case(**(facts | changes))


def exempt(until_at: float) -> Case:
    """Return a case with an exemption."""
    exemption = Exemption(until_at, "yearly", "ann")
    return a_case(entry=APPROVED._replace(exemption=exemption))


USED = {"verdict": "active", "idle_seconds": 3600.0, "last_use_at": NOW - 3600}
EXEMPT = {"verdict": "exempt"}
SHORT = {"idle_seconds": 3600.0 * 3, "is_observed": False}
UNSURE = {"verdict": "unknown", "reason": "watched_too_short"}
OVER = replace(JWT, expires_at=NOW - 60)

TABLE: list[tuple[Case, Check, Outcome, int, str]] = [
    (used(), Check.CONNECTIONS, PASS, 0, "0 client connections and 0 leafnode links"),
    (
        used(connections=1, leafnodes=2),
        Check.CONNECTIONS,
        FAIL,
        3,
        "1 client connection and 2 leafnode links now",
    ),
    (used(reason="outdated"), Check.CONNECTIONS, UNKNOWN, 1, "some server was not"),
    (used(reason="what is this"), Check.CONNECTIONS, UNKNOWN, 1, "some server was not"),
    (used(**UNSURE), Check.CONNECTIONS, PASS, 0, "0 client connections"),
    (used(reason="jetstream_outdated"), Check.CONNECTIONS, PASS, 0, "0 client"),
    (used(), Check.USE, PASS, 0, "no use for its threshold of 1d; never seen in use"),
    (
        used(last_use_at=NOW - 3 * DAY, evidence="sent"),
        Check.USE,
        PASS,
        0,
        "no use for its threshold of 1d; last seen on 2027-01-12 by sent",
    ),
    (used(**USED), Check.USE, FAIL, 1, "in use within its threshold of 1d: last seen"),
    (used(**SHORT, reason="outdated"), Check.USE, PASS, 0, "no use for its"),
    (used(**UNSURE), Check.USE, UNKNOWN, 1, "no use seen, but not proven either; nev"),
    (used(verdict=""), Check.USE, UNKNOWN, 1, "no use seen, but not proven"),
    (used(**EXEMPT), Check.USE, PASS, 0, "no use for its threshold"),
    (used(**EXEMPT, is_observed=False), Check.USE, UNKNOWN, 1, "no use seen, but"),
    (used(**EXEMPT, idle_seconds=DAY - 1), Check.USE, UNKNOWN, 1, "no use seen, but"),
    (
        used(),
        Check.WATCHED,
        PASS,
        0,
        "proven unused for 3d of its threshold of 1d, since 2027-01-12 and up to now",
    ),
    (used(idle_seconds=DAY), Check.WATCHED, PASS, 0, "proven unused for 1d of its"),
    (
        used(**UNSURE, **SHORT),
        Check.WATCHED,
        FAIL,
        1,
        "proven unused for 3h of its threshold of 1d",
    ),
    (used(**USED), Check.WATCHED, FAIL, 1, "proven unused for 1h of its threshold"),
    (used(**EXEMPT, **SHORT), Check.WATCHED, FAIL, 1, "proven unused for 3h of its"),
    (used(**SHORT), Check.WATCHED, UNKNOWN, 1, "of 1d since a hole in the watching"),
    (used(reason="outdated"), Check.WATCHED, UNKNOWN, 1, "a server that counts was"),
    (used(reason="jetstream_outdated"), Check.WATCHED, UNKNOWN, 1, "its JetStream was"),
    (used(is_observed=False), Check.WATCHED, UNKNOWN, 1, "of 1d, but not up to now"),
    (
        a_case(entry=Entry(expected_at=NOW + DAY)),
        Check.WATCHED,
        FAIL,
        1,
        "its use is expected from 2027-01-16 on",
    ),
    (a_case(entry=Entry(expected_at=NOW)), Check.WATCHED, PASS, 0, "proven unused"),
    (held(), Check.STREAMS, PASS, 0, "no streams and no consumers"),
    (
        held(streams=2, consumers=1, messages=9, bytes=2048, names=("A\n", "B")),
        Check.STREAMS,
        FAIL,
        2,
        r'2 streams ("A\n", "B"), 1 consumer, 9 messages, 2.0 KiB',
    ),
    (held(consumers=3), Check.STREAMS, FAIL, 3, "0 streams, 3 consumers, 0 messages"),
    (a_case(holdings=None), Check.STREAMS, UNKNOWN, 1, "not every server told all of"),
    (
        a_case(holdings=replace(HOLDINGS, as_of_at=OLD)),
        Check.STREAMS,
        UNKNOWN,
        1,
        "told 1d ago, too long to count",
    ),
    (held(), Check.RESERVED, PASS, 0, "nothing set aside; memory: 0 bytes, storage: 0"),
    (
        held(reserved_memory_bytes=UNLIMITED, reserved_storage_bytes=UNLIMITED),
        Check.RESERVED,
        PASS,
        0,
        "nothing set aside; memory: unlimited, storage: unlimited",
    ),
    (
        held(reserved_memory_bytes=2048, reserved_storage_bytes=UNLIMITED),
        Check.RESERVED,
        FAIL,
        1,
        "memory: 2.0 KiB, storage: unlimited",
    ),
    (
        held(reserved_memory_bytes=1, reserved_storage_bytes=1),
        Check.RESERVED,
        FAIL,
        2,
        "memory: 1 byte, storage: 1 byte",
    ),
    (a_case(holdings=None), Check.RESERVED, UNKNOWN, 1, "not every server told all of"),
    (
        a_case(holdings=replace(HOLDINGS, as_of_at=OLD)),
        Check.RESERVED,
        UNKNOWN,
        1,
        "told 1d ago",
    ),
    (a_case(), Check.IMPORTERS, PASS, 0, "no account imports from it"),
    (
        a_case(importers=(an_importer(),)),
        Check.IMPORTERS,
        FAIL,
        1,
        '1 account, 1 of them active: "SHOP" (active; "orders.>")',
    ),
    (
        a_case(
            importers=(
                an_importer(name="", verdict="", told=Told.INVENTORY),
                an_importer("B", verdict="inactive", told=Told.SERVERS),
            ),
            importers_unknown=1,
        ),
        Check.IMPORTERS,
        FAIL,
        2,
        (
            '2 accounts, 0 of them active: "SHOP" (no verdict; "orders.>", told by the '
            'inventory only), "B" (inactive; "orders.>"); there may be more'
        ),
    ),
    (
        a_case(importers_unknown=None),
        Check.IMPORTERS,
        UNKNOWN,
        1,
        "none known, but not all accounts are known either",
    ),
    (
        a_case(importers_unknown=7),
        Check.IMPORTERS,
        UNKNOWN,
        7,
        "none known, but nobody told the imports of 7 accounts",
    ),
    (a_case(told_at=OLD), Check.IMPORTERS, UNKNOWN, 1, "told 1d ago"),
    (a_case(), Check.COPIES, PASS, 0, "no stream elsewhere mirrors or sources from it"),
    (
        a_case(
            copies=(
                Copy("B", "", "DAY", is_mirror=True),
                Copy("C", "c", "N", is_mirror=False),
            )
        ),
        Check.COPIES,
        FAIL,
        2,
        '"DAY" of "B" mirrors it, "N" of "c" sources it',
    ),
    (a_case(are_copies_known=False), Check.COPIES, UNKNOWN, 1, "none known, but not"),
    (a_case(told_at=OLD), Check.COPIES, UNKNOWN, 1, "told 1d ago"),
    (a_case(), Check.ROLE, PASS, 0, "the system itself does not need it"),
    (
        a_case(roles=frozenset({Role.LEAF_REMOTE, Role.SYSTEM})),
        Check.ROLE,
        FAIL,
        2,
        "the system account, the account of a server's own leafnode link",
    ),
    (a_case(account="$G"), Check.ROLE, FAIL, 1, "the global account $G"),
    (
        a_case(unknown_roles=frozenset({Role.DEFAULT, Role.AUTH_CALLOUT})),
        Check.ROLE,
        UNKNOWN,
        2,
        "it may be the account of clients without credentials, the account that answ",
    ),
    (a_case(told_at=OLD), Check.ROLE, UNKNOWN, 1, "told 1d ago"),
    (a_case(), Check.CREDENTIALS, PASS, 0, "disabled: no client and no leafnode link"),
    (operated(limits=Limits(0, 0)), Check.CREDENTIALS, PASS, 0, "disabled: no client"),
    (operated(OVER, is_expired=None), Check.CREDENTIALS, PASS, 0, "expired at 2027-01"),
    (operated(is_expired=True), Check.CREDENTIALS, PASS, 0, "its JWT has expired"),
    (operated(None, is_expired=True), Check.CREDENTIALS, PASS, 0, "its JWT has exp"),
    (
        operated(),
        Check.CREDENTIALS,
        FAIL,
        1,
        "unlimited, leafnode links: at most 5; JWT valid for ever",
    ),
    (
        operated(replace(JWT, expires_at=NOW + DAY)),
        Check.CREDENTIALS,
        FAIL,
        1,
        "JWT valid until 2027-01-16",
    ),
    (
        a_case(limits=Limits(0, 1)),
        Check.CREDENTIALS,
        FAIL,
        1,
        "connections: at most 0, leafnode links: at most 1",
    ),
    (operated(OVER), Check.CREDENTIALS, UNKNOWN, 1, "but the servers still take it"),
    (
        operated(replace(JWT, are_users_revoked=True)),
        Check.CREDENTIALS,
        UNKNOWN,
        1,
        "its users are revoked, but not those issued since then",
    ),
    (operated(limits=None), Check.CREDENTIALS, UNKNOWN, 1, "whether clients may conn"),
    (
        a_case(limits=None),
        Check.CREDENTIALS,
        UNKNOWN,
        1,
        "nobody told whether clients may connect; the inventory nats_config would",
    ),
    (a_case(told_at=OLD), Check.CREDENTIALS, UNKNOWN, 1, "told 1d ago, too long"),
    (a_case(), Check.APPROVAL, PASS, 0, 'approved by "boss"'),
    (a_case(entry=NO_ENTRY), Check.APPROVAL, FAIL, 1, "nobody approved"),
    (a_case(entry=NO_ENTRY), Check.APPROVAL, FAIL, 1, "it has no owner"),
    (a_case(entry=Entry(owner="o")), Check.APPROVAL, FAIL, 1, 'its owner is "o"'),
    (a_case(), Check.EXEMPTION, PASS, 0, "no exemption"),
    (
        exempt(NOW + DAY),
        Check.EXEMPTION,
        FAIL,
        1,
        'exempt until 2027-01-16 08:00 UTC by "ann": "yearly"',
    ),
    (exempt(NOW), Check.EXEMPTION, PASS, 0, 'by "ann" ended at 2027-01-15 08:00 UTC'),
]
