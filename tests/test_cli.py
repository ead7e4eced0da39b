"""The command line: flags, commands, exit codes."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

import pytest
import structlog

from nats_idle_exporter import __version__
from nats_idle_exporter.cli import main
from nats_idle_exporter.config import Config, WebOptions, config_without_file
from nats_idle_exporter.configsource import ConfigSource
from nats_idle_exporter.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"
ONE = "systems: [{endpoints: ['http://h:8222']}]\n"


pytestmark = pytest.mark.usefixtures("restored_logging")


def stand_in(
    monkeypatch: pytest.MonkeyPatch, module: str, function: Callable[..., int]
) -> None:
    """Put a function in the place of the one that a module would bring."""
    new = ModuleType(f"nats_idle_exporter.{module}")
    vars(new)[function.__name__] = function
    monkeypatch.setitem(sys.modules, new.__name__, new)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Config, WebOptions]]:
    """Stand in for the daemon and keep what it was called with."""
    calls: list[tuple[Config, WebOptions]] = []

    def serve(config: Config, source: ConfigSource, web: WebOptions) -> int:
        assert source.load() == config
        calls.append((config, web))
        structlog.get_logger().debug("served")
        return 0

    stand_in(monkeypatch, "daemon", serve)
    return calls


class TestServe:
    """The default command."""

    @pytest.mark.parametrize("arguments", [[], ["serve"]])
    def test_without_flags_everything_has_its_default(
        self, arguments: list[str], served: list[tuple[Config, WebOptions]]
    ) -> None:
        """No arguments, or the word serve alone, run the daemon with defaults."""
        assert main(arguments) == 0
        assert served == [(config_without_file(), WebOptions())]

    def test_all_flags_arrive(
        self, served: list[tuple[Config, WebOptions]], tmp_path: Path
    ) -> None:
        """Flags outrank the file and may be repeated where it makes sense."""
        file = tmp_path / "c.yaml"
        file.write_text("exclude: [a]\npoll: {interval: 1h}", encoding="utf-8")

        code = main(
            [
                "serve",
                f"--config.file={file}",
                "--nats.endpoint=http://a/",
                "--nats.endpoint",
                "https://b:1",
                "--nats.endpoint=dns+http://c:1/",
                "--inactivity.threshold=2s",
                "--poll.interval=500ms",
                "--web.listen-address=:0",
                "--web.listen-address=[::1]:7778",
                "--web.telemetry-path=/m",
                "--web.route-prefix=/p/",
                "--web.config.file=web.yaml",
                "--web.max-requests=3",
            ]
        )

        ((config, web),) = served
        assert code == 0
        assert config.systems[0].endpoints == (
            "http://a",
            "https://b:1",
            "dns+http://c:1",
        )
        assert config.exclude == ("a",)
        assert config.inactivity.threshold_seconds == 2.0
        assert config.poll.interval_seconds == 0.5
        assert web == WebOptions(
            (("", 0), ("::1", 7778)), "/m", "/p", Path("web.yaml"), 3
        )

    @pytest.mark.parametrize(
        ("flags", "line"),
        [
            ([], ""),
            (["--log.level=debug"], "level=debug msg=served"),
            (["--log.level=debug", "--log.format=json"], '"msg": "served"'),
        ],
    )
    def test_logging_is_set_up_first(
        self,
        flags: list[str],
        line: str,
        served: list[tuple[Config, WebOptions]],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The daemon logs to stderr in the level and the format of the flags."""
        main(flags)

        out, err = capsys.readouterr()
        assert len(served) == 1
        assert out == ""
        assert line in err
        assert bool(err) is bool(line)

    def test_the_exit_code_is_the_daemons(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the daemon returns is what the program returns."""

        def serve(_: Config, __: ConfigSource, ___: WebOptions) -> int:
            return 7

        stand_in(monkeypatch, "daemon", serve)

        assert main([]) == 7

    @pytest.mark.parametrize("command", ["serve", "demo"])
    def test_a_failed_start_is_one_line(
        self,
        command: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A start that fails ends with exit 1 and the reason, for each command."""

        def serve(_: Config, __: ConfigSource, ___: WebOptions) -> int:
            raise StartError("port 7778 is in use")

        def run_demo(_duration_seconds: float | None) -> int:
            raise StartError("port 7778 is in use")

        stand_in(monkeypatch, "daemon", serve)
        stand_in(monkeypatch, "demo", run_demo)

        assert main([command]) == 1
        assert capsys.readouterr().err == "nats-idle-exporter: port 7778 is in use\n"


class TestConfigCheck:
    """The check runs nothing."""

    def test_a_good_file_is_ok(
        self,
        served: list[tuple[Config, WebOptions]],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A good file ends with exit 0 and one line on stdout."""
        code = main(["--config.check", f"--config.file={EXAMPLE}"])

        assert code == 0
        assert capsys.readouterr() == (f"{EXAMPLE}: ok\n", "")
        assert served == []

    def test_flags_alone_are_checked(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a file the flags are checked, also against each other."""
        good = main(["--config.check"])
        twice = main(
            ["--config.check", "--nats.endpoint=http://a", "--nats.endpoint=http://a/"]
        )

        assert (good, twice) == (0, 1)
        out, err = capsys.readouterr()
        assert out == "command line: ok\n"
        assert err == (
            "nats-idle-exporter: command line: $.systems[0].endpoints[1]:"
            ' expected each endpoint once, found "http://a" again\n'
        )

    def test_endpoints_in_both_places_are_wrong_usage(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Endpoints by flag beside systems in the file end with exit 2."""
        file = tmp_path / "c.yaml"
        file.write_text(ONE, encoding="utf-8")

        code = main([f"--config.file={file}", "--nats.endpoint=http://a"])

        assert code == 2
        assert capsys.readouterr().err == (
            f"nats-idle-exporter: {file}:"
            " --nats.endpoint cannot be given with systems in a file\n"
        )

    def test_a_strange_file_name_stays_on_the_line(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A newline in the name of the file is escaped."""
        assert main(["--config.file=/none\nx"]) == 1
        assert capsys.readouterr().err.startswith("nats-idle-exporter: /none\\nx: $: ")


class TestUsage:
    """Wrong usage is exit 2, with a word of why and no secret."""

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["audit"], "unrecognized arguments: audit"),
            (["--config"], "unrecognized arguments"),
            (["--nats.end=http://a"], "unrecognized arguments"),
            (["--web.config.file"], "expected one argument"),
            (["--web.route-prefix=x"], "plain path"),
            (["--web.max-requests=-1"], "at least 0"),
            (["--web.systemd-socket", "--web.listen-address=:1"], "not allowed with"),
            (["--web.systemd-socket", "--healthcheck"], "needs --web.listen-address"),
            (["--config.enable-auto-reload"], "needs --config.file"),
            (["--config.auto-reload-interval=0"], "above 0"),
            (["--config.file"], "expected one argument"),
            (["--nats.endpoint=dns+http://u:hunter2@a"], "without user and password"),
            (["--nats.endpoint=ftp://a"], "starts with http:// or https://"),
            (["--nats.endpoint=http://u:hunter2@a"], "without user and password"),
            (["--nats.endpoint=http://a?t=hunter2"], "without query and fragment"),
            (["--inactivity.threshold=24"], 'found "24"'),
            (["--inactivity.threshold="], 'found ""'),
            (["--inactivity.threshold=0"], "above 0"),
            (["--poll.interval=1\n2"], r'found "1\n2"'),
            (["--web.listen-address=7778"], "expected :7778"),
            (["--web.listen-address=:1", "--web.listen-address=:1"], "given once"),
            (["--web.telemetry-path=metrics"], "plain path"),
            (["--web.telemetry-path=/-/ready"], "not reserved"),
            (["--log.level=warning"], "invalid choice"),
            (["--log.format=xml"], "invalid choice"),
            (["demo", "--duration=1"], 'found "1"'),
            (["demo", "--log.level=debug"], "unrecognized arguments"),
        ],
    )
    def test_wrong_usage_is_refused(
        self, arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Unknown and shortened flags, later flags and bad values are refused."""
        with pytest.raises(SystemExit) as end:
            main(arguments)

        err = capsys.readouterr().err
        assert end.value.code == 2
        assert why in err.splitlines()[-1]
        assert "hunter2" not in err

    def test_help_tells_both_commands(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Help names the commands and ends with exit 0."""
        with pytest.raises(SystemExit) as end:
            main(["--help"])

        out = capsys.readouterr().out
        assert end.value.code == 0
        assert "nats-idle-exporter [serve] [flags]" in out
        assert "nats-idle-exporter demo" in out

    def test_the_version_is_printed_by_the_program(self) -> None:
        """The program prints version, Python and platform, without the daemon."""
        program = [sys.executable, "-X", "importtime", "-m", "nats_idle_exporter"]

        done = subprocess.run(
            [*program, "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        lines = done.stdout.splitlines()
        assert done.returncode == 0
        assert lines[0] == f"nats-idle-exporter, version {__version__}"
        assert lines[1].startswith("  python version: 3.")
        assert lines[2].startswith("  platform:       linux/")
        assert "aiohttp" not in done.stderr


def test_importing_the_program_runs_nothing() -> None:
    """The module that python -m runs can be imported for its parts."""
    module = importlib.import_module("nats_idle_exporter.__main__")

    assert module.main is main


class TestDemo:
    """The demonstration is an extra."""

    @pytest.mark.parametrize(
        ("flags", "seconds"), [([], None), (["--duration", "1m"], 60.0)]
    )
    def test_the_duration_arrives(
        self,
        flags: list[str],
        seconds: float | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The demonstration runs for the duration, or until it is stopped."""
        given: list[float | None] = []

        def run_demo(duration_seconds: float | None) -> int:
            given.append(duration_seconds)
            return 7

        stand_in(monkeypatch, "demo", run_demo)

        assert main(["demo", *flags]) == 7
        assert given == [seconds]

    @pytest.mark.parametrize("missing", ["rich", "nats.aio"])
    def test_missing_packages_are_named(
        self,
        missing: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Without the extra, one line says what to install."""

        def run_demo(_duration_seconds: float | None) -> int:
            raise ModuleNotFoundError(name=missing)

        stand_in(monkeypatch, "demo", run_demo)

        assert main(["demo"]) == 1
        assert capsys.readouterr().err == (
            f"nats-idle-exporter: the demo needs the package {missing}:"
            " pip install '.[demo]' in a checkout of nats-idle-exporter\n"
        )

    def test_other_missing_modules_are_our_fault(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A module that no extra brings is not blamed on the user."""

        def run_demo(_duration_seconds: float | None) -> int:
            raise ModuleNotFoundError(name="nowhere")

        stand_in(monkeypatch, "demo", run_demo)

        with pytest.raises(ModuleNotFoundError):
            main(["demo"])


class Probed(BaseHTTPRequestHandler):
    """Answer a health question with the status that a test chose."""

    status: ClassVar[int] = 200
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Note the path and answer."""
        self.asked.append(self.path)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    """Run a server on loopback that answers health questions."""
    Probed.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Probed) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class TestHealthcheck:
    """A container platform asks the running daemon."""

    @pytest.mark.parametrize("host", ["", "0.0.0.0", "127.0.0.1", "localhost"])  # noqa: S104 - asked, not bound
    def test_a_healthy_daemon_is_exit_0(
        self,
        host: str,
        port: int,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The first address is asked, on loopback where it is a wildcard."""
        monkeypatch.setattr(Probed, "status", 200)
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

        first = f"--web.listen-address={host}:{port}"
        code = main(["--healthcheck", first, "--web.listen-address=:1"])

        assert code == 0
        assert Probed.asked == ["/-/healthy"]
        assert capsys.readouterr() == ("", "")

    def test_an_unhealthy_daemon_is_exit_1(
        self,
        port: int,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Another status than 200 is not healthy."""
        monkeypatch.setattr(Probed, "status", 503)

        assert main(["--healthcheck", f"--web.listen-address=:{port}"]) == 1
        assert capsys.readouterr().err == (
            f"nats-idle-exporter: 127.0.0.1:{port} answered with status 503\n"
        )

    def test_nobody_there_is_exit_1(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A port that nobody listens on is not healthy."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

        assert main(["--healthcheck", f"--web.listen-address=127.0.0.1:{port}"]) == 1
        assert capsys.readouterr().err == (
            f"nats-idle-exporter: no answer from 127.0.0.1:{port}: Connection refused\n"
        )

    def test_no_http_is_exit_1(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A port that speaks something else is not healthy."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

            def answer() -> None:
                peer, _ = server.accept()
                with peer:
                    peer.recv(1024)
                    peer.sendall(b"INFO {}\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            code = main(["--healthcheck", f"--web.listen-address=127.0.0.1:{port}"])
            thread.join()

        assert code == 1
        assert f"no answer from 127.0.0.1:{port}: INFO" in capsys.readouterr().err


class TestWebFile:
    """The web configuration file belongs to the start, and to the check."""

    def test_a_bad_one_fails_the_check(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The check reads it too, and says where it is wrong."""
        good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
        good.touch()
        bad.write_text("rate_limit: {}", encoding="utf-8")

        codes = [
            main(["--config.check", f"--web.config.file={file}"])
            for file in (good, bad)
        ]

        out, err = capsys.readouterr()
        assert codes == [0, 1]
        assert out == "command line: ok\n"
        assert err.startswith(f"nats-idle-exporter: {bad}: $.rate_limit: expected no")

    def test_a_bad_one_ends_the_start(self, tmp_path: Path) -> None:
        """The daemon does not start without the protection that was asked for."""
        command = [sys.executable, "-m", "nats_idle_exporter"]
        command += [f"--web.config.file={tmp_path / 'none.yaml'}"]

        ended = subprocess.run(
            [*command, "--web.listen-address=127.0.0.1:0"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1] == (
            f"nats-idle-exporter: {tmp_path / 'none.yaml'}: $: expected a readable"
            " file, found no such file or directory"
        )
