"""What an eye finds on a page that a browser shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.browser import DESK, PHONE

if TYPE_CHECKING:
    from tests.support.browser import Tab

SCREENS = [(size, scheme) for size in (PHONE, DESK) for scheme in ("light", "dark")]

_TEXTS = """function (selector) {
    return [...this.querySelectorAll(selector)].map(found => found.innerText.trim());
}"""

_TOO_WIDE = """function () {
    return [this.documentElement, ...this.querySelectorAll(".table, pre")]
        .filter(found => found.scrollWidth > found.clientWidth)
        .map(found => found.tagName + " " + found.innerText.slice(0, 80));
}"""

# https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
_FAINT = """function (least) {
    const light = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3)
            .map(each => each / 255)
            .map(each => each <= 0.04 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = found => {
        const color = getComputedStyle(found).backgroundColor;
        return color === "rgba(0, 0, 0, 0)" ? behind(found.parentElement) : color;
    };
    const isFaint = found => {
        const both = [light(getComputedStyle(found).color), light(behind(found))];
        return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05) < least;
    };
    const texts = this.createTreeWalker(this.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    while (texts.nextNode()) {
        const text = texts.currentNode;
        if (isFaint(text.parentElement)) faint.push(text.data);
    }
    return faint;
}"""
_LEAST_CONTRAST = 4.5
"""Of level AA, for text of any size."""


async def texts(tab: Tab, selector: str) -> list[str]:
    """Return what can be read in each such element."""
    found: list[str] = await tab.ask(_TEXTS, selector)
    return found


async def faint(tab: Tab) -> list[str]:
    """Return what has too little contrast to be read."""
    found: list[str] = await tab.ask(_FAINT, _LEAST_CONTRAST)
    return found


async def too_wide(tab: Tab) -> list[str]:
    """Return what has to be moved sideways to be seen."""
    found: list[str] = await tab.ask(_TOO_WIDE)
    return found


async def check_every_screen(tab: Tab) -> None:
    """Hold that a page fits a phone, and can be read by day and by night."""
    for size, scheme in SCREENS:
        await tab.look(size, scheme)
        unread = await faint(tab)
        assert not unread, (size, scheme, unread)
        wide = await too_wide(tab) if size is PHONE else []
        assert not wide, wide
