"""Choose loopback ports that nobody else is given meanwhile."""

from __future__ import annotations

import socket


class ReservedPort:
    """A free loopback port, held until `close`.

    The port is bound by a socket with ``SO_REUSEADDR`` that never listens: the
    kernel gives it to nobody who asks for any free port, yet a server that
    sets the same option (nats-server and asyncio do) can listen on it, stop
    and listen again.
    """

    def __init__(self) -> None:
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind(("127.0.0.1", 0))
        self.number: int = self._holder.getsockname()[1]

    def __repr__(self) -> str:
        return f"<ReservedPort {self.number}>"

    def close(self) -> None:
        """Let the kernel give the port away again."""
        self._holder.close()


def is_free(address: str) -> bool:
    """Tell whether a server could listen on ``host:port`` now."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
            probe.listen()
        except OSError:
            return False
    return True
