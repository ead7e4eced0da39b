"""What the page says of a publication."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from nats_idle_exporter import __version__
from nats_idle_exporter.activity import (
    Inventory,
    Peer,
    Reason,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.metrics import (
    FAMILIES,
    Format,
    ProcessMetrics,
    ReloadStatus,
    render,
)
from nats_idle_exporter.metrics.catalogue import UNWATCHED_NAMED
from nats_idle_exporter.metrics.removalfamilies import REMOVAL_FAMILIES
from nats_idle_exporter.metrics.render import BLOCK
from nats_idle_exporter.removal.dossier import Check, Outcome, Stage
from nats_idle_exporter.removal.facts import Jwt
from nats_idle_exporter.removal.registry import Entry, Exemption
from tests.metrics.builders import (
    NO_PROCESS,
    a_lookup,
    a_publication,
    a_server,
    a_snapshot,
    a_source,
    a_system,
    an_account,
    an_endpoint,
    an_evidence,
    naming,
    of_accounts,
)
from tests.metrics.dossierbuilders import (
    a_blocker,
    facts_of,
    holdings,
    with_blockers,
)
from tests.metrics.parsing import PARSERS, parse, values
from tests.removal.cases import NOW, an_importer

GOLDEN = {Format.TEXT: "page.txt", Format.OPENMETRICS: "page.openmetrics.txt"}

both_formats = pytest.mark.parametrize("form", Format, ids=lambda form: form.name)


def text_lines(page: bytes, name: str) -> list[str]:
    """Return the sample lines of a family."""
    return [line for line in page.decode().split("\n") if line.startswith(name + "{")]


@both_formats
def test_golden_page(form: Format) -> None:
    """A small page is exactly as written down."""
    unknown = an_account(
        "QUIET",
        verdict=Verdict.UNKNOWN,
        reason=Reason.WATCHED_TOO_SHORT,
        is_observed=False,
        idle_seconds=12.3456,
        last_evidence=None,
        connections=2,
        leafnodes=1,
        is_operator_mode=True,
        inventory=Inventory.INVENTORY_ONLY,
    )
    hostile = an_account('say "hi"\\')
    system = a_system(
        hostile,
        unknown,
        unwatched=[Unwatched(UnwatchedKind.ROUTE, "NPEER")],
    )
    snapshot = with_blockers(
        naming(
            a_snapshot(
                {"default": system},
                inventories=[a_source(is_up=False, skipped=2, last_error="no file")],
                discoveries=[a_lookup(is_up=False, last_error="no such name")],
            ),
            {"NPEER": Peer("n2", "east", "10.0.0.2")},
        ),
        facts={
            "QUIET": facts_of(
                unknown, holdings=None, jwt=Jwt(expires_at=NOW + 86_400), exports=None
            ),
            hostile.account: facts_of(
                hostile,
                holdings=holdings(streams=2, consumers=3, bytes=4096),
                importers=(an_importer("A"),),
            ),
        },
        blockers={
            hostile.account: (
                a_blocker(Check.STREAMS, number=5),
                a_blocker(Check.ROLE, Outcome.UNKNOWN),
            )
        },
        stages={"QUIET": Stage(NOW - 60, NOW + 60, reactivations=1)},
        entries=lambda account, _: Entry(
            owner="data",
            team="ops",
            environment=account[:2],
            exemption=Exemption(NOW - 0.5, "audit", "anna"),
        ),
    )
    publication = a_publication(snapshot)
    golden = (Path(__file__).parent / "golden" / GOLDEN[form]).read_text()
    golden = golden.replace("@VERSION@", __version__)
    golden = golden.replace("@PYTHON@", platform.python_version())

    page = render(publication, NO_PROCESS)[form]

    assert page.decode() == golden


@both_formats
def test_before_the_first_cycle_only_our_own_families_have_samples(
    form: Format,
) -> None:
    """Without a snapshot the page is valid and says nothing of accounts."""
    reload = ReloadStatus(is_successful=False, last_success_at=NOW)
    publication = a_publication(None, reload=reload)

    series = parse(form, render(publication, NO_PROCESS)[form])

    assert {name.removeprefix("nats_idle_exporter_") for name, _ in series} == {
        "build_info",
        "config_last_reload_successful",
        "config_last_reload_success_timestamp_seconds",
        "http_requests_refused_total",
        "state_last_save_timestamp_seconds",
        "state_save_errors_total",
    }
    assert series["nats_idle_exporter_config_last_reload_successful", ()] == 0
    moment = "nats_idle_exporter_config_last_reload_success_timestamp_seconds"
    assert series[moment, ()] == NOW


@both_formats
def test_state_in_memory_only(form: Format) -> None:
    """Without a file there is no time of a last save, and no error of one."""
    publication = a_publication(None, state=None)

    series = parse(form, render(publication, NO_PROCESS)[form])

    assert ("nats_idle_exporter_state_last_save_timestamp_seconds", ()) not in series
    assert series["nats_idle_exporter_state_save_errors_total", ()] == 0


@pytest.mark.parametrize(
    ("verdict", "inactive"),
    [
        (Verdict.ACTIVE, 0),
        (Verdict.INACTIVE, 1),
        (Verdict.UNKNOWN, 0),
        (Verdict.EXEMPT, 0),
    ],
)
def test_inactive_is_one_for_the_inactive_verdict_only(
    verdict: Verdict, inactive: int
) -> None:
    """Every account has the gauge, whatever its verdict."""
    publication = of_accounts(an_account(verdict=verdict))

    page = render(publication, NO_PROCESS)[Format.TEXT]

    found = values(Format.TEXT, page, "account_inactive", "account")
    assert found == {"ORDERS": inactive}


def test_last_activity_is_absent_without_evidence() -> None:
    """An account that was never seen used has no moment of last use."""
    publication = of_accounts(
        an_account("NEVER", last_evidence=None),
        an_account("ONCE", last_evidence=an_evidence(NOW - 5.5)),
    )

    page = render(publication, NO_PROCESS)[Format.TEXT]

    name = "account_last_activity_timestamp_seconds"
    assert values(Format.TEXT, page, name, "account") == {"ONCE": NOW - 5.5}


def test_last_success_is_absent_until_there_was_one() -> None:
    """An endpoint that never answered has no moment of last success."""
    silent = an_endpoint("http://b", is_up=False, last_success_at=None)
    publication = a_publication(a_snapshot(endpoints=[silent, an_endpoint("http://a")]))

    page = render(publication, NO_PROCESS)[Format.TEXT]

    def family(name: str) -> dict[str, float]:
        name = f"nats_idle_exporter_endpoint_{name}"
        return values(Format.TEXT, page, name, "endpoint")

    assert family("up") == {"http://a": 1, "http://b": 0}
    assert family("last_success_timestamp_seconds") == {"http://a": NOW - 0.5}


def test_known_label_sets_are_zero_not_absent() -> None:
    """Verdicts, kinds and reasons without a case are shown as zero."""
    snapshot = a_snapshot({"default": a_system(counts={Verdict.EXCLUDED: 2})})

    page = render(a_publication(snapshot), NO_PROCESS)[Format.TEXT]

    def family(name: str, label: str) -> dict[str, float]:
        return values(Format.TEXT, page, f"nats_idle_exporter_{name}", label)

    verdicts = dict.fromkeys(Verdict, 0) | {Verdict.EXCLUDED: 2}
    assert family("accounts", "verdict") == verdicts
    assert family("unwatched_servers", "kind") == dict.fromkeys(UnwatchedKind, 0)
    assert family("poll_errors_total", "reason") == {"timeout": 2, "unreachable": 0}


def test_unwatched_servers_are_counted_by_kind() -> None:
    """All that hold verdicts back are counted, however many are named."""
    unwatched = [
        Unwatched(UnwatchedKind.ROUTE, "NA"),
        Unwatched(UnwatchedKind.ROUTE, "NB"),
        Unwatched(UnwatchedKind.ENDPOINT, "http://c"),
    ]
    snapshot = a_snapshot({"default": a_system(unwatched=unwatched)})

    page = render(a_publication(snapshot), NO_PROCESS)[Format.TEXT]

    name = "nats_idle_exporter_unwatched_servers"
    found = values(Format.TEXT, page, name, "kind")
    assert (found["route"], found["endpoint"], found["gateway"]) == (2, 1, 0)


def test_unwatched_servers_are_named() -> None:
    """Each is told with its id, and its name where a peer told it; no endpoint is."""
    unwatched = [
        Unwatched(UnwatchedKind.ROUTE, "NB"),
        Unwatched(UnwatchedKind.ENDPOINT, "http://c"),
        Unwatched(UnwatchedKind.GATEWAY, "NA"),
    ]
    peers = {"NB": Peer('say "n2"', "east", "10.0.0.2")}
    system = a_system(unwatched=unwatched)
    snapshot = naming(a_snapshot({"default": system}), peers)

    page = render(a_publication(snapshot), NO_PROCESS)[Format.TEXT]

    name = "nats_idle_exporter_unwatched_server_info"
    labels = 'system="default",kind='
    assert text_lines(page, name) == [
        f'{name}{{{labels}"gateway",server_id="NA",server_name=""}} 1',
        f'{name}{{{labels}"route",server_id="NB",server_name="say \\"n2\\""}} 1',
    ]


def test_only_some_unwatched_servers_are_named() -> None:
    """However many a server names, the page does not grow beyond its bound."""
    unwatched = [Unwatched(UnwatchedKind.ROUTE, f"N{i:03}") for i in range(150)]
    snapshot = a_snapshot({"default": a_system(unwatched=unwatched[::-1])})

    page = render(a_publication(snapshot), NO_PROCESS)[Format.TEXT]

    found = values(
        Format.TEXT, page, "nats_idle_exporter_unwatched_server_info", "server_id"
    )
    assert list(found) == [f"N{i:03}" for i in range(UNWATCHED_NAMED)]
    counts = values(Format.TEXT, page, "nats_idle_exporter_unwatched_servers", "kind")
    assert counts["route"] == 150


@both_formats
def test_families_are_whole_over_several_systems(form: Format) -> None:
    """All samples of a family stand together, the same id in two systems apart."""
    systems = {name: a_system(an_account(), an_account("B")) for name in ("z", "a")}
    endpoints = [an_endpoint(system=system) for system in ("z", "a")]

    page = render(a_publication(a_snapshot(systems, endpoints)), NO_PROCESS)[form]

    families = list(PARSERS[form](page.decode()))
    assert len(families) == len({family.name for family in families}) == len(FAMILIES)
    idle = next(f for f in families if f.name == "account_idle_seconds")
    assert [(s.labels["system"], s.labels["account"]) for s in idle.samples] == [
        ("a", "B"),
        ("a", "ORDERS"),
        ("z", "B"),
        ("z", "ORDERS"),
    ]


def test_order_of_the_input_changes_nothing() -> None:
    """The same facts in another order give the same bytes."""
    servers = (a_server("http://a"), a_server("http://b"))
    endpoints = [an_endpoint("http://a"), an_endpoint("http://b")]
    sources = [a_source("file:a"), a_source("file:b")]
    one = a_snapshot(
        {"a": a_system(servers=servers), "b": a_system()}, endpoints, sources
    )
    other = a_snapshot(
        {"b": a_system(), "a": a_system(servers=servers[::-1])},
        [
            an_endpoint("http://b", errors={"unreachable": 0, "timeout": 2}),
            endpoints[0],
        ],
        sources[::-1],
    )

    pages = [render(a_publication(snapshot), NO_PROCESS) for snapshot in (one, other)]

    assert pages[0] == pages[1]


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_every_account_is_there_once_whatever_the_blocks(count: int) -> None:
    """No account is lost or doubled where one block ends and the next begins."""
    accounts = [
        an_account(f"A{i:05}", idle_seconds=float(i), connections=i)
        for i in range(count)
    ]

    page = render(of_accounts(*accounts), NO_PROCESS)[Format.TEXT]

    names = {family.name for family in FAMILIES if family.name.startswith("account_")}
    told = names - {family.name for family in REMOVAL_FAMILIES}
    told |= {"account_removable", "account_reactivations_total"}
    assert {len(text_lines(page, name)) for name in told} == {count}
    found = values(Format.TEXT, page, "account_idle_seconds", "account")
    assert found == {f"A{i:05}": i for i in range(count)}


@both_formats
def test_owners_are_asked_by_id_and_name(form: Format) -> None:
    """The info family carries what the registry says of this account."""

    def entries(account: str, name: str) -> Entry:
        return Entry(
            owner=f"owner of {account}", team=f"team {name}", environment='pro"d\n'
        )

    system = a_system(an_account("AID", name="NAME"))
    snapshot = a_snapshot({"default": system}, entries=entries)

    page = render(a_publication(snapshot), NO_PROCESS)[form]

    [labels] = [
        dict(labels) for name, labels in parse(form, page) if name == "account_info"
    ]
    assert labels == {
        "system": "default",
        "account": "AID",
        "account_name": "NAME",
        "mode": "config",
        "owner": "owner of AID",
        "team": "team NAME",
        "environment": 'pro"d\n',
        "inventory": "",
    }


@both_formats
def test_process_metrics_are_part_of_one_valid_page(form: Format) -> None:
    """prometheus_client's own families follow ours, with one end and no _created."""
    publication = a_publication(a_snapshot())

    page = render(publication, ProcessMetrics().read())[form]

    names = {name for name, _ in parse(form, page)}
    assert {"process_cpu_seconds_total", "python_info", "account_info"} <= names
    assert not any(name.endswith("_created") for name in names)
    assert page.count(b"# EOF") == (form is Format.OPENMETRICS)
