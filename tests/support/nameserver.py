"""Run a real name server on loopback, and let it tell something else."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import dns.exception
from dns.asyncresolver import Resolver
from dns.rdatatype import RdataType

from nats_idle_exporter.demo.child import Child, running
from nats_idle_exporter.demo.ports import ReservedPort
from tests.support.programs import require_program

HOST = "127.0.0.1"


class NameServer:
    """One dnsmasq that knows the names of its file only.

    Args:
        child: the process.
        pid_file: holds its id.
        hosts: its file of names.
        port: where it listens.
    """

    def __init__(self, child: Child, pid_file: Path, hosts: Path, port: int) -> None:
        self._child = child
        self._pid_file = pid_file
        self._hosts = hosts
        self._port = port

    def resolver(self) -> Resolver:
        """Make who asks this server, and no other."""
        resolver = Resolver(configure=False)
        resolver.nameservers = [HOST]
        resolver.port = self._port
        return resolver

    def pause(self) -> None:
        """Let it answer nobody."""
        self._child.pause()

    def resume(self) -> None:
        """Let it go on."""
        self._child.resume()

    async def tell(self, name: str, *addresses: str) -> None:
        """Let the name have these addresses from now on, and no other name any."""
        write_hosts(self._hosts, name, addresses)
        os.kill(int(self._pid_file.read_text()), signal.SIGHUP)
        await self.until_told(name, *addresses)

    async def until_told(self, name: str, *addresses: str) -> None:
        """Return once it tells these addresses of the name."""

        async def told() -> bool:
            told = await self._addresses(name) == sorted(addresses)
            return told and self._pid_file.exists()

        await self._child.until(told, f"tells {addresses}")

    async def _addresses(self, name: str) -> list[str]:
        found: list[str] = []
        for kind in (RdataType.A, RdataType.AAAA):
            try:
                found += map(str, await self.resolver().resolve(name, kind, lifetime=1))
            except dns.exception.DNSException:
                continue
        return sorted(found)


def write_hosts(path: Path, name: str, addresses: Iterable[str]) -> None:
    """Write a file of names."""
    path.write_text("".join(f"{address} {name}\n" for address in addresses))


@asynccontextmanager
async def naming(
    folder: Path, name: str, *addresses: str, srv: Iterable[str] = ()
) -> AsyncIterator[NameServer]:
    """Run a name server that tells a name's addresses, and maybe SRV records.

    A record is written as dnsmasq has it: ``_monitor._tcp.h,target,port``.
    """
    port = ReservedPort()
    hosts, pid_file = folder / "hosts", folder / "dnsmasq.pid"
    write_hosts(hosts, name, addresses)
    command = [
        *(require_program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null"),
        *("--no-resolv", "--no-hosts", "--local-ttl=0", f"--addn-hosts={hosts}"),
        *(f"--port={port.number}", f"--listen-address={HOST}", "--bind-interfaces"),
        # Only names of its own: whatever else is asked is none.
        *(f"--pid-file={pid_file}", "--local=/test/", "--log-facility=-"),
        *(f"--srv-host={record}" for record in srv),
        *(["--user=root"] if os.geteuid() == 0 else []),
    ]
    try:
        async with running("dnsmasq", command, folder / "dnsmasq.log") as child:
            server = NameServer(child, pid_file, hosts, port.number)
            await server.until_told(name, *addresses)
            yield server
    finally:
        port.close()
