"""Ask a running daemon whether it is alive, as container platforms do.

Where the web configuration file protects the daemon, the question has neither a
password (the file holds hashes only) nor a client certificate. Being asked for
one is an answer that only a daemon that is alive gives.
"""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING

from nats_idle_exporter.config.loading import read_text
from nats_idle_exporter.config.web import format_listen_address
from nats_idle_exporter.config.webchecks import REQUIRE_CERTIFICATE
from nats_idle_exporter.config.webfile import WebFile, parse_web_file
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.text import os_words

if TYPE_CHECKING:
    from nats_idle_exporter.config import WebOptions

HEALTH_PATH = "/-/healthy"
TIMEOUT_SECONDS = 5.0
_OK = 200
_UNAUTHORIZED = 401
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


def check_health(options: WebOptions) -> str:
    """Return "" when the daemon is healthy, else why not, in one line.

    The first address is asked, a wildcard on loopback. Blocks for some seconds
    at most.
    """
    try:
        web = _web_file(options)
    except ConfigError as error:
        return f"{options.config_file}: {error}"
    host, port = options.listen_addresses[0]
    host = _LOOPBACK.get(host, host)
    shown = format_listen_address(host, port)
    connection = _connection(host, port, is_tls=web.tls_server_config.is_on)
    try:
        connection.connect()
        status = _status(connection, options.route_prefix + HEALTH_PATH, web)
    except OSError as error:
        return f"no answer from {shown}: {os_words(error)}"
    except HTTPException as error:
        return f"no answer from {shown}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    is_healthy = status == _OK or (status == _UNAUTHORIZED and web.basic_auth_users)
    return "" if is_healthy else f"{shown} answered with status {status}"


def _web_file(options: WebOptions) -> WebFile:
    if options.config_file is None:
        return WebFile()
    return parse_web_file(read_text(options.config_file.read_bytes))


def _connection(host: str, port: int, *, is_tls: bool) -> HTTPConnection:
    # No proxy is used, whatever the environment says.
    if not is_tls:
        return HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    # Its certificate is for other names than loopback's. Nothing secret is sent,
    # and who could answer in its place could do so without TLS as well.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)


def _status(connection: HTTPConnection, path: str, web: WebFile) -> int:
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        # With TLS 1.3 the handshake ends before the client's certificate is missed.
        if web.tls_server_config.client_auth_type == REQUIRE_CERTIFICATE:
            return _OK
        raise
