"""Load the configuration: a file, flags that outrank it, or flags alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nats_idle_exporter.config.checks import settle
from nats_idle_exporter.config.decoding import decode_config
from nats_idle_exporter.config.files import locate_files
from nats_idle_exporter.config.overrides import NO_OVERRIDES, Overrides, override
from nats_idle_exporter.config.scalars import describe
from nats_idle_exporter.config.yamltree import parse_yaml
from nats_idle_exporter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats_idle_exporter.config.schema import Config

HERE = Path()
DEFAULT_ENDPOINT = "http://127.0.0.1:8222"


def load_config(path: Path, overrides: Overrides = NO_OVERRIDES) -> Config:
    """Return the checked configuration of a file; it is read here, blocking.

    Raises:
        ConfigError: the file cannot be read or used.
        UsageError: flags and file both name endpoints.
    """
    return parse_config(read_text(path.read_bytes), overrides, path.parent)


def read_text(read: Callable[[], bytes]) -> str:
    """Return the text of a document that is read here.

    Raises:
        ConfigError: it cannot be read, or is no text.
    """
    try:
        return read().decode("utf-8")
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


def parse_config(
    text: str, overrides: Overrides = NO_OVERRIDES, folder: Path = HERE
) -> Config:
    """Return the checked configuration that YAML text says.

    The files that it names are relative to the folder; they are not read here.

    Raises:
        ConfigError: the text cannot be used.
        UsageError: flags and text both name endpoints.
    """
    tree = parse_yaml(text)
    if not isinstance(tree, dict):
        raise ConfigError(
            "$", expected="a mapping with the key systems", found=describe(tree)
        )
    tree = override(locate_files(tree, folder), overrides)
    return settle(decode_config(tree), tree)


def config_without_file(overrides: Overrides = NO_OVERRIDES) -> Config:
    """Return the configuration that flags alone make.

    Raises:
        ConfigError: flags contradict each other.
    """
    systems = [{"endpoints": [DEFAULT_ENDPOINT]}]
    tree = override({} if overrides.endpoints else {"systems": systems}, overrides)
    return settle(decode_config(tree), tree)
