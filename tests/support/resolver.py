"""Tell a server's full resolver what ``nsc push`` would: new, changed, deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.clients import connected
from tests.support.jwts import credentials
from tests.support.natsserver import ServerTroubleError

if TYPE_CHECKING:
    from tests.support.jwts import Identity, Operator
    from tests.support.natsserver import NatsServer


async def push(server: NatsServer, operator: Operator, account: Identity) -> None:
    """Let the server know an account's newest JWT."""
    token = operator.accounts[account.public_key]
    await _request(server, operator, "UPDATE", token)


async def delete(server: NatsServer, operator: Operator, account: Identity) -> None:
    """Let the server delete an account's JWT; it must have ``allow_delete``."""
    claims = {"type": "generic", "accounts": [account.public_key]}
    token = operator.identity.sign(operator.identity, claims)
    await _request(server, operator, "DELETE", token)


async def _request(
    server: NatsServer, operator: Operator, verb: str, token: str
) -> None:
    async with connected(server, creds=credentials(operator.system_account)) as client:
        answer = await client.request(
            f"$SYS.REQ.CLAIMS.{verb}", token.encode(), timeout=5
        )
    told = json.loads(answer.data)
    if "error" in told:
        raise ServerTroubleError(f"{server!r} {verb}: {told['error']}")
