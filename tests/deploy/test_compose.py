"""The example stack is well formed, and its files belong together.

It is not started here: that needs a container engine.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import jsonschema
import pytest
import yaml

from nats_idle_exporter.config import parse_config
from nats_idle_exporter.config.web import DEFAULT_PORT
from tests.deploy.test_kubernetes import schema
from tests.support.monitoring_stack import DEPLOY
from tests.support.programs import require_program

STACK = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
OURS = "nats-idle-exporter"
MOUNTS = [
    volume.split(":")[0]
    for service in SERVICES.values()
    for volume in service.get("volumes", ())
]
EXPORTER = parse_config((DEPLOY / "compose" / "config.yaml").read_text())


def test_the_stack_is_valid() -> None:
    """Every key is one of Compose's, and every port is on loopback."""
    jsonschema.validate(STACK, schema("compose"))


@pytest.mark.parametrize("key", ["imagee", "privileged"])
def test_an_unknown_key_is_refused(key: str) -> None:
    """The schema can fail."""
    broken = json.loads(json.dumps(STACK))
    broken["services"][OURS][key] = True

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema("compose"))


@pytest.mark.parametrize("source", sorted({*MOUNTS}))
def test_every_source_exists(source: str) -> None:
    """What is mounted is a file beside the stack, or a volume of it."""
    assert source in STACK["volumes"] or (DEPLOY / source).is_file()


def test_every_server_is_polled() -> None:
    """The exporter's endpoints are the stack's servers, all of them."""
    servers = [f"http://{name}:8222" for name in SERVICES if name.startswith("nats-0")]
    servers += [f"http://{name}:8222" for name in ("nats-1", "nats-2")]

    assert list(EXPORTER.systems[0].endpoints) == servers
    assert SERVICES[OURS]["depends_on"] == [
        name for name in SERVICES if SERVICES[name].get("image", "").startswith("nats:")
    ]


def test_prometheus_finds_its_parts() -> None:
    """It scrapes the exporter by the name that the rules use."""
    text = (DEPLOY / "compose" / "prometheus.yaml").read_text()
    (job,) = yaml.safe_load(text)["scrape_configs"]

    assert job["job_name"] == OURS
    assert job["static_configs"] == [{"targets": [f"{OURS}:{DEFAULT_PORT}"]}]


@pytest.mark.parametrize(
    ("program", "arguments", "file"),
    [
        ("promtool", ("check", "config", "--syntax-only"), "prometheus.yaml"),
        ("amtool", ("check-config",), "alertmanager.yaml"),
    ],
)
def test_the_programs_take_their_files(
    program: str, arguments: tuple[str, ...], file: str
) -> None:
    """Prometheus and Alertmanager accept what they are given."""
    path = DEPLOY / "compose" / file

    done = subprocess.run(
        [require_program(program), *arguments, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
