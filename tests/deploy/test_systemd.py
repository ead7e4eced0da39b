"""The systemd unit is one that systemd takes, and lets the program do little."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from nats_idle_exporter.flags import PROGRAM, parse_serve
from tests.support.monitoring_stack import DEPLOY
from tests.support.programs import require_program

UNIT = DEPLOY / "systemd" / "nats-idle-exporter.service"
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


def test_systemd_takes_it(tmp_path: Path) -> None:
    """Every line of the unit is known to systemd."""
    executable = re.escape(f"/opt/{PROGRAM}/bin/{PROGRAM}")
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(executable, "/bin/true", UNIT.read_text()))

    said = analyze("verify", "--man=no", unit)

    assert unit.name not in said


def test_it_is_hardened() -> None:
    """The exposure that systemd counts, of 10, is small."""
    said = analyze(
        "security", "--offline=true", f"--threshold={int(MOST_EXPOSED * 10)}", UNIT
    )

    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= MOST_EXPOSED


def test_it_starts_the_program_as_it_is() -> None:
    """The command line is one that the program takes."""
    (command,) = re.findall(r"^ExecStart=(.+)$", UNIT.read_text(), re.MULTILINE)
    program, *arguments = command.split()

    assert Path(program).name == PROGRAM
    assert parse_serve(arguments).config_file is not None
