"""The connection of the claims source: nats-py, which is an extra.

A user of the system account needs no more than these permissions: publish to
``$SYS.REQ.CLAIMS.LIST`` and ``$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP``, subscribe to
``_INBOX_nats_idle_exporter.>``.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nats import errors
from nats.aio.client import Client, RawCredentials

from nats_idle_exporter.monitoring.inventory.accounts import EntryError, SourceError
from nats_idle_exporter.monitoring.inventory.openfile import read_text
from nats_idle_exporter.monitoring.inventory.tlsfiles import TlsFiles
from nats_idle_exporter.text import one_line, os_words
from nats_idle_exporter.urls import without_credentials

INBOX_PREFIX: Final = "_INBOX_nats_idle_exporter"

_MOST_CREDENTIALS: Final = 65_536
_CREDENTIALS: Final = re.compile(
    r"-BEGIN NATS USER JWT-+\s+\S+\s+-.*-BEGIN USER NKEY SEED-+\s+SU[A-Z2-7]{56}\s",
    re.DOTALL,
)
_CONNECT_SECONDS: Final = 5
_CLOSE_SECONDS: Final = 1.0
_NO_RESPONDERS: Final = "503"
# What the library makes of a greeting in JSON that no nats-server sends.
_STRANGE: Final = (AttributeError, LookupError, TypeError)
# A ValueError is a line too long for INFO.
_FAILURES: Final = (errors.Error, OSError, TimeoutError, ValueError, *_STRANGE)

MOST_ANSWERS: Final = 1000
MOST_ANSWER_BYTES: Final = 268_435_456
"""Of all answers to one question; more come from no servers of one system."""

_KNOWN: Final = (
    (_STRANGE, "what no nats-server says"),
    (errors.SecureConnRequiredError, "a server without TLS"),
    (errors.NoRespondersError, "no responder: another resolver, or no operator mode"),
    (TimeoutError, "no answer in time"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsAccess:
    """How to reach the servers as a user of the system account.

    Args:
        url: ``nats://host:4222`` or ``tls://host:4222``, without credentials.
        credentials: a ``.creds`` file; None for a server that asks for none.
        tls: the files of TLS; with them, even with none, plain text is refused.
        answer_seconds: how long to wait for the first answer.
        quiet_seconds: how long after the last one another may come.
    """

    url: str
    credentials: Path | None = None
    tls: TlsFiles | None = None
    answer_seconds: float = 5.0
    quiet_seconds: float = 1.0


class _Client(Client):
    """A client that can refuse to log in without TLS."""

    must_encrypt = False

    def _connect_command(self) -> bytes:
        # The library would log in by plain text when the server offers no TLS.
        if self.must_encrypt and not self._server_info.get("tls_required"):
            raise errors.SecureConnRequiredError
        return super()._connect_command()


class NatsConnection:
    """Ask the servers of one system; see ``AsksServers``.

    Args:
        access: how it was reached.
        client: the open connection.
        refusals: what the server refused since; it comes beside the answers.
    """

    def __init__(
        self, access: ClaimsAccess, client: Client, refusals: list[str]
    ) -> None:
        self._access = access
        self._client = client
        self._refusals = refusals
        self._where = without_credentials(access.url)

    @property
    def is_open(self) -> bool:
        """Return whether it can still be asked."""
        return bool(self._client.is_connected)

    async def gather(self, subject: str) -> list[bytes]:
        """Return the answers of all servers, gathered until no more come.

        Raises:
            SourceError: the connection ended, or no server answers this question.
        """
        self._refusals.clear()
        try:
            answers = await self._gather(subject)
        except _FAILURES as error:
            raise self._unanswered(_words(error)) from error
        if not answers:
            raise self._unanswered("; ".join(self._refusals) or "no answer")
        return answers

    async def ask(self, subject: str) -> bytes | None:
        """Return the first answer, None when none came."""
        try:
            seconds = self._access.answer_seconds
            return bytes((await self._client.request(subject, timeout=seconds)).data)
        except _FAILURES:
            return None

    async def close(self) -> None:
        """End the connection."""
        await _close(self._client)

    async def _gather(self, subject: str) -> list[bytes]:
        inbox = self._client.new_inbox()
        answers: list[bytes] = []
        size = 0
        subscription = await self._client.subscribe(inbox)
        await self._client.publish(subject, reply=inbox)
        seconds = self._access.answer_seconds
        with contextlib.suppress(errors.TimeoutError):
            while True:
                message = await subscription.next_msg(seconds)
                if (message.headers or {}).get("Status") == _NO_RESPONDERS:
                    raise errors.NoRespondersError
                answers.append(message.data)
                size += len(message.data)
                if len(answers) > MOST_ANSWERS or size > MOST_ANSWER_BYTES:
                    await self.close()
                    raise self._unanswered("too many of them")
                seconds = self._access.quiet_seconds
        await subscription.unsubscribe()
        return answers

    def _unanswered(self, found: str) -> SourceError:
        return SourceError(
            self._where,
            expected="answers of servers with the full resolver",
            found=found,
        )


async def connect(access: ClaimsAccess) -> NatsConnection:
    """Open a connection.

    Raises:
        SourceError: it cannot be opened.
    """
    where = without_credentials(access.url)
    try:
        options = await asyncio.to_thread(_options, access)
    except EntryError as error:
        raise SourceError(where, expected=error.expected, found=error.found) from error
    refusals: list[str] = []

    async def refused(error: Exception) -> None:
        refusals.append(_words(error))

    client = _Client()
    client.must_encrypt = access.tls is not None or access.url.startswith("tls:")
    try:
        await client.connect(
            access.url,
            name="nats-idle-exporter",
            inbox_prefix=INBOX_PREFIX,
            error_cb=refused,
            # Without these it tries sixty times, every two seconds.
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=_CONNECT_SECONDS,
            **options,
        )
    except BaseException as error:
        await _close(client)
        if isinstance(error, _FAILURES):
            # That no server is left to try comes after what was wrong with it.
            is_last = isinstance(error, errors.NoServersError) and refusals
            raise SourceError(
                where,
                expected="a connection to a nats-server",
                found=refusals[-1] if is_last else _words(error),
            ) from error
        raise
    return NatsConnection(access, client, refusals)


async def _close(client: Client) -> None:
    # After a failed TLS handshake the library waits for an end that never comes.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await client.close()


def _options(access: ClaimsAccess) -> dict[str, Any]:
    """Read the files, blocking."""
    options: dict[str, Any] = {}
    if access.credentials:
        options["user_credentials"] = RawCredentials(_credentials(access.credentials))
    if access.tls:
        options["tls"] = access.tls.context()
        options["tls_hostname"] = access.tls.server_name
    return options


def _credentials(path: Path) -> str:
    shown = one_line(str(path))
    try:
        text = read_text(path, _MOST_CREDENTIALS).text
    except EntryError as error:
        expected = f"{error.expected} at {shown}"
        raise EntryError(expected=expected, found=error.found) from error
    if not _CREDENTIALS.search(text):
        raise EntryError(
            expected=f"a user's JWT and seed at {shown}", found="something else"
        )
    return text


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"a certificate that cannot be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"a failed TLS handshake: {error.reason}"
    for kind, words in _KNOWN:
        if isinstance(error, kind):
            return words
    if isinstance(error, OSError):
        return os_words(error)
    return str(error).removeprefix("nats: ")
