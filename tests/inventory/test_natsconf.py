"""The format of nats-server's configuration files, and every way to break it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.monitoring.inventory.natsconf import (
    ConfError,
    files,
    load_nats_config,
)
from tests.inventory.builders import outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nats_idle_exporter.monitoring.inventory.natsconf import Value

VALUES: dict[str, Any] = {
    "": {},
    "# only a comment": {},
    "a: 1": {"a": 1},
    "a = 1": {"a": 1},
    "a 1": {"a": 1},
    "a:1": {"a": 1},
    "a\n{ b: 1 }": {"a": {"b": 1}},
    "a: 1; b: 2, c: 3\nd: 4": {"a": 1, "b": 2, "c": 3, "d": 4},
    "a: 1 # one\nb: 2 // two\n// three\n": {"a": 1, "b": 2},
    "a: x#y": {"a": "x#y"},
    "a: nats://h:4222": {"a": "nats://h:4222"},
    "a { b { c: 1 }\n d: 2 }": {"a": {"b": {"c": 1}, "d": 2}},
    "a: [1, 2\n 3 # x\n, 4,]": {"a": [1, 2, 3, 4]},
    "a: []\nb: {}": {"a": [], "b": {}},
    "a: [{b: 1}, [2], x]": {"a": [{"b": 1}, [2], "x"]},
    "\"a b\": 1\n'c': 2": {"a b": 1, "c": 2},
    "$SYS { users: [] }": {"$SYS": {"users": []}},
    r'a: "x\ty\n\"\\\x41"': {"a": 'x\ty\n"\\A'},
    r"a: 'x\ty'": {"a": r"x\ty"},
    r"a: x\x20y": {"a": "x y"},
    "a: (\n x) y\n (\n)\nb: 1": {"a": "\n x) y\n (\n", "b": 1},
    "a: (x\n)": {"a": "x\n"},
    "a: true\nb: NO\nc: on": {"a": True, "b": False, "c": True},
    "a: -1\nb: 1.5\nc: 1.2.3": {"a": -1, "b": 1.5, "c": "1.2.3"},
    "a: 1k\nb: 1K\nc: 1kb\nd: 2MiB": {"a": 1000, "b": 1000, "c": 1024, "d": 2097152},
    "a: 1g\nb: 1GB\nc: 1t": {"a": 10**9, "b": 2**30, "c": 10**12},
    "a: 127.0.0.1:4222": {"a": "127.0.0.1:4222"},
    "a: 12345678901234567890123": {"a": "12345678901234567890123"},
    "a: 24h": {"a": "24h"},
    "a: 1\na: 2": {"a": 2},
    "X: 5\na: $X\nb { c: $X }": {"X": 5, "a": 5, "b": {"c": 5}},
    "X: 5\nb { X: 6, c: $X }\nd: $X": {"X": 5, "b": {"X": 6, "c": 6}, "d": 5},
    "b { X: 6 }\nX: 1\na: [$X]": {"b": {"X": 6}, "X": 1, "a": [1]},
    "a: $ENV_N": {"a": 7},
    "a: $ENV_MAP": {"a": {"k": [7]}},
    "a: $2a$11$abc.def/ghi": {"a": "$2a$11$abc.def/ghi"},
    '{"a": {"b": [1, "x"]}, "c": true}': {"a": {"b": [1, "x"]}, "c": True},
    "include: x": {"include": "x"},
    "resolver: URL(http://h:80/jwt/)": {"resolver": "URL(http://h:80/jwt/)"},
    "größe: ä": {"größe": "ä"},
    "\ufeffa: 1\r\nb: 2\r\n": {"a": 1, "b": 2},
}
ENVIRONMENT = {
    "ENV_N": "7",
    "ENV_MAP": "{k: [$ENV_N]}",
    "LOOP": "$LOOP",
    "TWO": "a b",
    "INCLUDES": "{include x}",
    "EMPTY": "",
}

NEXT = "a new line, a comma or a semicolon after a value"
VARIABLE = "a variable of the keys before it or of the environment"
MISTAKES = {
    "a { b { c: 1 } d: 2 }": (1, NEXT, "a word"),
    "a: hunter2 hunter2": (1, NEXT, "a word"),
    "a: 1\nb": (2, "a value", "the end"),
    "a {": (1, "a }", "the end"),
    "\n\na: [1": (3, "a ]", "the end"),
    "a: 1\n}": (2, "a key", "'}'"),
    "{a: 1}\nb: 2": (2, "the end of the file", "a word"),
    "a {\n b: }": (2, "a value", "'}'"),
    "a: ]": (1, "a value", "']'"),
    ": 1": (1, "a key", "':'"),
    'a: "hunter2': (1, 'a text that ends with "', "no end"),
    "a: 'hunter2": (1, "a text that ends with '", "no end"),
    '"a: 1': (1, 'a key that ends with "', "no end"),
    "include 'x": (1, "a path that ends with '", "no end"),
    "include  ": (1, "a path", "the end"),
    "a: (x)": (
        1,
        "a text in parentheses that ends with a ) on a line by itself",
        "no end",
    ),
    r'a: "\q"': (1, r"an escape \xXX \t \n \r \" or \\", "another one"),
    r'a: "\x4"': (1, r"an escape \xXX \t \n \r \" or \\", "another one"),
    "X: 1\na: $NONE": (2, VARIABLE, "$NONE"),
    "a: $LATER\nLATER: 1": (1, VARIABLE, "$LATER"),
    "a: $": (1, VARIABLE, "another word after a $"),
    "password: $hunter2": (1, VARIABLE, "another word after a $"),
    "a: " + "[" * 200: (1, "at most 100 levels of nesting", "more"),
    "{a:" * 200: (1, "at most 100 levels of nesting", "more"),
}


def load(
    folder: Path, text: str, environment: Mapping[str, str] = ENVIRONMENT
) -> dict[str, Value]:
    """Return what a file with this text says."""
    file = folder / "nats.conf"
    file.write_bytes(text.encode())
    return load_nats_config(file, environment).values


@pytest.mark.parametrize(("text", "values"), VALUES.items())
def test_values(text: str, values: dict[str, Value], tmp_path: Path) -> None:
    """Each form of the format gives its plain values."""
    assert load(tmp_path, text) == values


@pytest.mark.parametrize(("text", "said"), MISTAKES.items())
def test_a_mistake_is_told_with_its_line(
    text: str, said: tuple[int, str, str], tmp_path: Path
) -> None:
    """A text that is no configuration is refused with file, line and no value."""
    line, expected, found = said

    with pytest.raises(ConfError) as caught:
        load(tmp_path, text)

    error = caught.value
    assert (error.expected, error.found) == (expected, found)
    assert error.where == f"{tmp_path / 'nats.conf'}:{line}"
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LOOP", "at most 100 levels of nesting"),
        ("TWO", "a single value"),
        ("INCLUDES", "no include in a variable"),
        ("EMPTY", "a value"),
    ],
)
def test_a_bad_variable_is_told_where_it_is_used(
    name: str, expected: str, tmp_path: Path
) -> None:
    """A variable of the environment that holds no value is told with its user."""
    with pytest.raises(ConfError) as caught:
        load(tmp_path, f"x: 1\na: ${name}")

    assert caught.value.expected == expected
    assert caught.value.where == f"{tmp_path / 'nats.conf'}:2: ${name}"


def test_a_bytewise_broken_file_is_told(tmp_path: Path) -> None:
    """A file that is no UTF-8 is refused with the byte's place."""
    file = tmp_path / "nats.conf"
    file.write_bytes(b"a: \xff")

    with pytest.raises(
        ConfError, match="text in UTF-8, found the byte 0xff at offset 3"
    ):
        load_nats_config(file, {})


