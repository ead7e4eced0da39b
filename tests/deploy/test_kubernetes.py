"""The Kubernetes objects are what the API and the Prometheus operator take.

No cluster runs here: core objects are checked by the API's own schemas, custom ones
by the schemas beside this file.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from nats_idle_exporter.config import parse_config
from nats_idle_exporter.lookups import is_lookup
from tests.deploy.queries import load_rules
from tests.support.monitoring_stack import DEPLOY

KUBERNETES = DEPLOY / "kubernetes"
BASE = KUBERNETES / "base"
OVERLAY = KUBERNETES / "overlays" / "nats-chart"
SECOND = KUBERNETES / "overlays" / "second-replica"
API_VERSION = "1.28"
KUBECTL = shutil.which("kubectl")
SCHEMAS = Path(__file__).with_name("schemas")
CUSTOM = "monitoring.coreos.com/v1"


def load(path: Path) -> dict[str, Any]:
    """Return one object as it is checked in."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def schema(name: str) -> dict[str, Any]:
    """Return a checked-in schema."""
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return loaded


def validate(thing: dict[str, Any]) -> None:
    """Check one object by the schema of its kind, unknown keys included."""
    if thing["apiVersion"] == CUSTOM:
        jsonschema.validate(thing, schema(thing["kind"].lower()))
    else:
        kubernetes_validate.validate(thing, API_VERSION, strict=True)


RESOURCES = load(BASE / "kustomization.yaml")["resources"]
OBJECTS = {name: load(BASE / name) for name in RESOURCES}
POD = OBJECTS["deployment.yaml"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", RESOURCES)
def test_each_object_is_valid(name: str) -> None:
    """Every resource of the base is taken by its schema."""
    validate(OBJECTS[name])


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("deployment.yaml", ("spec", "replicas"), "one"),
        ("deployment.yaml", ("spec", "strategyy"), {}),
        ("networkpolicy.yaml", ("spec", "egress"), {}),
        ("servicemonitor.yaml", ("spec", "endpoints"), []),
        ("servicemonitor.yaml", ("spec", "sampleLimits"), 1),
        ("prometheusrule.yaml", ("spec", "groups", 0, "rules", 0, "alert"), "Both"),
        ("prometheusrule.yaml", ("spec", "groups", 0, "rules", 2, "for"), "soon"),
    ],
)
def test_a_broken_object_is_refused(
    name: str, path: tuple[Any, ...], value: object
) -> None:
    """The schemas can fail: wrong types and unknown keys do."""
    broken = load(BASE / name)
    place: Any = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    with pytest.raises(
        (jsonschema.ValidationError, kubernetes_validate.ValidationError)
    ):
        validate(broken)


def test_every_file_is_a_resource() -> None:
    """No object lies in the base that is not applied."""
    files = {path.name for path in BASE.glob("*.yaml")}

    assert files == {*RESOURCES, "kustomization.yaml", "config.yaml"}


def test_the_rules_are_those_of_prometheus() -> None:
    """The operator's rules are the shipped ones."""
    groups = OBJECTS["prometheusrule.yaml"]["spec"]["groups"]

    assert [rule for group in groups for rule in group["rules"]] == load_rules()


@pytest.mark.parametrize(
    ("folder", "endpoints"), [(BASE, 3), (OVERLAY, 1)], ids=["base", "overlay"]
)
def test_the_configuration_is_accepted(folder: Path, endpoints: int) -> None:
    """The program takes it: each server by its name, or all by that of a service."""
    (system,) = parse_config((folder / "config.yaml").read_text()).systems

    assert len(system.endpoints) == len({*system.endpoints}) == endpoints
    assert [is_lookup(url) for url in system.endpoints].count(True) == (endpoints == 1)


def test_there_is_one_and_never_two() -> None:
    """The state belongs to one process: the old one ends first."""
    spec = OBJECTS["deployment.yaml"]["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_pod_has_no_privilege() -> None:
    """No root, no token, no capability, no writable image."""
    (container,) = POD["containers"]
    security = container["securityContext"]

    assert POD["securityContext"]["runAsNonRoot"]
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"]
    assert security["allowPrivilegeEscalation"] is False


def test_the_state_is_kept_where_the_program_looks() -> None:
    """The volume is mounted at the directory that the environment names."""
    (container,) = POD["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    environment = {each["name"]: each["value"] for each in container["env"]}

    assert environment["STATE_DIRECTORY"] == mounts["state"]


def built(folder: Path) -> list[dict[str, Any]]:
    """Return the objects that kustomize makes of a folder."""
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [each for each in yaml.safe_load_all(done.stdout) if each]


# No package of Debian 12 brings a kubectl that knows these kustomizations.
@pytest.mark.skipif(not KUBECTL, reason="kubectl is not on PATH")
@pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=["base", "overlay"])
def test_kustomize_builds_it(folder: Path) -> None:
    """What kustomize makes of it is valid, with the labels that selectors need."""
    objects = built(folder)

    assert len(objects) == len(RESOURCES) + 1
    for each in objects:
        validate(each)
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "nats-idle-exporter"


@pytest.mark.skipif(not KUBECTL, reason="kubectl is not on PATH")
def test_a_second_replica_has_its_own_state_and_the_first_ones_job() -> None:
    """Nothing is shared but the Service, and nothing scraped or judged twice."""
    first = {each["kind"]: each for each in built(OVERLAY)}
    second = {each["kind"]: each for each in built(SECOND)}
    pod = second["Deployment"]["spec"]["template"]
    volumes = {each["name"]: each for each in pod["spec"]["volumes"]}
    claim = volumes["state"]["persistentVolumeClaim"]["claimName"]

    for each in second.values():
        validate(each)
    assert first.keys() - second.keys() == {
        "Service",
        "ServiceMonitor",
        "PrometheusRule",
    }
    assert claim == second["PersistentVolumeClaim"]["metadata"]["name"]
    assert claim != first["PersistentVolumeClaim"]["metadata"]["name"]
    selected = first["Service"]["spec"]["selector"].items()
    assert selected <= pod["metadata"]["labels"].items()


def test_the_rules_find_the_job() -> None:
    """The scrape job is called as the rules ask for it, whatever the Service is."""
    label = OBJECTS["servicemonitor.yaml"]["spec"]["jobLabel"]
    job = OBJECTS["service.yaml"]["metadata"]["labels"][label]
    asked = {
        name
        for rule in load_rules()
        for name in re.findall(r'job="([^"]*)"', rule["expr"])
    }

    assert asked == {job}
