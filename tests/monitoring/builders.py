"""Bodies as nats-servers write them, with whatever a test wants changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

SERVER = "NSERVER1"
IDLE: dict[str, Any] = {"msgs": 0, "bytes": 0}


def varz(**changed: Any) -> dict[str, Any]:
    """Return a varz of a server in config mode."""
    return {
        "server_id": SERVER,
        "server_name": "one",
        "version": "2.12.8",
        "start": "2026-11-24T01:58:33.815844546Z",
        "now": "2026-11-24T01:58:56.687322257Z",
        "uptime": "22s",
        "connections": 0,
        "total_connections": 0,
        "cluster": {},
        "config_load_time": "2026-11-24T01:58:33.8Z",
        "system_account": "$SYS",
        **changed,
    }


def operator_varz(**changed: Any) -> dict[str, Any]:
    """Return a varz of a server in operator mode that tells no names."""
    return varz(version="2.10.25", trusted_operators_jwt=["eyJ"], **changed)


def stat(acc: str, **changed: Any) -> dict[str, Any]:
    """Return one account of an accstatz, idle."""
    idle = {"conns": 0, "leafnodes": 0, "sent": IDLE, "received": IDLE}
    return {"acc": acc, **idle, **changed}


def accstatz(*stats: dict[str, Any], server_id: str = SERVER) -> dict[str, Any]:
    """Return an accstatz; $G is listed always."""
    return {"server_id": server_id, "account_statz": [stat("$G"), *stats]}


def moment(at: float) -> str:
    """Return Unix seconds as servers write a moment."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def closed(
    cid: int, account: str = "APP", stop_at: float | None = None, **changed: Any
) -> dict[str, Any]:
    """Return a client that was closed; one that never logged in has no account."""
    entry = {"cid": cid, "kind": "Client", "reason": "Client Closed", **changed}
    if account:
        entry["account"] = account
    if stop_at is not None:
        entry["stop"] = moment(stop_at)
    return entry


def connz(
    *entries: dict[str, Any],
    total: int | None = None,
    now: str = "2026-11-24T01:58:56.7Z",
    server_id: str = SERVER,
) -> dict[str, Any]:
    """Return one page of closed connections; by default it is all there are."""
    return {
        "server_id": server_id,
        "now": now,
        "total": len(entries) if total is None else total,
        "connections": list(entries),
    }


def routez(*peers: str, server_id: str = SERVER) -> dict[str, Any]:
    """Return a routez with one route to each peer."""
    return {"server_id": server_id, "routes": [{"remote_id": p} for p in peers]}


def gatewayz(server_id: str = SERVER) -> dict[str, Any]:
    """Return a gatewayz without gateways."""
    return {"server_id": server_id, "outbound_gateways": {}, "inbound_gateways": {}}


def jsz(*details: dict[str, Any], server_id: str = SERVER) -> dict[str, Any]:
    """Return one page of jsz."""
    return {
        "server_id": server_id,
        "now": "2026-11-24T01:58:56.8Z",
        "account_details": list(details),
    }


def may_own(account: str, *streams: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return one account of jsz that never called the JetStream API."""
    return {
        "id": account,
        "name": account,
        "api": {"total": 0, "errors": 0},
        "reserved_memory": 2**64 - 1,
        "reserved_storage": 2**64 - 1,
        "stream_detail": list(streams),
        **changed,
    }


def stream(name: str = "S", **state: Any) -> dict[str, Any]:
    """Return one stream, never written and without consumers."""
    never = {
        "last_seq": 0,
        "last_ts": "0001-01-01T00:00:00Z",
        "consumer_count": 0,
        "messages": 0,
        "bytes": 0,
    }
    return {"name": name, "config": {"subjects": ["s"]}, "state": {**never, **state}}


def dump(body: dict[str, Any]) -> bytes:
    """Return a body's bytes."""
    return json.dumps(body).encode()
