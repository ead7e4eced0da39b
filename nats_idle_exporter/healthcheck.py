"""Ask a running daemon whether it is alive, as container platforms do."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

from nats_idle_exporter.config.web import format_listen_address
from nats_idle_exporter.text import os_words

HEALTH_PATH = "/-/healthy"
TIMEOUT_SECONDS = 5.0
_OK = 200
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


def check_health(address: tuple[str, int]) -> str:
    """Return "" when the daemon is healthy, else why not, in one line.

    A wildcard address is asked on loopback. Blocks for some seconds at most.
    """
    host, port = _LOOPBACK.get(address[0], address[0]), address[1]
    shown = format_listen_address(host, port)
    # No proxy is used, whatever the environment says.
    connection = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", HEALTH_PATH)
        status = connection.getresponse().status
    except OSError as error:
        return f"no answer from {shown}: {os_words(error)}"
    except HTTPException as error:
        return f"no answer from {shown}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return "" if status == _OK else f"{shown} answered with status {status}"
