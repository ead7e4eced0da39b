"""A report from a running daemon, asked as Prometheus would be told to ask it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nats_idle_exporter.api.model import Endpoints
from nats_idle_exporter.api.query import LONGEST_PART
from nats_idle_exporter.errors import StartError
from nats_idle_exporter.metrics import Publication
from nats_idle_exporter.report import daemon
from nats_idle_exporter.report.flags import parse_report
from nats_idle_exporter.report.formats import render_json
from nats_idle_exporter.report.run import run_report
from tests.api.builders import HOSTILE, hostile_snapshot, knowing, known
from tests.metrics.builders import a_publication, a_snapshot, shown
from tests.report.builders import explained, reported
from tests.support.certificates import Authority
from tests.web.serving import hashed, protected

Output = pytest.CaptureFixture[str]


@asynccontextmanager
async def running(
    publication: Publication, file: Path | None = None, scheme: str = "http"
) -> AsyncIterator[str]:
    """Serve a publication; yield where."""
    async with protected(file, route_prefix="/idle") as server:
        server.state.pages.offer(publication)
        await shown(server.state.pages, publication)
        yield f"{scheme}://127.0.0.1:{server.port}/idle"


async def run(*flags: str) -> int:
    """Run the command as the command line would; return its exit code."""
    return await asyncio.to_thread(run_report, parse_report(flags))


def hostile() -> Publication:
    """Return a publication in which every word from outside is hostile."""
    return a_publication(hostile_snapshot())


async def test_it_tells_what_the_daemon_knows(capsys: Output) -> None:
    """All of it, whatever accounts are called, and nothing else on stdout."""
    async with running(hostile()) as url:
        code = await run(f"--from={url}", "--format=json")

    assert code == 0
    source = f"the daemon at {url}"
    report = await asyncio.to_thread(reported, hostile_snapshot())
    expected = render_json(report).replace('"a test"', f'"{source}"')
    out, err = capsys.readouterr()
    assert out == expected
    assert err == ""


@pytest.mark.parametrize("word", HOSTILE)
async def test_every_account_can_be_explained(word: str, capsys: Output) -> None:
    """By whatever id or name, as the daemon tells it."""
    async with running(hostile()) as url:
        code = await run(f"--from={url}", f"--explain={word}", "--format=json")

    assert code == 0
    expected = render_json(await asyncio.to_thread(explained, hostile_snapshot(), word))
    assert (
        capsys.readouterr().out.partition('"notes"')[2]
        == expected.partition('"notes"')[2]
    )


async def test_more_accounts_than_one_answer_holds(capsys: Output) -> None:
    """Very many are read in parts, and how far is told on stderr."""
    everybody = [known(f"A{number:04}") for number in range(LONGEST_PART + 2)]
    async with running(a_publication(knowing(default=everybody))) as url:
        code = await run(f"--from={url}", "--format=csv", "--fail-on=unknown")

    out, err = capsys.readouterr()
    assert code == 0
    assert out.count("\r\n") == len(everybody) + 1
    assert err == "1,000 accounts read\n"


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--fail-on=inactive"], 3, "--fail-on inactive: 2\n"),
        (["--fail-on=unowned", "--fail-on=inactive"], 3, "--fail-on inactive: 2\n"),
        (["--fail-on=unknown"], 0, ""),
        (["--fail-on=inactive", "--explain=A"], 3, "--fail-on inactive: 1\n"),
        (["--explain=a\nb"], 4, 'no account has the id or the name "a\\nb"\n'),
    ],
)
async def test_exit_codes(
    flags: list[str], code: int, said: str, capsys: Output
) -> None:
    """What was looked for is told by the code, with how many on stderr."""
    snapshot = knowing(default=[known("A"), known("B")])
    async with running(a_publication(snapshot)) as url:
        assert await run(f"--from={url}", *flags) == code

    assert capsys.readouterr().err == said


class TestAccess:
    """How the daemon is asked."""

    async def test_password_and_authority(self, tmp_path: Path, capsys: Output) -> None:
        """A client file says who we are and whom we trust; secrets stay unsaid."""
        authority = Authority(tmp_path)
        pair = authority.issue("server")
        served = tmp_path / "web.yaml"
        served.write_text(
            f"tls_server_config: {{cert_file: {pair.cert}, key_file: {pair.key}}}\n"
            f"basic_auth_users: {{audit: '{hashed('s3cret')}'}}\n"
        )
        (tmp_path / "password").write_text("s3cret\n")
        client = tmp_path / "http.yaml"
        client.write_text(
            "basic_auth: {username: audit, password_file: password}\n"
            "tls_config: {ca_file: ca.pem}\n"
        )
        async with running(hostile(), served, "https") as url:
            good = await run(f"--from={url}", f"--http.config.file={client}")
            without = await run(f"--from={url}")
            client.write_text("tls_config: {ca_file: ca.pem}\n")
            nobody = await run(f"--from={url}", f"--http.config.file={client}")

        out, err = capsys.readouterr()
        assert (good, without, nobody) == (0, 4, 4)
        assert "/api/v1/endpoints: certificate not accepted" in err
        assert "/api/v1/endpoints: HTTP 401" in err
        assert "s3cret" not in out + err

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("basic_auth: s3cret", "$.basic_auth: expected a mapping, found text"),
            ("basic_auth: {username: s3cret}", "$.basic_auth.password: expected passw"),
            ("basicauth: {}", "$.basicauth: expected "),
            ("- 1", "$: expected a mapping, found a list"),
            (
                "basic_auth: {username: a, password_file: none}",
                "$.basic_auth.password_file: expected a readable file, found no such",
            ),
            (
                "tls_config: {ca: s3cret}",
                "$.tls_config.ca: expected a certificate in PEM",
            ),
        ],
    )
    async def test_mistakes(self, tmp_path: Path, text: str, words: str) -> None:
        """A client file that cannot be used is named, with where and why."""
        client = tmp_path / "http.yaml"
        client.write_text(text)

        with pytest.raises(StartError) as caught:
            await run("--from=http://127.0.0.1:1", f"--http.config.file={client}")

        assert str(caught.value).startswith(f"{client}: {words}")
        assert "s3cret" not in str(caught.value)

    async def test_an_empty_file(self, tmp_path: Path, capsys: Output) -> None:
        """A file without keys asks plainly."""
        client = tmp_path / "http.yaml"
        client.write_text("")
        async with running(hostile()) as url:
            assert await run(f"--from={url}", f"--http.config.file={client}") == 0

        assert "accounts" in capsys.readouterr().out


Answers = Callable[[web.Request], web.Response]


@asynccontextmanager
async def answering(answer: Answers) -> AsyncIterator[str]:
    """Serve the same answer everywhere."""

    async def handle(request: web.Request) -> web.Response:
        return answer(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


class TestTrouble:
    """A daemon that cannot be believed makes no report."""

    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            (b"{}", 200, "an answer that this version cannot read: Object missing"),
            (b"<html>", 200, "an answer that this version cannot read: JSON is"),
            (b'{"version": 2}', 200, "an answer that this version cannot read: "),
            (
                b'{"endpoints": [{"system": "\xff"}]}',
                200,
                "an answer that this version cannot read: 'utf-8'",
            ),
            (b"[" * 10**5, 200, "an answer that this version cannot read: Expected"),
            (
                b'{"x": ' + b"[" * 10**5,
                200,
                "an answer that this version cannot read: maximum recursion",
            ),
            (b"", 404, "/api/v1/endpoints: HTTP 404"),
        ],
    )
    async def test_no_answer_of_ours(
        self, body: bytes, status: int, words: str, capsys: Output
    ) -> None:
        """What is no API of ours is refused; stdout stays empty."""
        async with answering(lambda _: web.Response(body=body, status=status)) as url:
            code = await run(f"--from={url}")

        out, err = capsys.readouterr()
        assert (code, out) == (4, "")
        assert err.startswith(f"the daemon at {url}: {words}")

    async def test_before_its_first_cycle(self, capsys: Output) -> None:
        """A daemon that knows nothing yet makes no report."""
        async with running(a_publication(None)) as url:
            assert await run(f"--from={url}") == 4

        assert "/api/v1/endpoints: HTTP 503" in capsys.readouterr().err

    async def test_it_sees_nothing(self, capsys: Output) -> None:
        """A daemon none of whose endpoints answers makes no report either."""
        async with running(a_publication(a_snapshot(endpoints=[]))) as url:
            assert await run(f"--from={url}") == 4

        assert "no endpoint of the system default answered" in capsys.readouterr().err

    async def test_no_answer_in_time(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Output
    ) -> None:
        """A daemon that says nothing is given up."""
        monkeypatch.setattr(daemon, "TIMEOUT_SECONDS", 0.05)
        # It accepts, and no program ever takes the connection.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            assert await run(f"--from=http://127.0.0.1:{port}") == 4

        assert "no answer within 0s" in capsys.readouterr().err


def test_a_daemon_that_tells_less() -> None:
    """An exporter from before a field was added can be asked too."""
    system = {
        "system": "default",
        "watched_to_at": None,
        "is_fresh": True,
        "unwatched": [{"kind": "route", "who": "NPEER"}],
        "accounts": dict[str, int](),
    }
    told = {"as_of_at": 1.0, "systems": [system], "endpoints": [], "inventories": []}

    read = daemon.read_answer(json.dumps(told).encode(), Endpoints)

    assert read.discoveries == ()
    assert read.systems[0].unwatched[0].server_name == ""
