"""From a configuration to all that it takes, or to why it cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from nats_idle_exporter.activity import Source
from nats_idle_exporter.config import parse_config
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.monitoring.access import PLAIN
from nats_idle_exporter.monitoring.discovery.reader import Lead
from nats_idle_exporter.setup import prepare

SYSTEM = "{name: %s, endpoints: ['http://%s'], inventory: [{accounts_file: %s}]%s}"
NORTH, SOUTH = SYSTEM % ("n", "n", "f", ""), SYSTEM % ("s", "s", "f", "")


def configured(*systems: str) -> str:
    """Return a configuration of systems."""
    return f"systems: [{', '.join(systems)}]\n"


def a_system(keys: str) -> str:
    """Return a configuration of one system that has these keys."""
    return configured(f"{{{keys}}}")


@pytest.mark.parametrize(
    ("system", "is_kept"),
    [
        (NORTH, True),
        (NORTH.replace("http://n", "http://m"), True),
        (NORTH.replace(": f}", ": g}"), False),
        (SYSTEM % ("n", "n", "f", ", refresh_interval: 1m"), False),
    ],
)
def test_inventory_that_stays_keeps_its_reader(system: str, *, is_kept: bool) -> None:
    """With it stay its last lists, which make nobody gone while a source fails."""
    first = prepare(parse_config(configured(NORTH, SOUTH)), {})
    second = prepare(parse_config(configured(system)), {}, first)

    assert list(second.inventories) == ["n"]
    assert (second.inventories["n"] is first.inventories["n"]) is is_kept


def test_inventory_that_comes_has_a_reader() -> None:
    """Also that of a system that had none, or is new."""
    plain = "{name: n, endpoints: ['http://n']}"
    first = prepare(parse_config(configured(plain)), {})
    second = prepare(parse_config(configured(NORTH, SOUTH)), {}, first)

    assert (list(first.inventories), list(second.inventories)) == ([], ["n", "s"])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("{}", "{path: /a}", "no change without a restart: null, found /a"),
        ("{path: /a}", "{path: /b}", "no change without a restart: /a, found /b"),
        ("{path: /a}", "{}", "no change without a restart: /a, found null"),
    ],
)
def test_state_does_not_move(before: str, after: str, message: str) -> None:
    """Whoever asks for it is told that it needs a restart."""
    first = prepare(parse_config(f"{configured(NORTH)}state: {before}"), {})

    with pytest.raises(ConfigError) as caught:
        prepare(parse_config(f"{configured(NORTH)}state: {after}"), {}, first)

    assert str(caught.value) == f"$.state.path: expected {message}"


def test_state_that_stays() -> None:
    """The same place may be written in another way."""
    first = prepare(parse_config(configured(NORTH)), {"STATE_DIRECTORY": "/a"})
    told = parse_config(f"{configured(NORTH)}state: {{path: /a/state.sqlite}}")
    second = prepare(told, {"STATE_DIRECTORY": "/a"}, first)

    assert second.state_path == Path("/a/state.sqlite")


def test_credentials_are_read(tmp_path: Path) -> None:
    """A file that cannot be used is found before anything is touched."""
    client = "{basic_auth: {username: u, password_file: nowhere}}"
    system = f"{{endpoints: ['http://n'], http_client: {client}}}"
    config = parse_config(configured(system), folder=tmp_path)

    with pytest.raises(ConfigError, match="password_file: expected a readable file"):
        prepare(config, {})


def test_endpoints_are_plain_text() -> None:
    """Also those that have keys of their own: nothing else can be saved."""
    endpoint = "{url: 'http://n', authorization: {credentials: x}}"
    setup = prepare(parse_config(f"systems: [{{endpoints: [{endpoint}]}}]"), {})
    (url,) = setup.systems["default"]

    assert type(url) is str
    assert url == "http://n"


@pytest.mark.parametrize(
    ("system", "is_kept"),
    [
        (
            (
                "endpoints: ['dns+http://h'], http_client: {basic_auth: {username: u, "
                "password: p}}"
            ),
            True,
        ),
        ("endpoints: ['dns+http://h'], refresh_interval: 1m", False),
        ("endpoints: ['dns+http://i']", False),
        ("endpoints: ['dns+http://h'], file_sd_files: [/f.json]", False),
    ],
)
def test_discovery_that_stays_keeps_its_reader(system: str, *, is_kept: bool) -> None:
    """What was found is not forgotten by a reload that does not touch it."""
    running = prepare(parse_config(a_system("endpoints: ['dns+http://h']")), {})
    setup = prepare(parse_config(a_system(system)), {}, running)

    is_same = setup.discoveries["default"] is running.discoveries["default"]
    assert is_same is is_kept


def test_where_endpoints_are_found() -> None:
    """Names and files stand beside the list, and only where there are any."""
    system = "endpoints: ['http://a', 'dns+http://h'], file_sd_files: [/f.json]"
    setup = prepare(parse_config(a_system(system)), {})
    none = prepare(parse_config(a_system("endpoints: ['http://a']")), {}, setup)

    assert setup.systems["default"] == ("http://a", "dns+http://h", "file_sd:/f.json")
    assert [isinstance(e, Source) for e in setup.systems["default"]] == [0, 1, 1]
    assert [status.source for status in setup.discoveries["default"].statuses()] == [
        "dns+http://h",
        "file_sd:/f.json",
    ]
    assert none.discoveries == {}


@pytest.mark.parametrize(
    ("source", "name"),
    [("dns+https://h.:82", "h"), ("dns+http://h:82", None), ("dnssrv+https://h", None)],
)
def test_recalled_endpoints_are_asked_by_the_name_that_is_known(
    source: str, name: str | None
) -> None:
    """As long as no name server answers after a restart, certificates still hold."""
    setup = prepare(parse_config(a_system(f"endpoints: ['{source}']")), {})
    setup.discoveries["default"].recall({source: ("https://10.0.0.1:82",)})

    assert setup.accesses["default"].current("https://10.0.0.1:82").server_name == name


def test_found_endpoints_are_asked_as_their_source(tmp_path: Path) -> None:
    """Keys of a source hold for its addresses, whose certificates name its host."""
    system = (
        "endpoints: [{url: 'dns+https://h:8222', http_headers: {X: {values: [y]}}}], "
        f"file_sd_files: [{tmp_path}/f.json], "
        "http_client: {tls_config: {server_name: n}}"
    )
    setup = prepare(parse_config(a_system(system)), {})
    accesses, reader = setup.accesses["default"], setup.discoveries["default"]
    reader.recall(
        {
            "dns+https://h:8222": ("https://10.0.0.1:8222",),
            f"file_sd:{tmp_path}/f.json": ("https://b",),
        }
    )

    assert list(accesses.current("https://10.0.0.1:8222").headers) == [("X", "y")]
    assert not list(accesses.current("https://b").headers)
    assert accesses.current("https://b").server_name == "n"
    assert accesses.current("https://unknown") == PLAIN

    accesses.lead = lambda _: Lead("dns+https://h:8222", "h")
    assert accesses.current("https://10.0.0.1:8222").server_name == "n"

    plain = prepare(parse_config(a_system("endpoints: ['dns+https://h']")), {})
    plain.accesses["default"].lead = lambda _: Lead("dns+https://h", "h")
    assert plain.accesses["default"].current("https://10.0.0.1").server_name == "h"
