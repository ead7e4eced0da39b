"""Load the configuration: a file, flags that outrank it, or flags alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nats_idle_exporter.config.checks import settle
from nats_idle_exporter.config.decoding import decode_config
from nats_idle_exporter.config.overrides import NO_OVERRIDES, Overrides, override
from nats_idle_exporter.config.scalars import describe
from nats_idle_exporter.config.yamltree import parse_yaml
from nats_idle_exporter.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from nats_idle_exporter.config.schema import Config

DEFAULT_ENDPOINT = "http://127.0.0.1:8222"


def load_config(path: Path, overrides: Overrides = NO_OVERRIDES) -> Config:
    """Return the checked configuration of a file; it is read here, blocking.

    Raises:
        ConfigError: the file cannot be read or used.
        UsageError: flags and file both name endpoints.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError("$", expected="a readable file", found=reason) from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ConfigError(
            "$",
            expected="text in UTF-8",
            found=f"the byte 0x{byte:02x} at offset {error.start}",
        ) from error
    config = parse_config(text, overrides)
    if config.state.path is None:
        return config
    state_path = str(path.parent.absolute() / config.state.path)
    return replace(config, state=replace(config.state, path=state_path))


def parse_config(text: str, overrides: Overrides = NO_OVERRIDES) -> Config:
    """Return the checked configuration that YAML text says.

    Raises:
        ConfigError: the text cannot be used.
        UsageError: flags and text both name endpoints.
    """
    tree = parse_yaml(text)
    if not isinstance(tree, dict):
        raise ConfigError(
            "$", expected="a mapping with the key systems", found=describe(tree)
        )
    tree = override(tree, overrides)
    return settle(decode_config(tree), tree)


def config_without_file(overrides: Overrides = NO_OVERRIDES) -> Config:
    """Return the configuration that flags alone make.

    Raises:
        ConfigError: flags contradict each other.
    """
    systems = [{"endpoints": [DEFAULT_ENDPOINT]}]
    tree = override({} if overrides.endpoints else {"systems": systems}, overrides)
    return settle(decode_config(tree), tree)