class TestIncludes:
    """Files within files."""

    def test_keys_join_the_map(self, tmp_path: Path) -> None:
        """An include's keys stand where it stands, paths from its own folder."""
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.conf").write_text("x: 1\ninclude 'b.conf'")
        (tmp_path / "sub" / "b.conf").write_text("{ y: 2 }")

        values = load(
            tmp_path, 'm { include ./sub/a.conf }\ninclude "sub/b.conf"; z: $y'
        )

        assert values == {"m": {"x": 1, "y": 2}, "y": 2, "z": 2}

    def test_an_absolute_path_is_below_the_folder(self, tmp_path: Path) -> None:
        """The server joins any path to the folder; so does this."""
        (tmp_path / "b.conf").write_text("y: 2")

        assert load(tmp_path, "include /b.conf") == {"y": 2}

    def test_a_file_has_its_own_scope(self, tmp_path: Path) -> None:
        """A variable of the outer file is unknown within an include."""
        (tmp_path / "b.conf").write_text("y: $X")

        with pytest.raises(ConfError, match=r"b.conf:1: expected a variable"):
            load(tmp_path, "X: 1\ninclude b.conf", {})

    @pytest.mark.parametrize("name", ["nats.conf", "link.conf", "b.conf"])
    def test_a_cycle_is_told(self, name: str, tmp_path: Path) -> None:
        """A file within itself is refused, by whatever name."""
        (tmp_path / "link.conf").symlink_to("nats.conf")
        (tmp_path / "b.conf").write_text("\ninclude nats.conf")

        with pytest.raises(ConfError) as caught:
            load(tmp_path, f"a: 1\ninclude {name}")

        where = "b.conf" if name == "b.conf" else "nats.conf"
        assert caught.value.where == f"{tmp_path / where}:2"
        assert caught.value.expected == "an include of another file"

    def test_a_file_twice_is_fine(self, tmp_path: Path) -> None:
        """Two includes of one file beside each other are no cycle."""
        (tmp_path / "b.conf").write_text("y: 2")

        values = load(tmp_path, "a { include b.conf }\nb { include b.conf }")

        assert values == {"a": {"y": 2}, "b": {"y": 2}}

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        """The line that asks for a missing file is told."""
        with pytest.raises(ConfError) as caught:
            load(tmp_path, "a: 1\n\ninclude none.conf")

        missing = tmp_path / "none.conf"
        assert caught.value.where == f"{tmp_path / 'nats.conf'}:3"
        assert caught.value.expected == f"a readable file at {missing}"
        assert caught.value.found == "No such file or directory"

    def test_odd_files_are_told(self, tmp_path: Path) -> None:
        """A folder, a pipe and a path with a NUL are refused, not waited for."""
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "folder").mkdir()

        for path, found in (
            ("pipe", "something else"),
            ("folder", "a folder"),
            ("x\0y", "a NUL in it"),
        ):
            with pytest.raises(ConfError) as caught:
                load(tmp_path, f"include {path}")
            assert caught.value.found == found
            assert str(caught.value).isprintable()

    def test_all_files_share_one_budget(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files that double each other are stopped by bytes and by number."""
        for level in range(12):
            below = f"include {level + 1}.conf\n"
            (tmp_path / f"{level}.conf").write_text(below * 2)
        (tmp_path / "12.conf").write_text("x: 1")

        with pytest.raises(ConfError, match="at most 1000 files, found more"):
            load(tmp_path, "include 0.conf")
        monkeypatch.setattr(files, "MOST_BYTES", 100)
        with pytest.raises(ConfError, match=r"at most \d+ bytes at .*, found more"):
            load(tmp_path, "include 0.conf")


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DOCUMENTS = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31) | NAMES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES.filter(lambda key: '"' not in key), inner, max_size=4)
    ),
    max_leaves=12,
)


def written(value: Any, style: str) -> str:
    """Write a value; the styles of gaps and separators vary."""
    colon, gap, end = style.split("|")
    if isinstance(value, dict):
        rows = (f'"{k}"{colon}{written(v, style)}' for k, v in value.items())
        return "{" + gap + end.join(rows) + gap + "}"
    if isinstance(value, list):
        return "[" + gap + end.join(written(v, style) for v in value) + gap + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return json.dumps(value)


@given(
    document=st.dictionaries(NAMES.filter(lambda key: '"' not in key), DOCUMENTS),
    style=st.sampled_from([": ||,", " = | |\n", " |\n# x\n| // y\n", ":| \r\n|, "]),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], style: str
) -> None:
    """A document comes back as it was, however it is laid out."""
    text = written(document, style)

    assert load(tmp_path_factory.mktemp("conf"), text) == document


@given(text=st.text(alphabet="ab:={}[]()\"'\\ \n,;#/$0.kinclude\0ä", max_size=60))
def test_any_text_is_taken(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Any text is a configuration or a refusal on one line."""
    folder = tmp_path_factory.mktemp("conf")

    found = outcome(lambda: load(folder, text))

    assert isinstance(found, dict | ConfError)
    assert isinstance(found, dict) or str(found).isprintable()
