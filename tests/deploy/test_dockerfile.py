"""The image's recipe is clean and agrees with the program.

It is not built here: that needs a container engine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nats_idle_exporter.config.web import DEFAULT_PORT
from nats_idle_exporter.flags import PROGRAM, parse_serve
from nats_idle_exporter.setup import DIRECTORY
from tests.support.monitoring_stack import REPOSITORY

DOCKERFILE = REPOSITORY / "Dockerfile"
RECIPE = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
SOURCES = [
    source
    for line in re.findall(r"^COPY (?!--from)(.+)$", RECIPE, re.MULTILINE)
    for source in line.split()[:-1]
]


def instruction(word: str) -> str:
    """Return what the last instruction of a kind says."""
    found: list[str] = re.findall(rf"^{word} (.+)$", RECIPE, re.MULTILINE)
    return found[-1]


def test_hadolint_finds_nothing() -> None:
    """The linter for such recipes is content."""
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run(
        [hadolint, DOCKERFILE], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_does_not_run_as_root() -> None:
    """The user is a number other than root's, which Kubernetes can check."""
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", instruction("USER"))


def test_what_runs_has_no_shell() -> None:
    """The last stage is distroless, and runs no command."""
    base = instruction("FROM")
    last_stage = RECIPE.partition(f"FROM {base}")[2]

    assert base.startswith("gcr.io/distroless/python3-debian12:nonroot")
    assert not re.search("^RUN ", last_stage, re.MULTILINE)


def test_every_stage_can_be_pinned() -> None:
    """Each base takes a digest, which is empty unless given."""
    bases = re.findall(r"^FROM (\S+)", RECIPE, re.MULTILINE)
    digests = [re.fullmatch(r"[^$]+:[^$]+\$\{(\w+)\}", base) for base in bases]

    names = [found[1] for found in digests if found]
    assert names == ["BUILD_DIGEST", "BASE_DIGEST"]
    defaults = RECIPE.partition("FROM ")[0]
    assert all(f'ARG {name}=""\n' in defaults for name in names)


def test_it_starts_the_program_without_a_shell() -> None:
    """Signals reach the program, which listens where the image says."""
    assert instruction("ENTRYPOINT") == f'["{PROGRAM}"]'
    assert instruction("EXPOSE") == str(DEFAULT_PORT)
    assert instruction("STOPSIGNAL") == "SIGTERM"


def test_its_state_is_on_a_volume() -> None:
    """What the program learns outlives the container, where its user may write."""
    volume, user = instruction("VOLUME"), instruction("USER").partition(":")[0]

    assert f"{DIRECTORY}={volume}" in instruction("ENV")
    assert f"--chown={user}:{user} /state {volume}" in RECIPE


def test_its_health_is_asked_by_the_program_itself() -> None:
    """The health check is a flag that the program knows."""
    assert f'CMD ["{PROGRAM}", "--healthcheck"]' in instruction("HEALTHCHECK")
    assert parse_serve(["--healthcheck"]).is_healthcheck


@pytest.mark.parametrize("source", SOURCES)
def test_what_it_copies_is_there(source: str) -> None:
    """Each source exists and is not kept out of the build."""
    kept = (REPOSITORY / ".dockerignore").read_text().splitlines()

    assert (REPOSITORY / source).exists()
    assert f"!{source.rstrip('/')}" in kept
