"""Names of files in the configuration: relative to the folder that it is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_ENDINGS = ("_file", "resolver_dir", "nsc_store", "nats_config")


def locate_files(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the values with the names of files joined to the folder.

    What is no mapping or no list where there should be one stays as it is: the
    decoder refuses it.
    """
    located = dict(tree)
    if isinstance(systems := tree.get("systems"), list):
        located["systems"] = [_system(each, folder) for each in systems]
    if isinstance(state := tree.get("state"), dict):
        located["state"] = _joined(state, folder)
    if "registry_file" in tree:
        located |= _joined({"registry_file": tree["registry_file"]}, folder)
    return located


def locate_client_files(client: Any, folder: Path) -> Any:
    """Return the values of an HTTP client with the names of files joined."""
    return _joined(client, folder)


def _system(system: Any, folder: Path) -> Any:
    if not isinstance(system, dict):
        return system
    result = dict(system)
    if "http_client" in result:
        result["http_client"] = _joined(result["http_client"], folder)
    for key in ("endpoints", "inventory"):
        if isinstance(result.get(key), list):
            result[key] = [_joined(each, folder) for each in result[key]]
    if isinstance(patterns := result.get("file_sd_files"), list):
        result["file_sd_files"] = [_joined(each, folder, "path") for each in patterns]
    return result


def _joined(value: Any, folder: Path, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _joined(each, folder, name) for name, each in value.items()}
    if isinstance(value, list) and key == "files":
        return [_joined(each, folder, "_file") for each in value]
    if isinstance(value, str) and value and (key == "path" or key.endswith(_ENDINGS)):
        return str(folder / value)
    return value
