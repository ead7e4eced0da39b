"""The API's own description in OpenAPI 3.1, made from what it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, Final

import msgspec

from nats_idle_exporter import __version__
from nats_idle_exporter.api.model import (
    AccountDetail,
    Accounts,
    Endpoints,
    Problem,
)
from nats_idle_exporter.api.query import Query

BASE: Final = "/api/v1"
ACCOUNTS: Final = f"{BASE}/accounts"
ACCOUNT: Final = f"{ACCOUNTS}/{{system}}/{{account}}"
ENDPOINTS: Final = f"{BASE}/endpoints"
OPENAPI: Final = f"{BASE}/openapi.json"

_REFERENCES = "#/components/schemas/{name}"
_INFO = {
    "title": "nats-idle-exporter",
    "version": __version__,
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "description": (
        "Which NATS accounts nobody uses, and which may go. Reading only."
        " Times are Unix seconds; null is not known, never none."
    ),
}
_GUARDED = {
    "401": "A user and a password are needed, by the web configuration file",
    "500": "The web configuration file cannot be used",
}
_NOT_YET = {"503": "No cycle has ended yet, or too many requests at once"}


def describe_api(prefix: str = "") -> dict[str, Any]:
    """Return the document; the prefix stands before every path of the server."""
    shapes = (Accounts, AccountDetail, Endpoints, Problem)
    _, components = msgspec.json.schema_components(
        (*shapes, Query), ref_template=_REFERENCES
    )
    query = components.pop(Query.__name__)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": prefix or "/"}],
        "paths": _paths(query),
        "components": {
            "schemas": {name: _cleaned(components[name]) for name in sorted(components)}
        },
    }


def _cleaned(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose description, a docstring, has the form of Markdown."""
    if "description" not in schema:
        return schema
    words = cleandoc(schema["description"]).replace("``", "`")
    return schema | {"description": words}


def _paths(query: Mapping[str, Any]) -> dict[str, Any]:
    unusable = {"400": "A parameter is unknown, given twice, or cannot be used"}
    missing = {"404": "There is no such system, or no such account in it"}
    return {
        ACCOUNTS: _get(
            "All accounts that have a verdict, a part at a time",
            _answer(Accounts, unusable | missing | _NOT_YET),
            [_parameter(name, each) for name, each in query["properties"].items()],
        ),
        ACCOUNT: _get(
            "All that is known of one account",
            _answer(AccountDetail, missing | _NOT_YET),
            [
                _in_path("system", "The name of a system"),
                _in_path("account", "The id of an account, as one escaped segment"),
            ],
        ),
        ENDPOINTS: _get("What is watched, and how well", _answer(Endpoints, _NOT_YET)),
        OPENAPI: _get("This document", _content({"type": "object"}, {})),
    }


def _get(
    summary: str,
    responses: dict[str, Any],
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    operation = {"summary": summary, "responses": responses}
    return {"get": operation | ({"parameters": parameters} if parameters else {})}


def _parameter(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter of a URL, which is there or not, but is never null."""
    kinds = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    [kind] = kinds
    kind = {key: value for key, value in kind.items() if key != "default"}
    if schema.get("default") is not None:
        kind["default"] = schema["default"]
    description = kind.pop("description", None)
    parameter = {"name": name, "in": "query", "schema": kind}
    return parameter | ({"description": description} if description else {})


def _in_path(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    where = {"name": name, "in": "path", "required": True}
    return where | {"description": description, "schema": schema}


def _answer(shape: type, problems: Mapping[str, str]) -> dict[str, Any]:
    return _content({"$ref": _REFERENCES.format(name=shape.__name__)}, problems)


def _content(schema: Mapping[str, Any], problems: Mapping[str, str]) -> dict[str, Any]:
    """Return the responses of an operation: as asked, its problems, who is refused."""
    problem = {"$ref": _REFERENCES.format(name=Problem.__name__)}
    told = {status: _response(why, problem) for status, why in problems.items()}
    refused = {status: {"description": why} for status, why in _GUARDED.items()}
    return {"200": _response("As asked", schema)} | told | refused


def _response(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"description": description, "content": content}
