"""Drive a real Chromium by its own protocol, as somebody who looks and clicks.

Reference: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from nats_idle_exporter.demo.child import running
from tests.support.programs import require_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

PHONE = (375, 812)
DESK = (1440, 900)
_PATIENCE_SECONDS = 60
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it does not start as root with one, and reads our pages only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


class Tab:
    """One page of the browser, and what happened in it so far.

    ``requests`` are the URLs it asked for; ``alarms`` is what no page may do: open
    a dialog, break its own policy, log an error.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.requests: list[str] = []
        self.alarms: list[str] = []
        self._socket = socket
        self._session = ""
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._loaded = asyncio.Event()

    async def listen(self) -> None:
        """Take what the browser tells, until the connection ends."""
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            else:
                await self._take(told["method"], told["params"])

    async def call(self, method: str, **parameters: Any) -> Any:
        """Return the result of one command; an error of the browser is an error."""
        answer = await self._send(method, **parameters)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            told = await answer
        assert "error" not in told, (method, told)
        return told["result"]

    async def attach(self) -> None:
        """Open a page, and speak to it from here on."""
        page = await self.call("Target.createTarget", url="about:blank")
        told = await self.call(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True
        )
        self._session = told["sessionId"]
        for domain in ("Page", "Network", "Log", "Audits", "Runtime"):
            await self.call(f"{domain}.enable")

    async def visit(self, url: str) -> None:
        """Go to a URL, and return when all of it is there."""
        self._loaded.clear()
        told = await self.call("Page.navigate", url=url)
        assert "errorText" not in told, told
        await self._wait_until_loaded()

    async def click(self, selector: str) -> None:
        """Press the mouse on an element that leads elsewhere, and follow."""
        spot = await self.ask(_SPOT, selector)
        self._loaded.clear()
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                button="left",
                clickCount=1,
                **spot,
            )
        await self._wait_until_loaded()

    async def ask(self, function: str, *arguments: Any) -> Any:
        """Return what a function in the page's own world returns."""
        document = await self.call("Runtime.evaluate", expression="document")
        told = await self.call(
            "Runtime.callFunctionOn",
            functionDeclaration=function,
            objectId=document["result"]["objectId"],
            arguments=[{"value": each} for each in arguments],
            returnByValue=True,
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def look(self, size: tuple[int, int] = DESK, scheme: str = "light") -> None:
        """Look by a screen of this size, with ``light`` or ``dark`` preferred."""
        width, height = size
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=size == PHONE,
        )
        scheme_wanted = {"name": "prefers-color-scheme", "value": scheme}
        await self.call("Emulation.setEmulatedMedia", features=[scheme_wanted])

    async def _send(self, method: str, **parameters: Any) -> asyncio.Future[Any]:
        number = next(self._numbers)
        command: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(command)
        return answer

    async def _wait_until_loaded(self) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._loaded.wait()

    async def _take(self, method: str, told: Mapping[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.alarms.append(f"dialog: {told['message']}")
                # An open one would stop the page, and the test with it.
                await self._send("Page.handleJavaScriptDialog", accept=False)
            case "Log.entryAdded":
                self.alarms.append(
                    f"{told['entry']['source']}: {told['entry']['text']}"
                )
            case "Audits.issueAdded":
                self.alarms.append(f"issue: {told['issue']}")
            case _:
                pass


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Tab]:
    """Run Chromium with a profile of its own in a folder, and open one page."""
    profile = folder / "profile"
    command = [require_program("chromium"), *_FLAGS, f"--user-data-dir={profile}"]
    address = profile / "DevToolsActivePort"

    async def is_up() -> bool:
        return address.exists() and "\n" in address.read_text()

    async with running("chromium", command, folder / "chromium.log") as child:
        await child.until(is_up, "told its port")
        port, path = address.read_text().split()
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"ws://127.0.0.1:{port}{path}", max_msg_size=0
            ) as socket,
            asyncio.TaskGroup() as group,
        ):
            tab = Tab(socket)
            listening = group.create_task(tab.listen())
            await tab.attach()
            yield tab
            listening.cancel()


_SPOT = """function (selector) {
    const found = this.querySelector(selector);
    found.scrollIntoView({block: "center"});
    const box = found.getClientRects()[0];
    return {x: box.x + box.width / 2, y: box.y + box.height / 2};
}"""
