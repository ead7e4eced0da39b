"""The file that says how a daemon is asked, in Prometheus' words for HTTP clients."""

from __future__ import annotations

from pathlib import Path

from nats_idle_exporter.config.converting import Shape, decode
from nats_idle_exporter.config.files import locate_client_files
from nats_idle_exporter.config.httpclient import (
    REQUIRED,
    STRUCTS,
    HttpClient,
    check_client,
)
from nats_idle_exporter.config.loading import read_text
from nats_idle_exporter.config.yamltree import parse_yaml

_SHAPE = Shape({"$": HttpClient, **STRUCTS}, REQUIRED, {}, is_secretive=True)


def load_client_file(path: Path) -> HttpClient:
    """Return the checked client of a file; it is read here, blocking.

    Names of files in it are relative to its folder; those files are not read here.

    Raises:
        ConfigError: it cannot be read or used.
    """
    return parse_client_file(read_text(path.read_bytes), path.parent)


def parse_client_file(text: str, folder: Path) -> HttpClient:
    """Return the checked client that a text says.

    Raises:
        ConfigError: it cannot be used.
    """
    tree = parse_yaml(text)
    if tree is None:
        return HttpClient()
    client = decode(locate_client_files(tree, folder), HttpClient, _SHAPE)
    check_client(client)
    return client
