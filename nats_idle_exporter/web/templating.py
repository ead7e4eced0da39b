"""Templates -> HTML, and the policy that goes with it.

Every word from outside passes :func:`words.visible` and the template's escaping.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nats_idle_exporter import __version__
from nats_idle_exporter.removal.words import size
from nats_idle_exporter.web import accountwords, words


def account_path(system: str, account: str) -> str:
    """Return the path of an account's page, below the route prefix; "" for none.

    >>> account_path("default", "a/b?")
    '/accounts/default/a%2Fb%3F'
    """
    # Browsers take these two for directions, however they are written.
    if {system, account} & {".", ".."}:
        return ""
    return f"/accounts/{quote(system, safe='')}/{quote(account, safe='')}"


_ENVIRONMENT = Environment(
    loader=PackageLoader("nats_idle_exporter.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(
    visible=words.visible,
    block=words.block,
    duration=words.duration,
    moment=words.moment,
    size=size,
    amount=accountwords.amount,
)
_ENVIRONMENT.globals.update(account_path=account_path)
_STYLE = _ENVIRONMENT.get_template("style.css").render()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Compiled here: it takes longer than the event loop may stand still.
_TEMPLATES = {
    name: _ENVIRONMENT.get_template(name)
    for name in ("index.html.j2", "account.html.j2")
}

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but the page's own style is allowed, no script and no other host."""


def render(template: str, **values: Any) -> str:
    """Return the HTML of a page."""
    return _TEMPLATES[template].render(
        version=__version__,
        style=Markup(_STYLE),  # noqa: S704 - our own file, no word from outside
        **values,
    )
