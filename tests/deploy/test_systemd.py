"""The systemd unit is one that systemd takes, and lets the program do little."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from nats_idle_exporter.config.web import DEFAULT_PORT
from nats_idle_exporter.flags import PROGRAM, parse_serve
from tests.support.monitoring_stack import DEPLOY
from tests.support.programs import require_program

UNITS = DEPLOY / "systemd"
SERVICE = UNITS / "nats-idle-exporter.service"
SOCKET = UNITS / "nats-idle-exporter.socket"
DROP_IN = UNITS / "socket.conf"
MOST_EXPOSED = 1.5


def analyze(*arguments: str | Path) -> str:
    """Return what systemd-analyze says of something; fail when it is not content."""
    done = subprocess.run(
        [require_program("systemd-analyze"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The shipped units, with a program that exists here."""
    executable = f"/opt/{PROGRAM}/bin/{PROGRAM}"
    for unit in (SERVICE, SOCKET):
        told = unit.read_text().replace(executable, "/bin/true")
        (tmp_path / unit.name).write_text(told)
    drop_in = tmp_path / f"{SERVICE.name}.d" / DROP_IN.name
    drop_in.parent.mkdir()
    drop_in.write_text(DROP_IN.read_text().replace(executable, "/bin/true"))
    return tmp_path


@pytest.mark.parametrize("unit", [SERVICE, SOCKET], ids=lambda unit: unit.suffix)
def test_systemd_takes_it(units: Path, unit: Path) -> None:
    """Every line of the units, the drop-in included, is known to systemd."""
    said = analyze("verify", "--man=no", units / unit.name)

    assert PROGRAM not in said


def test_systemd_knows_its_own_mind(units: Path) -> None:
    """A line that systemd does not know is told."""
    with (units / SERVICE.name).open("a") as unit:
        unit.write("[Service]\nListenStreamm=1\n")

    assert "ListenStreamm" in analyze("verify", "--man=no", units / SERVICE.name)


def test_it_is_hardened() -> None:
    """The exposure that systemd counts, of 10, is small."""
    said = analyze(
        "security", "--offline=true", f"--threshold={int(MOST_EXPOSED * 10)}", SERVICE
    )

    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", [SERVICE, DROP_IN], ids=lambda unit: unit.name)
def test_it_starts_the_program_as_it_is(unit: Path) -> None:
    """The command lines are ones that the program takes."""
    (command,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)
    program, *arguments = command.split()

    options = parse_serve(arguments)

    assert Path(program).name == PROGRAM
    assert options.source.path is not None
    assert bool(options.web.listen_addresses) is (unit == SERVICE)


def test_the_socket_is_the_port_of_the_program() -> None:
    """Scrapes find it where they find the program without a socket."""
    assert f"\nListenStream={DEFAULT_PORT}\n" in SOCKET.read_text()
