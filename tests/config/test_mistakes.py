"""Every mistake in a file: one line that says where, what was expected and found."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from nats_idle_exporter.cli import main
from nats_idle_exporter.config import yamltree

if TYPE_CHECKING:
    from pathlib import Path


class Mistake(NamedTuple):
    """A file and the three parts of its complaint."""

    text: str
    where: str
    expected: str
    found: str


ONE = "systems: [{endpoints: ['http://h:8222']}]\n"
DURATION = "a duration like 24h"
POSITIVE = "a duration above 0, like 24h"
POLL_KEYS = (
    "one of the keys interval, timeout, jetstream_interval, facts_per_cycle,"
    " concurrency, max_body_bytes"
)
ROOT_KEYS = (
    "one of the keys systems, poll, inactivity, accounts, registry_file, exclude, state"
)
SYSTEM_KEYS = (
    "one of the keys endpoints, name, file_sd_files, http_client, refresh_interval,"
    " inventory"
)
INACTIVITY_KEYS = (
    "one of the keys threshold, gap_tolerance, forget_after, brief_connections"
)
BRIEF = "require or best_effort"
RULE_KEYS = (
    "one of the keys match, threshold, gap_tolerance, owner, team, environment,"
    " expected_start, contact, purpose, exempt, decommission"
)
EXEMPT_KEYS = "one of the keys until, reason, by"
OUT_KEYS = "one of the keys disabled_on, approved_by, grace"
MOMENT = "a date like 2027-01-31, or 2027-01-31T09:00:00Z"
FILES = "a path that ends in .json, .yml or .yaml, with at most one *, in its last part"
SCHEME = "a URL that starts with http:// or https://"

MISTAKES = {
    # The document.
    "empty": Mistake("", "$", "a mapping with the key systems", "nothing"),
    "comments only": Mistake("# x\n", "$", "a mapping with the key systems", "nothing"),
    "a list at top": Mistake("- a\n", "$", "a mapping with the key systems", "a list"),
    "text at top": Mistake("hello", "$", "a mapping with the key systems", '"hello"'),
    "no systems": Mistake(
        "poll: {interval: 1s}", "$.systems", "a list of systems", "nothing"
    ),
    "unclosed list": Mistake(
        "systems: [\n", "$", "YAML", "an error in line 2, column 1: expected the node"
    ),
    "a tab": Mistake(
        ONE + "poll:\n\tinterval: 1s\n",
        "$",
        "YAML",
        "an error in line 3, column 1: found character '\\t'",
    ),
    "two documents": Mistake(
        ONE + "---\n" + ONE, "$", "YAML", "an error in line 2, column 1: but found"
    ),
    "unknown alias": Mistake(
        "systems: *here",
        "$",
        "YAML",
        "an error in line 1, column 10: found undefined alias",
    ),
    "control character": Mistake(
        ONE + "# \x07", "$", "YAML", "a control character in line 2"
    ),
    "endless nesting": Mistake(
        "[" * 20000, "$", "a few levels of nesting", "very many"
    ),
    "character that does not exist": Mistake(
        'systems: "\\U00110000"',
        "$",
        "YAML",
        "an escape or a version that is out of range",
    ),
    "character far from any": Mistake(
        'systems: "\\UFFFFFFFF"',
        "$",
        "YAML",
        "an escape or a version that is out of range",
    ),
    "endless version": Mistake(
        "%YAML 1." + "1" * 5000 + "\n---\n" + ONE,
        "$",
        "YAML",
        "an escape or a version that is out of range",
    ),
    "alias to itself": Mistake(
        "systems: &a [*a]",
        "$.systems[0]",
        "a finite value",
        "an alias that contains itself",
    ),
    # Keys.
    "key twice": Mistake(
        ONE + "poll:\n  interval: 1s\n  interval: 2s\n",
        "$.poll.interval",
        "each key once",
        "it again in line 4",
    ),
    "section twice": Mistake(
        ONE + ONE, "$.systems", "each key once", "it again in line 2"
    ),
    "number as key": Mistake(ONE + "5: x", "$", "keys that are text", '"5" in line 2'),
    "list as key": Mistake(
        ONE + "? [a]\n: x", "$", "keys that are text", "a list or a mapping in line 2"
    ),
    "unknown key": Mistake(
        ONE + "poll: {intervall: 1s}", "$.poll.intervall", POLL_KEYS, '"intervall"'
    ),
    "unknown odd key": Mistake(ONE + '"a\\nb": 1', '$["a\\nb"]', ROOT_KEYS, '"a\\nb"'),
    "merge key": Mistake(
        "systems: [&a {endpoints: ['http://h']}, {<<: *a}]",
        '$.systems[1]["<<"]',
        SYSTEM_KEYS,
        '"<<"',
    ),
    "later: leaf servers": Mistake(
        "systems: [{endpoints: ['http://h'], leaf_servers: ignore}]",
        "$.systems[0].leaf_servers",
        SYSTEM_KEYS,
        '"leaf_servers"',
    ),
    "no facts": Mistake(
        ONE + "poll: {facts_per_cycle: 0}",
        "$.poll.facts_per_cycle",
        "a whole number of at least 1",
        "0",
    ),
    "unknown key of inactivity": Mistake(
        ONE + "inactivity: {thresh: 1h}",
        "$.inactivity.thresh",
        INACTIVITY_KEYS,
        '"thresh"',
    ),
    "unknown brief connections": Mistake(
        ONE + "inactivity: {brief_connections: ignore}",
        "$.inactivity.brief_connections",
        BRIEF,
        '"ignore"',
    ),
    "brief connections as yes": Mistake(
        ONE + "inactivity: {brief_connections: yes}",
        "$.inactivity.brief_connections",
        BRIEF,
        "yes, which YAML reads as true or false",
    ),
    "brief connections without a value": Mistake(
        ONE + "inactivity: {brief_connections: }",
        "$.inactivity.brief_connections",
        BRIEF,
        "nothing",
    ),
    "brief connections as a list": Mistake(
        ONE + "inactivity: {brief_connections: [require]}",
        "$.inactivity.brief_connections",
        BRIEF,
        "a list",
    ),
    "expected start is no day": Mistake(
        ONE + "accounts: [{match: a, expected_start: 2027-02-31}]",
        "$.accounts[0].expected_start",
        MOMENT,
        '"2027-02-31", which is none',
    ),
    "expected start in other words": Mistake(
        ONE + "accounts: [{match: a, expected_start: 31.1.2027}]",
        "$.accounts[0].expected_start",
        MOMENT,
        '"31.1.2027"',
    ),
    "expected start is a number": Mistake(
        ONE + "accounts: [{match: a, expected_start: 20270131}]",
        "$.accounts[0].expected_start",
        MOMENT,
        "20270131",
    ),
    "an exemption without an end": Mistake(
        ONE + "accounts: [{match: a, exempt: {reason: r, by: b}}]",
        "$.accounts[0].exempt.until",
        MOMENT,
        "nothing",
    ),
    "an exemption without a reason": Mistake(
        ONE + "accounts: [{match: a, exempt: {until: 2027-01-31, by: b}}]",
        "$.accounts[0].exempt.reason",
        "why it is exempt",
        "nothing",
    ),
    "an exemption by nobody": Mistake(
        ONE + "accounts: [{match: a, exempt: {until: 2027-01-31, reason: r}}]",
        "$.accounts[0].exempt.by",
        "who says that it is exempt",
        "nothing",
    ),
    "an exemption for no reason": Mistake(
        ONE + "accounts: [{match: a, exempt: {until: 2027-01-31, reason: '', by: b}}]",
        "$.accounts[0].exempt.reason",
        "text that is not empty",
        '""',
    ),
    "an exemption for ever": Mistake(
        ONE + "accounts: [{match: a, exempt: {until: never, reason: r, by: b}}]",
        "$.accounts[0].exempt.until",
        MOMENT,
        '"never"',
    ),
    "an exemption that is a date": Mistake(
        ONE + "accounts: [{match: a, exempt: 2027-01-31}]",
        "$.accounts[0].exempt",
        "a mapping",
        "2027-01-31, which YAML reads as a date",
    ),
    "an unknown key of an exemption": Mistake(
        ONE + "accounts: [{match: a, exempt: {unti: 2027-01-31}}]",
        "$.accounts[0].exempt.unti",
        EXEMPT_KEYS,
        '"unti"',
    ),
    "an unknown key of the way out": Mistake(
        ONE + "accounts: [{match: a, decommission: {when: 2027-01-31}}]",
        "$.accounts[0].decommission.when",
        OUT_KEYS,
        '"when"',
    ),
    "a grace that is a number": Mistake(
        ONE + "accounts: [{match: a, decommission: {grace: 30}}]",
        "$.accounts[0].decommission.grace",
        DURATION,
        "30",
    ),
    "a day of disabling that is none": Mistake(
        ONE + "accounts: [{match: a, decommission: {disabled_on: 2027-02-30}}]",
        "$.accounts[0].decommission.disabled_on",
        MOMENT,
        '"2027-02-30", which is none',
    ),
    "an approval by nobody": Mistake(
        ONE + "accounts: [{match: a, decommission: {approved_by: }}]",
        "$.accounts[0].decommission.approved_by",
        "text",
        "nothing",
    ),
    "a registry in place": Mistake(
        ONE + "registry_file: [{match: a}]",
        "$.registry_file",
        "text",
        "a list",
    ),
    # Systems.
    "systems is a mapping": Mistake("systems: {}", "$.systems", "a list", "a mapping"),
    "systems is null": Mistake("systems:", "$.systems", "a list", "nothing"),
    "no system": Mistake(
        "systems: []", "$.systems", "a list with at least 1 entry", "an empty list"
    ),
    "a system as text": Mistake(
        "systems: [http://h]", "$.systems[0]", "a mapping", '"http://h"'
    ),
    "no endpoints": Mistake(
        "systems: [{name: a}]", "$.systems[0].endpoints", "a list of URLs", "nothing"
    ),
    "empty endpoints": Mistake(
        "systems: [{endpoints: []}]",
        "$.systems[0].endpoints",
        "a list with at least 1 entry",
        "an empty list",
    ),
    "endpoints as text": Mistake(
        "systems: [{endpoints: 'http://u:hunter2@h'}]",
        "$.systems[0].endpoints",
        "a list",
        '"http://h"',
    ),
    "endpoint as mapping": Mistake(
        "systems: [{endpoints: [{urls: 'http://h'}]}]",
        "$.systems[0].endpoints[0].urls",
        "one of the keys basic_auth, authorization, http_headers, tls_config, "
        "proxy_url, follow_redirects, url",
        '"urls"',
    ),
    "an address to look up": Mistake(
        "systems: [{endpoints: ['dns+http://10.0.0.1:8222']}]",
        "$.systems[0].endpoints[0]",
        "a name to look up, no address",
        '"dns+http://10.0.0.1:8222"',
    ),
    "a port of records": Mistake(
        "systems: [{endpoints: [{url: 'dnssrv+http://_m._tcp.h:8222'}]}]",
        "$.systems[0].endpoints[0].url",
        "no port: the records that are looked up tell it",
        "text",
    ),
    "other discovery": Mistake(
        "systems: [{endpoints: ['consul+http://h:8222']}]",
        "$.systems[0].endpoints[0]",
        SCHEME,
        '"consul+http://h:8222"',
    ),
    "the same name twice": Mistake(
        "systems: [{endpoints: ['dns+http://h:80', 'dns+http://H']}]",
        "$.systems[0].endpoints[1]",
        "each endpoint once",
        '"dns+http://H" again',
    ),
    "no file of targets": Mistake(
        "systems: [{file_sd_files: [/targets]}]",
        "$.systems[0].file_sd_files[0]",
        FILES,
        '"/targets"',
    ),
    "a folder by pattern": Mistake(
        "systems: [{file_sd_files: ['/*/f.json']}]",
        "$.systems[0].file_sd_files[0]",
        FILES,
        '"/*/f.json"',
    ),
    "the same files twice": Mistake(
        "systems: [{file_sd_files: [/f.json, /f.json]}]",
        "$.systems[0].file_sd_files[1]",
        "each path once",
        '"/f.json" again',
    ),
    "files as text": Mistake(
        "systems: [{file_sd_files: f.json}]",
        "$.systems[0].file_sd_files",
        "a list",
        '"f.json"',
    ),
    "credentials": Mistake(
        "systems: [{endpoints: ['http://u:hunter2@h:1']}]",
        "$.systems[0].endpoints[0]",
        "a URL without user and password",
        'credentials in "http://h:1"',
    ),
    "query": Mistake(
        "systems: [{endpoints: ['http://h?token=hunter2']}]",
        "$.systems[0].endpoints[0]",
        "a URL without query and fragment",
        'one after "http://h"',
    ),
    "port too high": Mistake(
        "systems: [{endpoints: ['http://h:99999']}]",
        "$.systems[0].endpoints[0]",
        "a URL like http://host:8222",
        '"http://h:99999"',
    ),
    "newline in a URL": Mistake(
        'systems: [{endpoints: ["http://h\\nx"]}]',
        "$.systems[0].endpoints[0]",
        "a URL like http://host:8222",
        '"http://h\\nx"',
    ),
    "endpoint twice": Mistake(
        "systems: [{endpoints: ['http://h:1', 'http://h:1/']}]",
        "$.systems[0].endpoints[1]",
        "each endpoint once",
        '"http://h:1" again',
    ),
    "endpoint in two systems": Mistake(
        "systems: [{endpoints: ['http://h']}, {name: b, endpoints: ['http://h:80']}]",
        "$.systems[1].endpoints[0]",
        "each endpoint once",
        '"http://h:80" again',
    ),
    "system twice": Mistake(
        "systems: [{endpoints: ['http://a']}, {endpoints: ['http://b']}]",
        "$.systems[1].name",
        "another name for each system",
        '"default" again',
    ),
    "name on": Mistake(
        "systems: [{name: on, endpoints: ['http://h']}]",
        "$.systems[0].name",
        "text",
        "on, which YAML reads as true or false",
    ),
    "name null": Mistake(
        "systems: [{name: ~, endpoints: ['http://h']}]",
        "$.systems[0].name",
        "text",
        "nothing",
    ),
    "name with newline": Mistake(
        'systems: [{name: "a\\nb", endpoints: ["http://h"]}]',
        "$.systems[0].name",
        "text without control characters",
        '"a\\nb"',
    ),
    "long name": Mistake(
        f'systems: [{{name: "\\n{"x" * 500}", endpoints: ["http://h"]}}]',
        "$.systems[0].name",
        "text without control characters",
        f'"\\n{"x" * 75}..."',
    ),
    # Durations and numbers.
    "sexagesimal": Mistake(
        ONE + "inactivity: {threshold: 1:30}",
        "$.inactivity.threshold",
        DURATION,
        "1:30, which YAML reads as a number",
    ),
    "bare number": Mistake(
        ONE + "poll: {interval: 30}", "$.poll.interval", DURATION, "30"
    ),
    "fraction": Mistake(
        ONE + "poll: {interval: 1.5}",
        "$.poll.interval",
        DURATION,
        "1.5, which YAML reads as a number",
    ),
    "date": Mistake(
        ONE + "inactivity: {forget_after: 2026-01-01}",
        "$.inactivity.forget_after",
        DURATION,
        "2026-01-01, which YAML reads as a date",
    ),
    "spaced duration": Mistake(
        ONE + "poll: {timeout: 10 s}", "$.poll.timeout", DURATION, '"10 s"'
    ),
    "no duration": Mistake(
        ONE + "poll: {jetstream_interval:}",
        "$.poll.jetstream_interval",
        DURATION,
        "nothing",
    ),
    "zero": Mistake(
        ONE + "inactivity: {threshold: 0s}", "$.inactivity.threshold", POSITIVE, '"0s"'
    ),
    "zero concurrency": Mistake(
        ONE + "poll: {concurrency: 0}",
        "$.poll.concurrency",
        "a whole number of at least 1",
        "0",
    ),
    "concurrency as text": Mistake(
        ONE + "poll: {concurrency: eight}",
        "$.poll.concurrency",
        "a whole number",
        '"eight"',
    ),
    "octal": Mistake(
        ONE + "poll: {max_body_bytes: 0755}",
        "$.poll.max_body_bytes",
        "a whole number",
        "0755, which YAML reads as a number",
    ),
    "huge number": Mistake(
        ONE + f"poll: {{concurrency: {'9' * 40}}}",
        "$.poll.concurrency",
        "a whole number",
        f"{'9' * 40}, which YAML reads as a number",
    ),
    "small bodies": Mistake(
        ONE + "poll: {max_body_bytes: 1023}",
        "$.poll.max_body_bytes",
        "a whole number of at least 1024",
        "1023",
    ),
    "poll is null": Mistake(ONE + "poll:", "$.poll", "a mapping", "nothing"),
    "a tag": Mistake(
        ONE + "exclude: [!secret x]",
        "$.exclude[0]",
        "a value without a tag",
        "a tag; quote a leading !",
    ),
    "a tag that looks like YAML's own": Mistake(
        ONE + "exclude: [!!secret x]",
        "$.exclude[0]",
        "a value without a tag",
        "a tag; quote a leading !",
    ),
    "half a character": Mistake(
        ONE + 'exclude: ["a\\ud800"]',
        "$.exclude[0]",
        "whole characters",
        "an escape of half of one",
    ),
    "half a character in a key": Mistake(
        ONE + 'poll: {"\\udc00": 1}',
        "$.poll",
        "whole characters",
        "an escape of half of one",
    ),
    "a set": Mistake(
        ONE + "exclude: !!set {a, b}",
        "$.exclude",
        "a value without a tag",
        'the tag "tag:yaml.org,2002:set"',
    ),
    # Accounts.
    "no match": Mistake(
        ONE + "accounts: [{owner: me}]",
        "$.accounts[0].match",
        "a glob on account ids and names",
        "nothing",
    ),
    "empty match": Mistake(
        ONE + "accounts: [{match: a}, {match: ' '}]",
        "$.accounts[1].match",
        "text that is not empty",
        '" "',
    ),
    "number as match": Mistake(
        ONE + "accounts: [{match: 5}]", "$.accounts[0].match", "text", "5"
    ),
    "owner is a list": Mistake(
        ONE + "accounts: [{match: a, owner: [b]}]",
        "$.accounts[0].owner",
        "text",
        "a list",
    ),
    "empty state path": Mistake(
        ONE + "state: {path: ''}", "$.state.path", "text that is not empty", '""'
    ),
    "state path as a number": Mistake(
        ONE + "state: {path: 5}", "$.state.path", "text", "5"
    ),
    "unknown key of state": Mistake(
        ONE + "state: {file: x}", "$.state.file", "one of the keys path", '"file"'
    ),
    "exclude as text": Mistake(ONE + "exclude: a", "$.exclude", "a list", '"a"'),
    "empty exclude": Mistake(
        ONE + "exclude: ['']", "$.exclude[0]", "text that is not empty", '""'
    ),
    # Between keys.
    "tolerance above the threshold": Mistake(
        ONE + "inactivity: {threshold: 2s, gap_tolerance: 5m}",
        "$.inactivity.gap_tolerance",
        "less than the threshold of 2s",
        "5m",
    ),
    "tolerance as long as the default threshold": Mistake(
        ONE + "inactivity: {gap_tolerance: 24h}",
        "$.inactivity.gap_tolerance",
        "less than the threshold of 1d",
        "1d",
    ),
    "tolerance of a rule": Mistake(
        ONE + "accounts: [{match: a, threshold: 1h, gap_tolerance: 1h}]",
        "$.accounts[0].gap_tolerance",
        "less than the threshold of 1h",
        "1h",
    ),
    "tolerance of a rule, inherited threshold": Mistake(
        ONE + "inactivity: {threshold: 1h}\naccounts: [{match: a, gap_tolerance: 2h}]",
        "$.accounts[0].gap_tolerance",
        "less than the threshold of 1h",
        "2h",
    ),
}


def assert_complaint(line: str, file: Path, mistake: Mistake) -> None:
    """Check the parts of the one line that was printed."""
    head, _, found = line.partition(", found ")
    where, _, expected = head.partition(": expected ")
    assert where == f"nats-idle-exporter: {file}: {mistake.where}"
    assert expected == mistake.expected
    # How PyYAML ends its sentences is its own business.
    assert found[: len(mistake.found)] == mistake.found
    assert found == mistake.found or mistake.expected == "YAML"
    assert "hunter2" not in line


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_in_one_line(
    mistake: Mistake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad file ends the start with exit 1 and says where, expected, found."""
    file = tmp_path / "config.yaml"
    file.write_text(mistake.text, encoding="utf-8")

    code = main(["--config.file", str(file), "--config.check"])

    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    assert_complaint(err[:-1], file, mistake)


