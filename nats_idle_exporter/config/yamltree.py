"""Strict YAML: text -> plain values, every refusal with its ``$.path``.

PyYAML's own loader takes the last of two equal keys, reads ``1:30`` as 90 and
``on`` as true. Here nodes become values one by one: keys are text and unique,
and a scalar that YAML 1.1 reads unlike a person would stays a :class:`Misread`.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from nats_idle_exporter.config.scalars import BOOLEAN, Misread, describe
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.text import one_line, shorten

MOST_VALUES: Final = 500_000
"""Of one document, keys too; each takes about a kilobyte."""

_TAG = "tag:yaml.org,2002:"
_PLAIN_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NAMED = re.compile(r"alias|anchor|handle|directive")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# A lone = or << is special only where YAML 1.1 merges mappings, which is not done.
_TEXT = frozenset({f"{_TAG}str", f"{_TAG}value", f"{_TAG}merge"})
_OTHER_TAGS = frozenset({"binary", "map", "null", "omap", "pairs", "seq", "set"})
_HALF = re.compile("[\ud800-\udfff]")
_KINDS = {
    f"{_TAG}bool": BOOLEAN,
    f"{_TAG}int": "a number",
    f"{_TAG}float": "a number",
    f"{_TAG}timestamp": "a date",
}


def parse_yaml(text: str) -> Any:
    """Return the document's values: dict, list, str, int, None and Misread.

    Raises:
        ConfigError: it is no YAML, or has keys twice, tags, loops or very many values.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        return None if node is None else _Builder().build(node, "$")
    except yaml.MarkedYAMLError as error:
        raise ConfigError("$", expected="YAML", found=_syntax(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            "$", expected="YAML", found=f"a control character in line {line}"
        ) from error
    except RecursionError as error:
        raise ConfigError(
            "$", expected="a few levels of nesting", found="very many"
        ) from error
    except (ValueError, OverflowError) as error:
        # PyYAML makes characters of escapes, and a number of %YAML, unchecked.
        raise ConfigError(
            "$",
            expected="YAML",
            found="an escape or a version that is out of range",
        ) from error


def join_key(path: str, key: str) -> str:
    """Return the path of a mapping's entry; odd keys are quoted."""
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}"
    return f"{path}[{describe(key)}]"


class _Loader(yaml.SafeLoader):
    """Refuse very many values before they fill the memory."""

    _values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a value, unless there were enough."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise ConfigError(
                "$", expected=f"at most {MOST_VALUES} values", found="more"
            )
        return super().compose_node(parent, index)


class _Builder:
    """Build values from nodes; a node used by several aliases is built once."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._built: dict[int, Any] = {}

    def build(self, node: yaml.Node, path: str) -> Any:
        if id(node) in self._open:
            raise ConfigError(
                path, expected="a finite value", found="an alias that contains itself"
            )
        if id(node) not in self._built:
            self._open.add(id(node))
            self._built[id(node)] = self._value(node, path)
            self._open.remove(id(node))
        return self._built[id(node)]

    def _value(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [
                self.build(item, f"{path}[{index}]")
                for index, item in enumerate(node.value)
            ]
        return _scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _key(key_node, path)
            if key in result:
                raise ConfigError(
                    join_key(path, key),
                    expected="each key once",
                    found=f"it again in line {key_node.start_mark.line + 1}",
                )
            result[key] = self.build(value_node, join_key(path, key))
        return result


def _key(node: yaml.Node, path: str) -> str:
    if isinstance(node, yaml.ScalarNode) and node.tag in _TEXT:
        return _whole(node.value, path)
    is_scalar = isinstance(node, yaml.ScalarNode)
    shown = describe(str(node.value)) if is_scalar else "a list or a mapping"
    raise ConfigError(
        path,
        expected="keys that are text",
        found=f"{shown} in line {node.start_mark.line + 1}",
    )


def _whole(text: str, path: str) -> str:
    """Refuse half of a surrogate pair, which no file and no header can hold."""
    if _HALF.search(text):
        raise ConfigError(
            path, expected="whole characters", found="an escape of half of one"
        )
    return text


def _scalar(node: yaml.Node, path: str) -> Any:
    if isinstance(node, yaml.ScalarNode):
        text = _whole(node.value, path)
        if node.tag in _TEXT:
            return text
        if node.tag == f"{_TAG}null":
            return None
        if node.tag == f"{_TAG}int" and _PLAIN_NUMBER.fullmatch(text):
            return int(text)
        if node.tag in _KINDS:
            return Misread(text, _KINDS[node.tag])
    # A tag that is not YAML's own may be a password without quotes: !secret, !!secret
    is_known = node.tag.removeprefix(_TAG) in _OTHER_TAGS
    found = f"the tag {describe(node.tag)}" if is_known else "a tag; quote a leading !"
    raise ConfigError(path, expected="a value without a tag", found=found)


def _syntax(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = str(error.problem or error.context)
    # What stands behind a name may be a password without quotes: *secret, &secret
    if _NAMED.search(problem):
        problem = problem.partition(" '")[0].partition(' "')[0]
    what = shorten(one_line(problem))
    # It makes an alias of an unquoted *, which a glob often begins with.
    is_alias = "alias" in f"{error.context} {error.problem}"
    hint = "; quote a value that begins with *" if is_alias else ""
    return f"an error{place}: {what}{hint}"
