"""Ask a running daemon whether it is alive, as container platforms do."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

HEALTH_PATH = "/-/healthy"
TIMEOUT_SECONDS = 5.0
_OK = 200
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


def check_health(address: tuple[str, int]) -> str:
    """Return "" when the daemon is healthy, else why not, in one line.

    A wildcard address is asked on loopback. Blocks for some seconds at most.
    """
    host, port = address
    # No proxy is used, whatever the environment says.
    connection = HTTPConnection(
        _LOOPBACK.get(host, host), port, timeout=TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", HEALTH_PATH)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"no answer from port {port}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return "" if status == _OK else f"port {port} answered with status {status}"
