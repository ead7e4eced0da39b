"""Two network namespaces with a cable between them that can be cut.

Nothing in them reaches the machine's own network, nor any other.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

PROGRAM = "ip"
NEAR, FAR = "192.0.2.1", "192.0.2.2"
"""Addresses that are kept for documentation."""


class Islands:
    """Two places to run programs in; the cable ends at ``NEAR`` and ``FAR``."""

    def __init__(self, near: str, far: str) -> None:
        self._far = far
        self.near = (PROGRAM, "netns", "exec", near)
        self.far = (PROGRAM, "netns", "exec", far)

    def cut(self) -> None:
        """Cut the cable: what is sent is lost, and nobody is told."""
        _ip("-n", self._far, "link", "set", "cable", "down")

    def mend(self) -> None:
        """Join the cable again."""
        _ip("-n", self._far, "link", "set", "cable", "up")


@contextmanager
def islands() -> Iterator[Islands]:
    """Make both, and remove them; what runs in them must have ended by then.

    Raises:
        subprocess.CalledProcessError: this process may not do so.
    """
    names = [f"chaos-{end}-{os.getpid()}" for end in ("near", "far")]
    with ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        near, far = names
        ends = ("cable", "netns", near, "type", "veth", "peer", "cable", "netns", far)
        _ip("link", "add", *ends)
        for name, address in ((near, NEAR), (far, FAR)):
            _ip("-n", name, "address", "add", f"{address}/30", "dev", "cable")
            _ip("-n", name, "link", "set", "cable", "up")
        yield Islands(near, far)


def _ip(*arguments: str) -> None:
    subprocess.run([PROGRAM, *arguments], check=True, capture_output=True)
