"""Bodies that are long to decode keep nobody waiting."""

from __future__ import annotations

import threading

import pytest

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring import wire
from nats_idle_exporter.monitoring.conversation import LONG, Conversation
from nats_idle_exporter.monitoring.fetch import new_session
from tests.monitoring import builders
from tests.monitoring.builders import SERVER
from tests.monitoring.scripted import ScriptedServer, answer, running


async def ask(body: bytes) -> tuple[str, bool]:
    """Ask for a body; return its server and whether the loop's thread decoded it."""

    def decode(received: bytearray) -> tuple[str, tuple[str, bool]]:
        server_id, _ = wire.decode_varz(received)
        is_ours = threading.current_thread() is threading.main_thread()
        return server_id, (server_id, is_ours)

    server = ScriptedServer({"/varz": answer(body)})
    async with running(server), new_session() as session:
        return await Conversation(session, server.url, 10**6).ask("/varz", decode)


@pytest.mark.parametrize(("length", "is_ours"), [(LONG // 2, True), (LONG, False)])
async def test_long_body(length: int, *, is_ours: bool) -> None:
    """A long body is decoded in another thread, a short one at once."""
    body = builders.dump(builders.varz())

    assert await ask(body.ljust(length)) == (SERVER, is_ours)


async def test_long_body_that_is_none() -> None:
    """What is wrong with a long body is told as with any other."""
    with pytest.raises(EndpointError) as caught:
        await ask(b" " * LONG)

    assert caught.value.reason == "payload"
    assert "/varz: not what a nats-server answers" in caught.value.detail
