"""Arrows run one way, and the proof stays pure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nats_idle_exporter"
IMPURE = {
    "aiohttp",
    "asyncio",
    "datetime",
    "logging",
    "os",
    "pathlib",
    "prometheus_client",
    "random",
    "socket",
    "structlog",
    "threading",
    "time",
}
ALLOWED = {
    "activity": {"activity"},
    "removal": {"removal"},
    "metrics": {"metrics", "activity", "removal", "dossiers", "snapshot", "errors"},
    "api": {"api", "activity", "removal", "dossiers", "snapshot", "errors", "text"},
    "web": {
        "web",
        "api",
        "metrics",
        "activity",
        "removal",
        "config",
        "dossiers",
        "snapshot",
        "pem",
        "secret",
        "watched",
        "errors",
        "text",
    },
    "monitoring": {
        "monitoring",
        "activity",
        "removal",
        "dossiers",
        "config",
        "lookups",
        "pem",
        "snapshot",
        "watched",
        "errors",
        "text",
        "urls",
    },
    "state": {"state", "activity", "snapshot", "errors", "text"},
    "config": {
        "config",
        "activity",
        "lookups",
        "removal",
        "secret",
        "errors",
        "text",
        "urls",
    },
}
"""Which parts of the program a part may import."""


def imports(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules(part: str) -> list[Path]:
    """Return the files of one part; there must be some."""
    files = sorted((PACKAGE / part).rglob("*.py"))
    assert files
    return files


@pytest.mark.parametrize("part", ["activity", "removal"])
def test_the_proof_is_pure(part: str) -> None:
    """Neither I/O nor a clock can be reached from the proof."""
    impure = {
        f"{path.name}: {name}"
        for path in modules(part)
        for name in imports(path)
        if name.split(".")[0] in IMPURE
    }

    assert not impure


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_arrows_run_one_way(part: str) -> None:
    """A part imports only what lies below it."""
    found = {
        f"{path.name}: {name}"
        for path in modules(part)
        for name in imports(path)
        if name.startswith("nats_idle_exporter.")
        and name.split(".")[1] not in ALLOWED[part] | {"__version__"}
    }

    assert not found


def test_the_simulator_knows_only_the_door() -> None:
    """The judge of the proof imports nothing of it but its public names."""
    simulator = sorted((Path(__file__).parent / "simulator").rglob("*.py"))
    assert simulator
    found = {
        f"{path.name}: {name}"
        for path in simulator
        for name in imports(path)
        if (
            name.startswith("nats_idle_exporter.")
            and not name.startswith("nats_idle_exporter.activity.")
        )
        or (name.startswith("nats_idle_exporter.activity.") and name.count(".") > 2)
    }

    assert not found
