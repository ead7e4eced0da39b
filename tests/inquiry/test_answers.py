"""What ``/accountz?acc=`` tells, by real bodies and by made ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.inquiry.answers import Answer, decode_answer
from nats_idle_exporter.removal.facts import Import
from tests.inventory.builders import a_key, claims

CAPTURES = Path(__file__).parents[1] / "monitoring" / "captures"
VERSIONS = ("2.9.10", "2.10.25", "2.12.8", "2.15.1")
SYSTEM = "SYS"


def captured(version: str, scenario: str, name: str) -> Answer:
    """Return what one captured body tells."""
    return decode_answer((CAPTURES / version / scenario / name).read_bytes())[1]


def a_body(account: str = "A", **detail: Any) -> bytes:
    """Return the body of an account without anything."""
    plain = {"account_name": account, "expired": False, "complete": True}
    body = {
        "server_id": "N1",
        "system_account": SYSTEM,
        "account_detail": {**plain, **detail},
    }
    return json.dumps(body).encode()


def answer(account: str = "A", **detail: Any) -> Answer:
    """Return what such a body tells."""
    server_id, told = decode_answer(a_body(account, **detail))
    assert server_id == "N1"
    return told


def an_import(account: str, **changes: str) -> dict[str, Any]:
    """Return an import of a service, as servers tell it."""
    return {"account": account, "subject": "q", "type": "service", **changes}


def refused(body: bytes) -> EndpointError:
    """Return the error that a body causes."""
    with pytest.raises(EndpointError) as caught:
        decode_answer(body)
    return caught.value


@pytest.mark.parametrize("version", VERSIONS)
class TestCaptures:
    """Bodies of real servers."""

    def test_imports_and_exports(self, version: str) -> None:
        """The system's own imports are left out; exports are counted."""
        client = captured(version, "config-single", "accountz_acc_CLI.json")
        service = captured(version, "config-single", "accountz_acc_SVC.json")

        assert client.imports is not None
        assert sorted(each.plain for each in client.imports) == [
            Import("SVC", "feed.>", "stream"),
            Import("SVC", "svc.echo", "service"),
        ]
        assert {i.local_subject for i in client.imports} == {"feed.>", "svc.echo"}
        assert (service.imports, service.exports) == ((), 2)
        assert not service.is_system
        assert not service.is_expired
        assert service.claimed is None

    def test_a_jwt(self, version: str) -> None:
        """An expired account is told as such, with what its JWT claims."""
        told = captured(version, "operator-full", "accountz_acc_expired.json")

        assert told.is_expired
        assert told.imports == ()
        assert told.claimed is not None
        assert told.claimed.account == told.account
        assert told.claimed.name == "FEXP"
        assert told.claimed.expires_at
        assert told.claimed.limits == (-1, -1)

    def test_the_system_account(self, version: str) -> None:
        """It is known as such, and imports nothing."""
        told = captured(version, "operator-full", "accountz_acc_SYS.json")

        assert told.is_system
        assert told.imports == ()


def test_the_system_account_by_its_name() -> None:
    """Who is named as the system account is it, whatever else is told."""
    assert answer(SYSTEM).is_system


def test_local_subjects() -> None:
    """Older servers tell them as ``to``; without either they are the same."""
    imports = [
        an_import("B", local_subject="here.q", to="x"),
        an_import("C", to="to.q"),
        an_import("D"),
    ]

    told = answer(imports=imports).imports

    assert told is not None
    assert [each.local_subject for each in told] == ["here.q", "to.q", "q"]


def test_what_a_jwt_asks_for_is_imported_too() -> None:
    """A server leaves out what it cannot give, and it stays in the JWT."""
    nats = claims(1)["nats"]
    wanted = [an_import("B"), an_import("C"), an_import(SYSTEM)]
    decoded = claims(1, nats={**nats, "imports": wanted})

    told = answer(
        a_key(1), complete=False, decoded_jwt=decoded, imports=[an_import("B")]
    )

    assert told.imports is not None
    assert [each.account for each in told.imports] == ["B", "C"]


def test_an_incomplete_account_without_a_jwt() -> None:
    """Then nobody knows what it imports."""
    assert answer(complete=False).imports is None


@pytest.mark.parametrize(
    ("verdicts", "is_refused"),
    [(None, False), ([{"blocking": False}, {}], False), ([{"blocking": True}], True)],
)
def test_refused_jwts(verdicts: Any, is_refused: bool) -> None:  # noqa: FBT001 - of a table
    """A server says which flaws of a JWT it does not stand."""
    assert answer(validation_result_jwt=verdicts).is_refused is is_refused


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"server_id": "N1"}', id="no detail"),
        pytest.param(a_body(expired=None), id="not told whether expired"),
        pytest.param(a_body(imports=[{}]), id="an import of nobody"),
        pytest.param(a_body(a_key(2), decoded_jwt=claims(1)), id="another's JWT"),
        pytest.param(a_body(decoded_jwt=claims(1, sub="x")), id="nobody's JWT"),
        pytest.param(a_body(imports=[an_import("\ud800")]), id="no text"),
    ],
)
def test_no_servers_answer(body: bytes) -> None:
    """What no server answers is refused as a whole."""
    assert refused(body).reason == "payload"