@pytest.mark.parametrize(
    ("entry", "is_hinted"), [("*", True), ("*-DEV", True), ("[alias", False)]
)
def test_a_bare_star_is_explained(
    entry: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, is_hinted: bool
) -> None:
    """A glob without quotes that YAML takes for an alias is told as such."""
    file = tmp_path / "config.yaml"
    file.write_text(f"{ONE}exclude:\n  - {entry}\n", encoding="utf-8")

    assert main([f"--config.file={file}"]) == 1
    line = capsys.readouterr().err.rstrip("\n")
    assert line.endswith("; quote a value that begins with *") == is_hinted


@pytest.mark.parametrize("name", ["empty", "unclosed list", "sexagesimal", "query"])
def test_the_program_itself_ends_with_one_line(name: str, tmp_path: Path) -> None:
    """The real program ends with exit 1 and exactly one line, without check too."""
    file = tmp_path / "config.yaml"
    file.write_text(MISTAKES[name].text, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "nats_idle_exporter", "--config.file", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert_complaint(done.stderr.rstrip("\n"), file, MISTAKES[name])


def test_a_missing_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there is no traceback."""
    file = tmp_path / "none.yaml"

    assert main([f"--config.file={file}"]) == 1
    assert_complaint(
        capsys.readouterr().err.rstrip("\n"),
        file,
        Mistake("", "$", "a readable file", "no such file or directory"),
    )


def test_a_directory_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory is not taken for a file."""
    assert main([f"--config.file={tmp_path}"]) == 1
    assert_complaint(
        capsys.readouterr().err.rstrip("\n"),
        tmp_path,
        Mistake("", "$", "a readable file", "is a directory"),
    )


def test_other_encodings_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not UTF-8 is refused with the byte and its place."""
    file = tmp_path / "config.yaml"
    file.write_bytes(b"# caf\xe9\n" + ONE.encode())

    assert main([f"--config.file={file}"]) == 1
    assert_complaint(
        capsys.readouterr().err.rstrip("\n"),
        file,
        Mistake("", "$", "text in UTF-8", "the byte 0xe9 at offset 5"),
    )


def test_very_many_values_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file may hold very many values: they are not all read first."""
    monkeypatch.setattr(yamltree, "MOST_VALUES", 3)
    file = tmp_path / "config.yaml"
    file.write_text("[a,a,a]")

    assert main([f"--config.file={file}"]) == 1
    assert_complaint(
        capsys.readouterr().err.rstrip("\n"),
        file,
        Mistake("", "$", "at most 3 values", "more"),
    )
