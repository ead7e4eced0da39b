"""Endpoints as the file has them: a URL, or a mapping with how to ask there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from msgspec.structs import asdict

from nats_idle_exporter.config.converting import Shape, decode
from nats_idle_exporter.config.httpclient import (
    REQUIRED,
    STRUCTS,
    HttpClient,
    check_client,
)
from nats_idle_exporter.config.scalars import (
    EndpointUrl,
    PlainType,
    ScalarError,
    read_scalar,
)
from nats_idle_exporter.errors import ConfigError

if TYPE_CHECKING:
    Client = HttpClient
else:

    class Client(metaclass=PlainType):
        """A mapping of keys, whose values no error shows."""

        plain = HttpClient


class _Entry(HttpClient, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: EndpointUrl


_CLIENT = Shape({"$": HttpClient, **STRUCTS}, REQUIRED, {}, is_secretive=True)
_ENTRY = Shape({"$": _Entry, **STRUCTS}, REQUIRED, {}, is_secretive=True)
_AUTH = ("basic_auth", "authorization")


class Endpoint(str):
    """The URL of an endpoint that the file gives keys of its own."""

    __slots__ = ("client",)
    client: HttpClient

    def __new__(cls, url: str, client: HttpClient) -> Self:
        """Make the URL, and note how to ask there."""
        endpoint = super().__new__(cls, url)
        endpoint.client = client
        return endpoint


class PlacedClient(NamedTuple):
    """How one endpoint is asked; ``places`` tells where each key of it stands."""

    client: HttpClient
    places: Mapping[str, str]


def read_config_value(kind: type, value: Any) -> Any:
    """Return what the decoder asks for; the decoder adds the ``$.path``.

    Raises:
        ScalarError: the value cannot be of that kind.
    """
    try:
        if kind is Client:
            client = decode(value, HttpClient, _CLIENT)
            check_client(client)
            return client
        if kind is EndpointUrl and isinstance(value, dict):
            entry = decode(value, _Entry, _ENTRY)
            check_client(entry)
            return Endpoint(entry.url, entry)
    except ConfigError as error:
        raise ScalarError(
            expected=error.expected, found=error.found, inside=error.path[1:]
        ) from error
    return read_scalar(kind, value)


def client_of(
    general: HttpClient, endpoint: str, system_path: str, endpoint_path: str
) -> PlacedClient:
    """Return how an endpoint is asked: its own keys, else those of its system.

    Credentials of its own, of either kind, replace credentials of either kind.
    """
    values = _keys(general)
    places = dict.fromkeys(values, f"{system_path}.http_client")
    if isinstance(endpoint, Endpoint):
        own = _keys(endpoint.client)
        if any(name in own for name in _AUTH):
            for name in _AUTH:
                values.pop(name, None)
        values |= own
        places |= dict.fromkeys(own, endpoint_path)
    return PlacedClient(HttpClient(**values), places)


def _keys(client: HttpClient) -> dict[str, Any]:
    return {
        name: value
        for name, value in asdict(client).items()
        if name != "url" and value not in (None, {})
    }
