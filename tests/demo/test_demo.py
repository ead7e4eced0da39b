"""The whole demonstration, as a process of its own that leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.demo.ports import ReservedPort
from nats_idle_exporter.demo.scenario import ACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live

SCRIPT = (
    "import sys; from nats_idle_exporter.demo import run_demo;"
    "sys.exit(run_demo({}, listen_address='127.0.0.1:{}', threshold_seconds=4))"
)
STARTED = "The exporter has just started"


@contextmanager
def demo(
    duration_seconds: float | None, folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run the demonstration with its files in a folder; kill it when a test fails."""
    port = ReservedPort()
    command = [sys.executable, "-c", SCRIPT.format(duration_seconds, port.number)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as process:
        try:
            yield process
        finally:
            port.close()
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                for pid in (*children_of(process.pid), process.pid):
                    os.kill(pid, signal.SIGKILL)
                raise


def lines_to(process: subprocess.Popen[str], words: str) -> list[str]:
    """Read the output up to the line with these words, or to its end."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if words in line:
            break
    return lines


def url_in(told: str) -> str:
    """Return the exporter's address that the output names."""
    (url,) = set(re.findall(r"http://127.0.0.1:[0-9]+/", told))
    return str(url)


def children_of(pid: int) -> dict[int, str]:
    """Return the command lines of a process's children by their ids."""
    children = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The parent's id is the second field behind the name in brackets.
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid:
            children[int(folder.name)] = command
    return children


def still_there(pids: dict[int, str]) -> list[int]:
    """Return the ids that a process has."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_whole_play(tmp_path: Path) -> None:
    """Every act comes, each after the exporter itself showed what it waits for."""
    with demo(None, tmp_path) as process:
        told = "\n".join(lines_to(process, "That was the play"))

    said = [
        act.says.format(account="legacy-crm", threshold=4, url=url_in(told))
        for act in ACTS
    ]
    places = [told.find(words) for words in said]
    assert -1 not in places
    assert sorted(places) == places
    # On a busy machine it is used before the first look, or only after its threshold.
    assert re.search(r"orders: (.+ -> )?active \(", told)
    assert re.search(r"archive: \w+ -> inactive \(proven", told)
    assert "\x1b" not in told


def test_demo_ends_by_itself(tmp_path: Path) -> None:
    """When its time is over it ends well, its processes and files are gone."""
    with demo(5, tmp_path) as process:
        lines_to(process, STARTED)
        children = children_of(process.pid)
        lines_to(process, "no such words")
        code = process.wait(timeout=30)

    assert code == 0
    assert len(children) == 4
    assert still_there(children) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_demo_ends_by_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends everything in good order; a second one does not disturb that."""
    with demo(None, tmp_path) as process:
        lines_to(process, STARTED)
        children = children_of(process.pid)
        process.send_signal(number)
        process.send_signal(number)
        rest = lines_to(process, "no such words")
        code = process.wait(timeout=30)

    assert code == 0
    assert len(children) == 4
    assert still_there(children) == []
    assert list(tmp_path.iterdir()) == []
    assert not any("Traceback" in line for line in rest)


@pytest.mark.parametrize(
    ("victim", "message"),
    [
        ("nats_idle_exporter", "StartError: nats-idle-exporter ended"),
        ("n3/nats.conf", "StartError: (n3 ended|a client of .* failed at n3)"),
    ],
)
def test_demo_ends_with_a_part(tmp_path: Path, victim: str, message: str) -> None:
    """When the exporter or a server ends, so does all the rest, and it says which."""
    with demo(None, tmp_path) as process:
        lines_to(process, STARTED)
        children = children_of(process.pid)
        (pid,) = (pid for pid, command in children.items() if victim in command)
        os.kill(pid, signal.SIGKILL)
        rest = lines_to(process, "no such words")
        code = process.wait(timeout=30)

    assert code == 1
    assert re.search(message, rest[-1])
    assert still_there(children) == []
    assert list(tmp_path.iterdir()) == []
