"""Connections for which there is no room."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from nats_idle_exporter.web import accepting
from nats_idle_exporter.web.accepting import complain_seldom

TOLD = "no connection can be accepted"


@contextmanager
def no_room() -> Iterator[None]:
    """Let this process open no more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    newest = os.open(os.devnull, os.O_RDONLY)
    held = [newest]
    resource.setrlimit(resource.RLIMIT_NOFILE, (newest + 1, hard))
    try:
        with suppress(OSError):
            while True:
                held.append(os.dup(newest))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in held:
            os.close(each)


def fail(loop: asyncio.AbstractEventLoop, message: str) -> None:
    """Report a failure as the event loop does."""
    error = OSError(errno.EMFILE, "Too many open files")
    loop.call_exception_handler({"message": message, "exception": error})


async def test_it_is_said_once_in_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the event loop fails, there is one line, and later another."""
    loop = asyncio.get_running_loop()
    complain_seldom(loop)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    with socket.create_connection(address), no_room():
        said = ""
        async with asyncio.timeout(5):
            while TOLD not in said:
                await asyncio.sleep(0)
                said += capsys.readouterr().out
    server.close()
    fail(loop, accepting._MESSAGE)
    monkeypatch.setattr(accepting, "SILENCE_SECONDS", 0.0)
    soon = capsys.readouterr().out
    complain_seldom(loop)
    fail(loop, accepting._MESSAGE)

    assert said.count(TOLD) == 1
    assert "Too many open files" in said
    assert soon == ""
    assert capsys.readouterr().out.count(TOLD) == 1


async def test_all_else_is_told_as_before(caplog: pytest.LogCaptureFixture) -> None:
    """Another failure goes to the event loop's own handler."""
    loop = asyncio.get_running_loop()
    complain_seldom(loop)

    fail(loop, "something else")
    fail(loop, "something else")

    assert caplog.text.count("something else") == 2
