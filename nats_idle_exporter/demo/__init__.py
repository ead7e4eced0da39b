"""The embedded demonstration: a real cluster with accounts that nobody uses."""

from __future__ import annotations

import asyncio


def run_demo(
    duration_seconds: float | None,
    *,
    listen_address: str = "127.0.0.1:7778",
    threshold_seconds: float = 15,
) -> int:
    """Run the demonstration on this machine, and return the exit code.

    It writes to standard output, ends its own processes and removes its own
    files. Call it from the main thread: it takes over the ending signals.

    Args:
        duration_seconds: when to end; None for not before a signal.
        listen_address: where the exporter listens, ``host:port``.
        threshold_seconds: how long an account must be unused.

    Raises:
        StartError: a program or a port is missing, or a process ended early.
        ModuleNotFoundError: the extra ``demo`` is not installed.
    """
    # Only the demonstration needs the extra.
    from rich.console import Console  # noqa: PLC0415

    from nats_idle_exporter.demo.run import Settings, perform  # noqa: PLC0415
    from nats_idle_exporter.demo.screen import choose_screen  # noqa: PLC0415

    settings = Settings(duration_seconds, listen_address, threshold_seconds)
    asyncio.run(perform(settings, choose_screen(Console())))
    return 0
