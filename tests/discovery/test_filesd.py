"""Endpoints in files of targets, as Prometheus reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nats_idle_exporter.monitoring.discovery import DiscoveryError, FileTargets, filesd

GROUPS = [
    {"targets": ["nats-0:8222", "nats-1:8222"], "labels": {"job": "nats"}},
    {"targets": ["[::1]:8222"], "labels": {"__scheme__": "https"}},
    {"targets": ["http://proxy/nats-2/", "nats-0:8222"], "labels": None},
]
URLS = [
    "http://nats-0:8222",
    "http://nats-1:8222",
    "https://[::1]:8222",
    "http://proxy/nats-2",
]


async def urls(pattern: Path) -> list[str]:
    """Return what the files tell."""
    source = FileTargets("file_sd:f", str(pattern))
    return [each.url for each in await source.find()]


@pytest.mark.parametrize("name", ["targets.json", "targets.yml", "targets.YAML"])
async def test_targets(name: str, tmp_path: Path) -> None:
    """JSON is YAML too; each target is an endpoint once."""
    (tmp_path / name).write_text(json.dumps(GROUPS))

    assert await urls(tmp_path / name) == URLS


async def test_all_files_that_match(tmp_path: Path) -> None:
    """A star stands for any part of a file's name."""
    for name in ("a.json", "b.json", "b.yml", "c.txt"):
        (tmp_path / name).write_text(f'[{{"targets": ["{name[0]}:1"]}}]')

    assert await urls(tmp_path / "*.json") == ["http://a:1", "http://b:1"]


async def test_nobody(tmp_path: Path) -> None:
    """A file that lists nobody says so: it is no failure."""
    (tmp_path / "f.json").write_text("[]")

    assert await urls(tmp_path / "f.json") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "$: expected JSON, found an error in line 1, column 1: Expecting value"),
        ("{}", "$: expected a list of groups, found a mapping"),
        ("[1]", "$[0]: expected a mapping with the key targets, found 1"),
        ("[{}]", "$[0].targets: expected a list, found nothing"),
        (
            '[{"target": []}]',
            '$[0].target: expected one of the keys targets, labels, found "target"',
        ),
        (
            '[{"targets": ["a:1", 2]}]',
            "$[0].targets[1]: expected text like host:8222, found 2",
        ),
        (
            '[{"targets": ["a:1/b"]}]',
            '$[0].targets[0]: expected host:port, found "a:1/b"',
        ),
        (
            '[{"targets": ["a:99999"]}]',
            (
                "$[0].targets[0]: expected a URL like http://host:8222, "
                'found "http://a:99999"'
            ),
        ),
        (
            '[{"targets": ["http://u:hunter2@a"]}]',
            (
                "$[0].targets[0]: expected a URL without user and password, "
                'found credentials in "http://a"'
            ),
        ),
        (
            '[{"targets": [], "labels": []}]',
            "$[0].labels: expected a mapping, found an empty list",
        ),
        (
            '[{"targets": [], "labels": {"__scheme__": "ftp"}}]',
            '$[0].labels.__scheme__: expected http or https, found "ftp"',
        ),
        ("[" * 100_000, "$: expected a few levels of nesting, found very many"),
        ("9" * 5000, "$: expected JSON, found a number of thousands of digits"),
    ],
)
async def test_mistakes(text: str, message: str, tmp_path: Path) -> None:
    """Each is told with file, place, what was expected and what was found."""
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(DiscoveryError) as failed:
        await urls(path)

    assert str(failed.value) == f"{path} {message}"


async def test_one_bad_file_of_several(tmp_path: Path) -> None:
    """What cannot be read may name anybody: all files count, or none."""
    (tmp_path / "a.yml").write_text("- targets: [a:1]")
    (tmp_path / "b.yml").write_text("- targets: {")
    with pytest.raises(DiscoveryError, match=r"b\.yml \$: expected YAML, found an err"):
        await urls(tmp_path / "*.yml")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.json", "expected a readable file, found No such file or directory"),
        ("*.json", "expected a file, found none"),
        ("no/*.json", "expected a folder, found No such file or directory"),
        ("d.json", "expected a file, found a folder"),
    ],
)
async def test_files_that_are_not_there(
    name: str, message: str, tmp_path: Path
) -> None:
    """A missing file is no empty one: it may not be there yet, or no more."""
    folder = tmp_path / "files"
    folder.mkdir()
    if name == "d.json":
        (folder / name).mkdir()
    with pytest.raises(DiscoveryError, match=message):
        await urls(folder / name)


async def test_very_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no list of targets does not fill the memory."""
    monkeypatch.setattr(filesd, "MOST_BYTES", 3)
    (tmp_path / "f.json").write_text("[   ]")
    with pytest.raises(DiscoveryError, match="expected at most 3 bytes, found more"):
        await urls(tmp_path / "f.json")
